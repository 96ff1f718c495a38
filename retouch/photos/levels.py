"""Levels of light: 8 and 16 bits in photos, from -1 to 1 in networks."""

from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

STRIP = 32  # rows that are compared at once


def eight_bit(samples: NDArray[np.unsignedinteger]) -> Pixels:
    """Return samples of 8 or 16 bits as the nearest of 8."""
    if samples.dtype == np.uint8:
        return samples
    return ((samples + np.uint32(128)) // 257).astype(np.uint8)


def differing(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Return (H, W) with the pixels whose samples differ, of one channel or several.

    In strips that fit the processor's cache, and channels one after the other: `any`
    takes many times as long along an axis so short.
    """
    result = np.zeros(one.shape[:2], bool)
    for top in range(0, len(one), STRIP):
        strip = slice(top, top + STRIP)
        differs = np.atleast_3d(np.not_equal(one[strip], other[strip]))
        if differs.any():
            result[strip] = reduce(np.logical_or, np.moveaxis(differs, -1, 0))
    return result


def pixels_of(images: Floats) -> Pixels:
    """Return what networks draw as pixels."""
    return np.rint(levels_of(images)).astype(np.uint8)


def levels_of(images: Floats) -> Floats:
    """Return what networks draw in levels from 0 to 255, not rounded."""
    return np.clip(images * np.float32(127.5) + np.float32(127.5), 0, 255)
