"""What PyTorch computes for every network of trainer-image/models: writes test/fixtures/models.json.

    .tools/peers/bin/python test/reference/models.py

The networks are written here once more, independently, with the names of torchvision (ResNets) and RepDistiller
(the others). Weights and images come from filled.py. Numbers are computed in double precision from single-precision
weights and images; with the argument `errors` the script prints PyTorch's own errors in single precision instead.
A summary of a tensor is [its Euclidean norm, its projection on a vector of signs], in PyTorch's order of elements.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from filled import filled, fnv1a, signs

CLASSES = 100
SHOWN = 10
ENDS_BLOCK = r"^layer.*bn[23]$|conv\.7$"
# Shifts that are not near 0, up or down: in deep networks they keep activations from 0, see margin(). Those before a
# depthwise convolution only go up: a channel of zeros could not be normalised.
AWAY_FROM_0 = r"^layer.*bn[123]\.bias$|conv\.[14]\.bias$"
# Network, image size, batch and which images: see margin(). The slowest networks take smaller images. MobileNetV2's
# last maps are so small that it takes more of them to normalise by without losing digits.
CASES = [
    ("resnet18", 32, 2, 2),
    ("resnet18", 96, 2, 9),
    ("resnet34", 16, 2, 5),
    ("resnet50", 16, 2, 1),
    ("resnet101", 16, 2, 1),
    ("resnet152", 16, 2, 3),
    ("resnet8", 32, 2, 4),
    ("resnet8", 96, 2, 1),
    ("resnet14", 32, 2, 12),
    ("resnet20", 32, 2, 4),
    ("resnet32", 32, 2, 12),
    ("resnet44", 32, 2, 3),
    ("resnet56", 32, 2, 4),
    ("resnet110", 16, 2, 1),
    ("resnet8x4", 32, 2, 1),
    ("resnet32x4", 16, 2, 15),
    ("wrn-16-1", 32, 2, 8),
    ("wrn-16-1", 96, 2, 7),
    ("wrn-16-2", 32, 2, 0),
    ("wrn-40-1", 32, 2, 12),
    ("wrn-40-2", 16, 2, 5),
    ("vgg8", 32, 2, 13),
    ("vgg8", 64, 2, 1),
    ("vgg11", 32, 2, 13),
    ("vgg13", 32, 2, 13),
    ("vgg16", 32, 2, 13),
    ("vgg19", 16, 2, 7),
    ("vgg19-half", 32, 2, 15),
    ("mobilenet-v2", 32, 8, 9),
    ("mobilenet-v2", 96, 4, 2),
]


def conv3x3(inputs, outputs, stride=1, bias=False):
    return nn.Conv2d(inputs, outputs, 3, stride, 1, bias=bias)


def conv1x1(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 1, stride, bias=False)


def stem(channels, size):
    return conv3x3(3, channels) if size <= 64 else nn.Conv2d(3, channels, 7, 2, 3, bias=False)


def stem_pool(x, size):
    return x if size <= 64 else F.max_pool2d(x, 3, 2, 1)


def pooled(x):
    return x.mean((2, 3))


class Basic(nn.Module):
    expansion = 1

    def __init__(self, inputs, channels, stride):
        super().__init__()
        self.conv1, self.bn1 = conv3x3(inputs, channels, stride), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = conv3x3(channels, channels), nn.BatchNorm2d(channels)
        if stride != 1 or inputs != channels:
            self.downsample = nn.Sequential(conv1x1(inputs, channels, stride), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inputs, channels, stride):
        super().__init__()
        outputs = 4 * channels
        self.conv1, self.bn1 = conv1x1(inputs, channels), nn.BatchNorm2d(channels)
        self.conv2, self.bn2 = conv3x3(channels, channels, stride), nn.BatchNorm2d(channels)
        self.conv3, self.bn3 = conv1x1(channels, outputs), nn.BatchNorm2d(outputs)
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(conv1x1(inputs, outputs, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(y)))))
        return F.relu(y + (self.downsample(x) if hasattr(self, "downsample") else x))


class ResNet(nn.Module):
    def __init__(self, size, block, stem_channels, widths, counts):
        super().__init__()
        self.size = size
        self.conv1, self.bn1 = stem(stem_channels, size), nn.BatchNorm2d(stem_channels)
        inputs = stem_channels
        for stage, (width, count) in enumerate(zip(widths, counts), 1):
            blocks = []
            for index in range(count):
                blocks.append(block(inputs, width, 2 if stage > 1 and index == 0 else 1))
                inputs = width * block.expansion
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
        self.stages = len(counts)
        self.fc = nn.Linear(inputs, CLASSES)

    def forward(self, x):
        x = stem_pool(F.relu(self.bn1(self.conv1(x))), self.size)
        features = []
        for stage in range(1, self.stages + 1):
            x = getattr(self, f"layer{stage}")(x)
            features.append(x)
        return self.fc(pooled(x)), features


class WideBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv3x3(inputs, outputs, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv3x3(outputs, outputs)
        self.convShortcut = conv1x1(inputs, outputs, stride) if inputs != outputs else None

    def forward(self, x):
        active = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(active))))
        return y + (x if self.convShortcut is None else self.convShortcut(active))


class WideGroup(nn.Module):
    def __init__(self, inputs, outputs, stride, count):
        super().__init__()
        first = WideBlock(inputs, outputs, stride)
        self.layer = nn.Sequential(first, *(WideBlock(outputs, outputs, 1) for _ in range(count - 1)))

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    def __init__(self, size, depth, widening):
        super().__init__()
        self.size = size
        count, k = (depth - 4) // 6, widening
        self.conv1 = stem(16, size)
        self.block1 = WideGroup(16, 16 * k, 1, count)
        self.block2 = WideGroup(16 * k, 32 * k, 2, count)
        self.block3 = WideGroup(32 * k, 64 * k, 2, count)
        self.bn1 = nn.BatchNorm2d(64 * k)
        self.fc = nn.Linear(64 * k, CLASSES)

    def forward(self, x):
        features = [self.block1(stem_pool(self.conv1(x), self.size))]
        features.append(self.block2(features[-1]))
        features.append(self.block3(features[-1]))
        return self.fc(pooled(F.relu(self.bn1(features[-1])))), features


class VGG(nn.Module):
    def __init__(self, size, counts, share=1.0):
        super().__init__()
        self.size = size
        inputs = 3
        for index, (count, width) in enumerate(zip(counts, [64, 128, 256, 512, 512])):
            outputs = int(width * share)
            layers = []
            for _ in range(count):
                layers += [conv3x3(inputs, outputs, bias=True), nn.BatchNorm2d(outputs), nn.ReLU()]
                inputs = outputs
            setattr(self, f"block{index}", nn.Sequential(*layers))
        self.classifier = nn.Linear(inputs, CLASSES)

    def forward(self, x):
        x = self.block0(x)
        features = []
        for index in range(1, 5):
            if index < 4 or self.size >= 64:
                x = F.max_pool2d(x, 2)
            x = getattr(self, f"block{index}")(x)
            features.append(x)
        return self.classifier(pooled(x)), features


class Inverted(nn.Module):
    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        hidden = inputs * expansion
        self.added = stride == 1 and inputs == outputs
        self.conv = nn.Sequential(
            conv1x1(inputs, hidden), nn.BatchNorm2d(hidden), nn.ReLU(),
            nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False), nn.BatchNorm2d(hidden), nn.ReLU(),
            conv1x1(hidden, outputs), nn.BatchNorm2d(outputs),
        )

    def forward(self, x):
        return x + self.conv(x) if self.added else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, size, width=0.5):
        super().__init__()
        inputs = int(32 * width)
        self.conv1 = nn.Sequential(conv3x3(3, inputs, 2), nn.BatchNorm2d(inputs), nn.ReLU())
        groups = []
        second = 1 if size <= 64 else 2
        rows = [(1, 16, 1, 1), (6, 24, 2, second), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
        for expansion, channels, repeats, stride in rows:
            blocks = []
            for index in range(repeats):
                blocks.append(Inverted(inputs, int(channels * width), stride if index == 0 else 1, expansion))
                inputs = int(channels * width)
            groups.append(nn.Sequential(*blocks))
        self.blocks = nn.ModuleList(groups)
        self.conv2 = nn.Sequential(conv1x1(inputs, 1280), nn.BatchNorm2d(1280), nn.ReLU())
        self.classifier = nn.Sequential(nn.Linear(1280, CLASSES))

    def forward(self, x):
        x = self.conv1(x)
        features = []
        for row, group in enumerate(self.blocks):
            x = group(x)
            if row in (1, 2, 4, 6):
                features.append(x)
        return self.classifier(pooled(self.conv2(x))), features


def networks(size):
    """Builders by name for images of `size` px."""
    deep = [64, 128, 256, 512]
    made = {
        "resnet18": lambda: ResNet(size, Basic, 64, deep, [2, 2, 2, 2]),
        "resnet34": lambda: ResNet(size, Basic, 64, deep, [3, 4, 6, 3]),
        "resnet50": lambda: ResNet(size, Bottleneck, 64, deep, [3, 4, 6, 3]),
        "resnet101": lambda: ResNet(size, Bottleneck, 64, deep, [3, 4, 23, 3]),
        "resnet152": lambda: ResNet(size, Bottleneck, 64, deep, [3, 8, 36, 3]),
        "mobilenet-v2": lambda: MobileNetV2(size),
        "vgg19-half": lambda: VGG(size, [2, 2, 4, 4, 4], 0.5),
    }
    for depth in (8, 14, 20, 32, 44, 56, 110):
        made[f"resnet{depth}"] = lambda n=(depth - 2) // 6: ResNet(size, Basic, 16, [16, 32, 64], [n] * 3)
    for depth in (8, 32):
        made[f"resnet{depth}x4"] = lambda n=(depth - 2) // 6: ResNet(size, Basic, 32, [64, 128, 256], [n] * 3)
    for depth in (16, 40):
        for widening in (1, 2):
            made[f"wrn-{depth}-{widening}"] = lambda d=depth, k=widening: WideResNet(size, d, k)
    for depth, counts in {8: [1] * 5, 11: [1, 1, 2, 2, 2], 13: [2] * 5, 16: [2, 2, 3, 3, 3], 19: [2, 2, 4, 4, 4]}.items():
        made[f"vgg{depth}"] = lambda counts=counts: VGG(size, counts)
    return made


def fill(network):
    """Weights that keep activations and gradients healthy at any depth: what residual blocks add is small."""
    for name, module in network.named_modules():
        for key, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            if key == "num_batches_tracked":
                continue
            full = f"{name}.{key}"
            values = filled(full, tensor.shape, *spread(name, key, module, tensor))
            if re.search(AWAY_FROM_0, full) and not full.endswith("conv.1.bias"):
                values *= signs(f"{full}.sign", tensor.numel()).astype(np.float32)
            with torch.no_grad():
                tensor.copy_(torch.from_numpy(values))
    return network


def spread(name, key, module, tensor):
    """Scale and offset of what filled() gives a tensor."""
    small = re.search(ENDS_BLOCK, name)
    if key == "running_var":
        return 0.3, 1.0
    if key == "weight" and isinstance(module, nn.BatchNorm2d):
        return (0.05, 0.15) if small else (0.1, 0.9)
    if key == "weight":
        return ((6.0 if tensor.dim() == 4 else 3.0) / tensor[0].numel()) ** 0.5, 0.0
    if re.search(AWAY_FROM_0, f"{name}.{key}"):
        return (0.1, 0.25) if small else (0.4, 1.6)
    if key == "bias" and isinstance(module, nn.BatchNorm2d):
        return (0.2 if small else 0.8), 0.0
    return 0.1, 0.0


def images_and_labels(size, batch, salt):
    """Noise on coarse patterns: of noise alone deep layers see only the mean, which is that of all images."""
    pixels = np.arange(size) * 4 // size
    patterns = filled(f"patterns{salt}", (batch, 3, 4, 4), 1.5)[:, :, pixels][:, :, :, pixels]
    images = torch.from_numpy(patterns + filled(f"images{salt}", (batch, 3, size, size)))
    return images, torch.tensor([(37 * index + 11) % CLASSES for index in range(batch)])


def margin(name, size, batch, salt):
    """The activation nearest to 0, relative to the standard deviation of its layer.

    Where an activation is 0 but for rounding, rounding decides whether its gradient passes the ReLU, and gradients
    of two correct implementations differ by more than rounding. CASES name images for which this is far from rounding
    errors: `margins NAME SIZE BATCH` prints what to choose from.
    """
    network = fill(networks(size)[name]()).double().train()
    rectify, nearest = F.relu, [1.0]

    def watched(x, inplace=False):
        nearest.append((x.abs().min() / x.std()).item())
        return rectify(x)

    F.relu = watched
    try:
        with torch.no_grad():
            network(images_and_labels(size, batch, salt)[0].double())
    finally:
        F.relu = rectify
    return min(nearest)


def computed(make, size, batch, salt, dtype):
    """Everything the test compares, by name: tensors in PyTorch's layout."""
    network = fill(make()).to(dtype)
    images, labels = images_and_labels(size, batch, salt)
    images = images.to(dtype)
    network.eval()
    with torch.no_grad():
        logits, features = network(images)
    found = {"inference.logits": logits}
    for stage, feature in enumerate(features, 1):
        found[f"inference.stage{stage}"] = feature
    network.train()
    logits, features = network(images)
    F.cross_entropy(logits, labels).backward()
    found["training.logits"] = logits.detach()
    for name, parameter in network.named_parameters():
        found[f"gradient.{name}"] = parameter.grad
    for name, buffer in network.named_buffers():
        if not name.endswith("num_batches_tracked"):
            found[f"statistic.{name}"] = buffer
    return network, {name: tensor.double().flatten().numpy() for name, tensor in found.items()}, features


