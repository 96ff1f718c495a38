"""Whether edited faces can be told from real ones: a small classifier's hit rate.

It sees statistics of the descriptor network's early features and of fine detail, and
is judged on people that it did not learn from: half right is what chance gives. How
people are parted decides over four hits in a hundred, so that many partings are taken.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from pretrained import dlib_files
from retouch.models import Model
from retouch.training.shards import Shards, as_images

Floats = NDArray[np.float32]
BLOCKS = (0, 2, 6)
FOLDS, PARTINGS = 5, 20
HOLD = 30.0
AT_ONCE = 16
OTHERS = 5  # people whom each picture is compared with
SAME = 0.4  # between descriptors: below it two faces may be one person's
SOURCES = ("omi", "synthetic", "utk")  # whose people held out are looked at


def seen(images: Floats) -> Floats:
    """Return what the classifier sees of crops in [-1, 1], (N, statistics)."""
    return statistics(images, dlib_files.identity().chips)


def statistics(images: Floats, chips: Callable[[Floats], Any]) -> Floats:
    """Return the same of pictures of anything, (N, statistics).

    Args:
        chips: makes of them what the network takes, 150 pixels a side.
    """
    identity = dlib_files.identity()
    columns = []
    for part in np.array_split(images, max(1, len(images) // AT_ONCE)):
        features = identity.features(chips(part))
        maps = [np.asarray(features[i]) for i in BLOCKS]
        rows = [f(m, axis=(1, 2)) for m in maps for f in (np.mean, np.std)]
        columns.append(np.concatenate([*rows, _fine(part)], 1))
    return np.concatenate(columns)


def _fine(images: Floats) -> Floats:
    """Return how strong detail of several widths is in nine fields, (N, 27)."""
    rows = []
    for width in (0.7, 1.5, 3.0):
        soft = gaussian_filter(images, (0, width, width, 0))
        energy = np.abs(images - soft).mean(-1)
        side = images.shape[1] // 3
        fields = energy[:, : 3 * side, : 3 * side].reshape(-1, 3, side, 3, side)
        rows.append(np.log(fields.mean((2, 4)) + 1e-4).reshape(len(images), -1))
    return np.concatenate(rows, 1)


@dataclass(frozen=True, eq=False)
class People:
    """Crops of people held out and what the judge sees in them."""

    images: Floats
    scores: Floats  # (N, names)
    names: tuple[str, ...]

    @classmethod
    def held_out(cls, data: Path, model: Model, portraits: Floats) -> "People":
        """Take those of the sources from which the portraits come, but not these."""
        shards = Shards.read(data)
        chosen = shards.testing() & np.isin(shards.sources, SOURCES)
        images, landmarks = as_images(shards.images[chosen]), shards.landmarks[chosen]
        own, others = embedded(portraits, model), embedded(images, model)
        gaps = np.linalg.norm(others[:, None] - own, axis=-1).min(1)
        new = gaps > SAME
        scores = model.judge.score(others[new], landmarks[new])
        return cls(images[new], scores, model.judge.names)

    def told_apart(self, trait: str, gain: float, count: int) -> float:
        """Say how often people are told apart who differ by as much as an edit."""
        scores = self.scores[:, self.names.index(trait)]
        return people_told_apart(self.images, scores, abs(gain), count)

    def told_from_alike(self, images: Floats, scores: Floats, trait: str) -> float:
        """Say how often pictures are told from other people with as much of a trait.

        What an edit is for is then on both sides, and only how real it looks tells.

        Args:
            scores: of the trait, as the judge sees it in the pictures, (N,).
        """
        known = self.scores[:, self.names.index(trait)].copy()
        own, people, hits = seen(images), np.tile(np.arange(len(images)), 2), []
        for _ in range(OTHERS):
            alike = []
            for score in scores:
                alike.append(int(np.argmin(np.abs(known - score))))
                known[alike[-1]] = np.inf
            hits.append(sorted_rightly(seen(self.images[alike]), own, people))
        return float(np.mean(hits))


def embedded(images: Floats, model: Model) -> Floats:
    """Return the descriptors of crops, (N, 128)."""
    parts = np.array_split(images, max(1, len(images) // AT_ONCE))
    return np.concatenate([np.asarray(model.identity.embed(part)) for part in parts])


def told_apart(real: Floats, edited: Floats) -> float:
    """Return the part of crops that are sorted rightly, by person cross-validated."""
    people = np.tile(np.arange(len(real)), 2)
    return sorted_rightly(seen(real), seen(edited), people)


def people_told_apart(images: Floats, scores: Floats, gain: float, count: int) -> float:
    """Return the same for real people, half of whom have so much more of a trait.

    What an edit is for shows, however real it looks: this is what showing costs.

    Args:
        scores: of the trait, (N,).
        count: how many people are in each half.
    """
    middle = np.median(scores)
    halves = []
    for aim in (middle - gain / 2, middle + gain / 2):
        halves.append(np.argsort(np.abs(scores - aim))[:count])
    fewer = np.setdiff1d(halves[0], halves[1])
    more = np.setdiff1d(halves[1], halves[0])
    size = min(len(fewer), len(more))
    return sorted_rightly(
        seen(images[fewer[:size]]), seen(images[more[:size]]), np.arange(2 * size)
    )


def sorted_rightly(some: Floats, others: Floats, people: NDArray[np.int64]) -> float:
    """Return the part of two kinds that is sorted rightly, by person cross-validated.

    Args:
        people: a number for each person, of some and then of others.
    """
    inputs = np.concatenate([some, others])
    inputs = (inputs - inputs.mean(0)) / (inputs.std(0) + 1e-6)
    signs = np.repeat([-1.0, 1.0], len(some))
    rng, right = np.random.default_rng(0), []
    for _ in range(PARTINGS):
        folds = (rng.permutation(people.max() + 1) % FOLDS)[people]
        right += [_hits(inputs, signs, folds == fold) for fold in range(FOLDS)]
    return float(np.concatenate(right).mean())


def _hits(inputs: Floats, signs: Floats, other: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of the others are sorted rightly after learning from the rest."""
    x = inputs[~other]
    # Fewer faces than statistics: the dual form.
    dual = np.linalg.solve(x @ x.T + HOLD * np.eye(len(x)), signs[~other])
    return inputs[other] @ (x.T @ dual) * signs[other] > 0
