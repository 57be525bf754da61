"""PyTorch and Keras for the bench: peers.py torch|compiled|keras SCENARIO [FORMAT [IMAGES WORKERS]].

Prints `ready`, then answers `run N` with `SECONDS IMAGES` (see contestant.ts). FORMAT is PyTorch's memory format:
contiguous_format, its default, or channels_last. The networks are those of test/reference/models.py.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np

CLASSES = 10
SIZE = 32
SCENARIOS = {
    "step": ("resnet20", 128, None),
    "end-to-end": ("resnet20", 128, None),
    "step-resnet18": ("resnet18", 64, None),
    "end-to-end-resnet18": ("resnet18", 64, None),
    "distilled": ("resnet20", 128, "resnet56"),
}


def serve(step):
    print("ready", flush=True)
    for line in sys.stdin:
        count = int(line.split()[1])
        started = time.perf_counter()
        images = sum(step() for _ in range(count))
        print(time.perf_counter() - started, images, flush=True)


class Images:
    """The images of the bench, as PIL images through the study's augmentations of torchvision."""

    def __init__(self, path):
        import torchvision.transforms as T
        from PIL import Image

        data = np.fromfile(path, np.uint8)
        count = len(data) // (SIZE * SIZE * 3 + 1)
        pixels = data[: count * SIZE * SIZE * 3].reshape(count, SIZE, SIZE, 3)
        self.images = [Image.fromarray(image) for image in pixels]
        self.labels = data[-count:].astype(np.int64)
        self.transform = T.Compose(
            [
                T.RandomHorizontalFlip(),
                T.RandomCrop(SIZE, padding=4),
                T.ColorJitter(0.2, 0.2, 0.2, 0.1),
                T.RandomRotation(15),
                T.RandomResizedCrop(SIZE, scale=(0.8, 1), ratio=(0.9, 1.1)),
                T.ToTensor(),
                T.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
            ]
        )

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.transform(self.images[index]), self.labels[index]


def torch_step(scenario, compiled, memory_format, images=None, workers=0):
    import torch
    import torch.nn.functional as F

    sys.path.insert(0, str(Path(__file__).parent.parent / "reference"))
    import models

    models.CLASSES = CLASSES
    torch.set_num_threads(2)
    student_name, batch, teacher_name = SCENARIOS[scenario]

    def attention(features):
        return F.normalize(features.pow(2).mean(1).flatten(1))

    memory_format = getattr(torch, memory_format)
    student = models.networks(SIZE)[student_name]().to(memory_format=memory_format).train()
    teacher = teacher_name and models.networks(SIZE)[teacher_name]().to(memory_format=memory_format).eval()
    decayed = [p for p in student.parameters() if p.ndim > 1]
    plain = [p for p in student.parameters() if p.ndim <= 1]
    optimizer = torch.optim.SGD(
        [{"params": decayed, "weight_decay": 5e-4}, {"params": plain, "weight_decay": 0}], lr=0.05, momentum=0.9
    )

    def loss_of(x, y):
        logits, features = student(x)
        loss = F.cross_entropy(logits, y)
        if teacher:
            with torch.no_grad():
                _, taught = teacher(x)
            pairs = zip(features, taught)
            loss = loss + 1000 * sum((attention(s) - attention(t)).pow(2).mean() for s, t in pairs)
        return loss

    computed = torch.compile(loss_of) if compiled else loss_of

    def step(x, y):
        optimizer.zero_grad()
        loss = computed(x.to(memory_format=memory_format), y)
        loss.backward()
        optimizer.step()
        loss.item()
        return len(y)

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, 3, SIZE, SIZE, generator=generator)
    y = torch.arange(batch) % CLASSES
    step(x, y)
    if images is None:
        return lambda: step(x, y)

    loader = torch.utils.data.DataLoader(
        Images(images), batch, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0
    )

    def forever():
        while True:
            yield from loader

    stream = forever()
    return lambda: step(*next(stream))


def keras_step(scenario):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    import tensorflow as tf

    layers = tf.keras.layers
    _, batch, _ = SCENARIOS[scenario]

    def convolution(x, filters, size, stride):
        x = layers.Conv2D(filters, size, stride, "same", use_bias=False, kernel_initializer="he_normal")(x)
        return layers.BatchNormalization()(x)

    inputs = layers.Input((SIZE, SIZE, 3))
    x = layers.ReLU()(convolution(inputs, 16, 3, 1))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            stride = 2 if stage > 0 and block == 0 else 1
            y = convolution(layers.ReLU()(convolution(x, filters, 3, stride)), filters, 3, 1)
            shortcut = x if stride == 1 else convolution(x, filters, 1, stride)
            x = layers.ReLU()(layers.Add()([y, shortcut]))
    model = tf.keras.Model(inputs, layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(x)))
    optimizer = tf.keras.optimizers.SGD(0.05, momentum=0.9)
    images = tf.random.normal((batch, SIZE, SIZE, 3))
    labels = tf.range(batch) % CLASSES

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    def timed():
        step().numpy()
        return batch

    timed()
    return timed


if __name__ == "__main__":
    kind, scenario, *rest = sys.argv[1:]
    if kind == "keras":
        serve(keras_step(scenario))
    else:
        memory_format, *data = rest
        given = {"images": data[0], "workers": int(data[1])} if data else {}
        serve(torch_step(scenario, kind == "compiled", memory_format, **given))
