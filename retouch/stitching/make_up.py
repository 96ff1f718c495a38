"""Make-up around the eyes: a line along the lid, lashes, shadow, in full size.

A generator darkens lids a little, each eye otherwise. Lids are where the landmarks have
them, but for some pixels: there the darkest line is followed, the lashes' own.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from retouch.edits.manner import MAKE_UP
from retouch.faces.crop import Pixels, Window, uncut
from retouch.geometry import LEFT_BROW, RIGHT_BROW, Points, Similarity
from retouch.smoothing import smoothed
from retouch.stitching import flow
from retouch.stitching.change import Change, Masks
from retouch.stitching.pen import ALONG, curve, filled, lay, seen, strokes
from retouch.stitching.thing import Thing

# An eye's landmarks from its outer corner over the upper lid and back, and its brow.
SIDES = (([36, 37, 38, 39, 40, 41], LEFT_BROW), ([45, 44, 43, 42, 47, 46], RIGHT_BROW))
# In parts of an eye's width:
ASTRAY, TRIED = 0.1, 21  # how far a lid lies elsewhere than its landmarks; places tried
BLURRED = 0.02  # before the darkest line is looked for
STRAIGHT, NEAR = 60.0, 0.25  # what bending costs, and lying off; all contrast costs 1
THICK, SOFT = 0.05, 0.01  # a line at strength 1; how soft it is
SET_IN, BEGUN, ENDED = 0.25, 0.15, 0.15  # how much lies in the eye; tapers at its ends
WING, AS_LOWER = 0.07, 8  # how far it goes on beyond the corner; as the lid below leads
LASHES, LONG, FINE = 45, 0.15, 0.014
OPEN = (0.1, 0.2)  # eyes that are hardly open show no lashes; these show all
UNEVEN = 0.15  # deviation of lashes' lengths, for their mean
SHADED = (
    0.38  # of the way to the brow, and of the eye's width, beside and below the lid:
)
BESIDE, WITHIN = 0.62, 0.06
ROOM = 0.6  # around an eye, that all of it lies in
# What it does to light, at strength 1:
INK = np.array([0.12, 0.09, 0.09], np.float32)  # is left under it
DARK, BLACK = 0.85, 1.2  # a line and lashes
SHADE = np.array([0.16, 0.21, 0.19], np.float32)  # is taken by shadow
MOST = 2.0  # strength, above which nothing more is done


@dataclass(frozen=True, eq=False)
class MakeUp(Thing):
    """Make-up to be put on."""

    marks: Points  # (68, 2), there
    strength: float

    def _drawn(self, photo: NDArray[Any], transform: Similarity) -> None:
        marks = transform.inverse(self.marks)
        for eye, brow in SIDES:
            width = float(np.hypot(*(marks[eye[3]] - marks[eye[0]])))
            window = _around(marks[eye], ROOM * width, photo.shape)
            if width < 1 or not min(window.shape):
                continue
            shown = uncut(self.where[..., None], transform, window, linear=True)
            own = seen(photo, window)
            corner = window.left, window.top
            lids = _Eye.seen(own, marks[eye] - corner, marks[brow].mean(0) - corner)
            now = own + shown.clip(0, 1) * (lids.made_up(own, self.strength) - own)
            lay(photo, window, now, shown[..., 0] > 0)


def made_up(change: Change, masks: Masks) -> tuple[MakeUp, ...]:
    """Return the make-up that is put on, if any is."""
    where, strength = masks.things.get(MAKE_UP), change.asked.get(MAKE_UP, 0.0)
    if where is None or strength <= 0:
        return ()
    wider, (was, now) = masks.wider, change.marks
    marks = masks.marks + now - was
    return (MakeUp(wider, where, marks + wider, min(strength, MOST)),)


class _Eye(NamedTuple):
    """An eye as it lies in a part of a photo, from its outer corner inwards."""

    lid: Points  # (ALONG, 2), the upper one
    below: Points  # (ALONG, 2), the lower one
    away: Points  # (ALONG, 2), of length 1, from the eye
    width: float
    brow: Points  # (2,)

    @classmethod
    def seen(cls, own: Pixels, marks: Points, brow: Points) -> Self:
        """Return the eye with these landmarks, its lid where the photo shows it."""
        upper, lower = curve(marks[:4]), curve(marks[[0, 5, 4, 3]])
        width = float(np.hypot(*(marks[3] - marks[0])))
        way = np.gradient(upper, axis=0)
        away = _unit(np.stack([way[:, 1], -way[:, 0]], -1))
        if (away @ (brow - upper.mean(0))).sum() < 0:
            away = -away
        light = gaussian_filter(own @ flow.LUMINANCE, max(BLURRED * width, 0.6))
        lid = upper + _darkest(light, upper, away, ASTRAY * width)[:, None] * away
        return cls(lid, lower, away, width, brow)

    def made_up(self, own: Pixels, strength: float) -> Pixels:
        """Return a part of a photo, 0 to 255, with the eye made up."""
        shadow = self._shadow(own.shape)[..., None]
        shaded = own * (1 - strength * SHADE * shadow)
        line = DARK * min(strength, 1.0) * self._line(own.shape, strength)
        lashes = BLACK * self._lashes(own.shape, strength)
        ink = (1 - (1 - line) * np.exp(-lashes))[..., None]
        return np.asarray(shaded * (1 - ink * (1 - INK)), np.float32)

    def _line(self, shape: tuple[int, ...], strength: float) -> Pixels:
        """Return how much of each pixel the line along the lid covers."""
        along = np.linspace(0, 1, ALONG)
        tapered = np.minimum((along + BEGUN) / (2 * BEGUN), (1 - along) / ENDED)
        thick = THICK * self.width * strength * tapered.clip(0, 1) * (1 - along / 2)
        out = self.lid[0] - self.below[AS_LOWER]
        out = out / max(float(np.hypot(*out)), 1e-9)
        wing = self.lid[0] + WING * self.width * strength * out
        above = self.lid + ((1 - SET_IN) * thick)[:, None] * self.away
        under = self.lid - (SET_IN * thick)[:, None] * self.away
        outline = np.concatenate([[wing], above[1:], under[::-1]])
        covered = filled([([outline], 255)], Window(0, 0, shape[1], shape[0]))
        return smoothed(covered, max(SOFT * self.width, 0.4))

    def _lashes(self, shape: tuple[int, ...], strength: float) -> Pixels:
        """Return how much of each pixel lashes cover, more than 1 where many do."""
        rng = np.random.default_rng(0)
        along = np.sort(rng.uniform(0, 1 - ENDED / 2, LASHES))
        place = (along * (ALONG - 1)).round().astype(int)
        roots, away = self.lid[place], self.away[place]
        outwards = (self.lid[0] - self.lid[-1]) / self.width
        aside = (1 - 1.2 * along)[:, None] * outwards
        first, last = _unit(away / 2 + aside), _unit(away + 0.7 * aside)
        uneven = np.exp(UNEVEN * rng.standard_normal(LASHES))
        long = LONG * self.width * (1 + strength) / 2 * (1 - along / 2) * uneven
        joints = [roots]
        for part in (0, 0.5, 1):
            step = first + part * (last - first)
            joints.append(joints[-1] + step * long[:, None] / 3)
        apart = float(np.hypot(*(self.lid - self.below).T).max()) / self.width
        opened = np.clip((apart - OPEN[0]) / (OPEN[1] - OPEN[0]), 0, 1)
        thick = FINE * self.width * min(strength, 1.0) * opened
        curved, size = np.stack(joints, 1), (shape[0], shape[1])
        return strokes(curved, np.full(LASHES, thick), size)

    def _shadow(self, shape: tuple[int, ...]) -> Pixels:
        """Return how much of the shadow lies on each pixel: most beside the lashes."""
        middle = self.lid.mean(0)
        across = (self.lid[-1] - self.lid[0]) / self.width
        up = np.array([across[1], -across[0]])
        up = up * np.sign(up @ (self.brow - middle))
        y, x = np.indices(shape[:2], np.float32) + 0.5
        apart = np.stack([x - middle[0], y - middle[1]], -1)
        along, high = apart @ across, apart @ up
        lid = self.lid - middle
        high = high - np.interp(along, lid @ across, lid @ up)
        reach = SHADED * float(np.hypot(*(self.brow - middle)))
        beside = np.exp(-((along / (BESIDE * self.width)) ** 4))
        below = high / (WITHIN * self.width)
        return np.asarray(
            beside * np.exp(-(np.where(high > 0, high / reach, below) ** 2))
        )


def _around(points: Points, room: float, shape: tuple[int, ...]) -> Window:
    """Return the part of a photo around points."""
    left, top = np.floor(points.min(0) - room).astype(int).tolist()
    right, bottom = np.ceil(points.max(0) + room).astype(int).tolist()
    photo = Window(0, 0, shape[1], shape[0])
    return Window(left, top, right, bottom).shared(photo)


def _darkest(
    light: Pixels, curve: Points, away: Points, reach: float
) -> NDArray[np.float64]:
    """Return how far away the darkest line beside a curve lies, at each of its points.

    It is the cheapest way along it, whose bends cost something.
    """
    aside = np.linspace(-1, 1, TRIED)
    places = curve[:, None] + reach * aside[None, :, None] * away[:, None]
    seen = map_coordinates(
        light, [places[..., 1] - 0.5, places[..., 0] - 0.5], order=1, mode="nearest"
    )
    seen = (seen - seen.min()) / max(float(np.ptp(seen)), 1e-6) + NEAR * aside**2
    bend = STRAIGHT * ((aside[:, None] - aside) / 2) ** 2
    cost, ways = seen[0], []
    for row in seen[1:]:
        whole = cost[None] + bend
        ways.append(whole.argmin(1))
        cost = whole.min(1) + row
    path = [int(cost.argmin())]
    for way in reversed(ways):
        path.append(int(way[path[-1]]))
    return np.asarray(gaussian_filter(reach * aside[path[::-1]], 2))


def _unit(ways: Points) -> Points:
    """Return directions of length 1."""
    return np.asarray(ways / np.maximum(np.hypot(*ways.T), 1e-9)[:, None])
