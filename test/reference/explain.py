"""What the reference tools of explanation compute: writes test/fixtures/explain.json, explain-photo-32.png and -224.jpg.

    .tools/peers/bin/python -m pip install --no-deps --target .tools/explain-peers -r test/reference/explain.txt
    PYTHONPATH=.tools/explain-peers .tools/peers/bin/python test/reference/explain.py

pytorch-grad-cam, lime, shap and scikit-image explain the networks of models.py, with the weights and images that
filled.py gives them. Arrays are written as base64: maps as 16-bit integers between their smallest and largest value, of
which the differences from one to the next are compressed by zlib; masks as bits; labels as bytes compressed by zlib.
"""

import base64
import itertools
import json
import math
import zlib
from pathlib import Path

import numpy as np
import shap
import skimage
import torch
from lime.lime_image import LimeImageExplainer
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from scipy.stats import spearmanr
from skimage.segmentation import quickshift, slic
from sklearn.metrics import adjusted_rand_score
from torch import nn

from filled import filled, signs
from models import CASES, fill, images_and_labels, networks

FIXTURES = Path(__file__).parent.parent / "fixtures"
# Networks whose maps are written as a whole at every stage but the first. Of the others that is done at the stage which
# is looked at by default: the last of at least this many cells on a side.
FEWEST_CELLS = 7
SHOWN = {("resnet20", 32), ("wrn-16-2", 32), ("vgg8", 32), ("mobilenet-v2", 32), ("resnet18", 96)}


class Logits(nn.Module):
    """A network of models.py without its features."""

    def __init__(self, name, size):
        super().__init__()
        self.network = fill(networks(size)[name]())
        self.eval()

    def forward(self, x):
        return self.network(x)[0]

    def stages(self):
        n = self.network
        if hasattr(n, "layer1"):
            return [getattr(n, f"layer{i}") for i in range(1, n.stages + 1)]
        if hasattr(n, "blocks"):
            return [n.blocks[i] for i in (1, 2, 4, 6)]
        return [getattr(n, f"block{i}") for i in range(1, 5) if hasattr(n, f"block{i}")]


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def quantised(values) -> dict:
    values = np.asarray(values, np.float64)
    low, high = float(values.min()), float(values.max())
    steps = np.round((values - low) / ((high - low) or 1) * 65535).astype("<u2")
    differences = np.diff(steps.ravel(), prepend=steps.dtype.type(0))
    return {"low": low, "high": high, "values": encoded(zlib.compress(differences.tobytes(), 9))}


def bits(masks) -> dict:
    masks = np.asarray(masks, np.uint8)
    return {"rows": len(masks), "columns": masks.shape[1], "bits": encoded(np.packbits(masks).tobytes())}


def labels(segments) -> str:
    segments = np.asarray(segments)
    assert segments.min() >= 0 and segments.max() < 256
    return encoded(zlib.compress(segments.astype(np.uint8).tobytes(), 9))


def rounded(values) -> list:
    return [float(f"{value:.8g}") for value in np.asarray(values, np.float64).ravel()]


def grad_cam():
    """Of each case's images, for the predicted class, at every stage: [norm, projection] of the maps."""
    found = []
    for name, size, batch, salt in CASES:
        model = Logits(name, size)
        images, _ = images_and_labels(size, batch, salt)
        with torch.no_grad():
            targets = model(images).argmax(1).tolist()
        entry = {"name": name, "imageSize": size, "batch": batch, "salt": salt, "targets": targets, "stages": []}
        default = default_stage(model, images[:1])
        for stage, layer in enumerate(model.stages(), 1):
            with GradCAM(model=model, target_layers=[layer]) as cam:
                maps = cam(input_tensor=images, targets=[ClassifierOutputTarget(t) for t in targets])
            flat = maps.astype(np.float64).ravel()
            projection = float((flat * signs(f"cam{stage}", flat.size)).sum())
            described = {"norm": float((flat**2).sum() ** 0.5), "projection": projection}
            if stage == default or ((name, size) in SHOWN and stage >= 2):
                described["map"] = quantised(maps[0])
            entry["stages"].append(described)
        found.append(entry)
        print("grad-cam", name, size, flush=True)
    return found


