"""Hair: the colours of what would grow on a face, told by what grows there already.

Brows tell the colour of a beard, but not that it is grey: hair at the temples does, and
a grey beard itself.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates

from retouch.faces.crop import Pixels
from retouch.geometry import Points
from retouch.smoothing import smoothed
from retouch.stitching import flow
from retouch.stitching.change import Masks

Colour = NDArray[np.float32]  # (3,)
LIGHT, NEAR = 0.08, 0.03  # of the face's size: how broad light is; what is beside it
LEAST = 1e-4  # of skin, where there is none: light goes on beyond it
BROWS, DARK = (0, 0.15, 0.3), 0.15  # from brows to lids; the darkest of it is hair
DARKEST, PALEST = 0.08, 0.6  # what such hair gives back of the light that skin does
RED, BLUE = (1.0, 1.4), (0.6, 1.0)  # for its green: no hair is green or blue
CLOTH = 1.3  # times as colourful as brows and skin: that is a scarf, no hair
SURE, FEW = 0.8, 30  # chance of hair, and so many pixels of it, that tell its colour
# A grey beard has less colour than skin, by so much and to such a part; it is no darker
# than stubble, and rougher than cheeks. Where it is less than that, shine is meant.
LESS, PART, BRIGHT, ROUGH = (0.03, 0.06), (0.75, 0.5), (0.5, 0.75), (1.5, 2.5)
FINE = 0.01  # of the face's size: what is rough in it
SOME, MANY = 0.05, 3.0  # of where hair is dense, is grey; as many strands are


class Strands(NamedTuple):
    """Strands of two colours, and the light that falls on them."""

    first: Colour  # 0 to 255
    second: Colour
    share: Pixels  # (S, S), of the second
    light: Pixels  # (S, S, 3), 1 as skin gets it on the whole

    def wider(self, by: int) -> "Strands":
        """Return them on a crop that is wider on each side."""
        edges = (by, by), (by, by)
        share = np.pad(self.share, edges, mode="edge")
        light = np.pad(self.light, (*edges, (0, 0)), mode="edge")
        return self._replace(share=share, light=light)


def strands(own: Pixels, density: Pixels, masks: Masks, unit: float) -> Strands:
    """Return what a person's beard consists of.

    Args:
        own: the photo's crop, 0 to 255.
        density: how densely it may grow, (S, S).
        unit: the face's size in crop pixels.
    """
    skin, light = _lit(own, density, masks, unit)
    lit = own / light
    first = second = _brows(lit, skin, masks.marks)
    share = np.zeros_like(density)
    temples = _temples(masks)
    if temples.sum() >= FEW:
        beside = np.median(lit[temples], 0)
        if chroma(beside) < CLOTH * max(chroma(first), chroma(skin)):
            second, share = beside, share + 0.5
    grey = _grey_beard(lit, skin, density, masks, unit)
    if grey.any():
        second = _mean(lit, grey)
        near = (smoothed(plane, NEAR * unit) for plane in (grey, density * masks.skin))
        here, there = near
        share = (MANY * here / np.maximum(there, LEAST)).clip(0, 1)
    return Strands(first, second.astype(np.float32), share, light)


def _grey_beard(
    lit: Pixels, skin: Colour, density: Pixels, masks: Masks, unit: float
) -> Pixels:
    dense = density * masks.skin
    grey = dense * _grey(lit, skin, masks.skin * (1 - density), unit)
    return grey * np.float32(grey.sum() > SOME * dense.sum())


def _lit(
    own: Pixels, density: Pixels, masks: Masks, unit: float
) -> tuple[Colour, Pixels]:
    """Return the colour of bare skin, and for it the light on a face, (S, S, 3)."""
    skin = _mean(own, masks.skin * (1 - density))
    weight = (masks.skin + LEAST)[..., None]
    broad = np.concatenate([own / skin * weight, weight], -1)
    broad = smoothed(broad, LIGHT * unit)
    return skin, np.maximum(broad[..., :3] / broad[..., 3:], LEAST)


def _brows(lit: Pixels, skin: Colour, marks: Points) -> Colour:
    """Return the colour of the brows' hair: thin ones are half skin."""
    brows = marks[17:27]
    lids = marks[[36, 37, 37, 38, 39, 42, 43, 43, 44, 45]]
    x, y = np.concatenate([brows + part * (lids - brows) for part in BROWS]).T - 0.5
    hair = np.stack(
        [
            map_coordinates(lit[..., i], (y, x), order=1, mode="nearest")
            for i in range(3)
        ],
        -1,
    )
    dark = hair @ flow.LUMINANCE
    red, green, blue = hair[dark <= np.quantile(dark, DARK)].mean(0)
    green = max(green, 1.0)
    tint = np.array([np.clip(red / green, *RED), 1, np.clip(blue / green, *BLUE)])
    tint = green * tint.astype(np.float32)
    bright, most = float(tint @ flow.LUMINANCE), float(skin @ flow.LUMINANCE)
    return np.asarray(tint * np.clip(bright, DARKEST * most, PALEST * most) / bright)


def _temples(masks: Masks) -> NDArray[np.bool_]:
    """Return where hair is sure to grow beside a face, from brows to the mouth."""
    rows = np.arange(len(masks.hair))[:, None]
    above, below = masks.marks[17:27, 1].min(), masks.marks[48:, 1].mean()
    return (masks.hair > SURE) & (rows > above) & (rows < below)


def _grey(lit: Pixels, skin: Colour, bare: Pixels, unit: float) -> Pixels:
    """Return how much like grey hair a lower face looks, (S, S)."""
    bright = lit @ flow.LUMINANCE
    rough = (bright - smoothed(bright, FINE * unit)) / np.maximum(bright, 1)
    rough = np.sqrt(smoothed(rough**2, NEAR * unit))
    rough /= (
        max(float(np.median(rough[bare > 0.9])), LEAST) if (bare > 0.9).any() else 1
    )
    seen = smoothed(lit, FINE / 2 * unit)
    colour, own = chroma(seen), float(chroma(skin))
    part = seen @ flow.LUMINANCE / float(skin @ flow.LUMINANCE)
    less = _ramp(own - colour, LESS) * _ramp(colour / max(own, LEAST), PART)
    return less * _ramp(part, BRIGHT) * _ramp(rough, ROUGH)


def chroma(colour: Pixels | Colour) -> NDArray[np.float32]:
    """Return how much redder than blue a colour is."""
    return (colour[..., 0] - colour[..., 2]) / np.maximum(colour.sum(-1), 1)


def _ramp(values: ArrayLike, ends: tuple[float, float]) -> Pixels:
    """Rise from 0 at one end to 1 at the other."""
    low, high = ends
    return ((np.asarray(values, np.float32) - low) / (high - low)).clip(0, 1)


def _mean(own: Pixels, weight: Pixels) -> Colour:
    """Return the mean colour, counted by weight (S, S)."""
    weights = weight.ravel() + LEAST
    return np.average(own.reshape(-1, 3), 0, weights).astype(np.float32)
