"""Smoothing by Gaussians: as SciPy does, in less time where they are wide; ramps."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Field = NDArray[np.float32]  # (H, W) or (H, W, C)
NARROW = 2.5  # pixels: SciPy's passes over such are the faster
LARGE = 512  # pixels a side: and over such pictures
REACH = 4.0


def smoothed(field: NDArray[Any], width: float, reach: float = REACH) -> Field:
    """Return the field with each channel smoothed; edges mirror what is inside.

    A pass is a product with a matrix: the wider the Gaussian, the more is saved.

    Args:
        reach: widths after which the Gaussian ends.
    """
    rows, columns = field.shape[:2]
    if width < NARROW or max(rows, columns) > LARGE:
        widths = (width, width, 0) if field.ndim == 3 else width
        return np.asarray(gaussian_filter(field, widths, truncate=reach))
    down, across = (_passing(n, width, reach) for n in (rows, columns))
    passed = (down @ field.reshape(rows, -1)).reshape(field.shape)
    return np.asarray(across @ passed if field.ndim == 3 else passed @ across.T)


def ramp(values: Field | float, low: float, high: float) -> Field:
    """Rise smoothly from 0 at low to 1 at high."""
    t = np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
    return t * t * (3 - 2 * t)


@lru_cache(16)
def _passing(length: int, width: float, reach: float) -> Field:
    """Return the matrix that smooths what is so long, (length, length)."""
    last = int(reach * width + 0.5)
    steps = np.arange(-last, last + 1)
    weights = np.exp(-0.5 * (steps / width) ** 2)
    weights /= weights.sum()
    rows = np.arange(length)[:, None]
    places = (rows + steps) % (2 * length)
    places = np.where(places < length, places, 2 * length - 1 - places)
    flat = (rows * length + places).ravel()
    shares = np.broadcast_to(weights, places.shape).ravel()
    matrix = np.bincount(flat, shares, length**2).reshape(length, length)
    return matrix.astype(np.float32)