def rounded(value):
    return float(f"{value:.7g}")


def summary(name, values):
    return [rounded((values**2).sum() ** 0.5), rounded((values * signs(name, values.size)).sum())]


def gradient_norm(exact):
    return sum((values**2).sum() for key, values in exact.items() if key.startswith("gradient.")) ** 0.5


def summaries(exact):
    """Of every tensor, by name; 0 for gradients that are 0 but for rounding: of biases before a normalisation."""
    least = 1e-9 * gradient_norm(exact)
    zero = lambda key, norm: key.startswith("gradient.") and norm < least
    found = {key: summary(key, values) for key, values in exact.items()}
    return {key: [0.0, 0.0] if zero(key, pair[0]) else pair for key, pair in found.items()}


def float32_errors(name, size, batch, salt):
    """The largest relative error of a group of tensors, as equality.test.ts measures it."""
    make = networks(size)[name]
    exact, single = (computed(make, size, batch, salt, dtype)[1] for dtype in (torch.float64, torch.float32))
    worst = {}
    for key, pair in summaries(exact).items():
        group = key.split(".")[0] + (".logits" if key.endswith(".logits") else "")
        norm = pair[0] or gradient_norm(exact) / 10
        error = max(abs(a - b) for a, b in zip(pair, summary(key, single[key]))) / norm
        worst[group] = max(worst.get(group, 0), error)
    return {group: f"{error:.1e}" for group, error in worst.items()}


