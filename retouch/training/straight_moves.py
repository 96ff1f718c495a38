"""Fit one straight move for each trait to what readers see of it in pictures.

    python -m retouch.training.straight_moves DATA pretrained vae

A regression tells which latents have a trait. Moved along it, pictures gain less than
was asked, and other traits come along, since in people they do. So one move is sought
for all people: the shortest, in the latents' own metric, by which the guide sees the
trait rise in their pictures, on average, while all else stays. It looks with both of
its readers, at people who are not held out; of the judge it knows nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import typer
from keras import ops
from numpy.typing import NDArray

from generators.adam import Adam, Tensors
from generators.gradients import compiled, differentiate
from pretrained.registry import Library, Shelf
from retouch.contracts import Encoder, Generator, Tensor
from retouch.contracts import conditions as conditions_of
from retouch.errors import WeightsError
from retouch.inversion.invert import Inverter
from retouch.models import Model
from retouch.training.export.files import keep
from retouch.training.shards import Shards, as_images
from retouch.training.traits import reader_arrays
from scorers.guide import Guide
from scorers.latent import LIGHT, LatentTraits

Floats = NDArray[np.float32]
MOVED = ("age", "gender", "glasses", "beard", "eye_makeup")
STAYING = ("happy", "attractive", "weight", "skin-color", "lip_makeup", "yaw")
STRENGTH = 2.0  # deviations: where moves are fitted,
GOAL = 2.2  # and what is to be seen there; beyond it pictures change and traits do not
SEEN = 8  # batches by which a move is told
SOURCES = ("omi", "synthetic", "ffhq", "utk")


@dataclass(frozen=True)
class Search:
    """How a move is sought, and how much each wish counts."""

    people: int = 240
    batch: int = 12
    steps: int = 40
    rate: float = 0.08  # at the beginning; it falls to a fiftieth
    rise: float = 16.0  # on the square of what is missing to the goal
    stay: float = 14.0  # on the squares of all else that is seen to move,
    slack: float = 0.04  # less what it may
    light: float = 1.0  # on the squares of what latents tell of light
    length: float = 0.004
    seed: int = 0


class Seeker:
    """Looks for moves that readers of pictures see as one trait's and no other's."""

    def __init__(
        self,
        generator: Generator,
        reader: LatentTraits,
        guide: Guide,
        latents: Floats,
        search: Search = Search(),
    ) -> None:
        self.generator, self.reader, self.guide = generator, reader, guide
        self.latents, self.search = latents, search
        self.names = tuple(n for n in MOVED + STAYING if n in guide.names)
        self.adam = Adam(search.rate, first=0.8, second=0.95, decay_over=search.steps)
        self._look = compiled(lambda x: self._seen(generator.decode(x)))
        self._climb = compiled(self._step)
        shown = [self._look(ops.convert_to_tensor(part)) for part in self._parts()]
        self._before = np.concatenate([ops.convert_to_numpy(x) for x in shown])
        told = [reader.index(name) for name in LIGHT if name in reader.names]
        self._light = reader.slopes[:, told]

    def move(self, name: str) -> Floats:
        """Return the move (K,) of a trait that one deviation stands for.

        What a latent tells by numbers of their own, a CVAE's conditions, moves where it
        is the trait's, by one at first, and else not at all.
        """
        search, rng = self.search, np.random.default_rng(self.search.seed)
        fixed, free = self._fixed(name)
        way, state = ops.convert_to_tensor(fixed), self.adam.start([fixed])
        goal = self._goal(name)
        for _ in range(search.steps):
            who = rng.choice(len(self.latents), search.batch, replace=False)
            seen = self.latents[who], self._before[who], goal, free
            way, state = self._climb(way, state, *map(ops.convert_to_tensor, seen))
        return ops.convert_to_numpy(way)

    def response(self, move: Floats) -> dict[str, float]:
        """Return what the guide sees of a move at the fitted strength, on average."""
        offset = self.reader.space.offset(STRENGTH * move[None])
        parts = self._parts()[:SEEN]
        shown = [self._look(part + offset) for part in parts]
        after = np.concatenate([ops.convert_to_numpy(x) for x in shown])
        gains = (after - self._before[: len(after)]).mean(0, dtype=np.float64)
        return dict(
            zip(self.names, gains[: len(self.names)].round(2).tolist(), strict=True)
        )

    def _step(
        self,
        way: Tensor,
        state: Tensors,
        latents: Tensor,
        before: Tensor,
        goal: Tensor,
        free: Tensor,
    ) -> tuple[Tensor, Tensors]:
        _, slope = differentiate(
            lambda w: (self._loss(w, latents, before, goal), None), way
        )
        (after,), state = self.adam.apply(state, [slope], [way])
        return way + (after - way) * free, state

    def _loss(
        self, way: Tensor, latents: Tensor, before: Tensor, goal: Tensor
    ) -> Tensor:
        search, offset = self.search, self.reader.space.offset(STRENGTH * way[None])
        shown = self._seen(self.generator.decode(latents + offset))
        gains = ops.mean(shown - before, 0)
        missing = ops.square(ops.relu(goal - gains))
        strayed = ops.square(ops.relu(ops.absolute(gains) - search.slack))
        wishes = ops.where(goal > 0, search.rise * missing, search.stay * strayed)
        light = STRENGTH * ops.matmul(way[None], self._light)
        loss = ops.sum(wishes) + search.light * ops.sum(ops.square(light))
        return loss + search.length * STRENGTH**2 * ops.sum(ops.square(way))

    def _seen(self, images: Tensor) -> Tensor:
        """Return the traits that both of the guide's readers see, (N, 2 names)."""
        places = np.array([self.guide.names.index(name) for name in self.names])
        _, whole, second = self.guide.look(images)
        both = ops.take(whole, places, -1), ops.take(second, places, -1)
        return ops.concatenate(both, -1)

    def _goal(self, name: str) -> Floats:
        own = np.array([n == name for n in self.names], np.float32)
        return GOAL * np.tile(own, 2)

    def _fixed(self, name: str) -> tuple[Floats, Floats]:
        """Return where a search begins, and which coordinates it may change."""
        conditions = conditions_of(self.generator)
        start = np.zeros(len(self.reader.slopes), np.float32)
        free = np.ones_like(start)
        if conditions:
            free[-len(conditions) :] = 0
        if name in conditions:
            own = conditions.index(name) - len(conditions)
            start[own] = free[own] = 1
        return start, free

    def _parts(self) -> list[Floats]:
        size = self.search.batch
        return [self.latents[i : i + size] for i in range(0, len(self.latents), size)]


