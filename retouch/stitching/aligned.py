"""Aligned: an edit's two pictures, moved so that they tell of light on skin.

What lies where a face moved says nothing about its light, so the picture before is
moved as the edit moves the face, and what is seen in one picture alone is left out.
"""

from typing import NamedTuple, Self

import numpy as np

from retouch.faces.crop import Pixels, resized
from retouch.smoothing import smoothed
from retouch.stitching import flow
from retouch.stitching.change import Change, Masks

# In parts of the face's size:
BESIDE = 0.12  # hair is drawn elsewhere than it lies: how far it may shade skin
ASIDE = 0.02  # how far edges may be drawn elsewhere that mean the same
COARSE = 64  # pixels a side at which broad light is worked out
DARKEST = 16.0  # of 255: of what is darker, light is no part worth telling


class Aligned(NamedTuple):
    """Two pictures of a face in one place."""

    before: Pixels  # (S, S, 3)
    after: Pixels  # (S, S, 3)
    lit: Pixels  # (S, S), where they tell of light on skin
    unit: float  # the face's size in crop pixels

    def without(self, where: Pixels) -> Self:
        """Return the pictures telling nothing of light somewhere, (S, S)."""
        return self._replace(lit=self.lit * (1 - where))

    def part(self, light: Pixels) -> Pixels:
        """Return which part of the light before some light is, (S, S)."""
        own = np.maximum(self.before @ flow.LUMINANCE, DARKEST)
        return np.asarray((light @ flow.LUMINANCE) / own)

    def around(
        self, field: Pixels, width: float, where: Pixels | None = None
    ) -> Pixels:
        """Return a field's mean around each point of skin.

        Args:
            width: of the surroundings, in parts of the face's size.
            where: which skin counts, (S, S), if not all.
        """
        weight = self.lit if where is None else where * self.lit
        return _blurred(field, weight, width * self.unit)


def aligned(
    change: Change, whole: Pixels, masks: Masks, unit: float, bared: Pixels
) -> Aligned:
    """Return a change's pictures as they lie after it.

    Args:
        whole: the flow by which the face moves, (S, S, 2).
        unit: the face's size in crop pixels.
        bared: what comes into view and is painted, (S, S).
    """
    before = flow.fetch(change.before, whole)
    # What was behind the jaw, or is now, says nothing about the light on the face; nor
    # do teeth and eyes about that on the skin around them.
    lit = masks.edit * masks.surface * flow.moved(masks.surface, whole)
    lit *= (1 - flow.moved(masks.own, whole)) * (1 - bared)
    clear = masks.edit
    if change.bare is not None:
        bare = flow.moved(change.bare[0], whole) * change.bare[1]
        clear, lit = clear * bare, lit * bare
    if not change.manner.still:
        lit *= np.minimum(flow.room(clear) / (BESIDE * unit), 1)
    if change.manner.fine:
        # Edges that no landmark marks, drawn a little elsewhere, would be drawn twice.
        rest = flow.estimate(before, change.after, lit)
        rest = flow.bounded(rest, ASIDE * unit)
        before = flow.fetch(before, rest)
        lit = np.minimum(lit, flow.moved(lit, rest))
    return Aligned(before, change.after, lit, unit)


def _blurred(field: Pixels, weight: Pixels, width: float) -> Pixels:
    """Return the field's mean around each point, counted by weight."""
    size = field.shape[0]
    side = min(size, COARSE)
    both = np.concatenate([field * weight[..., None], weight[..., None]], -1)
    sigma = width * side / size
    both = smoothed(resized(both, side), sigma, reach=6)
    mean = both[..., :-1] / np.maximum(both[..., -1:], 1e-4)
    return resized(mean.astype(np.float32), size)
