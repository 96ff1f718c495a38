"""What moves a latent: straight directions, and ascent on scorers.

Edits look at what the photo will show: the crop plus, inside the mask, what the
generator's picture gains or loses. A gain that would not reach the photo is none.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators.adam import Adam
from generators.gradients import compiled, differentiate
from retouch.contracts import Embedder, Generator, Tensor
from scorers.judge import Judge
from scorers.latent import LatentTraits

Floats = NDArray[np.float32]
LEAST_SHARE = 1 / 64  # of an edit; what needs a smaller one is left alone
HALVINGS = 6


@dataclass(frozen=True, eq=False)
class View:
    """Faces as they are: crops, where they may change, and their latents."""

    images: Floats  # (N, R, R, 3)
    masks: Floats  # (N, R, R, 1)
    latents: Floats  # (N, *latent_shape)

    def shown(self, generator: Generator, latents: Tensor) -> Tensor:
        """Return the crops as they look after the latents have been moved."""
        gain = generator.decode(latents) - generator.decode(self.latents)
        return self.images + self.masks * gain


@dataclass(frozen=True, eq=False)
class Direction:
    """A straight move, the same for every face; strength 1 is one deviation."""

    name: str
    offset: Floats  # latent_shape

    @classmethod
    def of(cls, traits: LatentTraits, name: str, keep: tuple[str, ...]) -> "Direction":
        """Return the shortest move that raises a trait and keeps the others."""
        step = traits.step(name, keep)
        return cls(name, ops.convert_to_numpy(traits.space.offset(step[None]))[0])

    def apply(self, generator: Generator, view: View, strength: float) -> Floats:
        """Return the latents moved by strength times the offset."""
        return view.latents + np.float32(strength) * self.offset


@dataclass(frozen=True)
class Pull:
    """How much each wish counts in an ascent."""

    score: float = 4.0  # the picture's trait, short of its goal
    latent: float = 1.0  # the latent's own reading of it
    keep: float = 2.0  # drift of what must stay
    identity: float = 2.0
    length: float = 0.02  # of the move, in the latents' own metric


class Ascent:
    """Climbs two readers of a trait at once: of latents, and of what is shown.

    The move lives in the latents' whitened coordinates and has no part along the
    slopes of kept traits; what the pictures' reader sees of them is held back, as
    are the identity's change and the length of the move. Two readers that learnt
    from different pictures have different blind spots.
    """

    def __init__(
        self,
        generator: Generator,
        identity: Embedder,
        traits: LatentTraits,
        guide: Judge,
        name: str,
        keep: tuple[str, ...] = (),
        *,
        unit: float = 1.0,
        steps: int = 25,
        pull: Pull = Pull(),
    ):
        self.generator, self.identity = generator, identity
        self.traits, self.guide = traits, guide
        self.name, self.keep = name, tuple(k for k in keep if k != name)
        self.unit, self.steps, self.pull = unit, steps, pull
        self.adam = Adam(0.03, first=0.8, second=0.95)
        self._climb = compiled(self._step)
        self._base = self._kept_slopes()

    def apply(self, generator: Generator, view: View, strength: float) -> Floats:
        """Return the latents where strength times the unit is reached, or nearly."""
        if strength == 0:
            return view.latents
        parts = view.images, view.masks, view.latents
        images, masks, latents = (ops.convert_to_tensor(p) for p in parts)
        seen = [images, masks, latents, self.generator.decode(latents)]
        seen += [self.identity.embed(images), np.float32(strength * self.unit)]
        move = ops.zeros((len(view.latents), len(self.traits.space.deviations)))
        state = self.adam.start([move])
        for _ in range(self.steps):
            move, state = self._climb(move, state, seen)
        offset = self.traits.space.offset(self._free(move))
        return view.latents + ops.convert_to_numpy(offset)

    def _step(self, move: Tensor, state: list, seen: list):
        _, slope = differentiate(lambda m: (self._loss(m, *seen), None), move)
        (move,), state = self.adam.apply(state, [slope], [move])
        return move, state

    def _loss(self, move, images, masks, latents, before, embedded, goal):
        move, pull = self._free(move), self.pull
        picture = self.generator.decode(latents + self.traits.space.offset(move))
        gap = self.identity.embed(images + masks * (picture - before)) - embedded
        gains = ops.matmul(gap, self.guide.descriptor_slopes)  # (N, traits)
        slope = self.traits.slopes[:, self.traits.index(self.name)]
        reading = ops.matmul(move, slope[:, None])[:, 0]
        wanted = gains[:, self.guide.names.index(self.name)]
        loss = pull.score * _short(wanted, goal) + pull.latent * _short(reading, goal)
        for name in self.keep:
            if name in self.guide.names:
                drift = gains[:, self.guide.names.index(name)]
                loss += pull.keep * ops.square(drift)
        loss += pull.identity * ops.sum(ops.square(gap), -1)
        return ops.sum(loss + pull.length * ops.sum(ops.square(move), -1))

    def _free(self, move: Tensor) -> Tensor:
        """Return a move without its part along the kept traits' slopes."""
        return move - ops.matmul(ops.matmul(move, self._base), self._base.T)

    def _kept_slopes(self) -> Floats:
        kept = [self.traits.index(k) for k in self.keep if k in self.traits.names]
        return np.linalg.qr(self.traits.slopes[:, kept])[0].astype(np.float32)


def _short(value: Tensor, goal: Tensor) -> Tensor:
    """Return the square of what is missing to the goal, 0 beyond it."""
    return ops.square(ops.relu(ops.absolute(goal) - ops.sign(goal) * value))


@dataclass(frozen=True, eq=False)
class Moved:
    """Latents after an edit, and how far each face was let go."""

    latents: Floats
    shares: Floats  # (N,): of the edit's way, at most 1
    distances: Floats  # (N,): of the embedding between before and after


def within_budget(
    generator: Generator, identity: Embedder, view: View, after: Floats, budget: float
) -> Moved:
    """Shorten edits until no embedding moves further than the budget.

    The way is halved again and again, so that the last answer is the longest found
    that keeps to the budget; an edit that never does is taken back.
    """
    origin = ops.convert_to_numpy(identity.embed(ops.convert_to_tensor(view.images)))
    way = after - view.latents

    def at(share: Floats) -> Floats:
        return view.latents + share.reshape(-1, *[1] * (way.ndim - 1)) * way

    low, high = np.zeros(len(way), np.float32), np.ones(len(way), np.float32)
    best, distances, share = low, low, high
    for _ in range(HALVINGS):
        shown = view.shown(generator, ops.convert_to_tensor(at(share)))
        embedded = ops.convert_to_numpy(identity.embed(shown))
        gap = np.linalg.norm(embedded - origin, axis=-1)
        fits = gap <= budget
        better = fits & (share > best)
        best, distances = (
            np.where(better, share, best),
            np.where(better, gap, distances),
        )
        if (best == 1).all():
            break
        low, high = np.where(fits, share, low), np.where(fits, high, share)
        share = np.where(best == 1, 1, (low + high) / 2).astype(np.float32)
    best = np.where(best < LEAST_SHARE, 0, best).astype(np.float32)
    return Moved(at(best), best, distances)


Move = Callable[[View], Floats]
