"""Train the flow: the likelihood of every picture is raised.

    retouch train data ~/portraits runs/data
    retouch train glow runs/data runs/glow --minutes 60 --out NETWORKS

The pictures keep all their 256 greys: noise of one grey's width makes them
continuous. Started again in the same folder, a training goes on as if it had never
stopped; with a folder for networks it writes the averaged one at the end.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators import weights
from generators.adam import Adam, Tensors
from generators.glow import Config, Glow
from generators.gradients import compiled, differentiate
from retouch.contracts import Tensor
from retouch.errors import SettingsError
from retouch.training.export.files import keep
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
from retouch.training.options import GlowConfig
from retouch.training.precision import computing_in
from retouch.training.shards import Batches, Shards, shrunk

Floats = NDArray[np.float32]

PLAN = Config(resolution=64, steps=(12, 10, 10), hidden=(64, 96, 128))
PRECISION = "mixed_bfloat16"
FIRST = 256  # pictures that the scales begin with
KEPT_ASIDE = 96  # pictures whose bits are reported
TEMPERATURES = (0.0, 0.5, 0.7, 1.0)  # of a sheet's rows of samples


class Trainer:
    """The flow and the compiled step that improves it."""

    def __init__(
        self,
        options: GlowConfig,
        shards: Shards,
        folder: Path,
        minutes: float = float("inf"),
        *,
        plan: Config = PLAN,
    ) -> None:
        if shards.contents.crop != plan.crop:
            raise SettingsError(
                f"The network is for crops '{plan.crop}'; the data holds"
                f" '{shards.contents.crop}'. Make it anew: retouch train data."
            )
        keras.utils.set_random_seed(options.seed)
        self.options, self.plan = options, plan
        self.batches = Batches(shards, options.batch, options.seed)
        self.aside = shrunk(shards.held_out(KEPT_ASIDE), plan.resolution)
        self.network = Glow(plan, name="generator")
        self.own = self.network.trainable_variables
        self.adam = Adam(
            options.rate,
            warm_up=options.warm_up,
            decay_over=options.images // options.batch,
        )
        self.improve = compiled(self._improve)
        self.measure = compiled(self.network.bits)
        self.run = Run(folder, self._start(), options.batch, options.images, minutes)
        plans = {"plan": asdict(plan), "training": asdict(options)}
        (folder / "config.json").write_text(json.dumps(plans, indent=2) + "\n", "utf-8")

    def _start(self) -> State:
        count = -(-FIRST // self.options.batch)
        first = np.concatenate([self._drawn(-1 - i)[0] for i in range(count)])
        self.network.adapt(ops.convert_to_tensor(first))
        own = values(self.own)
        return State({"mean": own, "own": own, "adam": self.adam.start(own)})

    def _drawn(self, step: int) -> tuple[Floats, Floats]:
        """Return a step's images, and where each value lies in its grey."""
        seed = step % 2**32
        images = shrunk(self.batches.pictures(seed), self.plan.resolution)
        rng = np.random.default_rng((self.options.seed, seed, 1))
        return images, rng.random(images.shape, np.float32) - np.float32(0.5)

    def train(self) -> None:
        """Train until done; what is there when time is up goes on the next time."""
        self.run.go(self.step, self.report)

    def step(self, index: int) -> Losses:
        """Take one step and return its losses."""
        drawn = [ops.convert_to_tensor(x) for x in self._drawn(index)]
        return self.run.move(self.improve, *drawn)

    def _improve(
        self, lists: list[Tensors], images: Tensor, offsets: Tensor
    ) -> Stepped:
        mean, own, adam = lists

        def bits(tensors: Tensors) -> tuple[Tensor, None]:
            with using(self.own, tensors):
                return ops.mean(self.network.bits(images, offsets)), None

        (loss, _), slopes = differentiate(bits, own)
        (own, mean, adam), norm = improved(
            self.adam, self.options, [own, mean, adam], slopes
        )
        return [mean, own, adam], {"bits": loss, "norm": norm}

    def report(self) -> dict[str, Any]:
        """Write a sheet of samples; return the bits of people held out."""
        rng = np.random.default_rng(0)
        offsets = rng.random(self.aside.shape, np.float32) - np.float32(0.5)
        with using(self.own, self.run.state.lists["mean"]):
            bits = ops.convert_to_numpy(self.network.bits(self.aside, offsets))
            images = self._samples()
        sheet(images, 8, self.run.folder / f"sheet-{self.run.state.images:07}.png")
        return {"held_out_bits": float(bits.mean())}

    def _samples(self) -> Floats:
        parts = [
            self.network.decode(self.network.sample(8, seed=1, temperature=t))
            for t in TEMPERATURES
        ]
        return ops.convert_to_numpy(ops.concatenate(parts))

    def export(
        self, out: Path, *, name: str = "glow", licence: str = "unknown"
    ) -> None:
        """Write the averaged network, in half precision, with its row."""
        for variable, tensor in zip(
            self.own, self.run.state.lists["mean"], strict=True
        ):
            variable.assign(tensor)
        keep(
            out,
            name,
            "generator",
            "glow",
            weights.arrays(self.network),
            config=asdict(self.plan),
            licence=licence,
            family=name,
            resolution=self.plan.resolution,
            crop=self.plan.crop,
        )


def train(
    data: Path,
    folder: Path,
    options: GlowConfig,
    *,
    minutes: float = float("inf"),
    precision: str = PRECISION,
    out: Path | None = None,
    name: str = "glow",
    licence: str = "unknown",
) -> None:
    """Begin or go on with the training in a folder; write the network if asked."""
    with computing_in(precision):
        trainer = Trainer(options, Shards.read(data), folder, minutes)
        trainer.train()
        if out is not None:
            trainer.export(out, name=name, licence=licence)
