"""Traits read from latents, linearly, in the latents' own metric.

Latents are described by their principal components divided by their deviations,
so that a step of one is equally common in every direction: the length of a move
is its Mahalanobis distance. A trait is a linear function of these coordinates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scorers.maths import maths

Floats = NDArray[np.float32]
# What light does to a picture, as readers of latents call it; no edit may go that way.
LIGHT = ("light", "light-side", "light-above", "warmth", "contrast")


@dataclass(frozen=True, eq=False)
class Space:
    """The whitened principal coordinates of latents."""

    mean: Floats  # latent_shape
    axes: Floats  # (K, size of a latent), orthonormal
    deviations: Floats  # (K,)

    @classmethod
    def fit(cls, latents: Floats, dimensions: int) -> "Space":
        """Return the space of the latents' largest principal components.

        Found by random projections (Halko et al., 2011): two passes suffice.
        """
        flat = latents.reshape(len(latents), -1).astype(np.float32)
        mean = flat.mean(0)
        flat = flat - mean
        rng = np.random.default_rng(0)
        guess = rng.standard_normal((flat.shape[1], dimensions + 32), np.float32)
        for _ in range(3):
            guess = np.linalg.qr(flat.T @ (flat @ guess))[0]
        _, values, axes = np.linalg.svd(flat @ guess, full_matrices=False)
        # Latents whose rows are one w vary in fewer dimensions than they have.
        dimensions = min(dimensions, int((values > 1e-4 * values[0]).sum()))
        axes = np.ascontiguousarray((axes @ guess.T)[:dimensions])
        deviations = values[:dimensions] / np.sqrt(len(flat) - 1)
        shape = latents.shape[1:]
        return cls(mean.reshape(shape), axes, deviations.astype(np.float32))

    def coordinates(self, latents):
        """Return the coordinates of latents, (N, K)."""
        ops, offsets = maths(latents), latents - self.mean
        offsets = ops.reshape(offsets, (-1, self.axes.shape[1]))
        return ops.matmul(offsets, self.axes.T) / self.deviations

    def offset(self, coordinates):
        """Return what moves a latent by its first coordinates (N, k), or by all."""
        ops, count = maths(coordinates), coordinates.shape[-1]
        flat = ops.matmul(coordinates * self.deviations[:count], self.axes[:count])
        return ops.reshape(flat, (-1, *self.mean.shape))


@dataclass(frozen=True, eq=False)
class LatentTraits:
    """Scores latents; each trait in standard deviations of the population."""

    space: Space
    names: tuple[str, ...]
    slopes: Floats  # (K, traits)
    offsets: Floats  # (traits,)
    skill: Floats  # (traits,): correlation with held-out ratings
    moves: Floats | None = None  # (K, traits): of pictures; 0 where there is none
    reads: str = "latents"

    @property
    def moved(self) -> tuple[str, ...]:
        """The traits that have a move of their own."""
        if self.moves is None:
            return ()
        there = self.moves.any(0)
        return tuple(n for n, has in zip(self.names, there, strict=True) if has)

    def score(self, latents):
        """Return the traits of latents, (N, traits)."""
        coordinates = self.space.coordinates(latents)
        return maths(latents).matmul(coordinates, self.slopes) + self.offsets

    def step(self, name: str, keep: tuple[str, ...] = ()) -> Floats:
        """Return the shortest move (K,) that raises a trait by one deviation.

        The traits of `keep` stay as they are. A move that was fitted on pictures goes
        first: it keeps all that was looked at.
        """
        if self.moves is not None and name in self.moved:
            return self.moves[:, self.index(name)]
        wanted = [self.index(name), *(self.index(k) for k in keep if k != name)]
        slopes = self.slopes[:, wanted].astype(np.float64)
        return (slopes @ np.linalg.inv(slopes.T @ slopes))[:, 0].astype(np.float32)

    def index(self, name: str) -> int:
        return self.names.index(name)

    def joined(self, name: str, slopes: Floats, skill: float) -> "LatentTraits":
        """Return a reader that knows one trait more, by its slopes (K,)."""
        return LatentTraits(
            self.space,
            (*self.names, name),
            np.concatenate([self.slopes, slopes[:, None]], 1),
            np.append(self.offsets, np.float32(0)),
            np.append(self.skill, np.float32(skill)),
            None if self.moves is None else np.pad(self.moves, ((0, 0), (0, 1))),
        )


def ridge(inputs: Floats, targets: Floats, strength: float) -> tuple[Floats, Floats]:
    """Return slopes and offsets of a ridge regression; inputs are standardised."""
    x = np.asarray(inputs, np.float64)
    mean, deviation = x.mean(0), x.std(0) + 1e-9
    x = (x - mean) / deviation
    y_mean = targets.mean(0)
    gram = x.T @ x + strength * np.eye(x.shape[1])
    slopes = np.linalg.solve(gram, x.T @ (targets - y_mean)) / deviation[:, None]
    return slopes.astype(np.float32), (y_mean - mean @ slopes).astype(np.float32)


def held_out_skill(inputs: Floats, targets: Floats, strength: float, folds=10):
    """Return each target's correlation with its prediction over the folds."""
    fold = np.random.default_rng(0).permutation(len(inputs)) % folds
    guesses = np.zeros_like(targets)
    for i in range(folds):
        slopes, offsets = ridge(inputs[fold != i], targets[fold != i], strength)
        guesses[fold == i] = inputs[fold == i] @ slopes + offsets
    pairs = zip(guesses.T, targets.T, strict=True)
    return np.array([np.corrcoef(a, b)[0, 1] for a, b in pairs], np.float32)