def default_stage(model, image):
    """Counted from 1."""
    sides = {}
    hooks = [layer.register_forward_hook(lambda _, __, output, stage=stage: sides.update({stage: min(output.shape[2:])}))
             for stage, layer in enumerate(model.stages(), 1)]
    with torch.no_grad():
        model(image)
    for hook in hooks:
        hook.remove()
    return max((stage for stage, side in sides.items() if side >= FEWEST_CELLS), default=1)


def grid(size, side):
    """Superpixels: size/side squares, numbered row by row."""
    cells = np.arange(size) * side // size
    return cells[:, None] * side + cells[None, :]


class RecordingExplainer(LimeImageExplainer):
    def data_labels(self, *args, **kwargs):
        self.data, found = super().data_labels(*args, **kwargs)
        return self.data, found


def lime(name, side, samples, seed, salt):
    size = 32
    model = Logits(name, size)
    images, _ = images_and_labels(size, 1, salt)
    segments = grid(size, side)

    def probabilities(batch):
        x = torch.from_numpy(np.stack(batch)).float().permute(0, 3, 1, 2)
        with torch.no_grad():
            return torch.softmax(model(x), 1).double().numpy()

    image = images[0].permute(1, 2, 0).double().numpy()
    explainer = RecordingExplainer(kernel_width=0.25, random_state=seed)
    explanation = explainer.explain_instance(
        image, probabilities, top_labels=1, hide_color=None, num_samples=samples,
        segmentation_fn=lambda _: segments,
    )
    (label,) = explanation.local_exp
    score = explanation.score[label] if isinstance(explanation.score, dict) else explanation.score
    coefficients = [value for _, value in sorted(explanation.local_exp[label])]
    intercept = explanation.intercept[label]
    return {
        "name": name, "salt": salt, "side": side, "target": int(label), "masks": bits(explainer.data),
        "coefficients": rounded(coefficients), "intercept": rounded([intercept])[0], "r2": rounded([score])[0],
    }


def shown(image, background, segments, masks):
    """Images `[n, 3, h, w]` that show the superpixels of a mask."""
    masks = torch.as_tensor(np.asarray(masks, np.float32))
    pixels = masks[:, torch.as_tensor(segments.ravel())].reshape(len(masks), 1, *segments.shape)
    return pixels * image + (1 - pixels) * background


def exact_shapley(values, players):
    """From v of every coalition, by its definition: values[bits], bit i is player i."""
    found = np.zeros(players)
    for player in range(players):
        others = [i for i in range(players) if i != player]
        for count in range(players):
            weight = 1 / (players * math.comb(players - 1, count))
            for coalition in itertools.combinations(others, count):
                code = sum(1 << i for i in coalition)
                found[player] += weight * (values[code | 1 << player] - values[code])
    return found


