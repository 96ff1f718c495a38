"""Mouths that open or close: what comes into view there is painted.

Lips are the photo's own, moved. Between them, where a closed mouth bares its teeth, the
drawn ones are painted by the outline of the moved inner lips, their colours matched and
their light that of the skin around. A mouth that was open keeps its own teeth; one that
closes is painted whole.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from retouch.faces.crop import Pixels
from retouch.geometry import (
    INNER_LIPS,
    LOWER_INSIDE,
    MOUTH_CORNERS,
    OUTER_LIPS,
    PHILTRUM,
    UPPER_INSIDE,
    Points,
)
from retouch.smoothing import smoothed
from retouch.stitching import flow
from retouch.stitching.change import Change, Masks
from retouch.stitching.colour import matched
from retouch.stitching.lines import valleys
from retouch.stitching.pen import rounded

OPEN = 0.07  # of a mouth's width: lips so far apart show teeth, which are then kept
BARED = (0.02, 0.05)  # by which they are to part to part at all, and fully
SEEN = 0.001  # by which they have
SHUT = (0.03, 0.05)  # at which an open mouth is closed, and is not yet
TURNED = 0.2  # of facing the camera: mouths turned further keep their lips shut
HIDDEN = 0.1  # of lips: where more may not change, they do not part
ASTRAY = 0.15  # of a mouth's width: drawn lips so far from the photo's are not painted
# In parts of a mouth's width, how far paint goes beyond its outline and how softly:
TEETH, LIPS = (0.02, 0.015), (0.0, 0.05)
EDGE = 0.02  # how softly lips end
GAP = 0.05  # how far beyond it skin may fold
RING = (0.25, 0.1)  # around the mouth: the skin whose light the paint takes on
STRETCHED = 1.15  # times their height: what teeth in view may be stretched to,
SQUEEZED = 0.8  # and drawn ones squeezed to, before the lower lip covers them
DEPTH, TONGUE = 0.14, 0.2  # of lips' light: the dark behind teeth, and what lies lower
OUTER_LOWER = [*range(55, 60)]
LOWER_LIP = [*OUTER_LOWER, *LOWER_INSIDE]
# The upper lip's shadow on teeth, in parts of how far lips are apart; how dark it is.
SHADED, LOWER, SHADOW = 0.18, 0.2, 0.25
SLIT, DIMMED = 0.14, 0.7  # of a mouth's width: less open, less light falls in
ACROSS, APART = 2.0, 0.6  # a face; how much deeper drawn lines between teeth get
DARK = 0.01  # the part of a photo that is its darkest
DIM = 16.0  # of 255: what is darker has no lines
FINER = 4  # times that outlines are drawn larger


def opening(marks: Points) -> float:
    """Return how far lips are apart, for the width between their corners."""
    width = np.hypot(*(marks[INNER_LIPS][4] - marks[INNER_LIPS][0]))
    return _parted(marks) / max(float(width), 1e-9)


def facing(marks: Points) -> float:
    """Return how wide a mouth's narrower half is for the other: 1 to the camera."""
    left, right = np.abs(marks[MOUTH_CORNERS, 0] - marks[PHILTRUM, 0].mean())
    return float(min(left, right) / max(left, right, 1e-9))


def painted(
    change: Change, own: Pixels, masks: Masks, moved: Pixels
) -> tuple[Pixels, Pixels, bool]:
    """Return what is painted (S, S, 3), how much of it shows, and if the mouth closes.

    Args:
        moved: the photo's crop after it was moved and lit.
    """
    was, now = change.marks
    part, closes = newness(masks.marks, was, now)
    if not part:
        return np.zeros_like(own), np.zeros_like(masks.edit), False
    width, size = _width(now), len(own)
    outline = now[OUTER_LIPS] if closes else inner_outline(now)
    grow, soft = LIPS if closes else TEETH
    mouth = filled(outline, size, grow * width, soft * width)
    cover = part * masks.edit * mouth
    bitten = now if closes else _bitten(change, now)
    picture = _mouth(change, bitten, closes)
    paint = matched(picture, change.before, own, masks.surface)
    far, near = (around(now, size, reach) for reach in RING)
    ring = (far * (1 - near) * masks.edit)[..., None]
    shade = ((moved - paint) * ring).sum((0, 1)) / max(float(ring.sum()), 1.0)
    paint = paint + shade
    if not closes:
        teeth = filled(inner_outline(bitten), size, grow * width, soft * width)
        below = np.maximum(mouth - teeth, 0)
        paint = paint * relief(paint, now)[..., None]
        paint = paint + below[..., None] * (_depth(moved, now) - paint)
        paint = np.maximum(paint, _darkest(own))
    return paint.astype(np.float32), cover.astype(np.float32), closes


