"""Levels of light: 8 and 16 bits in photos, from -1 to 1 in networks."""

from functools import reduce
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

STRIP = 32  # rows that are taken at once


def eight_bit(samples: NDArray[np.unsignedinteger]) -> Pixels:
    """Return samples of 8 or 16 bits as the nearest of 8."""
    if samples.dtype == np.uint8:
        return samples
    return ((samples + np.uint32(128)) // 257).astype(np.uint8)


def samples_of(image: Image.Image) -> NDArray[Any]:
    """Return the samples of a decoded picture, (H, W) or (H, W, channels).

    In strips that fit the processor's cache, which takes a third of the time.
    """
    width, height = image.size
    strips = (
        np.asarray(image.crop((0, top, width, min(height, top + STRIP))))
        for top in range(0, height, STRIP)
    )
    first = next(strips)
    samples = np.empty((height, *first.shape[1:]), first.dtype)
    for number, strip in enumerate(chain([first], strips)):
        samples[number * STRIP : number * STRIP + len(strip)] = strip
    return samples


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
