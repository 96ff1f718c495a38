"""Beards: hair that grows on a face, drawn strand by strand at the photo's own size.

A generator draws a beard as a dark patch, the same from near and far. How much of one
it draws is kept; where hair grows is what people's beards have in common, in the colour
of the brows.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import map_coordinates

from retouch.edits.manner import BEARD
from retouch.faces.crop import Pixels, Window, resized, uncut, window_touched
from retouch.geometry import MIRRORED, Points, Similarity
from retouch.smoothing import smoothed
from retouch.stitching import flow
from retouch.stitching.change import Masks
from retouch.stitching.pen import strokes
from retouch.stitching.thing import Thing

# How densely hair grows on one half of a face, from one landmark on the way to another:
# how much darker 556 people with beards are there than 247 men without, medians. (The
# points below the chin lay outside of their pictures.)
JAWWARDS = (0, 1 / 3, 2 / 3)
FROM_JAW = {
    (0, 36): (0.0, 0.0, 0.0),
    (1, 48): (0.2, 0.0, 0.0),
    (2, 48): (0.35, 0.07, 0.02),
    (3, 48): (0.45, 0.25, 0.25),
    (4, 48): (0.55, 0.42, 0.45),
    (5, 59): (0.75, 0.65, 0.22),
    (6, 58): (0.95, 0.6, 0.15),
    (7, 58): (0.9, 0.62, 0.17),
    (8, 57): (0.85, 0.7, 0.45),
}
LIPWARDS = (0, 0.4, 0.75)
FROM_NOSE = {
    (31, 48): (0.1, 0.6, 0.67),
    (31, 49): (0.1, 0.67, 0.75),
    (32, 50): (0.4, 0.88, 0.72),
    (33, 51): (0.35, 0.75, 0.42),
}
CORNER, BARE = (48, 0.4), (30, 36, 41, *range(49, 54), *range(55, 60))
SLACK = 1e-3  # of a crop's side: how far the density may miss these
# A face is some 175 mm long as `Face.size` counts; in parts of that:
LONGEST, THICK = 0.09, 7.5e-4  # a hair
ROOTS = 80_000  # on a square of that side, where hair is densest
SHORTEST = 0.4  # of the length of a hair that stands in the thick, where few are
ASTRAY, CURL = 0.35, 0.5  # radians: how far hairs point elsewhere, and turn
UNEVEN = 0.4  # deviation of their lengths and thicknesses, for their means
JOINTS = 5  # straight pieces of which a hair consists
BROWS, HAIR = (0, 0.15, 0.3), 0.15  # from brows to lids; the darkest of it is hair
DARKEST, PALEST = 0.1, 0.6  # what hair leaves of the light that skin gives back
MARGIN = 0.25  # of a crop's side, by which hair may lie beyond it
NEAR, SPARSE = 0.05, 0.05  # what is beside it; of the densest hair, as good as none
SIDE = 96  # pixels a side at which the density is worked out
BILINEAR = Image.Resampling.BILINEAR


@dataclass(frozen=True, eq=False)
class Beard(Thing):
    """Hair to be drawn."""

    density: Pixels  # (S, S), 1 where it is densest
    tint: NDArray[np.float32]  # (3,), what is left of the light where hair covers
    unit: float  # the face's size in crop pixels
    length: float  # of hairs, at most, in parts of it
    marks: Points  # (68, 2)

    def near(self, size: int) -> Pixels:
        """Return 1 where hair grows and beside it, 0 far off, in the crop itself."""
        inside = slice(self.wider, self.wider + size)
        near = smoothed(self.density, NEAR * self.unit)[inside, inside]
        return np.asarray((near / SPARSE).clip(0, 1))

    def _drawn(self, photo: NDArray[Any], transform: Similarity) -> None:
        window = window_touched(self.where, transform, photo.shape)
        covered = self._covered(transform, window)
        shows = uncut(self.where[..., None], transform, window, linear=True).clip(0, 1)
        colour = photo[window.slices]
        left = 1 - covered[..., None] * shows * (1 - self.tint)
        colour[:] = np.rint(colour * left).astype(photo.dtype)

    def _covered(self, transform: Similarity, window: Window) -> Pixels:
        """Return how much hair covers each pixel of a window of the photo, (h, w)."""
        rng = np.random.default_rng(0)
        size = len(self.density)
        count = int(ROOTS * (size / self.unit) ** 2)
        roots, chance = rng.uniform(0, size, (count, 2)), rng.uniform(0, 1, count)
        dense = _at(self.density * self.where, roots)
        grown = chance < dense
        roots, dense = roots[grown], dense[grown]
        uneven = np.exp(UNEVEN * rng.standard_normal((2, len(roots))))
        aside = rng.standard_normal((2, len(roots))) * [[ASTRAY], [CURL]]
        long = SHORTEST + (1 - SHORTEST) * np.sqrt(dense)
        long = self.length * self.unit * long * uneven[0]
        joints = transform.inverse(self._joints(roots, long, *aside))
        joints -= [window.left, window.top]
        thick = THICK * self.unit / transform.scale
        coarser = max(1.0, thick)  # photo pixels: no hair is drawn finer than one
        height, width = window.shape
        shape = int(np.ceil(height / coarser)), int(np.ceil(width / coarser))
        drawn = strokes(joints / coarser, thick / coarser * uneven[1], shape)
        covered = Image.fromarray(1 - np.exp(-drawn))
        box = 0, 0, width / coarser, height / coarser
        return np.asarray(covered.resize((width, height), BILINEAR, box))

    def _joints(self, roots: Points, long: Any, aside: Any, curl: Any) -> Points:
        """Return the points between which hairs are straight, (N, JOINTS + 1, 2)."""
        lip = self.marks[[33, 51]].mean(0)
        down = self.marks[8] - self.marks[27]
        down = down / max(np.hypot(*down), 1e-9)
        points = [roots]
        for joint in range(JOINTS):
            out = points[-1] - lip
            way = out / np.maximum(np.hypot(*out.T), 1e-9)[:, None] + down
            angle = np.arctan2(way[:, 1], way[:, 0]) + aside + curl * joint / JOINTS
            step = np.stack([np.cos(angle), np.sin(angle)], -1)
            points.append(points[-1] + step * long[:, None] / JOINTS)
        return np.stack(points, 1)


def grown(
    part: Pixels, lit: Pixels, own: Pixels, masks: Masks, unit: float
) -> Beard | None:
    """Return the beard whose hair takes as much of a face's light as an edit does.

    Args:
        part: of the light that is gone, (S, S).
        lit: where that tells something, (S, S).
        own: the photo's crop, 0 to 255.
    """
    where, wider = masks.things[BEARD], masks.wider
    marks, inside = masks.marks + wider, slice(wider, wider + len(part))
    density = grows(marks, len(where))
    dense = density[inside, inside]
    weight = lit / max(float(lit.sum()), 1e-6)
    more = dense - float((weight * dense).sum())  # than on the whole face
    spread = float((weight * more**2).sum())
    amount = float((weight * more * part).sum()) / max(spread, 1e-6)
    if amount <= 0:
        return None
    tint = _tint(own, masks.skin, masks.marks)
    length = LONGEST * min(amount, 1)
    return Beard(wider, where, density, tint, unit, length, marks)


def grows(marks: Points, size: int) -> Pixels:
    """Return how densely hair grows on a face with these landmarks, (size, size)."""
    first, second, part, value = np.split(_known(), 4, 1)
    near, far = (marks[side[:, 0].astype(int)] for side in (first, second))
    points = near * (1 - part) + far * part
    grid = np.stack(np.meshgrid(*[(np.arange(SIDE) + 0.5) * size / SIDE] * 2), -1)
    field = flow.bent(points, value, SLACK * size, grid.reshape(-1, 2))
    wide = np.asarray(field.reshape(SIDE, SIDE, 1), np.float32)
    return resized(wide, size)[..., 0].clip(0, 1)


@cache
def _known() -> NDArray[np.float64]:
    """Return rows of: two landmarks, where between them, how densely hair grows there.

    For both halves of a face.
    """
    rows = [(CORNER[0], CORNER[0], 0.0, CORNER[1]), *((k, k, 0.0, 0.0) for k in BARE)]
    for parts, table in ((JAWWARDS, FROM_JAW), (LIPWARDS, FROM_NOSE)):
        for (first, second), dense in table.items():
            rows += [(first, second, *one) for one in zip(parts, dense, strict=True)]
    mirrored = [(MIRRORED[a], MIRRORED[b], *rest) for a, b, *rest in rows]
    return np.unique([*rows, *mirrored], axis=0)


def _tint(own: Pixels, skin: Pixels, marks: Points) -> NDArray[np.float32]:
    """Return what hair leaves of the light that skin gives back, (3,), by the brows."""
    brows = marks[17:27]
    lids = marks[[36, 37, 37, 38, 39, 42, 43, 43, 44, 45]]
    points = np.concatenate([brows + part * (lids - brows) for part in BROWS])
    hair = np.stack([_at(own[..., i], points) for i in range(3)], -1)
    dark = hair @ flow.LUMINANCE
    hair = hair[dark <= np.quantile(dark, HAIR)].mean(0)
    around = np.average(own.reshape(-1, 3), axis=0, weights=skin.ravel() + 1e-6)
    return np.asarray((hair / np.maximum(around, 1)).clip(DARKEST, PALEST), np.float32)


def _at(plane: Pixels, points: Points) -> NDArray[np.float32]:
    """Return what a plane (S, S) holds at points (N, 2)."""
    where = [points[:, 1] - 0.5, points[:, 0] - 0.5]
    return np.asarray(map_coordinates(plane, where, order=1, mode="nearest"))
