"""Shapes: where landmarks go as one part of a face is longer, wider or further open.

What people differ in is a length between landmarks, and the photo's own pixels follow
these: no generator is needed. One deviation of people is a part of the length, so that
both halves of a turned face change in proportion.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retouch.geometry import LEFT_EYE, MIRRORED, PHILTRUM, RIGHT_EYE, Points

BRIDGE, COLUMELLA, CHIN, LOWER_LIP = (27,), (33,), (8,), (57,)  # of the middle
LID, BROW = (*range(LEFT_EYE.start, LEFT_EYE.stop),), (*range(17, 22),)


class Length(NamedTuple):
    """A length along which landmarks go; on the picture's left, and mirrored."""

    goes: Mapping[int, float]  # landmarks, and for how much of it
    start: Sequence[int]
    end: Sequence[int] = ()  # the landmark itself, if there are none


class Shape(NamedTuple):
    """What of a face differs in people."""

    deviation: float  # of people (7,275 faces, freed of their pose), for its mean
    across: bool  # whether from side to side, not up and down
    lengths: Sequence[Length]


# Whole where it is measured, less beside it, so that nothing bends sharply.
SHAPES: Mapping[str, Shape] = {
    "eyes-open": Shape(
        *(0.208, False),
        [Length({37: 1.2, 38: 1.2, 40: 0.8, 41: 0.8}, (36, 39))],
    ),
    "eye-width": Shape(0.054, True, [Length(dict.fromkeys(LID, 1.0), LID)]),
    "brow-height": Shape(
        *(0.173, False),
        [Length({17: 0.8} | dict.fromkeys(BROW[1:], 1.0), LID, BROW)],
    ),
    "brow-gap": Shape(
        *(0.186, True),
        [Length({18: 0.15, 19: 0.4, 20: 0.7, 21: 1.0}, BRIDGE, (21,))],
    ),
    "lip-thickness": Shape(
        *(0.218, False),
        [
            Length({49: 0.7, 50: 1.0, 51: 1.0}, (62,), (51,)),
            Length({57: 1.0, 58: 1.0, 59: 0.7}, (66,), LOWER_LIP),
        ],
    ),
    "jaw-width": Shape(
        *(0.073, True),
        [
            Length(
                {1: 0.2, 2: 0.5, 3: 0.85, 4: 1.0, 5: 1.0, 6: 0.9, 7: 0.7},
                PHILTRUM,
            )
        ],
    ),
    "chin-length": Shape(
        *(0.17, False),
        [
            Length(
                {4: 0.1, 5: 0.4, 6: 0.75, 7: 0.95, 8: 1.0},
                LOWER_LIP,
                CHIN,
            )
        ],
    ),
    "nose-width": Shape(0.121, True, [Length({31: 1.0, 32: 1.0}, COLUMELLA)]),
    "nose-length": Shape(
        0.074, False, [Length(dict.fromkeys(range(28, 34), 1.0), BRIDGE)]
    ),
}


def reshaping(marks: Points, asked: Mapping[str, float]) -> Points:
    """Return how far landmarks (68, 2) go, for so many deviations of some shapes."""
    across = marks[RIGHT_EYE].mean(0) - marks[LEFT_EYE].mean(0)
    across = across / max(float(np.hypot(*across)), 1e-9)
    down = np.array([-across[1], across[0]])
    steps = np.zeros_like(marks)
    for name in asked.keys() & SHAPES.keys():
        shape = SHAPES[name]
        axis = across if shape.across else down
        far = shape.deviation * asked[name] * _lengths(marks @ axis, shape)
        steps += far[:, None] * axis
    return steps


def _lengths(places: NDArray[np.float64], shape: Shape) -> NDArray[np.float64]:
    """Return along which lengths landmarks go, (68,), by places on an axis."""
    far = np.zeros_like(places)
    for goes, start, end in shape.lengths:
        for side in (np.arange(len(MIRRORED)), MIRRORED):
            begins = places[side[list(start)]].mean()
            for point, part in goes.items():
                ends = places[side[list(end or [point])]].mean()
                far[side[point]] = part * (ends - begins)
    return far
