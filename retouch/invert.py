"""Inversion: the encoder's guess, then optimisation of the latents.

Where a generator has no encoder the search starts at its mean latent, with the
learning rate ramping up and down as in the StyleGAN2 projector (Karras et al.,
2020). The best latent seen of each face is kept, the guess among them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators.adam import Adam
from generators.gradients import compiled, differentiate
from retouch.contracts import Embedder, Encoder, Generator, Tensor

Floats = NDArray[np.float32]
OnStep = Callable[[int, Floats], None]  # step, the loss of each face


@dataclass(frozen=True)
class Weights:
    """What counts how much in the distance between a picture and its copy."""

    edges: float = 1.0
    likeness: float = 0.2
    prior: float = 0.002


@dataclass(frozen=True, eq=False)
class Inversion:
    """The latents of faces and the way to them."""

    latents: Floats  # (N, *latent_shape)
    losses: Floats  # (steps + 1, N)


class Inverter:
    """Turns images into latents; its compiled step is reused for every photo."""

    def __init__(
        self,
        generator: Generator,
        encoder: Encoder | None = None,
        identity: Embedder | None = None,
        weights: Weights = Weights(),
        rate: float = 0.03,
    ):
        self.generator, self.encoder, self.identity = generator, encoder, identity
        self.weights, self.rate = weights, rate
        self._encode = compiled(encoder.encode) if encoder else None
        self._steps: dict[int, Callable] = {}

    def guess(self, images: Floats) -> Floats:
        """Return the encoder's latents, or the mean latent for each image."""
        if self._encode is not None:
            return ops.convert_to_numpy(self._encode(images))
        mean = self.generator.mean_latent[None]
        return ops.convert_to_numpy(ops.repeat(mean, len(images), 0))

    def invert(
        self,
        images: Floats,
        masks: Floats,
        *,
        steps: int,
        start: Floats | None = None,
        on_step: OnStep | None = None,
    ) -> Inversion:
        """Return latents of images (N, R, R, 3); only masked pixels count.

        An interrupt from the keyboard ends the search with the best so far.
        """
        latents = self.guess(images) if start is None else start
        if steps == 0:
            return Inversion(latents, np.zeros((0, len(images)), np.float32))
        adam = Adam(self.rate, warm_up=steps // 20, decay_over=steps)
        step = self._step(steps, adam)
        aims = self.identity.aims(images) if self.identity else []
        targets = [ops.convert_to_tensor(x) for x in (images, masks)] + aims
        now = ops.convert_to_tensor(latents)
        best, least = now, ops.full((len(images),), np.inf, "float32")
        state, losses = adam.start([now]), []
        try:
            for i in range(steps + 1):
                now, state, best, least, loss = step(now, state, best, least, targets)
                losses.append(ops.convert_to_numpy(loss))
                if on_step is not None:
                    on_step(i, losses[-1])
        except KeyboardInterrupt:
            pass
        return Inversion(ops.convert_to_numpy(best), np.array(losses, np.float32))

    def _step(self, steps: int, adam: Adam) -> Callable:
        if steps not in self._steps:

            def improve(now, state, best, least, targets):
                (_, losses), slope = differentiate(
                    lambda latents: self._loss(latents, targets), now
                )
                better = losses < least
                least = ops.where(better, losses, least)
                wide = ops.reshape(better, (-1, *[1] * (len(now.shape) - 1)))
                best = ops.where(wide, now, best)
                (moved,), state = adam.apply(state, [slope], [now])
                return moved, state, best, least, losses

            self._steps[steps] = compiled(improve)
        return self._steps[steps]

    def _loss(self, latents: Tensor, targets: list[Tensor]):
        images, masks, *aims = targets
        weights = self.weights
        copies = self.generator.decode(latents)
        area = ops.mean(masks, (1, 2, 3)) + 1e-6
        losses = distance(copies - images, masks, weights.edges) / area
        losses += weights.prior * self.generator.penalty(latents)
        if self.identity is not None:
            # Outside the mask the copy is not asked to be alike.
            seen = masks * copies + (1 - masks) * images
            losses += weights.likeness * self.identity.likeness(seen, aims)
        return ops.sum(losses), losses


def distance(difference: Tensor, masks: Tensor, edges: float) -> Tensor:
    """Return the masked mean of the difference and of its edges, (N,)."""
    total = ops.mean(masks * _rounded(difference), (1, 2, 3))
    for _ in range(3):
        across = difference[:, :, 1:] - difference[:, :, :-1]
        down = difference[:, 1:] - difference[:, :-1]
        total += edges * ops.mean(masks[:, :, 1:] * _rounded(across), (1, 2, 3))
        total += edges * ops.mean(masks[:, 1:] * _rounded(down), (1, 2, 3))
        difference = ops.average_pool(difference, 2, 2)
        masks = ops.average_pool(masks, 2, 2)
    return total


def _rounded(difference: Tensor) -> Tensor:
    """Return the absolute value, rounded at zero so that it can be followed down."""
    return ops.sqrt(ops.square(difference) + 1e-4) - 1e-2
