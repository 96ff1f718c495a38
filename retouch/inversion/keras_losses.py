"""The losses of a search and their slopes in Keras, for every network that it knows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators.gradients import OUT_OF_MEMORY, compiled, differentiate
from retouch.contracts import Embedder, Generator, Styled, Tensor
from retouch.errors import SettingsError
from scorers.pixels import unlikeness

Floats = NDArray[np.float32]


class KerasLosses:
    """What a search asks of any generator; one compiled step serves all presets."""

    def __init__(
        self,
        generator: Generator,
        identity: Embedder | None = None,
        swift: Generator | None = None,
    ):
        """Prepare for searches.

        Args:
            swift: the generator in half precision: it leads the search, while what
                comes of it is drawn in full.
        """
        self.generator: Any = generator
        self.identity = identity
        self._led_by: Any = swift or generator
        self._styled = isinstance(generator, Styled)
        self._sloping = compiled(self._slope)

    def targets(self, images: Floats, masks: Floats) -> Sequence[Tensor]:
        """Return what pictures are compared with, computed once."""
        with _explained(OUT_OF_MEMORY):
            tensors = [_tensor(part) for part in (images, masks)]
            return tensors + (self.identity.aims(tensors[0]) if self.identity else [])

    def at(
        self, latents: Floats, targets: Sequence[Tensor], knobs: Floats
    ) -> tuple[Floats, Floats]:
        """Return the losses (N,), and the slope of each by its latents."""
        with _explained(OUT_OF_MEMORY):
            told = self._sloping(_tensor(latents), targets, list(_tensor(knobs)))
            losses, slope = (ops.convert_to_numpy(each) for each in told)
        return losses, slope

    def _slope(
        self, latents: Tensor, targets: Sequence[Tensor], knobs: list[Tensor]
    ) -> tuple[Tensor, Tensor]:
        def total(latents: Tensor) -> tuple[Tensor, Tensor]:
            losses = self._loss(latents, targets, *knobs)
            return ops.sum(losses), losses

        (_, losses), slope = differentiate(total, latents)
        return losses, slope

    def _loss(
        self, latents: Tensor, targets: Sequence[Tensor], tie: Tensor, *weights: Tensor
    ) -> Tensor:
        images, masks, *aims = targets
        pixels, edges, features, person, prior, deltas = weights
        if self._styled:
            latents = latents + tie * (self.generator.tied(latents) - latents)
        copies = self._led_by.decode(latents)
        # What lies outside does not leak in through the coarser scales.
        difference = ops.where(masks > 0, copies - images, 0.0)
        area = ops.mean(masks, (1, 2, 3)) + 1e-6
        losses = unlikeness(difference, masks, edges, pixels)[0] / area
        losses += prior * self.generator.penalty(latents)
        if self._styled:
            apart = latents - self.generator.tied(latents)
            losses += deltas * ops.mean(ops.square(apart), (1, 2))
        if self.identity is not None:
            # Outside the mask the copy is not asked to be alike.
            seen = masks * copies + (1 - masks) * images
            look, who = self.identity.gaps(seen, aims)
            losses += features * look + person * who
        return losses


class _explained:
    """Turns the backend's word for too little memory into a sentence."""

    def __init__(self, kinds: tuple[type[BaseException], ...]):
        self.kinds = kinds

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, self.kinds):
            raise SettingsError(
                "Memory ran out while a face was inverted. Close other programs, take"
                " --steps 0, or a model of fewer pixels."
            ) from None


def _tensor(values: Any) -> Tensor:
    return ops.convert_to_tensor(np.asarray(values, np.float32))
