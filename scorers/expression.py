"""What a face does, apart from who it is and where it looks: from its landmarks.

A shape is the sum of the mean, of what the head's pose does, of the person's own
shape and of the expression. The last two are taken as normal, with covariances
learnt from people of whom there are several pictures; so one picture tells the
likeliest expression, and pictures of the same person without one tell it better.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scorers.judge import EYES, shape_of

Floats = NDArray[np.float32]
MOVING = slice(17, 68)  # landmarks that an expression moves; the jaw's are noisy


@dataclass(frozen=True, eq=False)
class Expressions:
    """Reads expressions (N, K), in deviations, from landmarks, and draws them."""

    mean: Floats  # (136,)
    pose_slopes: Floats  # (136, 2): degrees to the side, and up
    pose_offsets: Floats  # (2,)
    pose_shapes: Floats  # (4, 136): what pose does to a shape
    axes: Floats  # (136, K): what expressions do, orthonormal
    spread: Floats  # (K,)
    gains: Floats  # (136, K): from a shape to its likeliest expression

    def poses(self, landmarks: Floats) -> Floats:
        """Return degrees (N, 2) that heads look to the right and upwards."""
        return shape_of(landmarks) @ self.pose_slopes + self.pose_offsets

    def frontal(self, landmarks: Floats) -> Floats:
        """Return shapes (N, 136) without mean and pose: person and expression."""
        shapes = shape_of(landmarks)
        turned = _terms(self.poses(landmarks)) @ self.pose_shapes
        return shapes - self.mean - turned

    def read(self, landmarks: Floats, neutral: Floats | None = None) -> Floats:
        """Return the expressions (N, K) of landmarks (N, 68, 2).

        Args:
            neutral: landmarks (M, 68, 2) of the same person without expression.
        """
        shapes = self.frontal(landmarks)
        if neutral is None:
            return shapes @ self.gains
        return (shapes - self.frontal(neutral).mean(0)) @ self.axes / self.spread

    def moves(self, expressions: Floats, landmarks: Floats) -> Floats:
        """Return how expressions move landmarks, in these landmarks' own units."""
        flat = (expressions * self.spread) @ self.axes.T
        flat = flat.reshape(-1, 68, 2)
        left, right = (landmarks[:, eye].mean(1) for eye in EYES)
        across = (right - left)[:, None]  # (N, 1, 2)
        down = np.stack([-across[..., 1], across[..., 0]], -1)
        return (flat[..., :1] * across + flat[..., 1:] * down).astype(np.float32)


def _terms(poses: Floats) -> Floats:
    side, up = poses[:, 0], poses[:, 1]
    return np.stack([side, up, side**2 / 20, side * up / 10], 1)


def fit(
    landmarks: Floats, people: NDArray, posed: tuple[NDArray, Floats], count: int
) -> Expressions:
    """Learn from landmarks of named people, some of them with measured poses.

    Args:
        people: who it is; only names that occur twice tell what an expression is.
        posed: indices of landmarks, and their poses (M, 2).
        count: of the axes that are kept.
    """
    shapes = shape_of(landmarks).astype(np.float64)
    slopes, offsets = _pose_reader(shapes[posed[0]], posed[1])
    terms = _terms(shapes @ slopes + offsets)
    own, turns = _apart(shapes, people), _apart(terms, people)
    by_pose = np.linalg.lstsq(turns, own, rcond=None)[0]
    rest = own - turns @ by_pose
    frontal = shapes - terms @ by_pose
    mean = frontal.mean(0)
    still = np.ones(136, bool)
    still.reshape(68, 2)[MOVING] = False
    within = rest.T @ rest / len(rest)
    within[still], within[:, still] = 0, 0
    total = np.cov(frontal.T)
    total += 1e-4 * np.trace(total) / 136 * np.eye(136)
    values, axes = np.linalg.eigh(within)
    axes, values = axes[:, ::-1][:, :count], values[::-1][:count]
    spread = np.sqrt(values)
    gains = np.linalg.solve(total, within) @ axes / spread
    found = mean, slopes, offsets, by_pose, axes, spread, gains
    return Expressions(*(np.asarray(x, np.float32) for x in found))


# Eyes, nose and the upper ends of the jaw: no expression moves them much.
STEADY = [*range(4), *range(13, 17), *range(27, 48)]


def _pose_reader(shapes: NDArray, poses: Floats) -> tuple[NDArray, NDArray]:
    """Return slopes (136, 2) and offsets of a ridge regression on steady points."""
    steady = np.zeros((68, 2), bool)
    steady[STEADY] = True
    chosen = steady.ravel()
    x, y = shapes[:, chosen], np.asarray(poses, np.float64)
    middle, spread = x.mean(0), x.std(0) + 1e-9
    scaled = (x - middle) / spread
    gram = scaled.T @ scaled + 30 * np.eye(scaled.shape[1])
    slopes = np.zeros((136, 2))
    slopes[chosen] = np.linalg.solve(gram, scaled.T @ (y - y.mean(0))) / spread[:, None]
    return slopes, y.mean(0) - middle @ slopes[chosen]


def _apart(values: NDArray, people: NDArray) -> NDArray:
    """Return how values differ from their person's mean, for people met twice."""
    _, index, counts = np.unique(people, return_inverse=True, return_counts=True)
    means = np.zeros((len(counts), values.shape[1]))
    np.add.at(means, index, values)
    means /= counts[:, None]
    fair = np.sqrt(counts / np.maximum(counts - 1, 1))[index, None]
    return ((values - means[index]) * fair)[counts[index] > 1]
