"""Difference: the photo's own pixels moved as an edit moves the face, and lit so.

No light is laid on eyes and teeth; what comes into view between lips is painted, and
what no generator draws sharply enough is drawn apart.
"""

import numpy as np

from retouch.edits.manner import GAZE
from retouch.faces.crop import Pixels
from retouch.stitching import flow
from retouch.stitching.aligned import aligned
from retouch.stitching.beard import grown
from retouch.stitching.change import Change, Masks
from retouch.stitching.gaze import looking
from retouch.stitching.glasses import worn
from retouch.stitching.layers import Layers
from retouch.stitching.light import lighting
from retouch.stitching.lines import lined
from retouch.stitching.make_up import made_up
from retouch.stitching.mouths import gap, painted
from retouch.stitching.pigment import tinting
from retouch.stitching.shave import shaved, stubble
from retouch.stitching.steps import flowing, reached, reshaped, settled
from retouch.stitching.thing import Thing


def difference(change: Change, own: Pixels, masks: Masks, unit: float) -> Layers:
    """Return the layers that lay a change into the photo.

    Args:
        own: the photo's crop, 0 to 255.
        unit: the face's size in crop pixels.
    """
    change, beside = reshaped(settled(change, masks, unit), masks), masks.beside
    bared = gap(change, masks)
    if bared.any():
        # Beyond corners that lips do not reach nothing hides a fold of skin.
        whole = flowing(change, unit, bared, beside)
        change = reached(change, _within(whole, beside))
        bared = gap(change, masks)
    whole = flowing(change, unit, bared, beside)
    wide = flow.tapered(whole, masks.room) * masks.room[..., None]
    wide = flow.unfolded(wide, masks.room, np.pad(bared, beside))
    whole, moves = (_within(moved, beside) for moved in (whole, wide))
    change = reached(change, moves)
    if strength := change.asked.get(GAZE):
        turned = flow.fetch(looking(own, masks, strength), moves)
        moves, wide = moves + turned, wide + _around(turned, beside)
    photo = flow.fetch(own, moves)
    light = np.zeros_like(photo)
    if change.manner.lit and change.is_drawn:
        pair = aligned(change, whole, masks, unit, bared)
        if change.manner.aging:
            hair = flow.moved(stubble(own, masks, unit), whole)
            pair = pair.without(hair)
        if change.manner.still:
            light = tinting(change, photo, pair, masks)
        else:
            light = lighting(change, whole, photo, pair, masks)
        light = light * pair.lit[..., None]
    things: tuple[Thing, ...] = (
        *lined(change, masks, unit),
        *shaved(change, photo + light, masks, unit),
        *put_on(change, own, masks, unit),
    )
    paint, cover, closes = painted(change, own, masks, photo + light)
    # Teeth have no pores: only where lips are painted do they take on the skin's grain.
    skin = _around(masks.skin, beside) if closes else None
    light, paint, cover = (_around(plane, beside) for plane in (light, paint, cover))
    return Layers(
        masks.room,
        wide,
        light,
        paint,
        cover,
        skin,
        crisp=True,
        things=things,
        wider=beside,
    )


def _within(plane: Pixels, beside: int) -> Pixels:
    """Return a plane without what lies beside the crop."""
    inside = slice(beside, len(plane) - beside)
    return plane[inside, inside]


def _around(plane: Pixels, beside: int) -> Pixels:
    """Return a plane with nothing beside the crop."""
    return np.pad(plane, [(beside, beside)] * 2 + [(0, 0)] * (plane.ndim - 2))


def put_on(change: Change, own: Pixels, masks: Masks, unit: float) -> tuple[Thing, ...]:
    """Return what no generator draws, in the order in which it lies on a face."""
    beard = grown(change, own, masks, unit)
    return *beard, *made_up(change, masks), *worn(change, masks)
