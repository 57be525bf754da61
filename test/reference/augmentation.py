"""torchvision's transforms with fixed parameters, for trainer-image/data/augmentation.ts.

Writes test/fixtures/augmentation.json. Images are 20 x 20 x 3 bytes, results 16-bit numbers for 0 to 1 (both base64).
The photograph is a detail of NASA's portrait of Eileen Collins (public domain), made small.

    .tools/peers/bin/python test/reference/augmentation.py
"""

import base64
import json
from pathlib import Path

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image
from torchvision.transforms import InterpolationMode, RandomResizedCrop

FIXTURES = Path(__file__).parent.parent / "fixtures"
SIZE = 20


def ramps() -> np.ndarray:
    """Linear in x and y, so that interpolating twice gives what interpolating once gives."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    return np.stack([x * 12, y * 12, (x + y) * 6], axis=2).astype(np.uint8)


def shapes() -> np.ndarray:
    """Edges and saturated colours: a disc, a bar and stripes on a coloured background."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[:] = (30, 90, 200)
    image[(x - 7) ** 2 + (y - 8) ** 2 < 25] = (240, 40, 30)
    image[13:16, 4:18] = (250, 230, 20)
    image[(x > 14) & (y % 3 == 0)] = (20, 220, 60)
    return image


IMAGES = {
    "photo": np.asarray(Image.open(FIXTURES / "augmentation-photo.png").convert("RGB")),
    "ramps": ramps(),
    "shapes": shapes(),
}

# One step each, with the field of `AugmentationParameters` that it stands for.
flip = lambda p, x: F.hflip(x) if p.get("flip") else x
brightness = lambda p, x: F.adjust_brightness(x, p.get("brightness", 1))
contrast = lambda p, x: F.adjust_contrast(x, p.get("contrast", 1))
saturation = lambda p, x: F.adjust_saturation(x, p.get("saturation", 1))
hue = lambda p, x: F.adjust_hue(x, p["hue"]) if "hue" in p else x
rotation = lambda p, x: F.rotate(x, p["angle"], InterpolationMode.BILINEAR) if "angle" in p else x


def crop(p, x):
    if "crop" not in p:
        return x
    padding = 8
    return F.crop(F.pad(x, padding), p["crop"]["top"] + padding, p["crop"]["left"] + padding, SIZE, SIZE)


def resized_crop(p, x):
    if "box" not in p:
        return x
    b = p["box"]
    return F.resized_crop(
        x, b["top"], b["left"], b["height"], b["width"], [SIZE, SIZE], InterpolationMode.BILINEAR, antialias=False
    )


JITTER = [brightness, contrast, saturation, hue]
OURS = [flip, *JITTER, crop, rotation, resized_crop]
# The border that the padded crop adds is jittered, too.
USUAL = [flip, crop, *JITTER, rotation, resized_crop]

GEOMETRY = ["photo", "ramps"]
COLOUR = ["photo", "shapes"]
INNER = {"left": 2, "top": 3, "width": 15, "height": 14}
ALL_GEOMETRY = {"flip": True, "crop": {"left": 2, "top": -1}, "angle": 12.5, "box": INNER}
ALL_COLOUR = {"brightness": 1.15, "contrast": 0.85, "saturation": 1.1}

CASES = [
    ("horizontal flip", {"flip": True}, GEOMETRY, OURS),
    ("padded crop", {"crop": {"left": 3, "top": -2}}, GEOMETRY, OURS),
    ("flip and padded crop", {"flip": True, "crop": {"left": -4, "top": 1}}, GEOMETRY, OURS),
    ("rotation by 15 degrees", {"angle": 15}, GEOMETRY, OURS),
    ("rotation by -40 degrees", {"angle": -40}, GEOMETRY, OURS),
    ("rotation by 90 degrees", {"angle": 90}, GEOMETRY, OURS),
    ("resized crop", {"box": INNER}, GEOMETRY, OURS),
    ("resized crop at the corner", {"box": {"left": 0, "top": 0, "width": 18, "height": 18}}, GEOMETRY, OURS),
    ("all of geometry", ALL_GEOMETRY, GEOMETRY, OURS),
    ("brighter", {"brightness": 1.4}, COLOUR, OURS),
    ("darker", {"brightness": 0.6}, COLOUR, OURS),
    ("more contrast", {"contrast": 1.4}, COLOUR, OURS),
    ("less contrast", {"contrast": 0.6}, COLOUR, OURS),
    ("more saturation", {"saturation": 1.4}, COLOUR, OURS),
    ("less saturation", {"saturation": 0.6}, COLOUR, OURS),
    ("hue by 0.03 turns", {"hue": 0.03}, COLOUR, OURS),
    ("hue by 0.1 turns", {"hue": 0.1}, COLOUR, OURS),
    ("hue by -0.1 turns", {"hue": -0.1}, COLOUR, OURS),
    ("hue by a third of a turn", {"hue": 1 / 3}, COLOUR, OURS),
    ("colour jitter that stays in range", {"brightness": 0.9, "contrast": 0.85, "saturation": 0.9}, COLOUR, OURS),
    ("colour jitter that is clamped", ALL_COLOUR, COLOUR, OURS),
    ("everything", {**ALL_GEOMETRY, **ALL_COLOUR, "hue": 0.05}, COLOUR, OURS),
    ("everything, the crop's border jittered", {**ALL_GEOMETRY, **ALL_COLOUR, "hue": 0.05}, COLOUR, USUAL),
]


def encode(array: np.ndarray) -> str:
    return base64.b64encode(array.tobytes()).decode()


def apply(image: np.ndarray, parameters: dict, steps: list) -> np.ndarray:
    x = torch.from_numpy(image.copy()).permute(2, 0, 1).float() / 255
    for step in steps:
        x = step(parameters, x)
    return np.round(x.permute(1, 2, 0).numpy() * 65535).astype("<u2")


def box_draws(scale: list, ratio: list, count: int) -> dict:
    """Mean and standard deviation of the boxes that torchvision draws for a 32 x 32 image."""
    torch.manual_seed(1)
    image = torch.zeros(3, 32, 32)
    draws = np.array([RandomResizedCrop.get_params(image, scale, ratio) for _ in range(count)], float)
    names = ["top", "left", "height", "width"]
    return {
        "scale": scale,
        "ratio": ratio,
        "mean": dict(zip(names, draws.mean(0).round(4).tolist())),
        "deviation": dict(zip(names, draws.std(0).round(4).tolist())),
    }


def main() -> None:
    torch.set_num_threads(1)
    fixture = {
        "size": SIZE,
        "images": {name: encode(image) for name, image in IMAGES.items()},
        "cases": [
            {
                "name": name,
                "parameters": parameters,
                "expected": {image: encode(apply(IMAGES[image], parameters, steps)) for image in images},
            }
            for name, parameters, images, steps in CASES
        ],
        "boxes": [
            box_draws([0.8, 1.0], [0.9, 1.1], 20000),
            box_draws([0.08, 1.0], [0.75, 1.3333], 20000),
            # No box of that shape fits: the fallback.
            box_draws([0.95, 1.0], [1.5, 2.0], 10),
            box_draws([0.95, 1.0], [0.4, 0.5], 10),
        ],
    }
    (FIXTURES / "augmentation.json").write_text(json.dumps(fixture, indent=1) + "\n")


if __name__ == "__main__":
    main()