def _darkest(own: Pixels) -> Pixels:
    """Return the colour of a photo's darkest parts, (3,): in haze none are black."""
    bright = own @ flow.LUMINANCE
    return np.asarray(own[bright <= np.quantile(bright, DARK)].mean(0))


def relief(paint: Pixels, marks: Points) -> Pixels:
    """Return which part of their light drawn teeth keep, (S, S): they are drawn flat.

    The upper lip casts a shadow on them, it is dark between them, and behind lips that
    have hardly parted.
    """
    apart = max(_parted(marks), 1.0)
    lips = 1 - filled(inner_outline(marks), len(paint), 0, 0)
    down = max(1, round(LOWER * apart))
    above = np.concatenate([np.repeat(lips[:1], down, 0), lips[:-down]])
    shadow = SHADOW * smoothed(above, SHADED * apart)
    light = np.log(np.maximum(paint @ flow.LUMINANCE, DIM))
    between = APART * valleys(light, ACROSS * _width(marks))[0]
    slit = max(0.0, 1 - opening(marks) / SLIT)
    return np.asarray((1 - DIMMED * slit) * (1 - shadow) * np.exp(-between))


def _bitten(change: Change, now: Points) -> Points:
    """Return the landmarks with the lower lip where teeth end.

    They grow no longer where a mouth gapes further than they were drawn.
    """
    tall = _parted(now)
    if change.mouth is None:
        return now
    drawn = _parted(change.mouth.marks) * _width(now) / _width(change.mouth.marks)
    ends = min(change.mouth.bite * tall, STRETCHED * drawn)
    return _lowered(now, ends - tall)


def _depth(moved: Pixels, now: Points) -> Pixels:
    """Return the dark behind teeth in the colour of lips, a tongue below, (S, S, 3)."""
    lips, tall = on_lips(now, len(moved))[..., None], _parted(now)
    colour = (moved * lips).sum((0, 1)) / max(float(lips.sum()), 1.0)
    above = filled(inner_outline(_lowered(now, -tall / 2)), len(moved), 0, tall / 6)
    return np.asarray(colour * (DEPTH + TONGUE * (1 - above))[..., None], np.float32)


def steadied(own: Points, was: Points, now: Points) -> tuple[Points, Points]:
    """Return landmarks before and after, with lips that neither gape nor stretch teeth.

    Lips part fully or not at all: teeth cannot be half there. Drawn ones are at first
    as far apart as the photo's. An open mouth shows its own teeth, moved with its lips:
    the lower one goes down no further than makes them STRETCHED times as tall.
    """
    apart, gape, before = opening(own), opening(now), opening(was)
    if apart >= OPEN:
        excess = min(0.0, STRETCHED * _parted(was) - _parted(now))
        return was, _lowered(now, excess)
    untold = _astray(own, was) or facing(own) < TURNED
    parts = 0.0 if untold else _ramp(gape - max(apart, before), *BARED)
    least, closer = min(apart, before), max(before - gape, 0.0)
    wider = parts * max(gape - least, 0.0)
    return _closer(was, least), _closer(now, max(least + wider - closer, 0.0))


def _closer(marks: Points, gape: float) -> Points:
    """Return the landmarks with lips no further apart, in parts of a mouth's width."""
    moved, now = marks.copy(), opening(marks)
    rise = max(0.0, 1 - gape / max(now, 1e-9)) * (
        marks[UPPER_INSIDE] - marks[LOWER_INSIDE]
    )
    moved[LOWER_INSIDE] += rise
    moved[OUTER_LOWER] += rise.mean(0)
    return moved


def hidden(masks: Masks) -> bool:
    """Say whether part of a mouth may not change: a hand may lie before it."""
    lips = filled(masks.marks[OUTER_LIPS], len(masks.edit), 0, 0)
    return float((lips * masks.edit).sum()) < (1 - HIDDEN) * float(lips.sum())


