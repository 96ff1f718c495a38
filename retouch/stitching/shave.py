"""Shaving: less of a beard. How light the skin is, is drawn; hairs stay, but fainter.

Skin that a generator draws is soft, and lies in another light: so it tells no more than
how broad light goes on from the bare skin beside a beard. What is finer is the photo's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import grey_dilation

from retouch.edits.manner import BEARD
from retouch.faces.crop import Pixels, resized, uncut, window_touched
from retouch.geometry import JAW, OUTER_LIPS, Similarity
from retouch.smoothing import ramp, smoothed
from retouch.stitching import flow
from retouch.stitching.beard import grows, on_flesh
from retouch.stitching.change import Change, Masks
from retouch.stitching.hair import chroma
from retouch.stitching.mask import NOSTRILS
from retouch.stitching.mouths import filled
from retouch.stitching.pen import lay, seen
from retouch.stitching.thing import Thing

# Light is told on a crop of at most so many pixels a side, by what lies near, and by
# what lies further off where nothing does: widths in parts of the face's size.
COARSE, NEAR, FAR = 96, ((0.02, 1.0), (0.08, 0.1)), ((0.1, 1.0), (0.3, 0.01))
LEAST = 1e-7
ALIKE, FAINTEST = (0.5, 0.8), 0.03  # how colourful for skin; what grey pictures are
GAINS, BRIGHTER = (0.4, 2.0), 1.05  # of light; than bare skin beside
DARK = 8.0  # of 255: what is darker is as good as black
# Hair is darker than skin, or rougher: by so much of the logarithm of light, and so
# many times. It is told around each point, as far off as hairs stand apart.
DARKER, ROUGHER = (0.06, 0.2), (1.5, 2.5)
FINE, WIDE, APART, SOFT = 0.015, 0.02, 0.04, 0.025
SELDOM = 0.25  # chance that what is dark is hair where none grows on most
HAIRY = (0.05, 0.6)  # chance of hair; below, none is cut, above, all
BEARDED = (0.27, 0.35)  # such a part of where hair grows is a beard
BESIDE = 0.01  # beyond lips and nostrils, where hair stays
RIM, JAWLINE = 0.03, 0.05  # how softly a face ends; below, there is no neck drawn
INSIDE = 0.02  # of what bare skin counts that counts where beards grow
# How much is asked for, as read, how much of the skin shows by then, and how faint
# hairs are; skin that shines between them counts less.
ASKED = (0.0, 0.6, 1.2, 2.4)
BARED, FAINT = (0.0, 0.7, 1.0, 1.0), (1.0, 0.8, 0.55, 0.3)
DEEPEST, LIGHTEST, PALE = -1.0, 0.6, 0.3


@dataclass(frozen=True, eq=False)
class Shaven(Thing):
    """Skin from which hair is cut."""

    skin: Pixels  # (S, S, 3), its broad light, 0 to 255
    unit: float  # the face's size in crop pixels
    faint: float  # how much of their own light hairs keep

    def _drawn(self, photo: NDArray[Any], transform: Similarity) -> None:
        window = window_touched(self.where, transform, photo.shape)
        if not min(window.shape):
            return
        planes = np.concatenate([self.where[..., None], self.skin], -1)
        laid = uncut(planes, transform, window)
        shows, own = laid[..., :1].clip(0, 1), seen(photo, window)
        wide = WIDE * self.unit / transform.scale
        hair = _fine(own, np.maximum(shows[..., 0], LEAST), wide)
        hair = hair.clip(DEEPEST, LIGHTEST)
        left = self.faint * np.where(hair > 0, PALE * hair, hair)
        now = laid[..., 1:] * np.exp(left)[..., None]
        lay(photo, window, own + shows * (now - own), shows[..., 0] > 0)


def shaved(
    change: Change, own: Pixels, masks: Masks, unit: float
) -> tuple[Shaven, ...]:
    """Return the skin under a beard, if less of one is asked for.

    Args:
        own: the photo's crop as it is by then, 0 to 255.
    """
    where, much = masks.things.get(BEARD), -change.asked.get(BEARD, 0.0)
    if where is None or much <= 0:
        return ()
    inside = slice(masks.wider, len(where) - masks.wider)
    region = where[inside, inside]
    was, now = change.marks
    marks = masks.marks + now - was
    lips, nostrils = (
        filled(marks[part], change.size, BESIDE * unit, RIM / 2 * unit)
        for part in (OUTER_LIPS, NOSTRILS)
    )
    within = filled(marks[JAW], change.size, -RIM * unit, RIM * unit)
    drawn = flow.warped(change.after, now, marks)
    known = within * (1 - lips)
    drawn = _spread(drawn, known * _like_skin(drawn, known), NEAR, unit)
    dense = smoothed(grows(marks, change.size), SOFT * unit)
    skin, bare = _skin(drawn, own, masks.skin * within, region, dense, unit)
    place = region * masks.edit * on_flesh(masks)
    place *= filled(marks[JAW], change.size, 0, JAWLINE * unit)
    place *= 1 - np.maximum(lips, nostrils)
    hair = _hairy(own, skin, bare, dense, unit, place)
    part, faint = (float(np.interp(much, ASKED, those)) for those in (BARED, FAINT))
    shows = part * place * ramp(hair, *HAIRY)
    return (Shaven(0, shows, skin, unit, faint),) if shows.any() else ()


def stubble(own: Pixels, masks: Masks, unit: float) -> Pixels:
    """Return how surely each pixel of a crop shows a beard, 0 if there is none, (S, S).

    Shadows are dark, and folds are rough: hair is both, nearly wherever hair grows.
    """
    dense = smoothed(grows(masks.marks, len(own)), SOFT * unit)
    bare = masks.skin * (1 - dense)
    skin = _spread(own, bare, FAR, unit)
    hair = dense * np.minimum(*_signs(own, skin, bare, unit))
    counted = dense * masks.skin
    part = float((hair * counted).sum() / max(float(counted.sum()), LEAST))
    return hair * ramp(part, *BEARDED)


def _skin(
    drawn: Pixels,
    own: Pixels,
    face: Pixels,
    region: Pixels,
    dense: Pixels,
    unit: float,
) -> tuple[Pixels, Pixels]:
    """Return broad skin in the photo's light, and where that lies bare for sure."""
    bare = face * (1 - region)
    skin = _lit(drawn, own, bare, unit)
    # What turns out to be bare among hair tells of the light, too.
    smooth = (1 - _hairy(own, skin, bare, dense, unit)).clip(0, 1)
    told = bare + INSIDE * face * region
    return _lit(drawn, own, told * smooth**2, unit), bare


