"""Steps: how far an edit moves each landmark, without what is but jitter.

Landmarks of both drawn pictures tell the way: they hold where the edit draws what was
not there, and a picture's own texture could not be followed.
"""

from dataclasses import replace

import numpy as np
from numpy.polynomial.polynomial import polyfit, polyval

from retouch.faces.crop import Pixels
from retouch.geometry import (
    INNER_CORNERS,
    INNER_LIPS,
    JAW,
    LEFT_EYE,
    LOWER_INSIDE,
    MIRRORED,
    MOUTH_CORNERS,
    NOSE,
    OUTER_LIPS,
    PHILTRUM,
    Points,
)
from retouch.sampling import sampled
from retouch.stitching import flow
from retouch.stitching.change import Change, Masks
from retouch.stitching.mouths import OUTER_LOWER, as_open, facing, hidden, steadied
from retouch.stitching.shapes import reshaping

# In parts of the face's size:
LONGEST = 0.1  # of a move
JITTER = 0.004  # by which landmarks of a still face differ from picture to picture
ALONE = 0.008  # by which one eye or brow moves otherwise than the other
# Landmarks that move together, or keep still.
BROWS, EYES = slice(17, 27), slice(LEFT_EYE.start, 48)
LIPS = slice(OUTER_LIPS.start, INNER_LIPS.stop)
RIM = [*MOUTH_CORNERS, *INNER_CORNERS, *OUTER_LOWER]
NEARER = 12  # steps in which a flow is followed backwards, half-way each
FEATURES = [*range(17, 27), *range(36, 68)]  # that show what somebody feels
PARTS, PAIRS = (JAW, BROWS, NOSE, EYES, LIPS), [*range(17, 27), *range(36, 48)]


def settled(change: Change, masks: Masks, unit: float) -> Change:
    """Return the change whose landmarks go where the photo's own are to go."""
    change = calmed(change, unit)
    was, now = steadied(masks.marks, *change.marks)
    now = as_open(was, now) if hidden(masks) else now
    return replace(change, marks=(was, now))


def reshaped(change: Change, masks: Masks) -> Change:
    """Return the change with the shapes that are asked for."""
    was, now = change.marks
    return replace(change, marks=(was, now + reshaping(masks.marks, change.asked)))


def calmed(change: Change, unit: float) -> Change:
    """Return the change without the moves of landmarks that are but jitter.

    Nothing marks a point of the jaw but its neighbours: together they move smoothly.
    As years pass both halves move alike: else a head is drawn turned.
    """
    was, now = change.marks
    if change.manner.still:
        after = flow.warped(change.after, now, was)
        return replace(change, after=after, marks=(was, was))
    steps, after = now - was, change.after
    # A mouth that is painted fits what is drawn around it.
    if change.manner.aging and change.mouth is None:
        steps[JAW] = _upright(was, steps)[JAW]
        steps[LIPS, 0] -= steps[PHILTRUM, 0].mean()
        after = flow.warped(after, now, was + steps)
    if change.manner.calm:
        steps[FEATURES] = 0
        after = flow.warped(after, now, was + steps)
    steps[LIPS] = _foreshortened(was, steps)[LIPS]
    steps[JAW] = _smooth(steps[JAW])
    other = steps[MIRRORED] * (-1, 1)
    alike, alone = (steps + other) / 2, (steps - other) / 2
    steps[PAIRS] = (alike + _still(alone, ALONE * unit))[PAIRS]
    for part in PARTS:
        steps[part] = _still(steps[part], JITTER * unit)
    return replace(change, after=after, marks=(was, was + steps))


def flowing(change: Change, unit: float, bared: Pixels, beside: int = 0) -> Pixels:
    """Return where each point of after lay, no further away than faces reach.

    Args:
        bared: what comes into view, where the flow may fold, (S, S).
        beside: pixels by which the flow is wider on each side.
    """
    was, now = (marks + beside for marks in change.marks)
    whole = flow.between(was, now, change.size + 2 * beside)
    unseen = np.pad(bared, beside)
    return flow.unfolded(flow.bounded(whole, LONGEST * unit), unseen=unseen)


def reached(change: Change, moves: Pixels) -> Change:
    """Return the change with a mouth's corners and lower lip where moves take them.

    These fall short of what is drawn: paint between lips would end beside them.
    """
    was, now = (marks[RIM] for marks in change.marks)
    for _ in range(NEARER):
        x, y = now.T - 0.5
        now = (now + was - sampled(moves, y, x, linear=True)) / 2
    marks = change.marks[1].copy()
    marks[RIM] = now
    marks[LOWER_INSIDE] += (marks - change.marks[1])[OUTER_LOWER[1:-1]].mean(0)
    return replace(change, marks=(change.marks[0], marks))


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


def _upright(was: Points, steps: Points) -> Points:
    """Return steps of a head that does not turn: halves widen, and sink, alike.

    What both do sideways is left out; of a turned face they widen in proportion.
    """
    wide = np.abs(was[:, 0] - was[PHILTRUM, 0].mean()) + 1e-6
    across, other = steps[:, 0], wide[MIRRORED]
    swayed = (across * other + across[MIRRORED] * wide) / (wide + other)
    sunk = (steps[:, 1] + steps[MIRRORED, 1]) / 2
    return np.stack([across - swayed, sunk], -1)


def _still(steps: Points, jitter: float) -> Points:
    """Return steps without those that are jitter, and nearly all of longer ones."""
    length = np.hypot(*steps.T)[:, None] / max(jitter, 1e-6)
    return np.asarray(steps * np.maximum(0, 1 - 1 / np.maximum(length, 1e-6) ** 2))


def _smooth(steps: Points) -> Points:
    """Return the cubics that come nearest to steps of points in a row (N, 2)."""
    along = np.linspace(-1, 1, len(steps))
    return np.asarray(polyval(along, polyfit(along, steps, 3)).T, np.float64)
