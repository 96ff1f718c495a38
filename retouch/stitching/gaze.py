"""Gaze: irises that move between lids which keep still.

No generator draws it, nor need one: the photo's own pixels move. The white of an eye is
stretched on one side of the iris, and squeezed on the other.
"""

import numpy as np
from numpy.typing import NDArray

from retouch.faces.crop import Pixels, Window
from retouch.geometry import LEFT_EYE, RIGHT_EYE, Points
from retouch.smoothing import smoothed
from retouch.stitching import flow
from retouch.stitching.change import Masks
from retouch.stitching.pen import curve, filled

# In parts of an eye's width:
STEP = 0.12  # how far irises move at strength 1
IRIS, AROUND = 0.21, 0.3  # an iris' radius; what is around it is white, or skin
FURTHEST = 0.24  # from the middle of an eye that of an iris may be
OPEN = 0.13  # eyes that are less so have none to move
SOFT = 0.02  # how softly lids end
RIM = 0.02  # around an iris: it moves along
PLACES = np.linspace(-0.22, 0.22, 23), np.linspace(-0.08, 0.08, 9)  # where it may be
DARKER = 0.1  # an iris, than what is around it
SHOWN = 0.5  # of an eye: what is hidden more does not look anywhere


def looking(own: Pixels, masks: Masks, strength: float) -> Pixels:
    """Return where each point of eyes that look elsewhere lay, (S, S, 2).

    Both eyes go along, or none does.

    Args:
        own: the photo's crop, 0 to 255.
    """
    moves = np.zeros((*own.shape[:2], 2), np.float32)
    eyes = [_Eye(own, masks.marks[side]) for side in (LEFT_EYE, RIGHT_EYE)]
    eyes = [eye for eye in eyes if eye.shown(masks.edit) > SHOWN]
    places = [eye.iris() for eye in eyes]
    found = [place for place in places if place is not None]
    if not found or len(found) < len(eyes):
        return moves
    room = [FURTHEST - np.sign(strength) * across for across, _ in found]
    step = np.sign(strength) * max(0.0, min(abs(strength) * STEP, *room))
    for eye, place in zip(eyes, found, strict=True):
        eye.look(moves, place, step)
    return moves * masks.edit[..., None]


class _Eye:
    """An eye in a crop; places in it are parts of its width from its middle."""

    def __init__(self, own: Pixels, marks: Points):
        self.own, self.marks = own, marks
        corners = marks[3] - marks[0]
        self.width = max(float(np.hypot(*corners)), 1.0)
        self.across = corners / self.width
        self.down = np.array([-self.across[1], self.across[0]])
        lids = np.concatenate([curve(marks[:4]), curve(marks[[3, 4, 5, 0]])])
        height, width = own.shape[:2]
        inside = filled([([lids], 255)], Window(0, 0, width, height))
        self.inside = smoothed(inside, SOFT * self.width)
        y, x = np.mgrid[:height, :width] + 0.5
        apart = np.stack([x, y], -1) - marks.mean(0)
        self.right = apart @ self.across / self.width
        self.below = apart @ self.down / self.width

    def shown(self, edit: Pixels) -> float:
        """Return which part of it may change; none of one that is closed."""
        high = (self.marks[[4, 5]] - self.marks[[2, 1]]) @ self.down
        if high.mean() < OPEN * self.width:
            return 0.0
        return float((self.inside * edit).sum() / max(self.inside.sum(), 1e-6))

    def iris(self) -> tuple[float, float] | None:
        """Return where its iris is: the disc that is darkest for what is around it."""
        seen = self.inside > 0.5
        light = (self.own @ flow.LUMINANCE)[seen]
        right, below = (axis.ravel() for axis in np.meshgrid(*PLACES))
        apart = self.right[seen] - right[:, None], self.below[seen] - below[:, None]
        far = np.hypot(*apart)
        disc, ring = far < IRIS, (far >= IRIS) & (far < AROUND)

        def mean(where: NDArray[np.bool_]) -> NDArray[np.float64]:
            return np.asarray(where @ light / np.maximum(where.sum(1), 1))

        contrast = 1 - mean(disc) / np.maximum(mean(ring), 1.0)
        best = int(np.argmax(contrast))
        if contrast[best] < DARKER:
            return None
        return float(right[best]), float(below[best])

    def look(self, moves: Pixels, place: tuple[float, float], step: float) -> None:
        """Let it look a step further to the right of the picture.

        Corners stay; an iris moves whole, and what is between is stretched.
        """
        moved, (left, right) = place[0] + step, self.right_of_corners
        reach = IRIS + RIM
        now = [left, moved - reach, moved + reach, right]
        was = [left, place[0] - reach, place[0] + reach, right]
        shift = np.interp(self.right, now, was) - self.right
        shift = np.where((self.right > left) & (self.right < right), shift, 0)
        far = (self.inside * shift * self.width).astype(np.float32)
        moves += far[..., None] * self.across.astype(np.float32)

    @property
    def right_of_corners(self) -> tuple[float, float]:
        """Where its corners are."""
        ends = (self.marks[[0, 3]] - self.marks.mean(0)) @ self.across / self.width
        return float(ends[0]), float(ends[1])
