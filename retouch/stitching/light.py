"""Light: how an edit lights a face that moves.

It is carried over broadly, in the photo's own colours, so that pores stay the photo's;
of edits that are made of fine light, such as wrinkles, all of it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.faces.crop import Pixels, resized
from retouch.stitching import flow
from retouch.stitching.aligned import Aligned
from retouch.stitching.change import Change, Masks
from retouch.stitching.mouths import around

# In parts of the face's size:
CAST_WIDTH = 0.2  # broader changes of light are taken out,
RIM_WIDTH = 0.05  # and where the mask ends, narrower ones too
BREADTH = 0.03  # light is broad that is broader, the rest is fine
NEAR_LIPS = 0.1  # of a mouth's width
MOST = 40.0  # of 255: a face that moves turns no more than that to the light
SHADED = 0.2  # of its own light: nor do years shade it any more than that
FLAT = 8.0  # of 255: light on a face that varies less tells little of its colour
FEW = 64  # pixels a side at which colours are told
LEVELS, ALIKE = 16, 20.0  # of light, at which its colour is told; how near they are
DARKEST, MOST_TINT = 16.0, 1.8  # of 255: what is darker has little colour; of it


def lighting(
    change: Change, whole: Pixels, photo: Pixels, pair: Aligned, masks: Masks
) -> Pixels:
    """Return the change of light on a face whose photo was moved, (S, S, 3).

    Args:
        whole: the flow by which the face moves, (S, S, 2).
        photo: the photo's crop, moved.
    """
    manner, light = change.manner, pair.after - pair.before
    light -= _cast(light, pair, masks.skin, RIM_WIDTH if manner.even else CAST_WIDTH)
    light -= _flattening(light, pair)
    broad = pair.around(light, BREADTH)
    light = _detailed(light, broad, change, masks, whole) if manner.fine else broad
    most: Any = MOST
    if manner.aging:
        skin = pair.around(photo, BREADTH) @ flow.LUMINANCE
        most = np.minimum(MOST, SHADED * np.maximum(skin, DARKEST))[..., None]
    strong = np.abs(light @ flow.LUMINANCE)[..., None] / most
    light = light / np.hypot(1, strong)
    if manner.colour < 1:
        fallen = _falling(light, photo, pair)
        light = fallen + np.float32(manner.colour) * (light - fallen)
    return light


def _cast(light: Pixels, pair: Aligned, skin: Pixels, broadest: float) -> Pixels:
    """Return the change of light that is broader than so, or crosses the rim."""
    broad = pair.around(light, broadest, skin)
    near = pair.around(light, RIM_WIDTH)
    return near + pair.lit[..., None] * (broad - near)


def _flattening(light: Pixels, pair: Aligned) -> Pixels:
    """Return the light that follows what was light before: a change of contrast.

    What is drawn anew is drawn under milder light; highlights would turn grey by it.
    """
    part = pair.lit / max(float(pair.lit.sum()), 1e-6)
    bright = pair.before @ flow.LUMINANCE
    bright = bright - float((part * bright).sum())
    spread = float((part * bright**2).sum()) + FLAT**2
    slope = np.tensordot(part * bright, light, 2) / spread
    return np.asarray(bright[..., None] * slope, np.float32)


def _detailed(
    light: Pixels, broad: Pixels, change: Change, masks: Masks, whole: Pixels
) -> Pixels:
    """Return light that is broad alone on lips and brows, and darkens no lashes.

    Lips and brows are never drawn quite where they are: they get broad light. The young
    are drawn with dark lashes, as if all of them were made up.
    """
    off = 1 - flow.moved(masks.brows, whole)
    off = off * (1 - around(change.marks[1], change.size, NEAR_LIPS))
    light = broad + off[..., None] * (light - broad)
    darker = light @ flow.LUMINANCE < 0
    return light * (1 - flow.moved(masks.lashes, whole) * darker)[..., None]


def _falling(light: Pixels, photo: Pixels, pair: Aligned) -> Pixels:
    """Return light in the colour that more of it, or less, has on this face.

    White light would turn the shadows of dark skin grey; so would light in the colour
    of skin that a photo shows white. Highlights that go give way to skin's own colour:
    the colour is that of more light where a face is about as light already. What gets
    lighter keeps its colour: beside highlights it would get theirs, and turn grey.
    """
    skin = pair.around(photo, BREADTH)
    more, bright = light @ flow.LUMINANCE, skin @ flow.LUMINANCE
    levels = np.linspace(0, 255, LEVELS)
    between = (bright + more / 2).clip(0, 255)
    slopes = _slopes(skin, pair.lit, levels).T
    tint = np.stack([np.interp(between, levels, channel) for channel in slopes], -1)
    own = skin / np.maximum(bright, DARKEST)[..., None]
    tint = np.where(more[..., None] > 0, own, tint)
    return np.asarray(more[..., None] * tint, np.float32)


def _slopes(skin: Pixels, lit: Pixels, levels: NDArray[Any]) -> NDArray[Any]:
    """Return how colours change as they get lighter, where they are so light, (L, 3).

    Fewer pixels tell: they are of broad light.
    """
    planes = np.concatenate([skin, lit[..., None]], -1)
    few = resized(planes, min(len(skin), FEW))
    skin, part = few[..., :3], few[..., 3] / max(float(few[..., 3].sum()), 1e-6)
    mean, bright = np.tensordot(part, skin, 2), skin @ flow.LUMINANCE
    usual = mean / max(float(mean @ flow.LUMINANCE), DARKEST)
    usual = _slope(skin, part, usual)
    near = [np.exp(-(((bright - level) / ALIKE) ** 2) / 2) for level in levels]
    return np.stack([_slope(skin, part * alike, usual) for alike in near])


def _slope(skin: Pixels, part: Pixels, slope: NDArray[Any]) -> NDArray[Any]:
    """Return how colours (S, S, 3) change as they get lighter, near a slope, (3,)."""
    part = part / max(float(part.sum()), 1e-2)
    apart = skin - np.tensordot(part, skin, 2)
    bright = part * (apart @ flow.LUMINANCE)
    told = np.tensordot(bright, apart, 2) + FLAT**2 * slope
    return np.asarray((told / (told @ flow.LUMINANCE)).clip(0, MOST_TINT))
