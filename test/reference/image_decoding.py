"""Image files and what torchvision's evaluation transforms make of them, for test/trainer-image/data/decode.test.ts.

Writes test/fixtures/image-decoding: NAME (the file) and NAME.rgb (the bytes of [size, size, 3], size 32).
"""
import pathlib

import numpy as np
from PIL import Image
from torchvision.transforms import v2

folder = pathlib.Path(__file__).parents[1] / "fixtures" / "image-decoding"
size = 32
shorter = round(size * 256 / 224)
transform = v2.Compose([v2.Resize(shorter), v2.CenterCrop(size)])


def picture(width: int, height: int, seed: int) -> np.ndarray:
    """Smooth waves with some texture, so that aliasing and offsets would show."""
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    channels = []
    for _ in range(3):
        fx, fy, phase = draw.uniform(2, 9), draw.uniform(2, 9), draw.uniform(0, 6)
        wave = np.sin(6.283 * (fx * x / width + fy * y / height) + phase)
        channels.append(127 + 90 * wave + draw.normal(0, 12, (height, width)))
    return np.clip(np.stack(channels, 2), 0, 255).astype(np.uint8)


def save(name: str, image: Image.Image, **options) -> None:
    image.save(folder / name, **options)
    with Image.open(folder / name) as read:
        (folder / f"{name}.rgb").write_bytes(np.asarray(transform(read.convert("RGB"))).tobytes())


folder.mkdir(parents=True, exist_ok=True)
save("wide.jpg", Image.fromarray(picture(150, 61, 1)), quality=90)
save("tall.png", Image.fromarray(picture(40, 75, 2)))
save("small.png", Image.fromarray(picture(21, 20, 3)))
save("grey.jpg", Image.fromarray(picture(64, 64, 4)[:, :, 0]), quality=90)
save("large.jpg", Image.fromarray(picture(200, 160, 5)), quality=60)
alpha = np.dstack([picture(50, 50, 6), np.tile(np.linspace(0, 255, 50).astype(np.uint8), (50, 1))])
save("transparent.png", Image.fromarray(alpha))
save("palette.png", Image.fromarray(picture(48, 40, 7)).quantize(32))
rotated = Image.fromarray(picture(60, 40, 8))
exif = rotated.getexif()
exif[0x0112] = 6
save("rotated.jpg", rotated, quality=90, exif=exif)