def people(
    shards: Shards, generator: Generator, encoder: Encoder, guide: Guide
) -> Floats:
    """Return latents of people who may teach, as edits come to them."""
    search = Search()
    allowed = ~shards.testing() & np.isin(shards.sources, SOURCES)
    some = np.random.default_rng(search.seed).permutation(np.flatnonzero(allowed))
    images = as_images(shards.images[some[: search.people]])
    return Inverter(generator, encoder, guide.identity).guess(images)


def with_moves(
    reader: LatentTraits, generator: Generator, guide: Guide, latents: Floats
) -> tuple[LatentTraits, dict[str, dict[str, float]]]:
    """Return the reader with moves, and what the guide sees of each."""
    seeker = Seeker(generator, reader, guide, latents)
    moves, seen = np.zeros_like(reader.slopes), {}
    for name in MOVED:
        if name in reader.names and name in guide.names:
            moves[:, reader.index(name)] = move = seeker.move(name)
            seen[name] = seeker.response(move)
    return replace(reader, moves=moves), seen


def keep_reader(
    reader: LatentTraits,
    seen: dict[str, dict[str, float]],
    name: str,
    out: Path,
    terms: Mapping[str, Any],
) -> None:
    """Write the reader of a model with its row, which tells what its moves do."""
    keep(
        out,
        f"{name}-traits",
        "scorer",
        "latent-traits",
        reader_arrays(reader),
        config={"names": list(reader.names), "moves": seen},
        **terms,
    )


def main(data: Path, networks: Path, name: str) -> None:
    """Give the reader of a model in a folder of weights its moves, or new ones."""
    library = Library(Shelf(networks), Shelf(networks))
    model = Model.load(name, library).in_keras
    guide, reader, encoder = model.sight, model.traits, model.encoder
    if guide is None or reader is None or encoder is None:
        raise WeightsError(
            f"'{name}' lacks an encoder or a reader of traits, or the guide is missing:"
            " moves are learnt of all three. Train and export them first."
        )
    latents = people(Shards.read(data), model.generator, encoder, guide)
    row = library.row(f"{name}-traits")
    terms = {"licence": row.licence, "family": row.family}
    keep_reader(
        *with_moves(reader, model.generator, guide, latents), name, networks, terms
    )


if __name__ == "__main__":
    typer.run(main)
