"""Spots that `benchmarks.skin` paints, in other ways than trainings do.

Pigments swallow light, in the shape of thresholded noise: haemoglobin takes green and
blue and passes with the pimple; melanin takes all, blue most, and stays. Swellings are
a relief that is lit from one side, redder at its foot, with a head that scatters light.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

HAEMOGLOBIN = np.array([0.12, 1.0, 0.8])  # how much of each light is swallowed
MELANIN = np.array([0.75, 1.0, 1.25])
PASSING, LASTING = ("blot", "swelling"), ("mole", "freckle")
KINDS = ("blot", "mole", "swelling", "freckle")  # in the order of being painted

Floats = NDArray[np.float64]


def pigment(kind: str) -> Floats:
    """Return how much of red, green and blue light a kind's pigment swallows."""
    return HAEMOGLOBIN if kind in PASSING else MELANIN


def stained(
    shape: tuple[int, int],
    x: float,
    y: float,
    size: float,
    rng: np.random.Generator,
    *,
    radii: tuple[float, float],
    soft: float,
    thick: tuple[float, float],
) -> tuple[Floats, Floats]:
    """Return how thick a spot's pigment lies and how it is lit, each (H, W).

    Args:
        radii: from which to which they are, in parts of the face's size,
        soft: and how far their edge goes, in parts of the radius.
        thick: how thick the pigment lies, from and to.
    """
    radius = size * rng.uniform(*radii)
    density = stain(shape, x, y, radius, soft, rng) * rng.uniform(*thick)
    return density, np.ones(shape)


def swelling(
    shape: tuple[int, int], x: float, y: float, size: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return a pimple that stands out, as `stained` does."""
    radius, squeezed = size * rng.uniform(0.008, 0.02), rng.uniform(0.8, 1.25)
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    away = np.hypot((rows - y) * squeezed, (columns - x) / squeezed) / radius
    height = 1 / (1 + away ** rng.uniform(3, 5))
    height *= away < 3
    foot = height * (0.4 + 1.6 * height * (1 - height))
    down, across = np.gradient(height)
    angle = rng.uniform(0, 2 * np.pi)
    slope = radius * (np.sin(angle) * down + np.cos(angle) * across)
    head = rng.uniform(0, 0.25) * np.exp(-((3 * away) ** 2))
    return rng.uniform(0.4, 1.0) * foot, (1 + 0.15 * slope).clip(0.7, 1.4) + head


PAINTERS = {
    "blot": partial(stained, radii=(0.008, 0.022), soft=0.45, thick=(0.25, 0.7)),
    "mole": partial(stained, radii=(0.006, 0.014), soft=0.12, thick=(0.5, 1.3)),
    "swelling": swelling,
    "freckle": partial(stained, radii=(0.005, 0.009), soft=0.3, thick=(0.2, 0.5)),
}


def stain(
    shape: tuple[int, int],
    x: float,
    y: float,
    radius: float,
    soft: float,
    rng: np.random.Generator,
) -> Floats:
    """Return a blot of noise, its edge softened over parts of its radius, (H, W)."""
    noise = ndimage.gaussian_filter(rng.standard_normal(shape), 0.5 * radius)
    noise /= max(np.abs(noise).max(), 1e-9)
    rows, columns = np.mgrid[: shape[0], : shape[1]] + 0.5
    away = np.hypot(rows - y, columns - x) / radius
    flat = (1.3 - away + 0.5 * noise > 0.3).astype(np.float64)
    flat *= away < 2
    return ndimage.gaussian_filter(flat, radius * soft)
