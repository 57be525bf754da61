"""What PyTorch computes for the kernels of trainer-image/nn/kernels.ts: writes test/fixtures/kernels.json.

    .tools/peers/bin/python test/reference/kernels.py

Every input `key` is filled(key), images `[b, h, w, c]` and filters `[k, k, in, out]` as in TensorFlow. Gradients are
those of the sum of the output weighted by filled("direction").
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

from filled import filled


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def oihw(w):
    return w.permute(3, 2, 0, 1)


def convolution(stride, padding):
    return lambda x, filter: nhwc(F.conv2d(nchw(x), oihw(filter), None, stride, padding))


def depthwise(stride, padding):
    def compute(x, filter):
        channels = filter.shape[2]
        filters = filter.permute(2, 3, 0, 1)
        return nhwc(F.conv2d(nchw(x), filters, None, stride, padding, groups=channels))

    return compute


def max_pool(size, stride, padding):
    return lambda x: nhwc(F.max_pool2d(nchw(x), size, stride, padding))


def cross_entropy(logits):
    targets = F.softmax(3 * torch.from_numpy(filled("targets", logits.shape)).double(), 1)
    return F.cross_entropy(logits, targets)


def rounded(tensor):
    return [float(f"{value:.7g}") for value in tensor.detach().flatten().tolist()]


def case(operation, shapes, compute, **settings):
    inputs = {key: torch.from_numpy(filled(key, shape)).double().requires_grad_() for key, shape in shapes.items()}
    output = compute(**inputs)
    direction = torch.from_numpy(filled("direction", output.shape)).double()
    (output * direction).sum().backward()
    return {
        "operation": operation,
        **settings,
        "shapes": shapes,
        "output": rounded(output),
        "gradients": {key: rounded(tensor.grad) for key, tensor in inputs.items()},
    }


def batch_norm(mean, variance):
    def compute(x, scale, shift):
        return nhwc(F.batch_norm(nchw(x), mean, variance, scale, shift, training=True, momentum=0.1))

    return compute


def main():
    cases = []
    for kernel, stride, padding, side in [(3, 1, 1, 5), (3, 2, 1, 6), (3, 2, 1, 5), (1, 1, 0, 4), (1, 2, 0, 4), (7, 2, 3, 8)]:
        shapes = {"x": [2, side, side, 2], "filter": [kernel, kernel, 2, 3]}
        cases.append(case("conv2d", shapes, convolution(stride, padding), stride=stride, padding=padding))
    for stride, side in [(1, 5), (2, 6), (2, 5)]:
        shapes = {"x": [2, side, side, 3], "filter": [3, 3, 3, 1]}
        cases.append(case("depthwiseConv2d", shapes, depthwise(stride, 1), stride=stride, padding=1))
    for size, stride, padding, side in [(2, 2, 0, 6), (3, 2, 1, 6), (3, 2, 1, 7)]:
        cases.append(case("maxPool", {"x": [2, side, side, 3]}, max_pool(size, stride, padding), size=size, stride=stride, padding=padding))
    cases.append(case("relu", {"x": [2, 3, 3, 2]}, lambda x: F.relu(x)))
    cases.append(case("globalAveragePool", {"x": [2, 3, 4, 5]}, lambda x: x.mean((1, 2))))
    cases.append(case("softmaxCrossEntropy", {"logits": [4, 5]}, cross_entropy))

    mean, variance = (torch.from_numpy(filled(key, [3], 0.3, 1)).double() for key in ("mean", "variance"))
    shapes = {"x": [2, 3, 3, 3], "scale": [3], "shift": [3]}
    normalised = case("batchNormTraining", shapes, batch_norm(mean, variance))
    cases.append({**normalised, "running": {"mean": rounded(mean), "variance": rounded(variance)}})
    mean, variance = (torch.from_numpy(filled(key, [3], 0.3, 1)).double() for key in ("mean", "variance"))
    scale, shift = (torch.from_numpy(filled(key, [3])).double() for key in ("scale", "shift"))
    infer = lambda x: nhwc(F.batch_norm(nchw(x), mean, variance, scale, shift))
    cases.append(case("batchNormInference", {"x": [2, 3, 3, 3]}, infer))

    entries = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in cases)
    (Path(__file__).parent.parent / "fixtures" / "kernels.json").write_text(f"[\n{entries}\n]\n")


if __name__ == "__main__":
    main()
