"""Seventeen action units (Ekman and Friesen, 1978) from landmarks and creases, 0-5.

What landmarks move is measured apart from person and pose; creases are edges in a
few places against the edges of the whole face. Each unit's scale is the population's:
0 is what half of all neutral faces show, 5 what one face in two hundred does.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from scorers.expression import Expressions
from scorers.judge import EYES

Floats = NDArray[np.float32]
HIGHEST = 5.0
LUMA = np.array([0.299, 0.587, 0.114], np.float32)

# What each unit adds up: points, along x (outwards) or y (downwards), weight.
# Outwards is away from the face's middle, so that both sides count alike.
BROW_IN, BROW_OUT = (20, 21, 22, 23), (17, 18, 25, 26)
LID_UP, LID_LOW = (37, 38, 43, 44), (40, 41, 46, 47)
CORNERS, UPPER, LOWER = (48, 54), (50, 51, 52), (56, 57, 58)
INNER_UP, INNER_LOW, NOSTRILS = (61, 62, 63), (65, 66, 67), (31, 32, 33, 34, 35)
UNITS: dict[str, tuple[tuple[tuple[int, ...], str, float], ...]] = {
    "AU01": ((BROW_IN, "y", -1.0), (BROW_OUT, "y", 0.3)),
    "AU02": ((BROW_OUT, "y", -1.0), (BROW_IN, "y", 0.3)),
    "AU04": ((BROW_IN, "y", 1.0), (BROW_IN, "x", -1.0), (BROW_OUT, "y", 0.3)),
    "AU05": ((LID_UP, "y", -1.0), (LID_LOW, "y", 0.3)),
    "AU06": ((LID_LOW, "y", -2.0), (CORNERS, "y", -0.5), (CORNERS, "x", 0.5)),
    "AU07": ((LID_LOW, "y", -1.0), (LID_UP, "y", 1.0), (BROW_IN, "y", 0.3)),
    "AU09": ((NOSTRILS, "y", -1.0), (BROW_IN, "y", 0.5), (UPPER, "y", -0.3)),
    "AU10": ((UPPER, "y", -1.0), (CORNERS, "y", 0.3)),
    "AU12": ((CORNERS, "x", 1.0), (CORNERS, "y", -1.0)),
    "AU14": ((CORNERS, "x", 1.0), (INNER_UP, "y", 0.5), (INNER_LOW, "y", -0.5)),
    "AU15": ((CORNERS, "y", 1.0), (UPPER, "y", -0.5), (LOWER, "y", -0.5)),
    "AU17": ((LOWER, "y", -1.0), (INNER_LOW, "y", -0.5), (UPPER, "y", -0.5)),
    "AU20": ((CORNERS, "x", 1.0), (CORNERS, "y", 0.5)),
    "AU23": (
        (UPPER, "y", 1.0),
        (INNER_UP, "y", -1.0),
        (LOWER, "y", -1.0),
        (INNER_LOW, "y", 1.0),
    ),
    "AU25": ((INNER_LOW, "y", 1.0), (INNER_UP, "y", -1.0)),
    "AU26": ((LOWER, "y", 1.0), (INNER_LOW, "y", 0.5)),
    "AU45": ((LID_UP, "y", 1.0), (LID_LOW, "y", -1.0)),
}
NAMES = tuple(UNITS)
# Places of creases: a mean of points, moved outwards and down by parts of the eyes'
# distance, and the unit that they belong to.
CREASES = {
    "AU06": ((36, 45), 0.14, 0.06),  # crow's feet
    "AU09": ((27,), 0.0, 0.05),  # the root of the nose
    "AU12": ((31, 35), 0.22, 0.12),  # from nose to mouth
    "AU14": ((48, 54), 0.12, 0.0),  # beside the mouth
}
REACH = 0.09  # of the eyes' distance: how far a crease is looked for
CREASED = 0.3  # how much creases count beside landmarks


@dataclass(frozen=True, eq=False)
class ActionUnits:
    """Reads action units (N, 17) from images and their landmarks."""

    expressions: Expressions
    low: Floats  # (17,): what is 0
    high: Floats  # (17,): what is 5
    creased: Floats  # (2, 4): mean and deviation of the creases
    spread: Floats  # (17,): deviation of what landmarks tell
    names: tuple[str, ...] = NAMES

    def score(
        self, images: Floats, landmarks: Floats, neutral: Floats | None = None
    ) -> Floats:
        """Return intensities from 0 to 5, as `unbounded` has them."""
        return np.clip(self.unbounded(images, landmarks, neutral), 0, HIGHEST)

    def unbounded(
        self, images: Floats, landmarks: Floats, neutral: Floats | None = None
    ) -> Floats:
        """Return intensities that go on below 0, where half of the neutral faces lie.

        Args:
            images: (N, R, R, 3) in [-1, 1]; landmarks in their pixels.
            neutral: landmarks (M, 68, 2) of the person without expression.
        """
        told = self.expressions.read(landmarks, neutral)
        raw = told @ measures(self.expressions) / self.spread
        raw += CREASED * _by_unit((creases(images, landmarks) - self.creased[0]), self)
        part = (raw - self.low) / (self.high - self.low)
        return (HIGHEST * part).astype(np.float32)


def _by_unit(values: Floats, units: ActionUnits) -> Floats:
    table = np.zeros((len(values), len(NAMES)), np.float32)
    table[:, [NAMES.index(name) for name in CREASES]] = values / units.creased[1]
    return table


def measures(expressions: Expressions) -> Floats:
    """Return what each unit (17) reads of an expression of strength one, (K, 17)."""
    moved = (expressions.axes * expressions.spread).T.reshape(-1, 68, 2)  # (K, 68, 2)
    side = np.sign(expressions.mean.reshape(68, 2)[:, 0])
    columns = []
    for parts in UNITS.values():
        total = np.zeros(len(moved), np.float32)
        for points, axis, weight in parts:
            at = list(points)
            if axis == "x":
                total += weight * (moved[:, at, 0] * side[at]).mean(1)
            else:
                total += weight * moved[:, at, 1].mean(1)
        columns.append(total)
    return np.stack(columns, 1)


def creases(images: Floats, landmarks: Floats) -> Floats:
    """Return how strong the edges are in each place, in logarithms, (N, 4)."""
    return np.array(
        [_creases(*pair) for pair in zip(images, landmarks, strict=True)], np.float32
    ).reshape(-1, len(CREASES))


def _creases(image: Floats, points: Floats) -> list[float]:
    left, right = (points[eye].mean(0) for eye in EYES)
    across = right - left
    distance = float(np.hypot(*across))
    grey = gaussian_filter(image @ LUMA, max(distance / 50, 0.5))
    edges = np.hypot(*np.gradient(grey))
    y, x = np.indices(grey.shape) + 0.5

    def strength(centre: NDArray) -> float:
        near = np.hypot(x - centre[0], y - centre[1]) < REACH * distance
        return float(edges[near].mean()) if near.any() else float(edges.mean())

    nose = points[30]
    face = np.hypot(x - nose[0], y - nose[1]) < 0.9 * distance
    whole = float(edges[face].mean()) + 1e-4
    found = []
    for chosen, out, down in CREASES.values():
        sides = [0.0] if len(chosen) == 1 else [-1.0, 1.0]
        fall = np.array([-across[1], across[0]]) * down
        places = [
            points[p] + s * out * across + fall
            for p, s in zip(chosen, sides, strict=True)
        ]
        near = float(np.mean([strength(p) for p in places])) + 1e-4
        found.append(float(np.log(near / whole)))
    return found


def calibrated(
    expressions: Expressions, images: Floats, landmarks: Floats, neutral: NDArray
) -> ActionUnits:
    """Return the reader whose scale is that of these faces.

    Args:
        neutral: which of the faces show no expression, (N,) of bool.
    """
    raw = expressions.read(landmarks) @ measures(expressions)
    spread = raw.std(0) + 1e-6
    edges = creases(images, landmarks)
    creased = np.stack([edges.mean(0), edges.std(0) + 1e-6])
    one = np.ones(len(NAMES), np.float32)
    units = ActionUnits(expressions, 0 * one, one, creased, spread)
    whole = raw / spread + CREASED * _by_unit(edges - creased[0], units)
    low = np.median(whole[neutral], 0)
    high = np.maximum(np.quantile(whole, 0.995, axis=0), low + 1)
    found = low, high, creased, spread
    return ActionUnits(expressions, *(np.asarray(x, np.float32) for x in found))
