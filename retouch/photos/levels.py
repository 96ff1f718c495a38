"""Levels of light: 8 and 16 bits in photos, from -1 to 1 in networks."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


def eight_bit(samples: NDArray[np.unsignedinteger]) -> Pixels:
    """Return samples of 8 or 16 bits as the nearest of 8."""
    if samples.dtype == np.uint8:
        return samples
    return ((samples + np.uint32(128)) // 257).astype(np.uint8)


def pixels_of(images: Floats) -> Pixels:
    """Return what networks draw as pixels."""
    return np.rint(levels_of(images)).astype(np.uint8)


def levels_of(images: Floats) -> Floats:
    """Return what networks draw in levels from 0 to 255, not rounded."""
    return np.clip(images * np.float32(127.5) + np.float32(127.5), 0, 255)
