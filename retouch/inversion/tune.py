"""Fine-tuning the generator for one face, kept as low-rank changes of its kernels.

As pivotal tuning has it (Roich et al., 2022): the latents stay, the weights give
way until the picture is the photo's, and elsewhere they are held: pictures of latents
on the way from the face's own to drawn ones must stay what they were. The changes are
products of thin matrices, so that a face takes less than 2 MiB.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators.adam import Adam
from generators.gradients import compiled, differentiate
from generators.weights import arrays, assign, variables
from retouch.contracts import Embedder, Generator, Tensor
from retouch.errors import SettingsError, WeightsError
from retouch.presets import Schedule, Weights
from scorers.pixels import unlikeness

Floats = NDArray[np.float32]
Deltas = Mapping[
    str, NDArray[Any]
]  # NAME.left and NAME.right of kernels, NAME of the rest
OnStep = Callable[[float, float], None]  # the part done, the loss

MOST = 2**20 - 2**16  # half-precision numbers of a face: a little under 2 MiB
RANK = 32
UNTOUCHED = ("mapping", "mean_latent", "spread", "axes")


@dataclass(frozen=True)
class Tuning:
    """How a generator is tuned."""

    steps: int = 250
    schedule: Schedule = field(default_factory=lambda: Schedule(0.003))
    weights: Weights = field(default_factory=Weights)
    locality: float = 0.5  # how much pictures of other latents must stay
    reach: float = 0.3  # of the way to drawn latents at which they are looked at
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Tuned:
    """What tuning changed, and how the loss fell."""

    deltas: Deltas
    losses: Floats  # (steps + 1,)


class Tuner:
    """Tunes a generator to faces, one at a time; its compiled step is reused."""

    def __init__(
        self,
        generator: Generator,
        identity: Embedder | None = None,
        tuning: Tuning = Tuning(),
    ):
        if not isinstance(generator, keras.Model):
            raise SettingsError("This model's generator cannot be tuned.")
        self.generator: Any = generator
        self.identity, self.tuning = identity, tuning
        self.plan = plan(self.generator)
        self._adam = Adam(1.0, first=0.9, second=0.99)
        self._improve = compiled(self._step)

    def tune(
        self,
        image: Floats,
        mask: Floats,
        latents: Floats,
        *,
        steps: int | None = None,
        on_step: OnStep | None = None,
    ) -> Tuned:
        """Return changes of the generator with which latents give the image.

        An interrupt from the keyboard ends the search with the best so far.
        """
        steps = self.tuning.steps if steps is None else steps
        targets = [ops.convert_to_tensor(x[None]) for x in (image, mask, latents)]
        targets += self.identity.aims(targets[0]) if self.identity else []
        factors = self._begin()
        state, losses = self._adam.start(factors), []
        best, least = factors, np.inf
        others = self._others(latents)
        try:
            for i in range(steps + 1):
                rate = self.tuning.schedule.at(i, steps)
                inputs = [next(others), ops.convert_to_tensor(np.float32(rate))]
                before = factors
                factors, state, loss = self._improve(factors, state, targets, inputs)
                losses.append(float(loss))
                if losses[-1] < least:
                    best, least = before, losses[-1]
                if on_step is not None:
                    on_step((i + 1) / (steps + 1), losses[-1])
        except KeyboardInterrupt:
            pass
        named = zip(self._names(), best, strict=True)
        deltas = {name: ops.convert_to_numpy(t) for name, t in named}
        return Tuned(deltas, np.array(losses, np.float32))

    def _begin(self) -> list[Tensor]:
        """Return factors whose products are zero; the left ones are drawn."""
        rng, factors = np.random.default_rng(self.tuning.seed), []
        for name, shapes in self.plan.items():
            if len(shapes) == 1:
                factors.append(ops.zeros(shapes[0]))
                continue
            deviation = float(
                ops.std(ops.convert_to_tensor(variables(self.generator)[name]))
            )
            left = rng.standard_normal(shapes[0], np.float32) * deviation
            factors += [ops.convert_to_tensor(left), ops.zeros(shapes[1])]
        return factors

    def _names(self) -> list[str]:
        return [
            name if len(shapes) == 1 else f"{name}.{side}"
            for name, shapes in self.plan.items()
            for side in ("left", "right")[: len(shapes)]
        ]

    def _others(self, latents: Floats) -> Iterator[Tensor]:
        """Yield latents near the face's, on the way to drawn ones."""
        seed = self.tuning.seed
        drawn = ops.convert_to_numpy(self.generator.sample(64, seed=seed))
        order = np.random.default_rng(seed)
        while True:
            way = drawn[order.integers(len(drawn))] - latents
            yield ops.convert_to_tensor((latents + self.tuning.reach * way)[None])

    def _step(
        self,
        factors: list[Tensor],
        state: list[Any],
        targets: list[Tensor],
        inputs: tuple[Tensor, Tensor],
    ) -> tuple[list[Tensor], list[Any], Tensor]:
        other, rate = inputs
        kept = self.generator.decode(other)
        (loss, _), slopes = differentiate(
            lambda tensors: (self._loss(tensors, targets, other, kept), None), factors
        )
        adam = Adam(rate, self._adam.first, self._adam.second)
        moved, state = adam.apply(state, slopes, factors)
        return moved, state, loss

    def _loss(
        self,
        factors: list[Tensor],
        targets: list[Tensor],
        other: Tensor,
        kept: Tensor,
    ) -> Tensor:
        image, mask, latents, *aims = targets
        weights = self.tuning.weights
        named = dict(zip(self._names(), factors, strict=True))
        with keras.StatelessScope(state_mapping=self._changed(named)):
            copy, again = (self.generator.decode(x) for x in (latents, other))
        difference = ops.where(mask > 0, copy - image, 0.0)
        terms = weights.edges, weights.pixels
        loss = unlikeness(difference, mask, *terms)[0] / (ops.mean(mask) + 1e-6)
        loss += (
            self.tuning.locality
            * unlikeness(again - kept, ops.ones_like(mask), *terms)[0]
        )
        if self.identity is not None:
            look, who = self.identity.gaps(mask * copy + (1 - mask) * image, aims)
            loss += weights.features * look + weights.identity * who
        return ops.sum(loss)

    def _changed(self, named: dict[str, Tensor]) -> list[tuple[Any, Tensor]]:
        own = variables(self.generator)
        return [
            (own[name], own[name].value + change(named, name, own[name].shape))
            for name in self.plan
        ]


