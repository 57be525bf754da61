"""Takes the members that a list names out of a wheel, without the leading `tensorflow/`: unpack.py WHEEL LIST FOLDER.

Debian's Python has zipfile; `unzip` may be missing. The list's order does not matter; lines that start with # are comments.
"""

import pathlib
import shutil
import sys
import zipfile


def unpack(wheel: str, names: list[str], folder: str) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in names:
            target = pathlib.Path(folder, name.removeprefix("tensorflow/"))
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, open(target, "wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)


if __name__ == "__main__":
    wheel, contents, folder = sys.argv[1:]
    lines = pathlib.Path(contents).read_text().split("\n")
    unpack(wheel, [line for line in lines if line and not line.startswith("#")], folder)
