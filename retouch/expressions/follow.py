"""Following: a latent is moved until its picture shows a wanted expression.

It climbs by slopes: what imports this loads Keras. As in `climb.Ascent` the move lives
in the latents' whitened coordinates, and what is looked at is what the photo will show.
What is wanted is a shape, as the guide reads it off the identity network's features,
and a score; what is held are the person, the pose, and the traits that an expression
must leave alone.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators.adam import Adam
from generators.gradients import compiled, differentiate
from retouch.contracts import Generator, Tensor
from retouch.edits.edit import View
from retouch.expressions.aim import Aim
from scorers.expression import Expressions
from scorers.guide import Guide
from scorers.identity import placed
from scorers.latent import LatentTraits

Floats = NDArray[np.float32]
GLAD = "happy"
FARTHEST = 2.0  # deviations of an expression that are believed
NEARLY = 0.95  # of the budget is where it begins to hold a move back
TURNED = 10.0  # degrees of a turned head that count as one deviation


@dataclass(frozen=True)
class Pull:
    """How much each wish counts."""

    score: float = 4.0  # happiness, short of what is wanted
    second: float = 0.3  # the same, by the reader that sees no shape
    latent: float = 1.0  # the latent's own reading of it
    shape: float = 0.4  # landmarks away from where they are wanted
    keep: float = 2.0  # drift of what must stay
    turn: float = 1.0  # of the head
    identity: float = 2.0
    budget: float = 1000.0  # on the square of what the identity moves too far
    length: float = 0.02  # of the move, in the latents' own metric


class Following:
    """Moves latents towards an aim; compiled once for all faces."""

    def __init__(
        self,
        generator: Generator,
        traits: LatentTraits,
        guide: Guide,
        expressions: Expressions,
        keep: tuple[str, ...],
        *,
        steps: int = 25,
        pull: Pull = Pull(),
    ):
        self.generator, self.traits, self.guide = generator, traits, guide
        self.expressions, self.steps, self.pull = expressions, steps, pull
        kept = [traits.index(name) for name in keep if name in traits.names]
        self.base = np.linalg.qr(traits.slopes[:, kept])[0].astype(np.float32)
        self.held = [guide.names.index(name) for name in keep if name in guide.names]
        self.glad = guide.names.index(GLAD)
        place = traits.index(GLAD)
        self.slope = traits.slopes[:, place : place + 1]
        self.adam = Adam(0.03, first=0.8, second=0.95)
        self._climb, self._seen = compiled(self._step), compiled(self._look)

    def happier(self, source: Floats, target: Floats) -> Floats:
        """Return by how much one face looks happier than another, (N,)."""
        looks = [self._seen(ops.convert_to_tensor(x)) for x in (source, target)]
        scores = [ops.convert_to_numpy(look[2])[:, self.glad] for look in looks]
        return np.asarray(scores[0] - scores[1], np.float32)

    def apply(self, view: View, aim: Aim, alphas: Floats) -> Floats:
        """Return the latents at which alpha (N,) of the aim is shown, or nearly."""
        if not alphas.any():
            return view.latents
        parts = view.images, view.masks, view.latents
        images, masks, latents = (ops.convert_to_tensor(p) for p in parts)
        most = np.clip(aim.expression, -FARTHEST, FARTHEST)
        wanted = [alphas[:, None] * most, alphas * aim.happier]
        fixed = [images, masks, latents, self.generator.decode(latents)]
        fixed += [*self._seen(images), *(ops.convert_to_tensor(x) for x in wanted)]
        fixed.append(np.float32(view.budget))
        move = ops.zeros((len(view.latents), len(self.traits.space.deviations)))
        state = self.adam.start([move])
        for _ in range(self.steps):
            move, state = self._climb(move, state, fixed)
        offset = ops.convert_to_numpy(self.traits.space.offset(self._free(move)))
        still = (alphas == 0).reshape(-1, *[1] * (offset.ndim - 1))
        return np.where(still, view.latents, view.latents + offset)

    def _step(
        self, move: Tensor, state: list[Any], fixed: list[Any]
    ) -> tuple[Tensor, list[Any]]:
        _, slope = differentiate(lambda m: (self._loss(m, *fixed), None), move)
        (move,), state = self.adam.apply(state, [slope], [move])
        return move, state

    def _look(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return descriptors (N, 128), shapes (N, 136) and traits of pictures, twice.

        The second opinion on traits sees no shape.
        """
        identity, judge = self.guide.identity, self.guide.judge
        features = identity.features(identity.chips(images))
        who = identity.describe(features)
        shapes = self.guide.shape.read(placed(features))
        both = ops.concatenate([who, shapes], -1)
        traits = ops.matmul(both, judge.slopes) + judge.offsets
        return who, shapes, traits, ops.matmul(who, judge.descriptor_slopes)

    def _loss(self, move: Tensor, *fixed: Tensor) -> Tensor:
        images, masks, latents, before, who, shapes, scores, others = fixed[:8]
        want, happier, budget = fixed[8:]
        move, pull, known = self._free(move), self.pull, self.expressions
        picture = self.generator.decode(latents + self.traits.space.offset(move))
        now = self._look(images + masks * (picture - before))
        bent, gains = now[1] - shapes, now[2] - scores
        shown = ops.matmul(bent, known.axes)  # in parts of the eyes' distance
        missing = shown - want * known.spread
        loss = pull.shape * ops.sum(ops.square(missing), -1) / np.sum(known.spread**2)
        loss += pull.score * _short(gains[:, self.glad], happier)
        loss += pull.second * _short((now[3] - others)[:, self.glad], happier)
        reading = ops.matmul(move, self.slope)[:, 0]
        loss += pull.latent * _short(reading, happier)
        turn = ops.matmul(bent, known.pose_slopes) / TURNED
        loss += pull.turn * ops.sum(ops.square(turn), -1)
        for held in self.held:
            loss += pull.keep * ops.square(gains[:, held])
        moved = ops.sum(ops.square(now[0] - who), -1)
        over = ops.relu(ops.sqrt(moved + 1e-8) - NEARLY * budget)
        loss += pull.identity * moved + pull.budget * ops.square(over)
        return ops.sum(loss + pull.length * ops.sum(ops.square(move), -1))

    def _free(self, move: Tensor) -> Tensor:
        """Return a move without its part along the kept traits' slopes."""
        return move - ops.matmul(ops.matmul(move, self.base), self.base.T)


def _short(value: Tensor, goal: Tensor) -> Tensor:
    """Return the square of what is missing to the goal, 0 beyond it."""
    return ops.square(ops.relu(ops.absolute(goal) - ops.sign(goal) * value))
