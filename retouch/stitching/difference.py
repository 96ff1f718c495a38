"""Difference: the photo's own pixels moved as an edit moves the face, and lit so.

Landmarks of both drawn pictures tell the way: they hold where the edit draws what was
not there, and a picture's own texture could not be followed. Light is carried over
broadly, in the photo's own colours, so that pores stay the photo's; of edits that
are made of fine light, such as wrinkles, hair, frames and make-up, all of it. None is
laid on eyes and teeth.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial.polynomial import polyfit, polyval
from numpy.typing import NDArray

from retouch.edits.manner import BEARD, GAZE, MOUTH
from retouch.faces.crop import Pixels, resized
from retouch.geometry import (
    INNER_LIPS,
    JAW,
    LEFT_EYE,
    MIRRORED,
    NOSE,
    OUTER_LIPS,
    PHILTRUM,
    Points,
)
from retouch.smoothing import smoothed
from retouch.stitching import flow
from retouch.stitching.beard import grown
from retouch.stitching.change import Change, Masks
from retouch.stitching.gaze import looking
from retouch.stitching.glasses import worn
from retouch.stitching.layers import Layers
from retouch.stitching.lines import lined
from retouch.stitching.make_up import made_up
from retouch.stitching.mouths import (
    around,
    as_open,
    facing,
    gap,
    hidden,
    on_lips,
    painted,
    steadied,
)
from retouch.stitching.thing import Thing

# In parts of the face's size:
LONGEST_MOVE = 0.1
CAST_WIDTH = 0.2  # broader changes of light are taken out,
RIM_WIDTH = 0.05  # and where the mask ends, narrower ones too
BROAD = 0.03  # what light is broad, and not fine
COARSE = 64  # pixels a side at which broad light is worked out
DARKEST, MOST_TINT = 16.0, 1.8  # of 255: what is darker has little colour; of it
MOST_LIGHT = 40.0  # of 255: a face that moves turns no more than that to the light
EVEN = 8.0  # of 255: light on a face that varies less tells little of its colour
LEVELS, ALIKE = 16, 20.0  # of light, at which its colour is told; how near they are
SWALLOWED, GIVEN_BACK = -0.7, 0.5  # of the light on skin, at the most
TINTS, DEEPER = (0.3, 1.4), 2.0  # what lipstick leaves of light; than it is drawn
PIGMENT = (0.35, 1.0, 0.85)  # how much it swallows of red, green and blue
BARE = 0.6  # of what may be skin, part of it bearded, is darker than skin
BESIDE = 0.12  # hair is drawn elsewhere than it lies: how far it may shade skin
NEAR_LIPS = 0.1  # of a mouth's width
ASIDE = 0.02  # how far edges may be drawn elsewhere that mean the same
JITTER = 0.004  # by which landmarks of a still face differ from picture to picture
ALONE = 0.008  # by which one eye or brow moves otherwise than the other
# Landmarks that move together, or keep still.
BROWS, EYES = slice(17, 27), slice(LEFT_EYE.start, 48)
LIPS = slice(OUTER_LIPS.start, INNER_LIPS.stop)
PARTS, PAIRS = (JAW, BROWS, NOSE, EYES, LIPS), [*range(17, 27), *range(36, 48)]


class Seen(NamedTuple):
    """What light is worked out from, once all has moved as the edit moves the face."""

    photo: Pixels  # (S, S, 3), the photo's crop
    moved: Pixels  # (S, S, 3), the picture drawn before
    lit: Pixels  # (S, S), where it and the one after tell of light on skin
    masks: Masks
    unit: float  # the face's size in crop pixels


def difference(change: Change, own: Pixels, masks: Masks, unit: float) -> Layers:
    """Return the layers that lay a change into the photo.

    Args:
        own: the photo's crop, 0 to 255.
        unit: the face's size in crop pixels.
    """
    change = calmed(change, unit)
    was, now = steadied(masks.marks, *change.marks)
    now = as_open(was, now) if hidden(masks) else now
    change = replace(change, marks=(was, now))
    bared = gap(change, masks)
    whole = _moves(change, unit, bared)
    moves = flow.tapered(whole, masks.edit) * masks.edit[..., None]
    moves = flow.unfolded(moves, masks.edit, bared)
    if strength := change.asked.get(GAZE):
        moves = moves + flow.fetch(looking(own, masks, strength), moves)
    photo = flow.fetch(own, moves)
    light = np.zeros_like(photo)
    things: tuple[Thing, ...] = *lined(change, masks, unit), *put_on(change, masks)
    if change.manner.lit:
        moved, lit = _compared(change, whole, masks, unit, bared)
        if BEARD in change.manner.things:
            gone = _share(moved - change.after, moved)
            if beard := grown(gone, lit, own, masks, unit):
                lit = lit * (1 - beard.near(len(lit)))
                things = beard, *things
        seen = Seen(photo, moved, lit, masks, unit)
        still = change.manner.still
        light = _paint(change, seen) if still else _light(change, whole, seen)
        light = light * lit[..., None]
    paint, cover, closes = painted(change, own, masks, photo + light)
    # Teeth have no pores: only where lips are painted do they take on the skin's grain.
    skin = masks.skin if closes else None
    return Layers(
        masks.edit, moves, light, paint, cover, skin, crisp=True, things=things
    )


def put_on(change: Change, masks: Masks) -> tuple[Thing, ...]:
    """Return what no generator draws, in the order in which it lies on a face."""
    return *made_up(change, masks), *worn(change, masks)


def calmed(change: Change, unit: float) -> Change:
    """Return the change without the moves of landmarks that are but jitter.

    Nothing marks a point of the jaw but its neighbours: together they move smoothly.
    """
    was, now = change.marks
    if change.manner.still:
        after = flow.warped(change.after, now, was)
        return replace(change, after=after, marks=(was, was))
    steps = now - was
    steps[LIPS] = _foreshortened(was, steps)[LIPS]
    steps[JAW] = _smooth(steps[JAW])
    other = steps[MIRRORED] * (-1, 1)
    alike, alone = (steps + other) / 2, (steps - other) / 2
    steps[PAIRS] = (alike + _still(alone, ALONE * unit))[PAIRS]
    for part in PARTS:
        steps[part] = _still(steps[part], JITTER * unit)
    marks = was, was + steps
    return replace(change, marks=marks)


def _foreshortened(was: Points, steps: Points) -> Points:
    """Return steps of lips of which a turned face's further half has its share alone.

    Mouths that widen are drawn turned to the camera, and would leave the cheek: halves
    widen in proportion, and the more a face is turned, the less they do otherwise.
    """
    aside = was[:, 0] - was[PHILTRUM, 0].mean()
    sides = np.stack([aside, aside[MIRRORED]])
    across = steps[:, 0] - steps[PHILTRUM, 0].mean()
    told = (sides * (across, across[MIRRORED])).sum(0) / ((sides**2).sum(0) + 1e-6)
    shared = told * aside
    lips = steps.copy()
    lips[:, 0] = shared + facing(was) ** 2 * (steps[:, 0] - shared)
    return lips


def _still(steps: Points, jitter: float) -> Points:
    """Return steps without those that are jitter, and nearly all of longer ones."""
    length = np.hypot(*steps.T)[:, None] / max(jitter, 1e-6)
    return np.asarray(steps * np.maximum(0, 1 - 1 / np.maximum(length, 1e-6) ** 2))


def _smooth(steps: Points) -> Points:
    """Return the cubics that come nearest to steps of points in a row (N, 2)."""
    along = np.linspace(-1, 1, len(steps))
    return np.asarray(polyval(along, polyfit(along, steps, 3)).T, np.float64)


def _moves(change: Change, unit: float, bared: Pixels) -> Pixels:
    """Return where each point of after lay, no further away than faces reach."""
    whole = flow.between(*change.marks, change.size)
    return flow.unfolded(flow.bounded(whole, LONGEST_MOVE * unit), unseen=bared)


def _light(change: Change, whole: Pixels, seen: Seen) -> Pixels:
    """Return the change of light on a face whose photo was moved, (S, S, 3)."""
    photo, moved, lit, masks, unit = seen
    manner, light = change.manner, change.after - moved
    broadest = RIM_WIDTH if manner.even else CAST_WIDTH
    light -= _cast(light, lit, masks.skin, broadest * unit, RIM_WIDTH * unit)
    light -= _flattening(light, moved, lit)
    broad = blurred(light, lit, BROAD * unit)
    fine = light - broad if manner.fine else None
    light = broad if fine is None else _fine(fine, broad, change, masks, whole)
    strong = np.abs(light @ flow.LUMINANCE)[..., None] / MOST_LIGHT
    light = light / np.hypot(1, strong)
    if manner.colour < 1:
        fallen = _falling(light, photo, lit, unit)
        light = fallen + np.float32(manner.colour) * (light - fallen)
    return light


def _paint(change: Change, seen: Seen) -> Pixels:
    """Return the change of light by paint and hair on a face that keeps still."""
    light, manner = np.zeros_like(seen.photo), change.manner
    if manner.fine:
        light = change.after - seen.moved
        # Paint may be as broad as it likes: what is taken out would shine around.
        rim = blurred(light, seen.lit, RIM_WIDTH * seen.unit)
        light -= (1 - seen.lit)[..., None] * rim
        light = _pigment(light, seen, shaved=BEARD in manner.things)
    if MOUTH in manner.where:
        lips = on_lips(seen.masks.marks, change.size)
        tinted = _lipstick(lips, change.after, seen)
        light = light + lips[..., None] * (tinted - light)
    return light


def _compared(
    change: Change, whole: Pixels, masks: Masks, unit: float, bared: Pixels
) -> tuple[Pixels, Pixels]:
    """Return `before` as it moves, and where light on skin differs from it, (S, S)."""
    moved = flow.fetch(change.before, whole)
    # What was behind the jaw, or is now, says nothing about the light on the face; nor
    # do teeth and eyes about that on the skin around them.
    lit = masks.edit * masks.surface * flow.moved(masks.surface, whole)
    lit *= (1 - flow.moved(masks.own, whole)) * (1 - bared)
    clear = masks.edit
    if change.bare is not None:
        bare = flow.moved(change.bare[0], whole) * change.bare[1]
        clear, lit = clear * bare, lit * bare
    if not change.manner.still:
        lit *= np.minimum(flow.depth(clear) / (BESIDE * unit), 1)
    if change.manner.fine:
        # Edges that no landmark marks, drawn a little elsewhere, would be drawn twice.
        rest = flow.estimate(moved, change.after, lit)
        rest = flow.bounded(rest, ASIDE * unit)
        moved, lit = flow.fetch(moved, rest), np.minimum(lit, flow.moved(lit, rest))
    return moved, lit


def _fine(
    fine: Pixels, broad: Pixels, change: Change, masks: Masks, whole: Pixels
) -> Pixels:
    """Return broad light and what is fine, but for that on lips, brows and lashes.

    Lips and brows are never drawn quite where they are: they get broad light. The young
    are drawn with dark lashes, as if all of them were made up.
    """
    off = 1 - flow.moved(masks.brows, whole)
    off = off * (1 - around(change.marks[1], change.size, NEAR_LIPS))
    light = broad + off[..., None] * fine
    darker = light @ flow.LUMINANCE < 0
    return light * (1 - flow.moved(masks.lashes, whole) * darker)[..., None]


def _pigment(light: Pixels, seen: Seen, *, shaved: bool) -> Pixels:
    """Return light as make-up swallows it, or hair that is shaved gives it back.

    It is a part of the photo's own, so that lips stay red and grey beards grey. Nothing
    gets lighter than skin. Both halves of a face are made up; what darkens one alone is
    a shadow.
    """
    photo, masks, part = seen.photo, seen.masks, _share(light, seen.moved)
    if shaved or float((part * seen.lit).sum()) > 0:
        bare = photo[masks.skin > 0.5]
        skin = np.quantile(bare, BARE, 0) if len(bare) else 0
        most = np.maximum(skin - photo, 0)
        return np.minimum(photo * part.clip(0, GIVEN_BACK)[..., None], most)
    across = (len(part), 0) - masks.marks[MIRRORED] * (1, -1)
    other = flow.warped(part[:, ::-1, None].clip(SWALLOWED, 0), across, masks.marks)
    return photo * np.maximum(part[..., None], other).clip(SWALLOWED, 0)


def _lipstick(lips: Pixels, after: Pixels, seen: Seen) -> Pixels:
    """Return the light of lips with more or less colour: their own, tinted.

    The drawn ones say how much, a little elsewhere than they lie; the outline is that
    of the photo's lips. Their colour is dull: a pigment's is taken.
    """

    def tint(where: Pixels) -> NDArray[Any]:
        now, was = (np.tensordot(where, x, 2) for x in (after, seen.moved))
        return now / np.maximum(was, 1e-6)

    part = tint(lips) / np.maximum(tint(seen.masks.skin), 1e-6)
    swallowed = DEEPER * (1 - part[1:].mean()) * np.array(PIGMENT)
    return seen.photo * ((1 - swallowed).clip(*TINTS) - 1).astype(np.float32)


def _share(light: Pixels, picture: Pixels) -> Pixels:
    """Return which part of a picture's light some light is, (S, S)."""
    own = np.maximum(picture @ flow.LUMINANCE, DARKEST)
    return np.asarray((light @ flow.LUMINANCE) / own)