def plan(generator: Any) -> dict[str, list[tuple[int, ...]]]:
    """Return the shapes of what is learnt for each of the generator's weights."""
    free = {
        name: tuple(variable.shape)
        for name, variable in variables(generator).items()
        if variable.trainable and not name.startswith(UNTOUCHED)
    }
    thin = {
        name: (int(np.prod(shape[:-1])), shape[-1])
        for name, shape in free.items()
        if len(shape) > 1
    }
    whole = sum(int(np.prod(s)) for name, s in free.items() if name not in thin)
    rank = min(RANK, (MOST - whole) // max(sum(map(sum, thin.values())), 1))
    if rank < 1:
        raise SettingsError("This model is too large to be tuned within 2 MiB a face.")
    pairs = {name: [(a, rank), (rank, b)] for name, (a, b) in thin.items()}
    return {name: pairs.get(name, [shape]) for name, shape in free.items()}


def change(deltas: Mapping[str, Any], name: str, shape: Any) -> Any:
    """Return by how much a weight changes."""
    if name in deltas:
        return deltas[name]
    product = ops.matmul(deltas[f"{name}.left"], deltas[f"{name}.right"])
    return ops.reshape(product, tuple(shape))


def tuned(generator: Any, deltas: Deltas) -> Any:
    """Return a copy of the generator with the changes made."""
    wanted = plan(generator)
    shapes = {
        name if len(pair) == 1 else f"{name}.{side}": shape
        for name, pair in wanted.items()
        for side, shape in zip(("left", "right"), pair, strict=False)
    }
    if shapes != {name: tuple(delta.shape) for name, delta in deltas.items()}:
        raise WeightsError(
            "The tuning in this file does not fit the model. Invert the photo again:"
            " retouch invert PHOTO --tune --save FILE"
        )
    weights = arrays(generator)
    for name in wanted:
        step = change(deltas, name, weights[name].shape)
        weights[name] = weights[name] + ops.convert_to_numpy(step)
    copy = type(generator)(generator.config)
    assign(copy, weights)
    return copy
