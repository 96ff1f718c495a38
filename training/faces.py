"""Train the default face generator with its encoder.

    retouch train data ~/portraits runs/data
    retouch train generator runs/data runs/default --minutes 60
    retouch train export runs/data runs/default NETWORKS

Where the command line is not installed, with Keras on JAX or PyTorch:

    KERAS_BACKEND=jax python -m training.faces runs/data runs/default --minutes 9

Encoder and generator learn together to reproduce crops; a discriminator keeps
reproductions and mixtures of two people's latents sharp. The latent is taught
arithmetic: of three pictures of one person, a trait growing, each must follow
from the codes of the other two. Started again in the same folder, a training goes
on as if it had never stopped.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import keras
import numpy as np
from keras import ops

from generators import stylegan2
from generators.adam import Adam
from generators.gradients import compiled, differentiate
from pretrained import dlib_files
from retouch.errors import RetouchError, SettingsError
from training import devices
from training.export import take
from training.loop import Run, State, clipped, improved, sheet, using, values
from training.losses import importance, reconstruction
from training.options import FacesConfig
from training.plan import Plan, learnt
from training.shards import Batches, Shards

PRECISION = "mixed_bfloat16"

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
        begin: Path | None = None,
    ):
        plan = plan or Plan()
        _check(plan, shards)
        keras.utils.set_random_seed(config.seed)
        self.config, self.plan, self.shards = config, plan, shards
        self.batches = Batches(shards, config.batch, config.seed)
        self.generator, self.encoder = plan.networks()
        if begin is not None:
            take(begin, self.generator, self.encoder)
        size = plan.generator.resolution
        self.critic = stylegan2.Discriminator(size, plan.discriminator)
        self.own = learnt(self.generator, self.encoder)
        steps = config.images // config.batch
        self.adam = Adam(config.rate, warm_up=config.warm_up, decay_over=steps)
        self.critic_adam = Adam(1e-3, first=0.0)
        self.weight = ops.convert_to_tensor(importance(size)[None])
        self.identity = dlib_files.identity(identity) if config.likeness else None
        self.steps = {}
        self.run = Run(folder, self._start(), config.batch, config.images, minutes)
        plan.write(folder, training=asdict(config))

    def _start(self) -> State:
        own, critic = values(self.own), values(self.critic.trainable_variables)
        return State(
            {
                "own": own,
                "mean": own,
                "critic": critic,
                "adam": self.adam.start(own),
                "critic_adam": self.critic_adam.start(critic),
            }
        )

    def train(self) -> None:
        """Train until done; what is there when time is up goes on the next time."""
        self.run.go(self.step, self.report)

    def step(self, index: int) -> dict:
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

    def _build(self, adversarial: bool, regular: bool):
        config = self.config

        def step(lists, inputs):
            own, mean, critic, adam, critic_adam = lists
            (_, (losses, fakes)), slopes = differentiate(
                lambda tensors: self._own_loss(tensors, critic, inputs, adversarial),
                own,
            )
            (own, mean, adam), losses["norm"] = improved(
                self.adam, config, [own, mean, adam], slopes
            )
            if adversarial:
                images = inputs["images"]
                (losses["critic"], _), slopes = differentiate(
                    lambda tensors: self._critic_loss(tensors, images, fakes, regular),
                    critic,
                )
                slopes, _ = clipped(slopes, 10.0)
                critic, critic_adam = self.critic_adam.apply(
                    critic_adam, slopes, critic
                )
            losses = {name: ops.stop_gradient(loss) for name, loss in losses.items()}
            return [own, mean, critic, adam, critic_adam], losses

        return step

    # What encoder and generator are to make small.

    def _own_loss(self, tensors, critic, inputs, adversarial: bool):
        config, images = self.config, inputs["images"]
        with using(self.own, tensors):
            common, deviations, code = self.encoder.parts(images)
            clean = ops.concatenate([common + deviations, code], 1)
            copies = self._copies(clean, inputs)
            fakes = self._fakes(copies, clean, inputs) if adversarial else copies
        terms = {
            "copy": (1.0, self._distance(copies, images)),
            "prior": (config.prior, ops.mean(ops.square(clean))),
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

    def _copies(self, clean, inputs):
        """Decode noisy latents, some of them made of those of other pictures."""
        latents = clean + self.config.latent_noise * inputs["noise"]
        latents = ops.einsum("ij,jrw->irw", inputs["arithmetic"], latents)
        return self.generator.decode(latents)

    def _fakes(self, copies, clean, inputs):
        """Put mixtures of two people in the place of some copies."""
        rows, kept = self.plan.generator.layers, self.config.batch - self.config.mixed
        styles = ops.einsum("ij,jrw->irw", inputs["mix_styles"], clean[:, :rows])
        codes = ops.einsum("ij,jrw->irw", inputs["mix_code"], clean[:, rows:])
        mixed = self.generator.decode(ops.concatenate([styles, codes], 1))
        return ops.concatenate([copies[:kept], mixed], 0)

    def _distance(self, copies, images):
        edges, chroma = self.config.edges, self.config.chroma
        return reconstruction(copies, images, self.weight, edges=edges, chroma=chroma)

    def _unlikeness(self, copies, images):
        # A quarter of the batch will do: the network costs as much as the encoder.
        few = self.config.batch // 4
        aims = self.identity.aims(images[-few:])
        return ops.mean(self.identity.likeness(copies[-few:], aims))

    def _judged(self, fakes, images, critic):
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

    def _critic_loss(self, tensors, images, fakes, regular: bool):
        with using(self.critic.trainable_variables, tensors):
            loss = ops.mean(ops.softplus(self.critic(fakes)))
            loss += ops.mean(ops.softplus(-self.critic(images)))
            if regular:
                # The penalty sees half of the batch: it is costly, and rare anyway.
                slope = self._slope(images[: self.config.batch // 2])
                loss += self.config.r1 / 2 * self.config.r1_every * slope
        return loss, None

    def _slope(self, images):
        _, slopes = differentiate(lambda x: (ops.sum(self.critic(x)), None), images)
        return ops.mean(ops.sum(ops.square(slopes), (1, 2, 3)))

    # What is shown now and then.

    def report(self) -> dict:
        """Write a sheet and return figures, both of people held out.

        Rows in turn: pictures, copies, another's styles in their code, and the
        middle between two people.
        """
        images = self.shards.held_out(32)
        copies, crossed, middle = self._shown(images)
        rows = [images, copies, crossed, middle]
        parts = [row[i : i + 8] for i in (0, 8, 16, 24) for row in rows]
        path = self.run.folder / f"sheet-{self.run.state.images:07}.png"
        sheet(np.concatenate(parts), 8, path)
        weight = importance(images.shape[1])
        error = (weight * (images - copies) ** 2).mean((1, 2, 3))
        return {"psnr": float(np.mean(10 * np.log10(4 / error)))}

    def _shown(self, images: np.ndarray) -> list[np.ndarray]:
        rows = self.plan.generator.layers
        with using(self.own, self.run.state.lists["mean"]):
            latents = self.encoder.encode(ops.convert_to_tensor(images))
            others = ops.roll(latents, 1, 0)
            crossed = ops.concatenate([others[:, :rows], latents[:, rows:]], 1)
            sets = [latents, crossed, (latents + others) / 2]
            return [ops.convert_to_numpy(self.generator.decode(s)) for s in sets]


def _check(plan: Plan, shards: Shards) -> None:
    contents, wanted = shards.contents, plan.generator
    if (contents.crop, contents.resolution) != (wanted.crop, wanted.resolution):
        raise SettingsError(
            f"The generator is for crops '{wanted.crop}' of {wanted.resolution} px; the"
            f" data holds '{contents.crop}' of {contents.resolution} px. Make the data"
            " anew: retouch train data."
        )


# --- the command --------------------------------------------------------------


def train(
    data: Path,
    folder: Path,
    config: FacesConfig,
    *,
    minutes: float = float("inf"),
    precision: str = PRECISION,
    identity: Path | None = None,
    begin: Path | None = None,
) -> None:
    """Begin or go on with the training in a folder, on all devices there are."""
    keras.config.set_dtype_policy(precision)
    devices.use_all(config.batch)
    beside = {"identity": identity, "begin": begin}
    Trainer(config, Shards.read(data), folder, minutes, **beside).train()


def main(arguments: Sequence[str] | None = None) -> None:
    """Train as the command line says."""
    parser = argparse.ArgumentParser("training.faces", description="Train generator.")
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
    beside = {
        name: chosen.pop(name) for name in ("minutes", "precision", "identity", "begin")
    }
    train(data, run, FacesConfig(**chosen), **beside)


if __name__ == "__main__":
    try:
        main()
    except RetouchError as error:
        sys.exit(str(error))
