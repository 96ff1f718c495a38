"""Train the healing network on blemishes painted on the skin of crops.

    retouch train healing DATA runs/healing
    retouch train healing DATA runs/other --begin healing.safetensors

No pairs of pictures are needed: what was painted is what is to be taken away.
"""

from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from safetensors import SafetensorError
from safetensors.numpy import load_file

from generators import weights
from generators.adam import Adam, Tensors
from generators.gradients import compiled, differentiate
from retouch.contracts import Tensor
from retouch.errors import WeightsError
from retouch.photos.lab import to_rgb
from retouch.training.builder import built
from retouch.training.export.files import keep, restore
from retouch.training.loop import (
    Losses,
    Run,
    State,
    Stepped,
    improved,
    sheet,
    using,
    values,
)
from retouch.training.options import HealingConfig
from retouch.training.patches import SEEN, Patches
from retouch.training.precision import computing_in
from retouch.training.shards import Shards
from scorers.blemishes import BANDS, STAIN, network, unseen

INSIDE = 9.0  # how much more a blemish's own pixels count
FAINT = 3.0  # Lab at which a blemish counts half for what it is missed by
SOFT = 1.5  # Lab: by less than that what is missed counts squared
BROAD = 8  # pixels over which a blemish's mean colour is to be met, too


def loss_of(stains: Tensor, stained: Tensor, weight: Tensor) -> Tensor:
    """Return how far stains (N, H, W, 3), in Lab, are from what was painted.

    Small errors count squared, so that in doubt a part of a stain is said, which is
    scaled as the picture shows it; large ones as they are, so that of two answers the
    likelier is given. What was painted counts more than bare skin, a faint stain for as
    much as a strong one.
    """
    strength = ops.sqrt(ops.sum(stained * stained, -1))
    inside = ops.minimum(strength / SEEN, 1.0) * 2 * FAINT / (strength + FAINT)
    counts = weight * (1 + INSIDE * inside)
    total = ops.maximum(ops.sum(counts), 1.0)
    off = (stains - stained) * weight[..., None]
    broad = ops.average_pool(off, BROAD, BROAD)
    fine = ops.sum(ops.sum(missed(off), -1) * counts)
    share = ops.average_pool(counts[..., None], BROAD, BROAD)
    mean = ops.sum(missed(broad) * share) * BROAD**2
    return (fine + mean) / total


def missed(off: Tensor) -> Tensor:
    """Return what errors cost, which are in Lab."""
    return ops.sqrt(off * off + SOFT**2) - SOFT


class Trainer:
    """One training of the healing network in a folder."""

    def __init__(
        self,
        options: HealingConfig,
        shards: Shards,
        folder: Path,
        minutes: float,
        begin: Path | None = None,
    ) -> None:
        """Prepare a training.

        Args:
            begin: weights of which the layers are taken that fit.
        """
        self.options = options
        self.network = built(network, None, "healing", 3 * BANDS + 3)
        if begin is not None:
            _take(self.network, begin)
        self.own = self.network.trainable_variables
        self.patches = Patches(shards, options.batch, options.seed)
        steps = options.images // options.batch
        self.adam = Adam(options.rate, warm_up=options.warm_up, decay_over=steps)
        self.improve = compiled(self._improve)
        own = values(self.own)
        state = State({"own": own, "mean": own, "adam": self.adam.start(own)})
        self.run = Run(folder, state, options.batch, options.images, minutes)
        plan = dumps(asdict(options), indent=2)
        (folder / "config.json").write_text(plan + "\n", "utf-8")

    def train(self) -> None:
        self.run.go(self.step, self.report)

    def step(self, index: int) -> Losses:
        shown, stained, weight = self.patches.draw(index)
        inputs = [ops.convert_to_tensor(x) for x in (shown, stained, weight)]
        return self.run.move(self.improve, *inputs)

    def _improve(
        self, lists: list[Tensors], shown: Tensor, stained: Tensor, weight: Tensor
    ) -> Stepped:
        def loss(tensors: Tensors) -> tuple[Tensor, None]:
            with using(self.own, tensors):
                stains = STAIN * self.network(shown, training=True)
            return loss_of(stains, stained, weight), None

        (off, _), slopes = differentiate(loss, lists[0])
        lists, norm = improved(self.adam, self.options, lists, slopes)
        return lists, {"off": off, "norm": norm}

    def report(self) -> dict[str, Any]:
        """Write a sheet: spoilt, healed, as it was; return what stays of the stains."""
        shown, stained, weight = self.patches.draw(2**31)
        with using(self.own, self.run.state.lists["mean"]):
            stains = STAIN * ops.convert_to_numpy(self.network(shown))
        spoilt = unseen(shown)
        rows = [x[:8] for x in (spoilt, spoilt - stains, spoilt - stained)]
        path = self.run.folder / f"sheet-{self.run.state.images:07}.png"
        sheet(to_rgb(np.concatenate(rows)) / 127.5 - 1, 8, path)
        where = np.abs(stained).max(-1) > SEEN
        left = np.abs(stained - stains)[where].mean()
        off = loss_of(stains, stained, weight)
        return {
            "aside": float(ops.convert_to_numpy(off)),
            "left": float(left / np.abs(stained)[where].mean()),
            "elsewhere": float(np.abs(stains)[~where].mean()),
        }

    def export(self, out: Path, licence: str) -> None:
        """Write the averaged network, in half precision, with its row."""
        restore(self.run.folder, self.own, "healing")
        arrays = weights.arrays(self.network)
        keep(out, "healing", "scorer", "healing", arrays, crop="head", licence=licence)


def _take(model: keras.Model, path: Path) -> None:
    """Give a network's layers the weights that a file has for them."""
    try:
        given = load_file(path)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} holds no weights ({error}).") from None
    for name, variable in weights.variables(model).items():
        if name in given and given[name].shape == tuple(variable.shape):
            variable.assign(given[name].astype(np.float32))


@computing_in("float32")
def train(
    data: Path,
    folder: Path,
    options: HealingConfig,
    *,
    begin: Path | None = None,
    minutes: float = float("inf"),
    out: Path | None = None,
    licence: str = "unknown",
) -> None:
    """Begin or go on with the training in a folder; write the network if asked."""
    trainer = Trainer(options, Shards.read(data), folder, minutes, begin)
    trainer.train()
    if out is not None:
        trainer.export(out, licence)
