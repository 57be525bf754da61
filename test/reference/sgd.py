"""Five steps of torch.optim.SGD with momentum, weight decay on the weight only, and warm-up + cosine; and the
cross-entropy with label smoothing. Writes test/fixtures/sgd.json."""
import json
import math
import pathlib

import torch

torch.set_default_dtype(torch.float32)
weight = torch.tensor([[0.5, -1.0], [2.0, 0.25]], requires_grad=True)
bias = torch.tensor([0.1, -0.2], requires_grad=True)
optimizer = torch.optim.SGD(
    [{"params": [weight], "weight_decay": 0.01}, {"params": [bias], "weight_decay": 0.0}], lr=1.0, momentum=0.9
)
warmup, total, peak = 2, 5, 0.5


def rate(step):
    if step < warmup:
        return peak * (step + 1) / warmup
    return 0.5 * peak * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


x = torch.tensor([[1.0, 2.0], [-0.5, 0.3], [0.7, -1.1]])
y = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.5, 0.5]])
steps = []
for step in range(total):
    for group in optimizer.param_groups:
        group["lr"] = rate(step)
    optimizer.zero_grad()
    loss = ((x @ weight + bias - y) ** 2).mean()
    loss.backward()
    optimizer.step()
    steps.append({"rate": rate(step), "loss": loss.item(), "weight": weight.flatten().tolist(), "bias": bias.tolist()})
logits = torch.tensor([[1.0, -2.0, 0.5, 3.0], [0.0, 0.25, -1.5, 2.0]], requires_grad=True)
labels = torch.tensor([3, 1])
smoothed = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
smoothed.backward()
smoothing = {
    "logits": logits.tolist(),
    "labels": labels.tolist(),
    "loss": smoothed.item(),
    "gradient": logits.grad.flatten().tolist(),
}
path = pathlib.Path(__file__).parent.parent / "fixtures" / "sgd.json"
path.write_text(json.dumps({"x": x.tolist(), "y": y.tolist(), "steps": steps, "smoothing": smoothing}, indent=1) + "\n")