def _falling(light: Pixels, photo: Pixels, lit: Pixels, unit: float) -> Pixels:
    """Return light in the colour that more of it, or less, has on this face.

    White light would turn the shadows of dark skin grey; so would light in the colour
    of skin that a photo shows white. Highlights that go give way to skin's own colour:
    the colour is that of more light where a face is about as light already.
    """
    skin = blurred(photo, lit, BROAD * unit)
    more, bright = light @ flow.LUMINANCE, skin @ flow.LUMINANCE
    levels = np.linspace(0, 255, LEVELS)
    between = (bright + more / 2).clip(0, 255)
    slopes = _slopes(skin, lit, levels).T
    tint = [np.interp(between, levels, channel) for channel in slopes]
    return np.asarray(more[..., None] * np.stack(tint, -1), np.float32)


def _slopes(skin: Pixels, lit: Pixels, levels: NDArray[Any]) -> NDArray[Any]:
    """Return how colours change as they get lighter, where they are so light, (L, 3).

    Few pixels tell: they are of broad light.
    """
    planes = np.concatenate([skin, lit[..., None]], -1)
    few = resized(planes, min(len(skin), COARSE))
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
    told = np.tensordot(bright, apart, 2) + EVEN**2 * slope
    return np.asarray((told / (told @ flow.LUMINANCE)).clip(0, MOST_TINT))


