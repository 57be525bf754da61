"""Values that this folder and the TypeScript tests compute by the same formula: see test/trainer-image/models/filled.ts."""

import numpy as np


def fnv1a(text: str) -> int:
    state = 2166136261
    for byte in text.encode():
        state = ((state ^ byte) * 16777619) & 0xFFFFFFFF
    return state


def hashed(name: str, size: int) -> np.ndarray:
    """`size` unsigned 32-bit integers that depend on the name and the position."""
    with np.errstate(over="ignore"):
        x = np.uint32(fnv1a(name)) + np.arange(size, dtype=np.uint32) * np.uint32(0x9E3779B9)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return x


def filled(name: str, shape, scale: float = 1.0, offset: float = 0.0) -> np.ndarray:
    """Single-precision numbers within offset ± scale, in row-major order."""
    size = int(np.prod(shape))
    unit = hashed(name, size).astype(np.float64) * (2.0**-31) - 1.0
    return (offset + scale * unit).astype(np.float32).reshape(tuple(shape))


def signs(name: str, size: int) -> np.ndarray:
    """A direction to project on: 1 or -1 for every position."""
    return 1.0 - 2.0 * (hashed(name, size) & np.uint32(1)).astype(np.float64)
