"""Toning: the one colour that each light has in a photograph in black and white.

Such a photo, toned or not, holds its colours on one curve, and what is laid into it is
put on that curve, too. Nobody's lips are pink in a grey picture.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.polynomial.polynomial import polyfit, polyval
from numpy.typing import NDArray

from retouch.faces.crop import Pixels
from retouch.stitching.flow import LUMINANCE

STRAY = 5.5  # levels of 255 that JPEG and WebP leave between colours and the curve,
MOST = 0.99  # in this part of the pixels
LIGHTS, LEAST = 256, 64  # that are told apart, and so many of them there must be
DEGREE = 3  # of the curve


@dataclass(frozen=True, eq=False)
class Toning:
    """Which colour each light has."""

    curve: NDArray[Any]  # (DEGREE + 1, 3), of what is added to a light

    @classmethod
    def of(cls, levels: Pixels) -> Self | None:
        """Return that of a crop (S, S, 3), or None where its colours tell more."""
        pixels = levels.reshape(-1, 3)
        light = pixels @ LUMINANCE
        tints = pixels - light[:, None]
        steps = np.rint(light).astype(int).clip(0, LIGHTS - 1)
        counts = np.bincount(steps, minlength=LIGHTS)
        known = np.flatnonzero(counts)
        if len(known) < LEAST:  # drawn in flat colours, which tell nothing of others
            return None
        sums = [np.bincount(steps, tint)[known] for tint in tints.T]
        means = np.stack(sums, -1) / counts[known, None]
        curve = polyfit(known, means, DEGREE, w=counts[known] ** 0.5)
        strays = np.abs(tints - polyval(light, curve).T).max(1)
        return cls(curve) if np.quantile(strays, MOST) < STRAY else None

    def toned(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Return pixels (N, 3), 8 or 16 bit, in the colours of their lights."""
        full = np.iinfo(pixels.dtype).max
        light = pixels @ LUMINANCE * (255 / full)
        now = (light[:, None] + polyval(light, self.curve).T) * (full / 255)
        return np.rint(now).clip(0, full).astype(pixels.dtype)
