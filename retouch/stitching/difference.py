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
from retouch.stitching.steps import flowing, reached, settled
from retouch.stitching.thing import Thing


def difference(change: Change, own: Pixels, masks: Masks, unit: float) -> Layers:
    """Return the layers that lay a change into the photo.

    Args:
        own: the photo's crop, 0 to 255.
        unit: the face's size in crop pixels.
    """
    change = settled(change, masks, unit)
    bared = gap(change, masks)
    if bared.any():
        # Beyond corners that lips do not reach nothing hides a fold of skin.
        change = reached(change, flowing(change, unit, bared))
        bared = gap(change, masks)
    whole = flowing(change, unit, bared)
    moves = flow.tapered(whole, masks.edit) * masks.edit[..., None]
    moves = flow.unfolded(moves, masks.edit, bared)
    change = reached(change, moves)
    if strength := change.asked.get(GAZE):
        moves = moves + flow.fetch(looking(own, masks, strength), moves)
    photo = flow.fetch(own, moves)
    light = np.zeros_like(photo)
    things: tuple[Thing, ...] = (
        *lined(change, masks, unit),
        *put_on(change, own, masks, unit),
    )
    if change.manner.lit and change.is_drawn:
        pair = aligned(change, whole, masks, unit, bared)
        if change.manner.still:
            light = tinting(change, photo, pair, masks)
        else:
            light = lighting(change, whole, photo, pair, masks)
        light = light * pair.lit[..., None]
    paint, cover, closes = painted(change, own, masks, photo + light)
    # Teeth have no pores: only where lips are painted do they take on the skin's grain.
    skin = masks.skin if closes else None
    return Layers(
        masks.edit, moves, light, paint, cover, skin, crisp=True, things=things
    )


def put_on(change: Change, own: Pixels, masks: Masks, unit: float) -> tuple[Thing, ...]:
    """Return what no generator draws, in the order in which it lies on a face."""
    beard = grown(change, own, masks, unit)
    return *beard, *made_up(change, masks), *worn(change, masks)