def _flattening(light: Pixels, moved: Pixels, lit: Pixels) -> Pixels:
    """Return the light that follows what was light before: a change of contrast.

    What is drawn anew is drawn under milder light; highlights would turn grey by it.
    """
    part = lit / max(float(lit.sum()), 1e-6)
    bright = moved @ flow.LUMINANCE
    bright = bright - float((part * bright).sum())
    spread = float((part * bright**2).sum()) + EVEN**2
    slope = np.tensordot(part * bright, light, 2) / spread
    return np.asarray(bright[..., None] * slope, np.float32)


def _cast(
    light: Pixels, lit: Pixels, skin: Pixels, broadest: float, rim: float
) -> Pixels:
    """Return the change of light that is broader than so, or crosses the rim."""
    broad = blurred(light, skin * lit, broadest)
    near = blurred(light, lit, rim)
    return near + lit[..., None] * (broad - near)


def blurred(field: Pixels, weight: Pixels, width: float) -> Pixels:
    """Return the field's mean around each point, counted by weight."""
    size = field.shape[0]
    side = min(size, COARSE)
    both = np.concatenate([field * weight[..., None], weight[..., None]], -1)
    sigma = width * side / size
    both = smoothed(resized(both, side), sigma, reach=6)
    mean = both[..., :-1] / np.maximum(both[..., -1:], 1e-4)
    return resized(mean.astype(np.float32), size)
