"""Climbs on readers of a trait, by slopes; what imports this loads Keras.

They serve models whose latents no moves are learnt for, and what users teach.
"""

from collections.abc import Callable, Sequence
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


@dataclass(frozen=True, kw_only=True)
class Hold:
    """How much counts what holds a climb back."""

    identity: float = 2.0
    budget: float = 1000.0  # on the square of what the identity moves too far
    length: float = 0.02  # of the move, in the latents' own metric

    def strayed(self, step: Tensor, budget: Tensor) -> Tensor:
        """Return the cost of descriptors' steps (N, 128), steep beyond a budget."""
        moved = ops.sum(ops.square(step), -1)
        beyond = ops.relu(ops.sqrt(moved + 1e-8) - budget)
        return self.identity * moved + self.budget * ops.square(beyond)


@dataclass(frozen=True, kw_only=True)
class Pull(Hold):
    """How much each wish counts in an ascent."""

    score: float = 4.0  # the picture's trait, short of its goal
    second: float = 2.0  # the same, by the reader that sees no shape, if it can tell
    latent: float = 1.0  # the latent's own reading of it
    keep: float = 4.0  # drift of what must stay


class Steps:
    """Moves in the latents' whitened coordinates by which a loss falls.

    One step is compiled once, whatever is seen.
    """

    def __init__(self, loss: Callable[..., Tensor], rate: float):
        self._loss, self._adam = loss, Adam(rate, first=0.8, second=0.95)
        self._step = compiled(self._taken)

    def move(self, shape: tuple[int, int], seen: Sequence[Any], count: int) -> Tensor:
        """Return the move (faces, coordinates) after so many steps.

        Args:
            seen: what the loss takes besides the move.
        """
        move, fixed = ops.zeros(shape), [ops.convert_to_tensor(x) for x in seen]
        state = self._adam.start([move])
        for _ in range(count):
            move, state = self._step(move, state, fixed)
        return move

    def _taken(
        self, move: Tensor, state: list[Any], seen: list[Any]
    ) -> tuple[Tensor, list[Any]]:
        _, slope = differentiate(lambda m: (self._loss(m, *seen), None), move)
        (move,), state = self._adam.apply(state, [slope], [move])
        return move, state


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
        self.pull, self.look = pull, compiled(guide.look)
        self._steps = Steps(self._loss, rate=0.05)
        self._slopes = traits.slopes[:AXES]

    def climb(
        self, view: View, name: str, keep: tuple[str, ...], goals: Floats, steps: int
    ) -> Floats:
        """Return the latents where a trait has changed by the goals (N,), or nearly."""
        way = self._way(name, keep)
        crops = shown(view, self.generator)
        seen = [*way, *crops, *self.look(crops[0])]
        shape = len(view.latents), len(self._slopes)
        move = self._steps.move(shape, [*seen, goals, view.budget], steps)
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

    def _loss(self, move: Tensor, *seen: Tensor) -> Tensor:
        goes, told, stay, slope, free = seen[:5]
        images, masks, latents, before, who, was, was_second, goal, budget = seen[5:]
        move, pull = ops.matmul(move, free), self.pull
        picture = self.generator.decode(latents + self.traits.space.offset(move))
        now, whole, second = self.guide.look(images + masks * (picture - before))
        loss = pull.score * short(ops.matmul(whole - was, goes), goal)
        loss += pull.second * short(ops.matmul(second - was_second, told), goal)
        loss += pull.latent * short(ops.matmul(move, slope), goal)
        loss += pull.keep * ops.matmul(ops.square(whole - was), stay)
        loss += pull.strayed(now - who, NEARLY * budget)
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


def shown(view: View, generator: Generator) -> list[Tensor]:
    """Return crops, masks, latents, and the generator's pictures of them."""
    parts = view.images, view.masks, view.latents
    tensors = [ops.convert_to_tensor(part) for part in parts]
    return [*tensors, generator.decode(tensors[-1])]


def short(value: Tensor, goal: Tensor) -> Tensor:
    """Return the square of what is missing to the goal, 0 beyond it."""
    return ops.square(ops.relu(ops.absolute(goal) - ops.sign(goal) * value))