def _like_skin(drawn: Pixels, where: Pixels) -> Pixels:
    """Return how much like most of it each pixel is: no background beside a jaw."""
    colour = chroma(drawn) + FAINTEST
    inside = colour[where > 0.5]
    usual = float(np.median(inside)) if len(inside) else FAINTEST
    return ramp(colour / max(usual, FAINTEST), *ALIKE)


def _lit(drawn: Pixels, own: Pixels, bare: Pixels, unit: float) -> Pixels:
    """Return drawn skin in the light of the photo, as bare skin tells it."""
    both = _spread(np.concatenate([own, drawn], -1), bare, FAR, unit)
    gain = (both[..., :3] + DARK) / (both[..., 3:] + DARK)
    lit = drawn * gain.clip(*GAINS)
    most = BRIGHTER * (both[..., :3] @ flow.LUMINANCE + DARK)
    return lit * np.minimum(1, most / (lit @ flow.LUMINANCE + DARK))[..., None]


def _spread(
    field: Pixels, where: Pixels, near: Sequence[tuple[float, float]], unit: float
) -> Pixels:
    """Return a field (S, S, C), broadly, going on beyond where it is known."""
    size = len(field)
    small = min(size, COARSE)
    planes = np.concatenate([field * where[..., None], where[..., None]], -1)
    planes = resized(planes, small)
    sums = np.zeros_like(planes)
    for width, part in near:
        sums += part * smoothed(planes, width * unit * small / size, reach=6)
    mean = sums[..., :-1] / np.maximum(sums[..., -1:], LEAST)
    return resized(mean.astype(np.float32), size)


def _hairy(
    own: Pixels,
    skin: Pixels,
    bare: Pixels,
    dense: Pixels,
    unit: float,
    place: ArrayLike = 1.0,
) -> Pixels:
    """Return how surely each pixel shows hair, if skin looks so, (S, S).

    Args:
        dense: how densely it grows on people; elsewhere what is dark may be a fold.
        place: where it is looked for.
    """
    dark, rough = _signs(own, skin, bare, unit)
    hair = np.maximum(dark * (SELDOM + (1 - SELDOM) * dense), rough)
    near = int(APART * unit) | 1
    return smoothed(grey_dilation(hair * place, near), SOFT * unit)


def _signs(own: Pixels, skin: Pixels, bare: Pixels, unit: float) -> list[Pixels]:
    """Return how much darker than skin each pixel is for hair, and how much rougher."""
    light, wanted = (
        smoothed(_logarithm(levels), WIDE * unit) for levels in (own, skin)
    )
    fine = _fine(own, np.ones_like(bare), FINE * unit)
    rough = np.sqrt(smoothed(fine**2, WIDE * unit).clip(0))
    known = rough[bare > 0.5]
    rough = rough / max(float(np.median(known)) if len(known) else 1.0, LEAST)
    return [ramp(wanted - light, *DARKER), ramp(rough, *ROUGHER)]


def _fine(own: Pixels, where: Pixels, width: float) -> Pixels:
    """Return the logarithm of light without what is broader, (h, w)."""
    light = _logarithm(own)
    return light - smoothed(light * where, width) / smoothed(where, width)


def _logarithm(levels: Pixels) -> Pixels:
    """Return the logarithm of light; crops may hold a little less than black."""
    return np.log((levels @ flow.LUMINANCE).clip(0) + DARK)
