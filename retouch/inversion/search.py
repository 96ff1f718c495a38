"""The search for latents whose pictures are like given ones: gradients, in Keras."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators.adam import Adam
from generators.gradients import OUT_OF_MEMORY, compiled, differentiate
from retouch.contracts import Embedder, Generator, Styled, Tensor
from retouch.errors import FaceError, SettingsError
from retouch.inversion.plan import Inversion, Plan
from scorers.pixels import unlikeness

Floats = NDArray[np.float32]


class Searcher:
    """Searches for the latents of faces; its compiled step is reused."""

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
        self._improve = compiled(self._step)
        # Short memories: 40 steps end at .206, with .9 and .99 at .215.
        self._adam = Adam(1.0, first=0.8, second=0.95)

    def run(
        self, plan: Plan, parts: list[Floats], say: Callable[[int, Floats], None]
    ) -> Inversion:
        """Search for the latents of images, by their masks and from latents on."""
        with _explained(OUT_OF_MEMORY):
            return self._run(plan, parts, say)

    def _run(
        self, plan: Plan, parts: list[Floats], say: Callable[[int, Floats], None]
    ) -> Inversion:
        images, masks, now = (_tensor(part) for part in parts)
        aims = self.identity.aims(images) if self.identity else []
        targets = [images, masks, *aims]
        best, least = now, ops.full((len(parts[0]),), np.inf, "float32")
        state, losses, way = self._adam.start([now]), [], []
        interrupted = False
        try:
            for i in range(plan.length):
                knobs = [_tensor(n) for n in plan.numbers(i)]
                now, state, best, least, loss = self._improve(
                    now, state, best, least, targets, knobs
                )
                losses.append(ops.convert_to_numpy(loss))
                if i in plan.kept:
                    way.append(ops.convert_to_numpy(best))
                say(i, losses[-1])
        except KeyboardInterrupt:
            interrupted = True
        if losses and not np.isfinite(ops.convert_to_numpy(least)).all():
            raise FaceError(
                "The search for a face's latents came to numbers that are not finite;"
                " the model's weights may be damaged: retouch models verify."
            )
        table = np.array(losses, np.float32).reshape(-1, len(parts[0]))
        snaps = np.array(way, np.float32).reshape(-1, *parts[2].shape)
        return Inversion(ops.convert_to_numpy(best), table, snaps, interrupted)

    def _step(
        self,
        now: Tensor,
        state: list[Any],
        best: Tensor,
        least: Tensor,
        targets: list[Tensor],
        knobs: list[Tensor],
    ) -> tuple[Tensor, list[Any], Tensor, Tensor, Tensor]:
        rate, tie, *weights = knobs

        def total(latents: Tensor) -> tuple[Tensor, Tensor]:
            return self._loss(latents, targets, tie, weights)

        (_, losses), slope = differentiate(total, now)
        better = losses < least
        least = ops.where(better, losses, least)
        wide = ops.reshape(better, (-1, *[1] * (len(now.shape) - 1)))
        best = ops.where(wide, self._tied(now, tie), best)
        adam = replace(self._adam, rate=rate)
        (moved,), state = adam.apply(state, [slope], [now])
        return moved, state, best, least, losses

    def _loss(
        self, latents: Tensor, targets: list[Any], tie: Tensor, weights: list[Any]
    ) -> tuple[Tensor, Tensor]:
        images, masks, *aims = targets
        pixels, edges, features, person, prior, deltas = weights
        latents = self._tied(latents, tie)
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
        return ops.sum(losses), losses

    def _tied(self, latents: Tensor, tie: Tensor) -> Tensor:
        if not self._styled:
            return latents
        return latents + tie * (self.generator.tied(latents) - latents)


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
