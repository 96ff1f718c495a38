"""Beards: hair that grows on a face, drawn strand by strand at the photo's own size.

Where it grows is what people's beards have in common. Strands are those of the person:
of the brows, of the temples, and of a grey beard that is there.
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
from retouch.geometry import JAW, MIRRORED, Points, Similarity
from retouch.smoothing import ramp, smoothed
from retouch.stitching import flow
from retouch.stitching.change import Change, Masks
from retouch.stitching.hair import Strands, strands
from retouch.stitching.mouths import filled
from retouch.stitching.pen import lay, seen, strokes
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
FLESH = (0.3, 0.8)  # chance that it is no collar, and nothing behind the face
EDGE = 0.01  # of the face's size: how softly a jaw ends
SLACK = 1e-3  # of a crop's side: how far the density may miss these
# What many have half of, most have or have not: one beard begins and is whole.
BEGINS, WHOLE = 0.12, 0.55
# A face is some 175 mm long as `Face.size` counts; in parts of that:
LENGTHS, THICK = ((0.0, 0.6, 1.2, 2.4), (0.0, 0.008, 0.028, 0.08)), 7.5e-4  # a hair
ROOTS = 80_000  # on a square of that side, where hair is densest
TRIMMED = (0.3, 1.0), (0.5, 1.0)  # from the nose to the chin; moustaches are shorter
SHORTEST = 0.4  # of the length of a hair that stands in the thick, where few are
ASTRAY, CURL = 0.35, 0.5  # radians: how far hairs point elsewhere, and turn
UNEVEN = 0.4  # deviation of their lengths and thicknesses, for their means
JOINTS = 5  # straight pieces of which a hair consists
BENEATH, ABOVE = 0.45, 1.2  # of its own light that a strand gives back: below, on top
SHADOW = 0.3  # of the light on skin, that hair swallows beside it
SHADED = 0.008  # how far its shadow reaches
MARGIN = 0.25  # of a crop's side, by which hair may lie beyond it
SIDE = 96  # pixels a side at which the density is worked out
BILINEAR = Image.Resampling.BILINEAR


@dataclass(frozen=True, eq=False)
class Beard(Thing):
    """Hair to be drawn."""

    density: Pixels  # (S, S), 1 where it is densest
    strands: Strands
    unit: float  # the face's size in crop pixels
    length: float  # of hairs, in parts of it
    marks: Points  # (68, 2)

    def _drawn(self, photo: NDArray[Any], transform: Similarity) -> None:
        window = window_touched(self.where, transform, photo.shape)
        if not min(window.shape):
            return
        planes = np.concatenate([self.where[..., None], self.strands.light], -1)
        laid = uncut(planes, transform, window, linear=True)
        shows, light = laid[..., :1].clip(0, 1), laid[..., 1:]
        layers = self._layers(transform, window)
        own = now = seen(photo, window)
        left = np.prod([1 - cover for cover, _ in layers], 0)
        wide = SHADED * self.unit / transform.scale
        now = now * (1 - SHADOW * smoothed(1 - left, wide))[..., None]
        for cover, colour in layers:
            now += cover[..., None] * (colour * light - now)
        lay(photo, window, own + shows * (now - own), shows[..., 0] > 0)

    def _layers(
        self, transform: Similarity, window: Window
    ) -> list[tuple[Pixels, NDArray[np.float32]]]:
        """Return how much hair covers each pixel (h, w), of which colour; top last."""
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
        long = self.length * self.unit * long * uneven[0] * self._trimmed(roots)
        joints = transform.inverse(self._joints(roots, long, *aside))
        joints -= [window.left, window.top]
        thick = THICK * self.unit / transform.scale * uneven[1]
        second = rng.uniform(0, 1, len(roots)) < _at(self.strands.share, roots)
        above = rng.uniform(0, 1, len(roots)) < 0.5
        layers = []
        for shade, top in ((BENEATH, False), (ABOVE, True)):
            for colour, other in zip(self.strands[:2], (False, True), strict=True):
                these = (above == top) & (second == other)
                if these.any():
                    cover = _covered(joints[these], thick[these], window.shape)
                    layers.append((cover, colour * np.float32(shade)))
        return layers

    def _trimmed(self, roots: Points) -> NDArray[np.float64]:
        """Return how long hair is for that on the chin, (N,)."""
        nose, chin = self.marks[33], self.marks[8]
        down = (chin - nose) / max(float(((chin - nose) ** 2).sum()), 1e-9)
        return np.interp((roots - nose) @ down, *TRIMMED)

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


def grown(change: Change, own: Pixels, masks: Masks, unit: float) -> tuple[Beard, ...]:
    """Return the beard that is asked for, if one is."""
    where, much = masks.things.get(BEARD), change.asked.get(BEARD, 0.0)
    if where is None or much <= 0:
        return ()
    marks, wider = masks.marks + masks.wider, masks.wider
    # Beyond the jaw hair may hang, but not grow.
    face = filled(marks[JAW], len(where), 0, EDGE * unit)
    density = grows(marks, len(where)) * face
    density *= np.pad(on_flesh(masks), wider, mode="edge")
    inside = slice(wider, len(where) - wider)
    hair = strands(own, density[inside, inside], masks, unit).wider(wider)
    length = float(np.interp(much, *LENGTHS))
    beard = Beard(wider, where, density, hair, unit, length, marks)
    return (beard,)


def grows(marks: Points, size: int) -> Pixels:
    """Return how densely hair grows on a face with these landmarks, (size, size)."""
    first, second, part, value = np.split(_known(), 4, 1)
    near, far = (marks[side[:, 0].astype(int)] for side in (first, second))
    points = near * (1 - part) + far * part
    grid = np.stack(np.meshgrid(*[(np.arange(SIDE) + 0.5) * size / SIDE] * 2), -1)
    field = flow.bent(points, value, SLACK * size, grid.reshape(-1, 2))
    wide = np.asarray(field.reshape(SIDE, SIDE, 1), np.float32)
    dense = (resized(wide, size)[..., 0] - BEGINS) / (WHOLE - BEGINS)
    dense = dense.clip(0, 1)
    return np.asarray(dense * dense * (3 - 2 * dense), np.float32)


def on_flesh(masks: Masks) -> Pixels:
    """Return 1 where hair may grow, or be cut: where a face is seen, (S, S)."""
    return ramp(masks.flesh, *FLESH)


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


def _covered(joints: Points, thick: Any, shape: tuple[int, int]) -> Pixels:
    """Return how much strands cover each pixel, (h, w)."""
    coarser = max(1.0, float(thick.mean()))  # no hair is drawn finer than one pixel
    height, width = shape
    small = int(np.ceil(height / coarser)), int(np.ceil(width / coarser))
    drawn = strokes(joints / coarser, thick / coarser, small)
    covered = Image.fromarray(np.float32(1 - np.exp(-drawn)))
    box = 0, 0, width / coarser, height / coarser
    return np.asarray(covered.resize((width, height), BILINEAR, box))


def _at(plane: Pixels, points: Points) -> NDArray[np.float32]:
    """Return what a plane (S, S) holds at points (N, 2)."""
    where = [points[:, 1] - 0.5, points[:, 0] - 0.5]
    return np.asarray(map_coordinates(plane, where, order=1, mode="nearest"))
