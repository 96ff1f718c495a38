"""Colour: CIE Lab and back, and making one picture's skin look like another's."""

import numpy as np
from numpy.typing import NDArray

from retouch.faces.crop import Pixels

MOST_CONTRAST = 1.3  # the ratio of two spreads is held between its inverse and this

# sRGB's primaries and white (D65), each row divided by the white's own value.
_WHITE = np.array([0.95047, 1.0, 1.08883], np.float32)
_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ],
    np.float32,
)
_TO_XYZ /= _WHITE[:, None]
_TO_RGB = np.linalg.inv(_TO_XYZ)
_KNEE = 6 / 29


def to_lab(image: Pixels) -> Pixels:
    """Return Lab (..., 3) of sRGB from 0 to 255; values beyond are mirrored."""
    scaled = np.abs(image) / 255
    low = scaled / 12.92
    linear = np.where(scaled > 0.04045, ((scaled + 0.055) / 1.055) ** 2.4, low)
    xyz = np.copysign(linear, image) @ _TO_XYZ.T
    straight = xyz / (3 * _KNEE**2) + 4 / 29
    f = np.where(xyz > _KNEE**3, np.cbrt(xyz), straight)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def to_rgb(lab: Pixels) -> Pixels:
    """Return sRGB, 0 to 255 and beyond where the colour is outside sRGB."""
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, y - lab[..., 2] / 200], -1)
    xyz = np.where(f > _KNEE, f**3, 3 * _KNEE**2 * (f - 4 / 29))
    linear = xyz @ _TO_RGB.T
    size = np.abs(linear)
    bent = 1.055 * size ** (1 / 2.4) - 0.055
    return 255 * np.copysign(np.where(size > 0.0031308, bent, size * 12.92), linear)


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
    contrast = contrast.clip(1 / MOST_CONTRAST, MOST_CONTRAST)
    return to_rgb((lab - mean) * contrast + wanted_mean).astype(np.float32)


def _moments(lab: Pixels, weight: Pixels) -> tuple[NDArray, NDArray]:
    mean = np.tensordot(weight, lab, 2)
    variance = np.tensordot(weight, (lab - mean) ** 2, 2)
    return mean, np.sqrt(variance)
