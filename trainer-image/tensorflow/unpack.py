"""Takes the members that standard input names out of the wheels that have them: unpack.py FOLDER WHEEL… < LIST

All libraries come to lie beside each other in FOLDER: the leading `tensorflow/` and `nvidia/…/lib/` are dropped.
Debian's Python has zipfile; `unzip` may be missing. The list's order does not matter; lines that start with # are comments.
"""

import pathlib
import re
import shutil
import sys
import zipfile


def unpack(names: set[str], wheels: list[str], folder: str) -> None:
    missing = set(names)
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in names.intersection(archive.namelist()):
                target = pathlib.Path(folder, re.sub(r"^(tensorflow|nvidia/\w+/lib)/", "", name))
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as source, open(target, "wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
                missing.discard(name)
    if missing:
        sys.exit(f"not in any of the wheels: {', '.join(sorted(missing))}")


if __name__ == "__main__":
    folder, *wheels = sys.argv[1:]
    lines = sys.stdin.read().split("\n")
    unpack({line for line in lines if line and not line.startswith("#")}, wheels, folder)
