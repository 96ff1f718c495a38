"""A face at the size that retouching works at, with the areas that it tells apart."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from retouch.faces.crop import Pixels
from retouch.faces.face_crop import FaceCrop
from retouch.faces.parse import Parts
from retouch.geometry import (
    HEAD,
    Face,
    Points,
    Similarity,
    hull,
    oval,
)
from retouch.photos.lab import to_lab
from retouch.smoothing import ramp, smoothed
from scorers.blemishes import STEPS

LARGEST = 416  # pixels of the square around the head: the face is 320
SMALLEST = 96
LIFT = 1.25  # how far brows are lifted to the hairline, of the way from nose to brows
CERTAIN = (0.4, 0.75)  # chances from which a pixel belongs to an area, and fully
DARKER = (14.0, 30.0)  # L below the face's own: beards and shadows begin, and are
STRANGE = (16.0, 26.0)  # a* and b* away from it: no skin of this face
BESIDE = 0.05  # of the face's size, over which skin has one colour
ROUGH = (3.0, 6.0)  # deviation of L within a few pixels: stubble begins, and is


@dataclass(frozen=True, eq=False)
class Canvas:
    """A face's square of S pixels a side: its colours and its areas."""

    image: Pixels  # (S, S, 3), 0 to 255
    parts: Parts
    transform: Similarity  # from the photo
    landmarks: Points  # (68, 2), in the square
    size: float  # the face's, in pixels of the square

    @classmethod
    def of(cls, pixels: NDArray[Any], face: Face, parts: Parts) -> "Canvas | None":
        """Return a face's canvas; None for one too small to have skin to see."""
        side = 1 / face.transform(HEAD, 1).scale
        steps = int(min(side, LARGEST)) // STEPS
        if steps * STEPS < SMALLEST:
            return None
        seen = FaceCrop.of(pixels, face, HEAD, steps * STEPS)
        size = face.moved(seen.transform).size
        return cls(seen.levels, parts, seen.transform, seen.landmarks, size)

    @property
    def side(self) -> int:
        return len(self.image)

    @cached_property
    def lab(self) -> Pixels:
        return to_lab(self.image)

    def area(self, *names: str) -> Pixels:
        """Return where these parts are, (S, S) in [0, 1], softly."""
        chance = self.parts.in_crop(
            self.parts.chance(*names), self.transform, self.side
        )
        return ramp(chance, *CERTAIN)

    @cached_property
    def skin(self) -> Pixels:
        """The face's skin: what is bare of beards, brows, lashes and what covers it."""
        area = self.area("skin", "nose") * self.oval
        area = area * self.parts.free(self.transform, self.side)
        return area * self._alike(area) * self._bare(area)

    @cached_property
    def oval(self) -> Pixels:
        """The face up to the hairline; ears and others' faces lie outside."""
        outline = self.polygon(oval(self.landmarks, LIFT))
        return ramp(self.blurred(outline, 0.03), 0.2, 0.7)

    def polygon(self, points: Points, grow: float = 0.0) -> Pixels:
        """Return 1 inside the hull of points, grown by a part of the face's size."""
        corners = hull(points) - 0.5
        canvas = Image.new("F", (self.side, self.side))
        pen, closed = ImageDraw.Draw(canvas), [tuple(p) for p in corners]
        pen.polygon(closed, fill=1)
        if width := round(2 * grow * self.size):
            pen.line([*closed, *closed[:2]], fill=1, width=width, joint="curve")
        return np.asarray(canvas, np.float32)

    def blurred(self, field: Pixels, width: float) -> Pixels:
        """Return a field (S, S[, C]) blurred over a part of the face's size."""
        return smoothed(field, width * self.size, reach=3)

    def around(self, field: Pixels, width: float, weight: Pixels) -> Pixels:
        """Return the mean of a field (S, S, C) over a width, of what weighs alone."""
        total = self.blurred(weight, width)[..., None]
        mean = self.blurred(field * weight[..., None], width)
        return np.asarray(mean / np.maximum(total, 1e-4), np.float32)

    def _alike(self, area: Pixels) -> Pixels:
        """Return 1 where the colour is the face's: no collar, no glimpse behind it.

        What hardly differs from such skin beside it is no stranger: a pimple on a red
        cheek.
        """
        sure = area > 0.9
        if sure.sum() < 9:
            return np.zeros_like(area)
        colour = self.blurred(self.lab[..., 1:], 0.006)
        usual = 1 - _strange(colour - np.median(self.lab[sure][:, 1:], 0))
        beside = self.around(colour, BESIDE, area * usual)
        return np.maximum(usual, 1 - _strange(colour - beside))

    def _bare(self, area: Pixels) -> Pixels:
        light = self.lab[..., :1]
        if area.sum() < 1:
            return area
        middle = float(np.median(light[..., 0][area > 0.5])) if area.max() > 0.5 else 0
        near = self.blurred(light, 0.012)
        rough = np.sqrt(self.blurred((light - near) ** 2, 0.02))[..., 0]
        dark = ramp(middle - self.blurred(light, 0.02)[..., 0], *DARKER)
        return (1 - ramp(rough, *ROUGH) * ramp(dark, 0, 0.5)) * (1 - 0.8 * dark)


def _strange(away: NDArray[Any]) -> Pixels:
    return ramp(np.hypot(away[..., 0], away[..., 1]), *STRANGE)
