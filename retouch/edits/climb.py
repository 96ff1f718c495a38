"""Climbs on readers of a trait, by slopes; what imports this loads Keras.

They serve models whose latents no moves are learnt for, and what users teach.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators.adam import Adam
from generators.gradients import compiled, differentiate
from retouch.contracts import Generator, Tensor
from retouch.edits.edit import STEPS, View
from retouch.edits.way import wide
from scorers.guide import Guide
from scorers.latent import LatentTraits

Floats = NDArray[np.float32]
AXES = 200  # of the latents' principal ones; with all 400 mouths are smeared wide
NEARLY = 0.85  # of the budget is where it begins to hold an ascent back


@dataclass(frozen=True)
class Pull:
    """How much each wish counts in an ascent."""

    score: float = 4.0  # the picture's trait, short of its goal
    second: float = 2.0  # the same, by the reader that sees no shape, if it can tell
    latent: float = 1.0  # the latent's own reading of it
    keep: float = 4.0  # drift of what must stay
    identity: float = 2.0
    budget: float = 1000.0  # on the square of what the identity moves too far
    length: float = 0.02  # of the move, in the latents' own metric


class Climber:
    """Climbs two readers of a trait at once: of latents, and of what is shown.

    The move lives in the first of the latents' whitened coordinates, along which people
    vary most: along the others the readers' blind spots lie. It has no part along the
    slopes of kept traits; what the pictures' reader sees of them is held back, as
    are the identity's change and the length of the move. Two readers that learnt
    from different pictures have different blind spots. One compiled step serves all
    traits.
    """

    def __init__(
        self,
        generator: Generator,
        traits: LatentTraits,
        guide: Guide,
        pull: Pull = Pull(),
    ):
        self.generator, self.traits, self.guide = generator, traits, guide
        self.pull, self.adam = pull, Adam(0.05, first=0.8, second=0.95)
        self.look = compiled(guide.look)
        self._climb = compiled(self._step)
        self._slopes = traits.slopes[:AXES]

    def climb(
        self, view: View, name: str, keep: tuple[str, ...], goals: Floats, steps: int
    ) -> Floats:
        """Return the latents where a trait has changed by the goals (N,), or nearly."""
        parts = view.images, view.masks, view.latents
        images, masks, latents = (ops.convert_to_tensor(p) for p in parts)
        seen = [images, masks, latents, self.generator.decode(latents)]
        seen += [*self.look(images), *map(ops.convert_to_tensor, (goals, view.budget))]
        way = [ops.convert_to_tensor(part) for part in self._way(name, keep)]
        move = ops.zeros((len(view.latents), len(self._slopes)))
        state = self.adam.start([move])
        for _ in range(steps):
            move, state = self._climb(move, state, way, seen)
        offset = self.traits.space.offset(ops.matmul(move, way[-1]))
        return view.latents + ops.convert_to_numpy(offset)

    def _way(self, name: str, keep: tuple[str, ...]) -> tuple[Floats, ...]:
        """Return which trait goes and which stay, in what they are multiplied by."""
        names, traits = np.array(self.guide.names), self.traits
        goes, stay = names == name, np.isin(names, keep)
        told = goes & self.guide.telling
        slope = self._slopes[:, traits.index(name)]
        kept = [traits.index(k) for k in keep if k in traits.names]
        base = np.linalg.qr(self._slopes[:, kept])[0]
        free = np.eye(len(base)) - base @ base.T
        return tuple(np.asarray(x, np.float32) for x in (goes, told, stay, slope, free))

    def _step(
        self, move: Tensor, state: list[Any], way: list[Any], seen: list[Any]
    ) -> tuple[Tensor, list[Any]]:
        _, slope = differentiate(lambda m: (self._loss(m, way, seen), None), move)
        (move,), state = self.adam.apply(state, [slope], [move])
        return move, state

    def _loss(self, move: Tensor, way: list[Any], seen: list[Any]) -> Tensor:
        goes, told, stay, slope, free = way
        images, masks, latents, before, who, was, was_second, goal, budget = seen
        move, pull = ops.matmul(move, free), self.pull
        picture = self.generator.decode(latents + self.traits.space.offset(move))
        now, whole, second = self.guide.look(images + masks * (picture - before))
        loss = pull.score * _short(ops.matmul(whole - was, goes), goal)
        loss += pull.second * _short(ops.matmul(second - was_second, told), goal)
        loss += pull.latent * _short(ops.matmul(move, slope), goal)
        loss += pull.keep * ops.matmul(ops.square(whole - was), stay)
        moved = ops.sum(ops.square(now - who), -1)
        beyond = ops.relu(ops.sqrt(moved + 1e-8) - NEARLY * budget)
        loss += pull.identity * moved + pull.budget * ops.square(beyond)
        return ops.sum(loss + pull.length * ops.sum(ops.square(move), -1))


@dataclass(frozen=True, eq=False)
class Ascent:
    """A climb to so much of one trait, while others stay."""

    climber: Climber
    name: str
    keep: tuple[str, ...] = ()
    steps: int = STEPS

    def apply(
        self, generator: Generator, view: View, strength: float | Floats
    ) -> Floats:
        """Return the latents where the trait has changed by strength, or nearly.

        Args:
            strength: in deviations, of all faces or of each (N,).
        """
        goals = np.broadcast_to(np.asarray(strength, np.float32), len(view.latents))
        if not goals.any():
            return view.latents
        moved = self.climber.climb(view, self.name, self.keep, goals, self.steps)
        return np.where(wide(goals, moved) == 0, view.latents, moved)

    def until(self, generator: Generator, view: View, score: float) -> Floats:
        """Return the latents where the guide gives each face the score, or nearly.

        Faces that have it already stay as they are.
        """
        _, whole, _ = self.climber.look(ops.convert_to_tensor(view.images))
        place = self.climber.guide.names.index(self.name)
        now = ops.convert_to_numpy(whole)[:, place]
        return self.apply(generator, view, np.maximum(score - now, 0))


def _short(value: Tensor, goal: Tensor) -> Tensor:
    """Return the square of what is missing to the goal, 0 beyond it."""
    return ops.square(ops.relu(ops.absolute(goal) - ops.sign(goal) * value))