def as_open(was: Points, now: Points) -> Points:
    """Return the landmarks now, with lips as far apart as they were."""
    return _lowered(now, _parted(was) * _width(now) / _width(was) - _parted(now))


def _lowered(marks: Points, by: float) -> Points:
    """Return the landmarks with the lower lip so many pixels further down."""
    moved, down = marks.copy(), marks[57] - marks[51]
    moved[LOWER_LIP] += by * down / max(float(np.hypot(*down)), 1e-9)
    return moved


def _width(marks: Points) -> float:
    """Return how far a mouth's corners are apart, in pixels."""
    return max(float(np.hypot(*(marks[54] - marks[48]))), 1e-9)


def _parted(marks: Points) -> float:
    """Return how far lips are apart, in pixels."""
    return float(np.hypot(*(marks[UPPER_INSIDE] - marks[LOWER_INSIDE]).T).mean())


def gap(change: Change, masks: Masks) -> Pixels:
    """Return what comes into view between lips that part, and is painted, (S, S)."""
    was, now = change.marks
    part, closes = newness(masks.marks, was, now)
    if closes:
        part = 0.0
    width = _width(now)
    return np.float32(part) * filled(inner_outline(now), change.size, GAP * width, 0.0)


def _mouth(change: Change, now: Points, closes: bool) -> Pixels:
    """Return the picture whose mouth shows where the lips are now.

    Teeth lie behind the lips: where these are less far apart, they cover more of them.
    """
    if change.mouth is None:
        return change.after
    picture, drawn, _ = change.mouth
    there = now
    if not closes:
        tall = SQUEEZED * _parted(drawn) * _width(now) / _width(drawn)
        there = _lowered(now, max(0.0, tall - _parted(now)))
    lips = slice(OUTER_LIPS.start, INNER_LIPS.stop)
    return flow.warped(picture, drawn[lips], there[lips])


def newness(own: Points, was: Points, now: Points) -> tuple[float, bool]:
    """Return how much of a mouth is new, and whether because it closes."""
    closes = opening(own) >= OPEN
    if _astray(own, was):
        return 0.0, closes
    if closes:
        return 1 - _ramp(opening(now), *SHUT), True
    parted = opening(now) - max(opening(own), opening(was))
    return float(parted > SEEN), False


def inner_outline(marks: Points) -> Points:
    """Return the outline of what is between lips: they are round."""
    inner = marks[INNER_LIPS]
    return np.concatenate([rounded(inner[:5]), rounded(inner[[4, 5, 6, 7, 0]])])


def _astray(own: Points, drawn: Points) -> bool:
    """Say whether lips were drawn elsewhere than the photo's are."""
    off = np.hypot(*(own - drawn)[48:].T).mean() / _width(drawn)
    return bool(off > ASTRAY)


def around(marks: Points, size: int, reach: float) -> NDArray[np.float32]:
    """Return 1 on a mouth, softly 0 so many of its widths beside it, (size, size)."""
    far = reach * _width(marks)
    return filled(marks[OUTER_LIPS], size, far, far)


def on_lips(marks: Points, size: int) -> NDArray[np.float32]:
    """Return 1 on both lips, 0 between and around them, (size, size)."""
    soft = EDGE * _width(marks)
    outer, inner = (
        filled(marks[part], size, 0, soft) for part in (OUTER_LIPS, INNER_LIPS)
    )
    return outer * (1 - inner) if opening(marks) > BARED[0] else outer


def filled(points: Points, size: int, grow: float, soft: float) -> NDArray[np.float32]:
    """Return 1 inside an outline that is grown by so much, 0 outside, (size, size)."""
    arms = points - points.mean(0)
    length = np.maximum(np.hypot(*arms.T), 1e-6)[:, None]
    corners = FINER * (points + grow * arms / length)
    plane = Image.new("L", (FINER * size, FINER * size))
    ImageDraw.Draw(plane).polygon([(x, y) for x, y in corners], fill=255)
    small = plane.resize((size, size), Image.Resampling.BOX)
    return smoothed(np.asarray(small, np.float32) / 255, soft)


def _ramp(value: float, least: float, most: float) -> float:
    """Return which part of the way from least to most a value has gone."""
    return float(np.clip((value - least) / (most - least), 0, 1))
