"""Masks: which part of a crop an edit may touch, drawn from the 68 landmarks.

A mask is a convex outline with a soft edge that lies inside the outline. Every
length is a fraction of the face's size, so a face has the same mask at any scale.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.errors import SettingsError
from retouch.faces.crop import Pixels
from retouch.geometry import (
    INNER_LIPS,
    JAW,
    LEFT_BROW,
    LEFT_EYE,
    NOSE,
    NOSE_BASE,
    OUTER_LIPS,
    RIGHT_BROW,
    RIGHT_EYE,
    Face,
    Points,
    Similarity,
    hull,
    oval,
    planes,
)

LIFT = 0.7  # how far brows are lifted, as a part of the way from nose base to brows
FOREHEAD_FEATHER = 0.2  # wide, since the hairline is not known
FACE_OUTSET, FACE_FEATHER = 0.08, 0.1
SURFACE_OUTSET, SURFACE_FEATHER = 0.01, 0.07
RIM_FEATHER = 0.06  # where the crop or the photo ends
RIM = 2.0  # crop pixels left at zero, so that interpolation finds zeros there
MOUTH_OUTSET, MOUTH_FEATHER = 0.06, 0.06
GAP_OUTSET, GAP_FEATHER = 0.01, 0.03
EYE_OUTSET, EYE_FEATHER = 0.06, 0.05
LASH_OUTSET, LASH_FEATHER = 0.06, 0.03
LID_OUTSET, LID_FEATHER = 0.005, 0.02
BROW_OUTSET, BROW_FEATHER = 0.04, 0.03
NOSE_OUTSET, NOSE_FEATHER = 0.05, 0.05
LOWER_FEATHER = 0.3  # of what lies below the nose, upwards
BEARD_FEATHER, LIP_OUTSET, LIP_FEATHER = 0.15, 0.03, 0.03

NOSTRILS = slice(30, 36)
_CIRCLE = np.stack([f(np.arange(8) * np.pi / 4) for f in (np.cos, np.sin)], -1)


def draw(
    face: Face,
    transform: Similarity,
    size: int,
    shape: tuple[int, ...],
    regions: Iterable[str] = ("face",),
    visible: Pixels | None = None,
) -> Pixels:
    """Return the union of regions, (size, size) in [0, 1] and 0 at the crop's rim.

    Args:
        transform: from the photo to the crop of `size` pixels a side.
        shape: the photo's; beyond its edge the mask is 0.
        visible: what nothing hides, (size, size) in [0, 1]: hands, hair and
            glasses that some other source of knowledge has found are 0 here.
    """
    return Outline.of(face, transform, size, shape).draw(regions, visible)


def surface(
    face: Face, transform: Similarity, size: int, shape: tuple[int, ...]
) -> Pixels:
    """Return the region face without its margin: nothing that lies behind the jaw."""
    return Outline.of(face, transform, size, shape).whole_surface


@dataclass(frozen=True, eq=False)
class Outline:
    """The landmarks in a crop, and soft convex shapes around them."""

    points: Points  # (68, 2)
    unit: float  # the face's size
    size: int  # the crop's
    inside: NDArray[
        Any
    ]  # (N, 3), the planes behind which lie both the crop and the photo
    margin: float = FACE_OUTSET  # around the jaw, for it to move in

    @classmethod
    def of(
        cls, face: Face, transform: Similarity, size: int, shape: tuple[int, ...]
    ) -> "Outline":
        """Return the outline for what `draw` takes."""
        moved, (height, width) = face.moved(transform), shape[:2]
        photo = transform([(0, 0), (width, 0), (width, height), (0, height)])
        crop = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * float(size)
        inside = np.concatenate([planes(hull(square)) for square in (photo, crop)])
        return cls(moved.landmarks, moved.size, size, inside)

    def draw(self, regions: Iterable[str], visible: Pixels | None = None) -> Pixels:
        """Return the union of regions, as the function `draw` does."""
        union = self.union(regions) * self.frame
        return union if visible is None else (union * visible).astype(np.float32)

    def union(self, regions: Iterable[str]) -> Pixels:
        """Return the union of regions, whether or not the crop or the photo ends."""
        names = tuple(regions)
        unknown = sorted(set(names) - set(REGIONS))
        if unknown or not names:
            known, got = ", ".join(sorted(REGIONS)), ", ".join(unknown) or "none"
            raise SettingsError(f"Mask regions are one or more of {known}; got {got}.")
        return np.maximum.reduce([REGIONS[name](self) for name in names])

    @cached_property
    def whole_surface(self) -> Pixels:
        """The region face without its margin, as the function `surface` gives it."""
        return self.surface * self.frame

    def soft(
        self, points: Points, outset: float, feather: float, upper: float | None = None
    ) -> Pixels:
        """Return 1 well inside the hull of points grown by outset, 0 outside.

        Edges that face the forehead have the feather `upper`, if it is given.
        """
        grown = points[:, None] + outset * self.unit * _CIRCLE
        edges = planes(hull(grown.reshape(-1, 2)))
        widths = np.full(len(edges), feather)
        if upper is not None:
            widths += (upper - feather) * np.maximum(edges[:, :2] @ self.up, 0)
        edges = edges / (widths * self.unit)[:, None]
        result = np.zeros((self.size, self.size), np.float32)
        low = np.floor(grown.min((0, 1))).clip(0, self.size).astype(int)
        high = np.ceil(grown.max((0, 1))).clip(0, self.size).astype(int)
        box = slice(low[1], high[1]), slice(low[0], high[0])
        result[box] = _ramp(_depth(edges, *box))
        return result

    @property
    def up(self) -> Points:
        """The direction from the nose's base to the forehead."""
        way = self.brows.mean(0) - self.points[NOSE_BASE]
        return way / max(np.hypot(*way), 1e-9)

    @property
    def brows(self) -> Points:
        return np.concatenate([self.points[LEFT_BROW], self.points[RIGHT_BROW]])

    def face(self) -> Pixels:
        """Return jaw to forehead, and room around the jaw for it to move in."""
        return self._oval(self.margin, self._feather)

    @cached_property
    def surface(self) -> Pixels:
        return self._oval(SURFACE_OUTSET, SURFACE_FEATHER)

    def _oval(self, outset: float, feather: float) -> Pixels:
        outline = oval(self.points, LIFT)
        return self.soft(outline, outset, feather, FOREHEAD_FEATHER)

    def mouth(self) -> Pixels:
        return self.soft(self.points[OUTER_LIPS], MOUTH_OUTSET, MOUTH_FEATHER)

    def gap(self) -> Pixels:
        """Return what shows between the lips."""
        return self.soft(self.points[INNER_LIPS], GAP_OUTSET, GAP_FEATHER)

    def eyes(self) -> Pixels:
        return self._pair(LEFT_EYE, RIGHT_EYE, EYE_OUTSET, EYE_FEATHER)

    def eyeballs(self) -> Pixels:
        """Return what shows between the lids."""
        return self._pair(LEFT_EYE, RIGHT_EYE, LID_OUTSET, LID_FEATHER)

    def lashes(self) -> Pixels:
        """Return both eyes and where lashes, and what is painted on them, lie."""
        return self._pair(LEFT_EYE, RIGHT_EYE, LASH_OUTSET, LASH_FEATHER)

    @cached_property
    def both_brows(self) -> Pixels:
        return self._pair(LEFT_BROW, RIGHT_BROW, BROW_OUTSET, BROW_FEATHER)

    def eyes_and_brows(self) -> Pixels:
        """Return both eyes, both brows, and what is between them."""
        points = self.points[LEFT_EYE.start : RIGHT_EYE.stop]
        return self.soft(np.concatenate([self.brows, points]), BROW_OUTSET, EYE_FEATHER)

    def nose(self) -> Pixels:
        return self.soft(self.points[NOSE], NOSE_OUTSET, NOSE_FEATHER)

    def lower_face(self) -> Pixels:
        """Return what lies below the nose: mouth, chin, and cheeks along the jaw.

        It begins far above, so that a jaw that moves leaves no step on the cheeks.
        """
        points = np.concatenate([self.points[JAW], self.points[NOSE_BASE, None]])
        return self.soft(points, self.margin, self._feather, LOWER_FEATHER)

    @property
    def _feather(self) -> float:
        return FACE_FEATHER / FACE_OUTSET * self.margin

    def beard(self) -> Pixels:
        """Return where beards grow: along the jaw, around the lips, up to the nose."""
        points = np.concatenate([self.points[JAW][2:15], self.points[NOSE_BASE, None]])
        lips = self.soft(self.points[OUTER_LIPS], 0, LIP_FEATHER)
        area = self.soft(points, FACE_OUTSET, FACE_FEATHER, BEARD_FEATHER)
        return area * (1 - lips)

    def skin(self) -> Pixels:
        """Return the surface without mouth, eyes and brows."""
        features = np.maximum.reduce([self.mouth(), self.eyes(), self.both_brows])
        return self.surface * (1 - features)

    def furrowed(self) -> Pixels:
        """Return where skin folds: not lips, lashes, brows and nostrils."""
        lips = self.soft(self.points[OUTER_LIPS], LIP_OUTSET, LIP_FEATHER)
        nostrils = self.soft(self.points[NOSTRILS], LIP_OUTSET, NOSE_FEATHER)
        features = np.maximum.reduce([lips, nostrils, self.lashes(), self.both_brows])
        return self.surface * (1 - features)

    @cached_property
    def frame(self) -> Pixels:
        """Is 1 well inside both the crop and the photo, 0 where one ends."""
        depth = _depth(self.inside, slice(0, self.size), slice(0, self.size))
        return _ramp((depth - RIM) / (RIM_FEATHER * self.unit))

    def _pair(self, left: slice, right: slice, outset: float, feather: float) -> Pixels:
        sides = (self.soft(self.points[s], outset, feather) for s in (left, right))
        return np.maximum(*sides)


REGIONS: dict[str, Callable[[Outline], Pixels]] = {
    "face": Outline.face,
    "skin": Outline.skin,
    "mouth": Outline.mouth,
    "eyes": Outline.eyes,
    "eyes-and-brows": Outline.eyes_and_brows,
    "nose": Outline.nose,
    "lower-face": Outline.lower_face,
    "beard": Outline.beard,
}


def _depth(edges: NDArray[Any], rows: slice, columns: slice) -> Pixels:
    """Return how deep each pixel lies behind the nearest of the edges (N, 3)."""
    down, across = (
        (np.arange(s.start, s.stop) + 0.5).astype(np.float32) for s in (rows, columns)
    )
    depth = np.full((len(down), len(across)), np.inf, np.float32)
    for x, y, offset in edges.astype(np.float32):
        np.minimum(depth, (-offset - y * down)[:, None] - x * across, out=depth)
    return depth


def _ramp(depth: Pixels) -> Pixels:
    """Rise smoothly from 0 at depth 0 to 1 at depth 1."""
    t = np.clip(depth, 0, 1)
    return t * t * (3 - 2 * t)
