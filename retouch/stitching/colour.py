"""Colour: making one picture's skin look like another's."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.faces.crop import Pixels
from retouch.photos.lab import to_lab, to_rgb

LEAST_CONTRAST = 1 / 1.3  # the ratio of two spreads is held between this
MOST_CONTRAST = 1.3, 1.0, 1.0  # and these: wider colours would turn teeth green


def matched(image: Pixels, own: Pixels, model: Pixels, weight: Pixels) -> Pixels:
    """Return the image with the colours moved as own's must be to become model's.

    Means meet, and spreads as far as they may, counted where weight (H, W) is.
    """
    total = float(weight.sum())
    if total < 1:
        return image
    own_lab = to_lab(own)
    lab = own_lab if image is own else to_lab(image)
    mean, spread = _moments(own_lab, weight / total)
    wanted_mean, wanted_spread = _moments(to_lab(model), weight / total)
    contrast = (wanted_spread + 0.5) / (spread + 0.5)
    contrast = contrast.clip(LEAST_CONTRAST, MOST_CONTRAST)
    return to_rgb((lab - mean) * contrast + wanted_mean).astype(np.float32)


def _moments(lab: Pixels, weight: Pixels) -> tuple[NDArray[Any], NDArray[Any]]:
    mean = np.tensordot(weight, lab, 2)
    variance = np.tensordot(weight, (lab - mean) ** 2, 2)
    return mean, np.sqrt(variance)
