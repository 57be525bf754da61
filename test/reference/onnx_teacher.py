"""Teachers as PyTorch exports them: writes test/fixtures/onnx-teacher-traced.onnx, -captured.onnx and onnx-teacher.json.

    .tools/peers/bin/python -m pip install --no-deps --target .tools/onnx-peers -r test/reference/onnx.txt
    PYTHONPATH=.tools/onnx-peers .tools/peers/bin/python test/reference/onnx_teacher.py

One small network with what networks in the wild have: grouped, depthwise and asymmetric convolutions, squeeze and
excitation, ReLU6, hard swish, average and maximum pooling, joined maps, normalisation with another epsilon, and a
classifier behind `view`, which exporters write as arithmetic with shapes. Both of PyTorch's exporters write it. Its
weights and images come from filled.py; it was "trained" with images normalised to mean 0.5 and deviation 0.25.
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from filled import filled

FIXTURES = Path(__file__).parent.parent / "fixtures"
SIZE = 16
CLASSES = 10
BATCH = 3


class Squeeze(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.down, self.up = nn.Conv2d(channels, 4, 1), nn.Conv2d(4, channels, 1)

    def forward(self, x):
        return x * F.hardsigmoid(self.up(F.relu(self.down(F.adaptive_avg_pool2d(x, 1)))))


class Teacher(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        self.grouped, self.bn2 = nn.Conv2d(16, 32, 3, 2, 1, groups=4), nn.BatchNorm2d(32)
        self.squeeze = Squeeze(32)
        self.depthwise, self.bn3 = nn.Conv2d(32, 32, 5, 1, 2, groups=32, bias=False), nn.BatchNorm2d(32)
        self.wide = nn.Conv2d(32, 16, (1, 3), padding=(0, 1))
        self.bn4, self.project = nn.BatchNorm2d(48, eps=1e-3), nn.Conv2d(48, 24, 1)
        self.hidden, self.bn5, self.fc = nn.Linear(24 * 2 * 2, 20), nn.BatchNorm1d(20), nn.Linear(20, CLASSES)

    def forward(self, x):
        x = F.relu6(self.bn1(self.conv1(x)))
        stage1 = self.squeeze(F.hardswish(self.bn2(self.grouped(x))))
        y = F.leaky_relu(self.bn3(self.depthwise(stage1)), 0.1)
        joined = torch.cat([y, torch.sigmoid(self.wide(stage1))], 1)
        stage2 = self.project(F.max_pool2d(self.bn4(joined), 3, 2, 1)) + 0.5
        z = F.avg_pool2d(F.relu(stage2), 2)
        z = self.hidden(z.view(z.size(0), -1))
        return self.fc(self.bn5(F.silu(z))), stage1, stage2


def fill(network):
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if name.endswith("running_var"):
            spread = (0.3, 1.0)
        elif tensor.dim() > 1:
            spread = ((3.0 / tensor[0].numel()) ** 0.5, 0.0)
        elif name.endswith("weight"):
            spread = (0.2, 1.0)
        else:
            spread = (0.2, 0.0)
        tensor.copy_(torch.from_numpy(filled(name, tensor.shape, *spread)))
    return network.eval()


def rounded(tensor):
    return [float(f"{value:.7g}") for value in tensor.flatten().tolist()]


@torch.no_grad()
def main():
    network = fill(Teacher())
    images = torch.from_numpy(filled("teacher images", (BATCH, 3, SIZE, SIZE), 0.5, 0.5))
    inputs = (images - 0.5) / 0.25
    options = {"input_names": ["images"], "output_names": ["logits", "stage1", "stage2"]}
    torch.onnx.export(
        network, (inputs,), FIXTURES / "onnx-teacher-traced.onnx", dynamo=False, opset_version=13,
        dynamic_axes={name: {0: "batch"} for name in ["images", "logits", "stage1", "stage2"]}, **options,
    )
    torch.onnx.export(
        network, (inputs,), FIXTURES / "onnx-teacher-captured.onnx", dynamo=True, external_data=False,
        dynamic_shapes=({0: torch.export.Dim("batch")},), **options,
    )
    logits, stage1, stage2 = network.double()(inputs.double())
    outputs = {"logits": logits, "stage1": stage1, "stage2": stage2}
    written = {
        "torch": torch.__version__,
        "batch": BATCH, "imageSize": SIZE, "classes": CLASSES, "mean": 0.5, "deviation": 0.25,
        "outputs": {name: {"shape": list(tensor.shape), "values": rounded(tensor)} for name, tensor in outputs.items()},
    }
    (FIXTURES / "onnx-teacher.json").write_text(json.dumps(written) + "\n")


if __name__ == "__main__":
    main()
