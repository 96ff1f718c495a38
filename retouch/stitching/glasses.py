"""Glasses: frames that are laid on a face at the photo's own size.

No generator draws them: half a pair of glasses looks like none.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retouch.edits.manner import GLASSES
from retouch.faces.crop import Pixels, Window, uncut
from retouch.geometry import Points, Similarity
from retouch.smoothing import smoothed
from retouch.stitching import flow
from retouch.stitching.change import Change, Masks
from retouch.stitching.frames import HALF_HEAD, Frame
from retouch.stitching.pen import lay, seen
from retouch.stitching.thing import Thing

THIN, THICKER = 0.3, 2.0  # a rim's breadth, and by how much strength 1 adds to it
# What it does to light:
DARK = (0.13, 0.1, 0.09)  # what is left of that which the face gives back
ROUNDED = 1.6  # how steep its edges are
LIGHT = (-0.35, -0.75, 0.56)  # where it comes from: left, above, before it
SHEEN, SHINE, NARROW = 0.1, 0.75, 30  # of the face's light: dull, and mirrored
THICK = 4.0  # pixels: thinner rims mirror less, as a line of dots would
WRAP = 0.5  # how much further to the side it looks at its ends
AROUND = 8.0  # millimetres: from so far the face's light is taken
SHADOW, BELOW, SOFT = (0.5, 0.55, 0.58), 3.5, 1.6  # how dark; how far off, how soft
GLARE, CLEAR = 0.03, 0.97  # of the glass: what it mirrors, most above; lets through
HIDDEN = 0.4  # of what is behind the glass: where more of it is hidden, none is put on


@dataclass(frozen=True, eq=False)
class Glasses(Thing):
    """A pair of glasses to be put on a face: rims, arms, and their shadow."""

    marks: Points  # (68, 2), there
    strength: float

    def _drawn(self, photo: NDArray[Any], transform: Similarity) -> None:
        frame = Frame(transform.inverse(self.marks), THIN + THICKER * self.strength)
        window = frame.window(photo.shape)
        if not min(window.shape):
            return
        shown = uncut(self.where, transform, window, linear=True).clip(0, 1)
        frame = replace(frame, shown=frame.seen(shown[..., 1], window))
        rims, arms, glass = frame.drawn(window)
        if float((glass * shown[..., 1]).sum()) < (1 - HIDDEN) * float(glass.sum()):
            return
        solid = np.maximum(rims * shown[..., 0], arms * shown[..., 1])
        own = seen(photo, window)
        now = _with_glasses(
            own, solid, glass * shown[..., 1], shown[..., 2], frame, window
        )
        now = own + shown[..., :1] * (now - own)
        lay(photo, window, now, shown[..., 0] > 0)


def worn(change: Change, masks: Masks) -> tuple[Glasses, ...]:
    """Return the glasses that are put on, if any are."""
    where = masks.things.get(GLASSES)
    strength = change.asked.get(GLASSES, 0.0)
    if where is None or strength <= 0:
        return ()
    return (Glasses(masks.wider, where, masks.marks + masks.wider, strength),)


def _with_glasses(
    own: Pixels,
    solid: Pixels,
    glass: Pixels,
    shaded: Pixels,
    frame: Frame,
    window: Window,
) -> Pixels:
    """Return what a window of the photo looks like with glasses on, 0 to 255."""
    height, unit = len(solid), frame.unit
    bright = _wide(own @ flow.LUMINANCE, AROUND * unit)[..., None]
    cast = _wide(solid, SOFT * unit)
    higher = np.clip(np.arange(height) - round(BELOW * unit), 0, None)
    cast = cast[higher] * (1 - solid) * shaded
    shade = cast[..., None] * np.array(SHADOW, np.float32)
    seen = own * (1 - shade) * (1 - (1 - CLEAR) * glass[..., None])
    above = np.linspace(1, 0, height, dtype=np.float32)[:, None]
    seen += (GLARE * 255 * above * glass)[..., None]
    colour = bright * _lit(solid, frame, window)
    return np.asarray(seen + solid[..., None] * (colour - seen), np.float32)


def _lit(solid: Pixels, frame: Frame, window: Window) -> Pixels:
    """Return what a rounded frame gives back of the face's light, (h, w, 3)."""
    thick, on = frame.breadth * frame.unit, solid > 0
    slopes = np.asarray(np.gradient(smoothed(solid, thick / 3)))
    down, right = -ROUNDED * thick * slopes[:, on]
    across, middle = frame.camera[0], frame.camera[3]
    beside = (np.argwhere(on)[:, ::-1] + (window.left, window.top) - middle) @ across
    right = right + WRAP * beside / (across @ across) / HALF_HEAD
    facing = np.stack([right, down, np.ones_like(down)], -1)
    facing /= np.linalg.norm(facing, axis=-1, keepdims=True)
    between = np.array(LIGHT) + np.eye(3)[2]  # it and who looks, from before the face
    mirrored = (facing @ (between / np.linalg.norm(between))).clip(0) ** NARROW
    shine = SHINE * min(1.0, thick / THICK) ** 2
    given = SHEEN * (facing @ LIGHT).clip(0) + shine * mirrored
    light = np.zeros((*solid.shape, 3), np.float32)
    light[on] = np.array(DARK) + given[:, None]
    return light


def _wide(plane: Pixels, width: float) -> Pixels:
    """Return a plane smoothed by so many pixels, worked out as coarsely as may be."""
    coarse = max(1.0, width / 2)
    height, across = plane.shape
    size = max(1, round(across / coarse)), max(1, round(height / coarse))
    kind = Image.Resampling.BILINEAR
    small = np.asarray(Image.fromarray(plane).resize(size, kind))
    again = Image.fromarray(smoothed(small, width / coarse))
    return np.asarray(again.resize((across, height), kind))
