"""Pigment: the light that paint swallows on a face that keeps still.

It is a part of the photo's own light, so that lips stay red.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.edits.manner import MOUTH
from retouch.faces.crop import Pixels
from retouch.geometry import MIRRORED
from retouch.stitching import flow
from retouch.stitching.aligned import Aligned
from retouch.stitching.change import Change, Masks
from retouch.stitching.light import RIM_WIDTH
from retouch.stitching.mouths import on_lips

SWALLOWED, GIVEN_BACK = -0.7, 0.5  # of the light on skin, at the most
BARE = 0.6  # of what may be skin, part of it made up, is darker than skin
TINTS, DEEPER = (0.3, 1.4), 2.0  # what lipstick leaves of light; than it is drawn
DULL = (0.35, 1.0, 0.85)  # how much of red, green and blue lipstick swallows


def tinting(change: Change, photo: Pixels, pair: Aligned, masks: Masks) -> Pixels:
    """Return the change of light by paint, (S, S, 3), on a photo's crop."""
    light, manner = np.zeros_like(photo), change.manner
    if manner.fine:
        light = pair.after - pair.before
        # Paint may be as broad as it likes: what is taken out would shine around.
        rim = pair.around(light, RIM_WIDTH)
        light -= (1 - pair.lit)[..., None] * rim
        light = _swallowed(light, photo, pair, masks)
    if MOUTH in manner.where:
        lips = on_lips(masks.marks, change.size)
        tinted = _lipstick(lips, photo, pair, masks.skin)
        light = light + lips[..., None] * (tinted - light)
    return light


def _given_back(part: Pixels, photo: Pixels, masks: Masks) -> Pixels:
    """Return a part of the photo's light, as far as nothing gets lighter than skin."""
    bare = photo[masks.skin > 0.5]
    skin = np.quantile(bare, BARE, 0) if len(bare) else 0
    most = np.maximum(skin - photo, 0)
    return np.minimum(photo * part.clip(0, GIVEN_BACK)[..., None], most)


def _swallowed(light: Pixels, photo: Pixels, pair: Aligned, masks: Masks) -> Pixels:
    """Return light as make-up swallows it, or gives it back where it is taken off.

    Both halves of a face are made up; what darkens one alone is a shadow.
    """
    part = pair.part(light)
    if float((part * pair.lit).sum()) > 0:
        return _given_back(part, photo, masks)
    across = (len(part), 0) - masks.marks[MIRRORED] * (1, -1)
    other = flow.warped(part[:, ::-1, None].clip(SWALLOWED, 0), across, masks.marks)
    return photo * np.maximum(part[..., None], other).clip(SWALLOWED, 0)


def _lipstick(lips: Pixels, photo: Pixels, pair: Aligned, skin: Pixels) -> Pixels:
    """Return the light of lips with more or less colour: their own, tinted.

    The drawn ones say how much, a little elsewhere than they lie; the outline is that
    of the photo's lips. Their colour is dull: a pigment's is taken.
    """

    def tint(where: Pixels) -> NDArray[Any]:
        now, was = (np.tensordot(where, x, 2) for x in (pair.after, pair.before))
        return now / np.maximum(was, 1e-6)

    part = tint(lips) / np.maximum(tint(skin), 1e-6)
    swallowed = DEEPER * (1 - part[1:].mean()) * np.array(DULL)
    return photo * ((1 - swallowed).clip(*TINTS) - 1).astype(np.float32)