def entry(name, size, batch, salt):
    make = networks(size)[name]
    network, exact, features = computed(make, size, batch, salt, torch.float64)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(torch.zeros(1, 3, size, size, dtype=torch.float64))
    shown = lambda key: [[rounded(v) for v in row[:SHOWN]] for row in exact[key].reshape(batch, CLASSES)]
    parameters = dict(network.named_parameters())
    names = sorted(key for key in network.state_dict() if not key.endswith("num_batches_tracked"))
    described = [f"{key}:{','.join(map(str, network.state_dict()[key].shape))}" for key in names]
    return {
        "name": name,
        "imageSize": size,
        "batch": batch,
        "salt": salt,
        "parameters": sum(parameter.numel() for parameter in parameters.values()),
        "flops": counter.get_total_flops(),
        "variables": fnv1a("\n".join(described)),
        "stageShapes": [[f.shape[2], f.shape[3], f.shape[1]] for f in features],
        "inferenceLogits": shown("inference.logits"),
        "trainingLogits": shown("training.logits"),
        "gradientNorm": rounded(gradient_norm(exact)),
        "summaries": [pair for _, pair in sorted(summaries(exact).items())],
    }


def check_against_torchvision():
    """Our ResNets are torchvision's, names, shapes and values, for large images."""
    for name in ("resnet18", "resnet50"):
        ours, theirs = fill(networks(224)[name]()), getattr(torchvision.models, name)(num_classes=CLASSES)
        theirs.load_state_dict(ours.state_dict(), strict=True)
        images, _ = images_and_labels(128, 2, 0)
        with torch.no_grad():
            a, b = ours.eval()(images)[0], theirs.eval()(images)
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-4 * b.abs().max()), name


def main():
    match sys.argv[1:]:
        case ["margins", name, size, batch]:
            for salt in range(32):
                print(salt, f"{margin(name, int(size), int(batch), salt):.1e}")
        case ["errors"]:
            for case in CASES:
                print(*case, float32_errors(*case), flush=True)
        case _:
            check_against_torchvision()
            entries = ",\n".join(json.dumps(entry(*case), separators=(",", ":")) for case in CASES)
            path = Path(__file__).parent.parent / "fixtures" / "models.json"
            path.write_text(f"[\n{entries}\n]\n")


if __name__ == "__main__":
    main()