def kernel_shap(name, segments, salt):
    """Exact Shapley values, and shap's with all coalitions."""
    players = int(segments.max()) + 1
    model = Logits(name, 32)
    images, _ = images_and_labels(32, 1, salt)
    background = torch.from_numpy(filled(f"background{salt}", (1, 3, 1, 1), 0.5)).expand(1, 3, 32, 32)
    with torch.no_grad():
        target = int(model(images).argmax())

    def value(masks):
        with torch.no_grad():
            parts = [shown(images, background, segments, part) for part in np.array_split(masks, len(masks) // 256 + 1)]
            return np.concatenate([model(part)[:, target].double().numpy() for part in parts])

    every = (np.arange(2**players)[:, None] >> np.arange(players)) & 1
    values = value(every)
    np.random.seed(1)
    explainer = shap.KernelExplainer(value, np.zeros((1, players)))
    samples = 2**players if players <= 8 else 600
    found = explainer.shap_values(np.ones((1, players)), nsamples=samples, l1_reg=False, silent=True)
    return {
        "name": name, "salt": salt, "segments": labels(segments), "players": players, "target": target,
        "background": rounded(background[0, :, 0, 0]), "empty": float(values[0]), "full": float(values[-1]),
        "exact": rounded(exact_shapley(values, players)), "samples": samples, "shap": rounded(found),
    }


def gradients(model, points, target):
    points = points.clone().requires_grad_()
    return torch.autograd.grad(model(points)[:, target].sum(), points)[0]


def expected_gradients(name, count, samples, salt):
    """Maps summed over channels: by 400 points between each background and the image, and shap's by sampling."""
    model = Logits(name, 32)
    images, _ = images_and_labels(32, count + 1, salt)
    image, backgrounds = images[:1], images[1:]
    with torch.no_grad():
        logits = model(images)
    target = int(logits[0].argmax())
    difference = (logits[0, target] - logits[1:, target].mean()).item()
    exact = torch.zeros(3, 32, 32, dtype=torch.float64)
    points = 400
    for background in backgrounds:
        for part in torch.arange(points).split(100):
            t = ((part + 0.5) / points).reshape(-1, 1, 1, 1)
            gradient = gradients(model, background + t * (image - background), target)
            exact += (gradient.double() * (image[0] - background)).sum(0) / points / count
    explainer = shap.GradientExplainer(model, backgrounds)
    found, _ = explainer.shap_values(image, nsamples=samples, ranked_outputs=1, rseed=1)
    sampled = np.asarray(found).reshape(3, 32, 32).sum(0)
    exact = exact.sum(0).numpy()
    return {
        "name": name, "salt": salt, "backgrounds": count, "samples": samples, "target": target,
        "difference": difference, "exact": quantised(exact), "shap": quantised(sampled),
        "shapError": float(np.linalg.norm(sampled - exact) / np.linalg.norm(exact)),
    }


def photos():
    """scikit-image's astronaut (NASA, public domain): the face at 32 px, the whole at 224 px."""
    whole = Image.fromarray(skimage.data.astronaut())
    whole.crop((160, 32, 320, 192)).resize((32, 32), Image.Resampling.BOX).save(FIXTURES / "explain-photo-32.png")
    whole.resize((224, 224), Image.Resampling.BOX).save(FIXTURES / "explain-photo-224.jpg", quality=80, subsampling=0)
    return {size: np.asarray(Image.open(FIXTURES / f"explain-photo-{size}.{kind}").convert("RGB"))
            for size, kind in ((32, "png"), (224, "jpg"))}


def segmentation():
    found = []
    for size, image in photos().items():
        segments, kernel, distance = (36, 1, 4) if size == 32 else (64, 4, 200)
        by_slic = slic(image, n_segments=segments, compactness=10, start_label=0)
        by_quickshift = quickshift(image, kernel_size=kernel, max_dist=distance, ratio=0.2, rng=1)
        print(size, "slic", by_slic.max() + 1, "quickshift", by_quickshift.max() + 1)
        found.append({
            "imageSize": size, "slic": labels(by_slic), "quickshift": labels(by_quickshift),
            "pixelSum": int(image.astype(np.int64).sum()),
            # Noise decides in flat areas: how alike two of its own runs are.
            "quickshiftAlike": adjusted_rand_score(
                by_quickshift.ravel(),
                quickshift(image, kernel_size=kernel, max_dist=distance, ratio=0.2, rng=2).ravel()),
            "randIndex": adjusted_rand_score(by_slic.ravel(), by_quickshift.ravel()),
        })
    return found


def rank_correlations():
    """Of arrays without ties, with ties, and of one with another one shifted."""
    made = []
    for kind in ("plain", "ties"):
        a, b = (filled(f"rank{which}{kind}", (40,)) for which in "ab")
        if kind == "ties":
            a, b = np.round(a * 3), np.round((b + a / 3) * 3)
        made.append({"a": rounded(a), "b": rounded(b), "spearman": float(spearmanr(a, b).statistic)})
    return made


def halves(players):
    """Vertical stripes of unequal width."""
    edges = np.sort((np.arange(1, players) * 37) % 31 + 1)
    assert len(set(edges)) == players - 1
    return np.repeat(np.searchsorted(edges, np.arange(32), side="right")[None], 32, 0)


def main():
    document = {
        "gradCam": grad_cam(),
        "lime": [lime("resnet20", 6, 1000, 7, 4), lime("wrn-16-1", 4, 300, 3, 8)],
        "kernelShap": [kernel_shap("resnet20", halves(8), 4), kernel_shap("vgg8", grid(32, 3), 13),
                       kernel_shap("resnet8", halves(12), 4)],
        "expectedGradients": [expected_gradients("resnet20", 1, 200, 4), expected_gradients("resnet8", 3, 200, 4)],
        "segmentation": segmentation(),
        "rankCorrelations": rank_correlations(),
    }
    text = ",\n".join(f'"{key}": [\n' + ",\n".join(map(json.dumps, value)) + "\n]" for key, value in document.items())
    (FIXTURES / "explain.json").write_text("{\n" + text + "\n}\n")


if __name__ == "__main__":
    main()
