"""Train the default face generator with its encoder.

    retouch train data ~/portraits runs/data
    retouch train generator runs/data runs/default --minutes 60
    retouch train export runs/data runs/default NETWORKS

Where the command line is not installed, with Keras on JAX or PyTorch:

    KERAS_BACKEND=jax python -m retouch.training.stylegan2 runs/data runs/default \
        --minutes 9

Encoder and generator learn together to reproduce crops; a discriminator keeps
reproductions and mixtures of two people's latents sharp. The latent is taught
arithmetic: of three pictures of one person, a trait growing, each must follow
from the codes of the other two. Started again in the same folder, a training goes
on as if it had never stopped.

An encoder learns alone, in the same way, for a generator of the library that stays as
it is: retouch train encoder runs/data runs/reader --model NAME
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from generators import stylegan2
from generators.adam import Adam, Tensors
from generators.gradients import compiled, differentiate
from pretrained import dlib_files
from retouch.contracts import Tensor
from retouch.errors import RetouchError
from retouch.training import devices
from retouch.training.closeups import close_ups, darkest
from retouch.training.export.generator import take, take_known
from retouch.training.loop import (
    Inputs,
    Losses,
    Run,
    Step,
    Stepped,
    contest,
    contested,
    using,
)
from retouch.training.losses import importance, reconstruction
from retouch.training.options import FacesConfig
from retouch.training.plan import Plan
from retouch.training.precision import computing_in
from retouch.training.shards import Batches, Shards, as_images

PRECISION = "mixed_bfloat16"
SHOWN, DARK = 32, 8  # faces on a sheet, and darkest ones after them

# --- the training -------------------------------------------------------------


class Trainer:
    """The three networks and the compiled step that improves them."""

    def __init__(
        self,
        config: FacesConfig,
        shards: Shards,
        folder: Path,
        minutes: float = float("inf"),
        *,
        plan: Plan | None = None,
        identity: Path | None = None,
        begin: Path | str | None = None,
    ) -> None:
        plan = plan or Plan()
        shards.contents.check(plan.generator.crop, plan.generator.resolution)
        keras.utils.set_random_seed(config.seed)
        self.config, self.plan, self.shards = config, plan, shards
        self.batches = Batches(shards, config.batch, config.seed)
        self.generator, self.encoder = plan.networks()
        if begin is not None and plan.model:
            take_known(str(begin), self.encoder)
        elif begin is not None:
            take(Path(begin), self.generator, self.encoder)
        size, crop = plan.generator.resolution, plan.generator.crop
        self.critic = stylegan2.Discriminator(size, plan.discriminator)
        self.own = plan.learnt(self.generator, self.encoder)
        steps = config.images // config.batch
        adam = Adam(config.rate, warm_up=config.warm_up, decay_over=steps)
        self.adams = adam, Adam(1e-3, first=0.0)
        self.weight = ops.convert_to_tensor(importance(size, crop)[None])
        self.identity = None
        if config.likeness:
            self.identity = dlib_files.identity(identity, crop=crop)
        self.steps: dict[tuple[bool, bool], Step] = {}
        start = contest(self.adams, self.own, self.critic.trainable_variables)
        self.run = Run(folder, start, config.batch, config.images, minutes)
        plan.write(folder, training=asdict(config))

    def train(self) -> None:
        """Train until done; what is there when time is up goes on the next time."""
        self.run.go(self.step, self.report)

    def step(self, index: int) -> Losses:
        """Take one step and return its losses."""
        config = self.config
        seen = index * config.batch
        adversarial = config.adversarial > 0 and seen >= config.adversarial_from
        key = (adversarial, adversarial and index % config.r1_every == 0)
        if key not in self.steps:
            self.steps[key] = compiled(self._build(*key))
        shape = self.plan.generator.latent_shape
        inputs = devices.part(self.batches.draw(index, config.mixed, shape))
        return self.run.move(self.steps[key], inputs)

    def _build(self, adversarial: bool, regular: bool) -> Step:
        def step(lists: list[Tensors], inputs: Inputs) -> Stepped:
            def own(tensors: Tensors, critic: Tensors) -> tuple[Tensor, Any]:
                return self._own_loss(tensors, critic, inputs, adversarial)

            def judge(tensors: Tensors, fakes: Tensor) -> Tensor:
                return self._critic_loss(tensors, inputs["images"], fakes, regular)

            judging = judge if adversarial else None
            return contested(self.adams, self.config, lists, own, judging)

        return step

    # What encoder and generator are to make small.

    def _own_loss(
        self, tensors: Tensors, critic: Tensors, inputs: Inputs, adversarial: bool
    ) -> tuple[Tensor, Any]:
        config, images = self.config, inputs["images"]
        with using(self.own, tensors):
            common, deviations, code = self.encoder.parts(images)
            clean = ops.concatenate([common + deviations, code], 1)
            copies = self._copies(clean, inputs)
            fakes = self._fakes(copies, clean, inputs) if adversarial else copies
        terms = {
            "copy": (1.0, self._distance(copies, images)),
            "prior": (config.prior, self._strangeness(clean)),
            "deviation": (config.deviation, ops.mean(ops.square(deviations))),
        }
        if self.identity is not None:
            terms["likeness"] = (config.likeness, self._unlikeness(copies, images))
        if adversarial:
            match, fool = self._judged(fakes, images, critic)
            terms["fool"] = (config.adversarial, fool)
            terms["match"] = (config.features, match)
        total = sum(weight * loss for weight, loss in terms.values())
        losses = {name: loss for name, (_, loss) in terms.items()}
        return total, (losses, ops.stop_gradient(fakes))

    def _strangeness(self, latents: Tensor) -> Tensor:
        """Return how far latents are from where the generator knows faces."""
        if self.plan.model:
            return ops.mean(self.generator.penalty(latents))
        return ops.mean(ops.square(latents))

    def _copies(self, clean: Tensor, inputs: Inputs) -> Tensor:
        """Decode noisy latents, some of them made of those of other pictures."""
        latents = clean + self.config.latent_noise * inputs["noise"]
        latents = ops.einsum("ij,jrw->irw", inputs["arithmetic"], latents)
        return self.generator.decode(latents)

    def _fakes(self, copies: Tensor, clean: Tensor, inputs: Inputs) -> Tensor:
        """Put mixtures of two people in the place of some copies."""
        rows, kept = self.plan.generator.layers, self.config.batch - self.config.mixed
        styles = ops.einsum("ij,jrw->irw", inputs["mix_styles"], clean[:, :rows])
        codes = ops.einsum("ij,jrw->irw", inputs["mix_code"], clean[:, rows:])
        mixed = self.generator.decode(ops.concatenate([styles, codes], 1))
        return ops.concatenate([copies[:kept], mixed], 0)

    def _distance(self, copies: Tensor, images: Tensor) -> Tensor:
        edges, chroma = self.config.edges, self.config.chroma
        return reconstruction(copies, images, self.weight, edges=edges, chroma=chroma)

    def _unlikeness(self, copies: Tensor, images: Tensor) -> Tensor:
        # A quarter of the batch will do: the network costs as much as the encoder.
        few = self.config.batch // 4
        assert self.identity is not None
        aims = self.identity.aims(images[-few:])
        return ops.mean(self.identity.likeness(copies[-few:], aims))

    def _judged(
        self, fakes: Tensor, images: Tensor, critic: Tensors
    ) -> tuple[Tensor, Tensor]:
        """Return how far copies are in the critic's features, and how it decides."""
        kept = self.config.batch - self.config.mixed
        with using(self.critic.trainable_variables, critic):
            features = self.critic.features(fakes)
            real = [ops.stop_gradient(f) for f in self.critic.features(images)]
            fool = ops.mean(ops.softplus(-self.critic.judge(features)))
        match = sum(
            ops.mean(ops.abs(ops.cast(a[:kept] - b[:kept], "float32")))
            for a, b in zip(features[1:], real[1:], strict=True)
        )
        return match, fool

    # What the discriminator is to make small.

    def _critic_loss(
        self, tensors: Tensors, images: Tensor, fakes: Tensor, regular: bool
    ) -> Tensor:
        with using(self.critic.trainable_variables, tensors):
            loss = ops.mean(ops.softplus(self.critic(fakes)))
            loss += ops.mean(ops.softplus(-self.critic(images)))
            if regular:
                # The penalty sees half of the batch: it is costly, and rare anyway.
                slope = self._slope(images[: self.config.batch // 2])
                loss += self.config.r1 / 2 * self.config.r1_every * slope
        return loss

    def _slope(self, images: Tensor) -> Tensor:
        _, slopes = differentiate(lambda x: (ops.sum(self.critic(x)), None), images)
        return ops.mean(ops.sum(ops.square(slopes), (1, 2, 3)))

    # What is shown now and then.

    @cached_property
    def shown(self) -> np.ndarray:
        """Which crops the sheets show: of everyone held out, then the darkest."""
        return np.concatenate([self.shards.aside(SHOWN), darkest(self.shards, DARK)])

    def report(self) -> dict[str, Any]:
        """Write a sheet and return figures, both of people held out.

        Rows in turn: pictures, copies, another's styles in their code, the middle
        between two people, and eyes and mouths of pictures and of copies. The last
        rows are those of the darkest faces.
        """
        images = as_images(self.shards.images[self.shown])
        marks = self.shards.landmarks[self.shown]
        copies, crossed, middle = self._pictures(images)
        details = close_ups(images, marks), close_ups(copies, marks)
        self.run.show([images, copies, crossed, middle, *details])
        weight = ops.convert_to_numpy(self.weight)
        psnr = 10 * np.log10(4 / (weight * (images - copies) ** 2).mean((1, 2, 3)))
        parts = {"psnr": psnr[:-DARK], "psnr_dark": psnr[-DARK:]}
        return {name: float(part.mean()) for name, part in parts.items()}

    def _pictures(self, images: np.ndarray) -> list[np.ndarray]:
        plan = self.plan.generator
        # Without a code coarse styles say where things lie, and fine ones the rest.
        first, last = (0, plan.layers) if plan.code else (plan.layers // 2, plan.layers)
        with using(self.own, self.run.state.lists["mean"]):
            latents = self.encoder.encode(ops.convert_to_tensor(images))
            others = ops.roll(latents, 1, 0)
            parts = latents[:, :first], others[:, first:last], latents[:, last:]
            sets = [latents, ops.concatenate(parts, 1), (latents + others) / 2]
            return [self._decoded(latents) for latents in sets]

    def _decoded(self, latents: Tensor) -> np.ndarray:
        parts = (latents[i : i + 8] for i in range(0, len(latents), 8))
        pictures = (self.generator.decode(part) for part in parts)
        return np.concatenate([ops.convert_to_numpy(p) for p in pictures])


# --- the command --------------------------------------------------------------


def train(
    data: Path,
    folder: Path,
    config: FacesConfig,
    *,
    minutes: float = float("inf"),
    precision: str = PRECISION,
    plan: Plan | None = None,
    identity: Path | None = None,
    begin: Path | str | None = None,
) -> None:
    """Begin or go on with the training in a folder, on all devices there are.

    Args:
        begin: a folder of exported networks to begin with; for an encoder alone the
            name of one in the library.
    """
    devices.use_all(config.batch)
    shards = Shards.read(data)
    with computing_in(precision):
        Trainer(
            config, shards, folder, minutes, plan=plan, identity=identity, begin=begin
        ).train()


def main(arguments: Sequence[str] | None = None) -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(
        "retouch.training.stylegan2", description="Train generator."
    )
    parser.add_argument("data", type=Path, help="folder of shards")
    parser.add_argument("run", type=Path, help="folder of the training")
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--precision", default=PRECISION)
    parser.add_argument("--identity", type=Path, help="dlib's descriptor network")
    parser.add_argument("--begin", type=Path, help="networks to begin with: pretrained")
    for option in fields(FacesConfig):
        flag, meaning = f"--{option.name.replace('_', '-')}", option.metadata["help"]
        parser.add_argument(
            flag, type=option.type, default=option.default, help=meaning
        )
    chosen = vars(parser.parse_args(arguments))
    data, run = chosen.pop("data"), chosen.pop("run")
    names = "minutes", "precision", "identity", "begin"
    beside = {name: chosen.pop(name) for name in names}
    train(data, run, FacesConfig(**chosen), **beside)


if __name__ == "__main__":
    try:
        main()
    except RetouchError as error:
        sys.exit(str(error))
