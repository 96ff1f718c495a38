"""What a search is to do, and what comes of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retouch.presets import PUBLISHED, Preset

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Inversion:
    """The latents of faces and the way to them."""

    latents: Floats  # (N, *latent_shape)
    losses: Floats  # (steps + 1, N), the guess's first; NaN where none was taken
    way: Floats  # (K, N, *latent_shape): the best from the guess on, if kept
    interrupted: bool = False

    @property
    def least(self) -> Floats:
        """The loss of each face's latents, (N,); infinite if there was no search."""
        known = np.where(np.isnan(self.losses), np.inf, self.losses)
        return known.min(0, initial=np.inf)


@dataclass(frozen=True)
class Plan:
    """One search's constants; all go to the networks as numbers."""

    preset: Preset
    steps: int
    space: str
    keep: int
    guessed: bool

    @property
    def length(self) -> int:
        """How many latents are looked at: the guess, and one after each step."""
        return self.steps + 1

    @property
    def kept(self) -> set[int]:
        """The steps whose best is kept, ever further apart."""
        if not self.keep:
            return set()
        ways = np.linspace(0, 1, max(self.keep, 2)) ** 2
        return {round(float(way) * self.steps) for way in ways}

    def numbers(self, step: int) -> tuple[float, ...]:
        """Return a step's rate, how firmly styles are tied, and the weights."""
        schedule = self.preset.schedule if self.guessed else PUBLISHED
        tie = float(self.space == "w")
        return schedule.at(step, self.steps), tie, *self.preset.weights.numbers


def joined(found: list[Inversion], rest: Floats) -> Inversion:
    """Join the groups' results; those after an interrupt are as they were."""
    longest = max(len(f.losses) for f in found)

    def filled(f: Inversion) -> Floats:
        rows = longest - len(f.losses)
        return np.pad(f.losses, ((0, rows), (0, 0)), constant_values=np.nan)

    table = [filled(f) for f in found]
    table.append(np.full((longest, len(rest)), np.nan, np.float32))
    stops = min(len(f.way) for f in found)
    way = [f.way[:stops] for f in found] + [np.repeat(rest[None], stops, 0)]
    return Inversion(
        np.concatenate([*(f.latents for f in found), rest]),
        np.concatenate(table, 1),
        np.concatenate(way, 1),
        any(f.interrupted for f in found),
    )
