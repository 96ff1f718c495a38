"""Moves learnt from people: what latents tell of traits, and what is typical of them.

    moved = typical(t + d) + kept * (latents - typical(t))

t are the traits read off latents and d the wished change of them: the difference of two
expectations, given pose, light and all else that is read. What of a person is not
typical stays, less of it where much is drawn anew: a closed mouth would shine through
an open one. How much less, people tell of whom there are several pictures: where the
typical moves by as much as people scatter, their own keep a third. NumPy alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
FACTORS = np.linspace(0, 3, 16, dtype=np.float32)  # of a change that a search tries


@dataclass(frozen=True, eq=False)
class Moves:
    """Reads traits off latents, and moves latents by them; in deviations of people.

    A latent's first rows are styles; the rest, if there are any, are a code of
    side x side places.
    """

    names: tuple[str, ...]
    together: Floats  # (traits, traits): how they go together in people
    mean: Floats  # latent_shape
    spread: Floats  # (rows, 1)
    rest: Floats  # (places,): how far people are from what is typical of them
    weights: Mapping[str, Floats]  # of both networks
    styles: int  # rows

    @cached_property
    def side(self) -> int:
        return int(np.sqrt(len(self.rest)))

    def read(self, latents: Floats) -> Floats:
        """Return the traits of latents, (N, traits)."""
        w, count = self.weights, len(latents)
        unit = (latents - self.mean) / self.spread
        parts = [_leaky(unit[:, : self.styles].reshape(count, -1) @ w["read.styles"])]
        if self.side:
            places = unit[:, self.styles :].reshape(count, self.side, self.side, -1)
            for name in ("read.near", "read.wide"):
                places = _leaky(_convolved(places, w[name]) + w[f"{name}.bias"])
            parts.insert(0, places.reshape(count, -1))
        hidden = _leaky(np.concatenate(parts, 1) @ w["read.all"] + w["read.all.bias"])
        return np.asarray(hidden @ w["read.out"] + w["read.out.bias"], np.float32)

    def typical(self, traits: Floats) -> Floats:
        """Return the latents that people with these traits have, on average."""
        w, hidden = self.weights, traits
        for name in ("typical.first", "typical.second", "typical.third"):
            hidden = _leaky(hidden @ w[name] + w[f"{name}.bias"])
        flat = hidden @ w["typical.out"] + w["typical.out.bias"]
        flat = flat + traits @ w["typical.straight"]
        offsets = flat.reshape(-1, *self.mean.shape) * self.spread
        return np.asarray(self.mean + offsets, np.float32)

    def plainer(self, latents: Floats, part: float) -> Floats:
        """Return latents (N, ...) that keep so much of what is not typical of them."""
        base = self.typical(self.read(latents))
        return np.asarray(base + np.float32(part) * (latents - base))

    def moved(self, latents: Floats, change: Floats) -> Floats:
        """Return latents (N, ...) whose traits change by (N, traits)."""
        traits = self.read(latents)
        return self._moved(latents, self.typical(traits), traits + change)

    def _moved(self, latents: Floats, base: Floats, traits: Floats) -> Floats:
        step = self.typical(traits) - base
        moved = latents + step
        if self.side:
            places = len(latents), len(self.rest), -1
            far = (step[:, self.styles :].reshape(places) ** 2).mean(-1)
            lost = -np.expm1(-far / self.rest**2)[..., None]  # 0 where nothing moves
            own = (latents - base)[:, self.styles :].reshape(places)
            code = moved[:, self.styles :]
            code -= (lost * own).reshape(code.shape)
        return moved

    def factors(
        self, latents: Floats, change: Floats, name: str, goals: Floats
    ) -> Floats:
        """Return by how much to take a change, so that a trait moves by goals (N,).

        Where no factor is enough it is the one that does most.

        Args:
            change: of one deviation of that trait, (traits,).
        """
        place = self.names.index(name)
        traits = self.read(latents)
        base = self.typical(traits)
        rows = []
        for latent, own, typical, goal in zip(
            latents, traits, base, goals, strict=True
        ):
            tried = own + np.sign(goal) * FACTORS[:, None] * change
            many = (np.repeat(a[None], len(FACTORS), 0) for a in (latent, typical))
            gains = np.sign(goal) * (self.read(self._moved(*many, tried)) - own)
            climbed = np.maximum.accumulate(gains[:, place])
            enough = np.interp(abs(goal), climbed, FACTORS)
            rows.append(min(enough, FACTORS[int(np.argmax(climbed))]))
        return np.array(rows, np.float32)

    def wish(self, name: str, along: tuple[str, ...] = ()) -> Floats:
        """Return the change (traits,) of one deviation of a trait.

        Args:
            along: traits that go with it as they do in people.
        """
        change = np.zeros(len(self.names), np.float32)
        place = self.names.index(name)
        for other in along:
            if other in self.names:
                at = self.names.index(other)
                change[at] = self.together[place, at]
        change[place] = 1
        return change


def _leaky(values: Floats) -> Floats:
    return np.where(values > 0, values, np.float32(0.2) * values) * np.float32(2**0.5)


def _convolved(places: Floats, kernel: Floats) -> Floats:
    """Return the 3 x 3 convolution of places (N, side, side, channels)."""
    side = places.shape[1]
    padded = np.pad(places, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return sum(  # type: ignore[return-value]
        padded[:, i : i + side, j : j + side] @ kernel[i, j]
        for i in range(3)
        for j in range(3)
    )
