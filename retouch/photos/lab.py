"""CIE Lab and back."""

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]  # (..., 3)

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
