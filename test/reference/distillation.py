"""Values and gradients of the distillation objectives, in PyTorch and double precision, from the papers' formulas.

    .tools/peers/bin/python test/reference/distillation.py > test/fixtures/distillation.json

Soft targets: Hinton et al. 2015. Similarity preserving: Tung & Mori 2019, eq. 1-4. Attention transfer: Zagoruyko &
Komodakis 2017, eq. 2, p = 2. Hints: Romero et al. 2015, eq. 3, regressor as RepDistiller's ConvReg.
Inputs are not written: test and script compute them by the same formula. Images and filters are written channels last.
"""

import json

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def values(seed: int, *shape: int) -> torch.Tensor:
    """Multiples of 1/1000 in [-1, 1], exact in both languages."""
    index = torch.arange(torch.Size(shape).numel(), dtype=torch.int64)
    hashed = ((index * 37 + seed * 101 + 11) % 2003) ** 3 % 2003
    # TypeScript hands over float32.
    return ((hashed.clamp(max=2000) - 1000) / 1000).float().double().reshape(shape)


def features(seed: int, batch: int, stages: list, classes: int):
    """Logits and stages, channels last as a network of ours gives them."""
    logits = (4 * values(seed, batch, classes).float()).double().requires_grad_()
    maps = [values(seed + 1 + i, batch, *shape).requires_grad_() for i, shape in enumerate(stages)]
    return logits, maps


def nchw(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 3, 1, 2)


def soft_targets(z_s, z_t, temperature):
    log_p_s = F.log_softmax(z_s / temperature, dim=1)
    p_t = F.softmax(z_t / temperature, dim=1)
    return F.kl_div(log_p_s, p_t, reduction="batchmean") * temperature**2


def similarity_preserving(f_s, f_t):
    def g(f):
        flat = f.reshape(f.shape[0], -1)
        return F.normalize(flat @ flat.T, p=2, dim=1)

    b = f_s.shape[0]
    return (g(f_t) - g(f_s)).pow(2).sum() / b**2


def attention_transfer(pairs):
    total = 0
    for f_s, f_t in pairs:
        a_s, a_t = (nchw(f).pow(2).mean(1, keepdim=True) for f in (f_s, f_t))
        size = tuple(min(s, t) for s, t in zip(a_s.shape[2:], a_t.shape[2:]))
        q_s, q_t = (F.normalize(F.adaptive_avg_pool2d(a, size).flatten(1), dim=1) for a in (a_s, a_t))
        total = total + (q_s - q_t).pow(2).mean()
    return total


def hints(f_s, f_t, seed, training):
    """The loss and the regressor's parameters."""
    x, y = nchw(f_s), nchw(f_t)
    halves = x.shape[2] == 2 * y.shape[2] and x.shape[3] == 2 * y.shape[3]
    kernel, stride, padding = (3, 2, 1) if halves else (1, 1, 0)
    filters = values(seed, kernel, kernel, x.shape[1], y.shape[1]).requires_grad_()
    gamma = (values(seed + 1, y.shape[1]).float() + 2).double().requires_grad_()
    beta = values(seed + 2, y.shape[1]).requires_grad_()
    mean, variance = values(seed + 3, y.shape[1]), (values(seed + 4, y.shape[1]).float() + 2).double()
    if not halves:
        size = tuple(min(s, t) for s, t in zip(x.shape[2:], y.shape[2:]))
        x, y = F.adaptive_avg_pool2d(x, size), F.adaptive_avg_pool2d(y, size)
    r = F.conv2d(x, filters.permute(3, 2, 0, 1), stride=stride, padding=padding)
    r = F.relu(F.batch_norm(r, mean, variance, gamma, beta, training=training, momentum=0.1, eps=1e-5))
    parameters = {"conv.weight": filters, "bn.weight": gamma, "bn.bias": beta}
    return F.mse_loss(r, y), parameters, {"bn.running_mean": mean, "bn.running_var": variance}


def rounded(tensor):
    if tensor is None:
        return None
    return [float(f"{value:.8g}") for value in tensor.detach().reshape(-1).tolist()]


