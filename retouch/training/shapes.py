"""How shapes of faces vary between people and within one person, from packed crops."""

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.errors import SettingsError
from retouch.expressions.expression import Shapes, mirrored
from retouch.training.shards import Shards

LEAST = 100  # people of whom there are several pictures


def shapes_of(shards: Shards) -> NDArray[np.float32]:
    """Return the landmarks of all crops in the unit square, (N, 68, 2)."""
    return (shards.landmarks / shards.images.shape[1]).astype(np.float32)


def fit(shards: Shards, allowed: NDArray[np.bool_]) -> Shapes:
    """Fit the two covariances to people of whom there are several pictures."""
    serial = {name for name, s in shards.contents.sources.items() if s.series}
    allowed = allowed & ~np.isin(shards.sources, list(serial))
    people = np.char.add(np.char.add(shards.sources, "/"), shards.people)
    counts = Counter(people[allowed].tolist())
    several = {person for person, count in counts.items() if count > 1}
    if len(several) < LEAST:
        raise SettingsError(
            f"Of {len(several)} people there are several pictures; {LEAST} are needed"
            " to tell expression from identity. Add a source such as LFW, with a"
            " table that says who is who."
        )
    chosen = allowed & np.isin(people, list(several))
    own = shapes_of(shards)[chosen]
    both = np.concatenate(
        [own, mirrored(own, np.zeros((len(own), 2, 2), np.float32))[0]]
    )
    names = np.concatenate([people[chosen], np.char.add(people[chosen], "/mirror")])
    rows = 100 * both.reshape(-1, 136).astype(np.float64)
    _, index, sizes = np.unique(names, return_inverse=True, return_counts=True)
    means = np.zeros((len(sizes), 136))
    np.add.at(means, index, rows)
    means /= sizes[:, None]
    off = rows - means[index]
    within = off.T @ off / (len(rows) - len(sizes))
    total = np.cov(rows.T)
    between = _positive(total - within)
    mean = rows.mean(0) / 100
    known: Any = (matrix.astype(np.float32) for matrix in (mean, between, within))
    return Shapes(*known)


def _positive(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the nearest covariance: without what sampling made negative."""
    sizes, axes = np.linalg.eigh(matrix)
    return (axes * np.maximum(sizes, 0)) @ axes.T


def axes(shapes: Shapes, count: int) -> NDArray[np.float32]:
    """Return the directions in which people differ most, (count, 136)."""
    return np.linalg.eigh(shapes.between)[1][:, : -count - 1 : -1].T.astype(np.float32)
