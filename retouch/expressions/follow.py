"""Following: a latent is moved until its picture shows a wanted expression.

It climbs as `climb.Ascent` does, by the same steps; what imports this loads Keras.
What is wanted is a shape, as the guide reads it off the identity network's features,
and a score; what is held are the person, the pose, and the traits that an expression
must leave alone.
"""

from dataclasses import dataclass

import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators.gradients import compiled
from retouch.contracts import Generator, Tensor
from retouch.edits.climb import Hold, Steps, short, shown
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


@dataclass(frozen=True, kw_only=True)
class Pull(Hold):
    """How much each wish counts."""

    score: float = 4.0  # happiness, short of what is wanted
    second: float = 0.3  # the same, by the reader that sees no shape
    latent: float = 1.0  # the latent's own reading of it
    shape: float = 0.4  # landmarks away from where they are wanted
    keep: float = 2.0  # drift of what must stay
    turn: float = 1.0  # of the head


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
        self._steps, self._seen = Steps(self._loss, rate=0.03), compiled(self._look)

    def happier(self, source: Floats, target: Floats) -> Floats:
        """Return by how much one face looks happier than another, (N,)."""
        looks = [self._seen(ops.convert_to_tensor(x)) for x in (source, target)]
        scores = [ops.convert_to_numpy(look[2])[:, self.glad] for look in looks]
        return np.asarray(scores[0] - scores[1], np.float32)

    def apply(self, view: View, aim: Aim, alphas: Floats) -> Floats:
        """Return the latents at which alpha (N,) of the aim is shown, or nearly."""
        if not alphas.any():
            return view.latents
        crops = shown(view, self.generator)
        most = np.clip(aim.expression, -FARTHEST, FARTHEST)
        wanted = [alphas[:, None] * most, alphas * aim.happier, np.float32(view.budget)]
        shape = len(view.latents), len(self.traits.space.deviations)
        seen = [*crops, *self._seen(crops[0]), *wanted]
        move = self._steps.move(shape, seen, self.steps)
        offset = ops.convert_to_numpy(self.traits.space.offset(self._free(move)))
        still = (alphas == 0).reshape(-1, *[1] * (offset.ndim - 1))
        return np.where(still, view.latents, view.latents + offset)

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
        loss += pull.score * short(gains[:, self.glad], happier)
        loss += pull.second * short((now[3] - others)[:, self.glad], happier)
        reading = ops.matmul(move, self.slope)[:, 0]
        loss += pull.latent * short(reading, happier)
        turn = ops.matmul(bent, known.pose_slopes) / TURNED
        loss += pull.turn * ops.sum(ops.square(turn), -1)
        for held in self.held:
            loss += pull.keep * ops.square(gains[:, held])
        loss += pull.strayed(now[0] - who, NEARLY * budget)
        return ops.sum(loss + pull.length * ops.sum(ops.square(move), -1))

    def _free(self, move: Tensor) -> Tensor:
        """Return a move without its part along the kept traits' slopes."""
        return move - ops.matmul(ops.matmul(move, self.base), self.base.T)