def case(name, objective, student, teacher=None, pairs=None, batch=3, classes=5, training=True):
    """`pairs`: stages (from 0) that attention transfer is expected to compare."""
    teacher = teacher or student
    z_s, f_s = features(100, batch, student, classes)
    z_t, f_t = features(200, batch, teacher, classes)
    labels = torch.arange(batch) % classes
    terms, parameters, statistics, share = {}, {}, {}, 1.0
    if "softTargets" in objective:
        options = objective["softTargets"]
        share = 1 - options["weight"]
        terms["softTargets"] = options["weight"] * soft_targets(z_s, z_t.detach(), options["temperature"])
    if "similarityPreserving" in objective:
        value = similarity_preserving(f_s[-1], f_t[-1].detach())
        terms["similarityPreserving"] = objective["similarityPreserving"]["weight"] * value
    if "attentionTransfer" in objective:
        compared = [(f_s[s], f_t[t].detach()) for s, t in pairs]
        terms["attentionTransfer"] = objective["attentionTransfer"]["weight"] * attention_transfer(compared)
    if "hints" in objective:
        options = objective["hints"]
        stage = options["stage"] - 1
        value, parameters, statistics = hints(f_s[stage], f_t[stage].detach(), 300, training)
        terms["hints"] = options["weight"] * value
    loss = share * F.cross_entropy(z_s, labels) + sum(terms.values())
    # In inference only the features are differentiated: nothing is trained then.
    wanted = [z_s, *f_s, *(parameters.values() if training else [])]
    gradients = torch.autograd.grad(loss, wanted, allow_unused=True)
    after = len(f_s) + 1
    return {
        "name": name,
        "objective": objective,
        "batch": batch,
        "classes": classes,
        "training": training,
        "student": student,
        "teacher": teacher,
        "terms": {key: rounded(value)[0] for key, value in terms.items()},
        "loss": rounded(loss)[0],
        "gradients": {
            "logits": rounded(gradients[0]),
            "stages": [rounded(gradient) for gradient in gradients[1:after]],
            "regressor": dict(zip(parameters, map(rounded, gradients[after:]))),
        },
        "statistics": {key: rounded(value) for key, value in statistics.items()},
    }


SMALL = [[6, 6, 2], [4, 4, 3], [2, 2, 4]]
WIDE = [[6, 6, 3], [4, 4, 5], [2, 2, 6]]
LARGE = [[12, 12, 2], [8, 8, 3], [4, 4, 2]]
ODD = [[7, 5, 2], [5, 3, 2], [3, 3, 3]]
FIVE = [[8, 8, 1], [6, 6, 2], [4, 4, 3], [2, 2, 4], [2, 2, 2]]
SP = {"similarityPreserving": {"weight": 3000}}
AT = {"attentionTransfer": {"weight": 1000}}
STRAIGHT = [(0, 0), (1, 1), (2, 2)]


def kd(temperature, weight):
    return {"softTargets": {"temperature": temperature, "weight": weight}}


def hint(stage):
    return {"hints": {"stage": stage, "weight": 100}}


cases = [
    case("soft targets", kd(4, 0.9), SMALL),
    case("soft targets at the highest temperature", kd(100, 0.5), SMALL, classes=10),
    case("soft targets alone at temperature 1", kd(1, 1), SMALL, WIDE),
    case("similarity preserving, equal shapes", SP, SMALL),
    case("similarity preserving, unequal shapes", SP, SMALL, LARGE, batch=5),
    case("attention transfer, equal shapes", AT, SMALL, pairs=STRAIGHT),
    case("attention transfer, a wider teacher", AT, SMALL, WIDE, STRAIGHT),
    case("attention transfer, larger maps of the teacher", AT, SMALL, LARGE, STRAIGHT),
    case("attention transfer, larger maps of the student", AT, LARGE, WIDE, STRAIGHT),
    case("attention transfer, sides that do not divide", AT, ODD, WIDE, STRAIGHT),
    case("attention transfer, five stages from three", AT, FIVE, WIDE, [(1, 0), (2, 1), (4, 2)]),
    case("attention transfer, three stages from five", AT, SMALL, FIVE, [(0, 1), (1, 2), (2, 4)]),
    case("attention transfer, unequal counts and no equal sizes", AT, ODD, SMALL[:2], [(1, 0), (2, 1)]),
    case("hints, equal maps", hint(2), SMALL, WIDE),
    case("hints, maps of the student twice as large", hint(1), LARGE, WIDE),
    case("hints, larger maps of the teacher", hint(3), SMALL, LARGE),
    case("hints, larger maps of the student that do not divide", hint(2), ODD, SMALL[:1] + [[2, 2, 4]]),
    case("hints in inference", hint(2), SMALL, WIDE, training=False),
    case("all techniques, unequal shapes", kd(4, 0.9) | SP | AT | hint(2), SMALL, LARGE, STRAIGHT, batch=4),
    case("all techniques, unequal stage counts", kd(8, 0.3) | SP | AT | hint(1), FIVE, WIDE, [(1, 0), (2, 1), (4, 2)]),
    case("all techniques, one image", kd(4, 0.9) | SP | AT | hint(1), SMALL, WIDE, STRAIGHT, batch=1),
]
print("[\n" + ",\n".join(json.dumps(entry) for entry in cases) + "\n]")
