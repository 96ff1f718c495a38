"""What an expression mask is told of a face, and who its people are: NumPy alone."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

POINTS = 70
# Lines through the points; each becomes two fields, a wide and a narrow one.
LINES = (
    tuple(range(17)),  # jaw
    tuple(range(17, 22)),  # brows
    tuple(range(22, 27)),
    tuple(range(27, 31)),  # nose
    tuple(range(31, 36)),
    (36, 37, 38, 39, 40, 41, 36),  # eyes
    (42, 43, 44, 45, 46, 47, 42),
    tuple(range(48, 55)),  # lips: the upper edge and the lower
    (54, 55, 56, 57, 58, 59, 48),
    (60, 61, 62, 63, 64),  # the opening: its upper edge and its lower
    (64, 65, 66, 67, 60),
    (68, 68),  # irises
    (69, 69),
)
WIDTHS = 0.1, 0.025  # of the fields, in sides of the crop
DRAWN = 32  # pixels a side at which lines are drawn; their fields are smooth
FIELDS = len(LINES) * len(WIDTHS)
# Where the segments of all lines begin and end.
STARTS = np.array([point for line in LINES for point in line[:-1]])
ENDS = np.array([point for line in LINES for point in line[1:]])


def person(
    mean: Floats, people: Floats, axes: Floats, seed: int, other: int = 0
) -> tuple[Floats, Floats]:
    """Return the style (S,) and the shape (68, 2), off the mean, of a person.

    Args:
        mean: of styles and shapes together, (S + K,).
        people: what makes unit normals vary as people do, (S + K, S + K).
        axes: of shapes, (K, 136).
        other: another person of the same seed, for each number.
    """
    numbers = np.random.default_rng([seed, other])
    told = mean + numbers.standard_normal(len(mean), np.float32) @ people
    style, shape = np.split(told, [len(mean) - len(axes)])
    return style, (shape @ axes).reshape(68, 2)
