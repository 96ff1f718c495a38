"""Train the expression mask: faces painted from points and a style.

    retouch train data ~/portraits runs/data
    retouch train mask runs/data runs/mask --minutes 18 --out NETWORKS

An encoder reads the style off a picture, the generator paints the picture from the
style and from the points of its landmarks. Of people with several pictures the style
is often read off another one, and what it tells is paid for in nats, so that it says
who, and the points what the face does. A discriminator sees faces with their points,
half of the painted ones with somebody else's style. Only what lies inside the face
counts.
"""

import json
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from encoders.compact import Halving
from generators import expression_mask
from generators.adam import Adam, Tensors
from generators.expression_lines import FIELDS
from generators.expression_mask import ExpressionMask
from generators.gradients import compiled
from generators.layers import Affine, Convolution
from generators.mixing import Residual, flat
from pretrained import dlib_files
from retouch.contracts import Tensor
from retouch.training import people
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
from retouch.training.losses import reconstruction
from retouch.training.options import MaskConfig
from retouch.training.precision import computing_in
from retouch.training.shards import Shards

LICENCE = "non-commercial research"

# --- networks that only the training needs ------------------------------------


class StyleReader(keras.Model):  # type: ignore[misc]  # Keras tells no types
    """Reads the mean and the logarithmic variance of styles off images."""

    def __init__(
        self,
        style: int,
        channels: tuple[int, ...] = (32, 64, 112, 160),
        size: int = 128,
        **kw: Any,
    ) -> None:
        super().__init__(**kw)
        self.layers_ = []
        inputs = (12, *channels)
        for i, (a, b) in enumerate(zip(inputs, channels, strict=False)):
            self.layers_.append(Halving(a, b, name=f"half{i}"))
            self.layers_.append(Residual(b, name=f"residual{i}"))
        entries = channels[-1] * (size >> (len(channels) + 1)) ** 2
        self.told = Affine(entries, 2 * style, scale=0.3, name="told")
        self.built = True

    def call(self, images: Tensor) -> Tensor:
        features = folded(images)
        for layer in self.layers_:
            features = layer(features)
        told = ops.cast(self.told(flat(features)), "float32")
        mean, spread = ops.split(told, 2, -1)
        return mean, ops.clip(spread - 2.0, -8.0, 2.0)


class Critic(keras.Model):  # type: ignore[misc]
    """Judges patches of faces beside the points that they were painted from."""

    def __init__(self, channels: tuple[int, ...] = (40, 80, 128), **kw: Any) -> None:
        super().__init__(**kw)
        self.enter = Convolution(12 + FIELDS, channels[0], 3, name="enter")
        self.deeper = [
            Convolution(a, b, 3, down=True, name=f"down{i}")
            for i, (a, b) in enumerate(pairwise(channels))
        ]
        self.mix = Convolution(channels[-1], channels[-1], 3, name="mix")
        self.last = Convolution(channels[-1], 1, 3, activate=False, name="last")
        self.built = True

    def call(self, inputs: tuple[Tensor, Tensor]) -> Tensor:
        return self.judge(self.features(*inputs))

    def features(self, images: Tensor, drawn: Tensor) -> list[Tensor]:
        """Return what each stage makes of images and their points' fields."""
        images = folded(images)
        drawn = expression_mask.sized(drawn, images.shape[1])
        x = self.enter(ops.concatenate([images, ops.cast(drawn, images.dtype)], -1))
        features = [x]
        for layer in (*self.deeper, self.mix):
            x = layer(x)
            features.append(x)
        return features

    def judge(self, features: list[Tensor]) -> Tensor:
        return ops.cast(self.last(features[-1]), "float32")


def folded(images: Tensor) -> Tensor:
    """Fold 2 x 2 pixels into channels."""
    h, w, c = images.shape[1:]
    images = ops.reshape(images, (-1, h // 2, 2, w // 2, 2, c))
    images = ops.transpose(images, (0, 1, 3, 2, 4, 5))
    return ops.reshape(images, (-1, h // 2, w // 2, 4 * c))


# --- the training -------------------------------------------------------------


class Trainer:
    """The networks and the compiled steps that improve them."""

    def __init__(
        self,
        config: MaskConfig,
        shards: Shards,
        folder: Path,
        minutes: float = float("inf"),
        plan: expression_mask.Config | None = None,
    ) -> None:
        plan = plan or expression_mask.Config()
        shards.contents.check(plan.crop, plan.resolution)
        keras.utils.set_random_seed(config.seed)
        self.config, self.plan, self.shards = config, plan, shards
        self.album = people.Album(shards, config.batch, config.seed)
        self.mask = ExpressionMask(plan, name="generator")
        self.reader = StyleReader(plan.style, size=plan.resolution, name="reader")
        self.critic = Critic(name="critic")
        self.own = [*self.mask.trainable_variables, *self.reader.trainable_variables]
        steps = config.images // config.batch
        adam = Adam(config.rate, warm_up=config.warm_up, decay_over=steps)
        self.adams = adam, Adam(1e-3, first=0.0)
        self.identity = dlib_files.identity() if config.likeness else None
        self.steps: dict[bool, Step] = {}
        start = contest(self.adams, self.own, self.critic.trainable_variables)
        self.run = Run(folder, start, config.batch, config.images, minutes)
        record = json.dumps(asdict(config), indent=2)
        (folder / "config.json").write_text(record + "\n", "utf-8")

    def train(self) -> None:
        """Train until done; what is there when time is up goes on the next time."""
        self.run.go(self.step, self.report)

    def step(self, index: int) -> Losses:
        """Take one step and return its losses."""
        config = self.config
        adversarial = bool(config.adversarial) and (
            index * config.batch >= config.adversarial_from
        )
        if adversarial not in self.steps:
            self.steps[adversarial] = compiled(self._build(adversarial))
        drawn = self.album.draw(index, self.plan.style)
        inputs = {name: ops.convert_to_tensor(array) for name, array in drawn.items()}
        return self.run.move(self.steps[adversarial], inputs)

    def _build(self, adversarial: bool) -> Step:
        def step(lists: list[Tensors], inputs: Inputs) -> Stepped:
            def own(tensors: Tensors, critic: Tensors) -> tuple[Tensor, Any]:
                return self._own_loss(tensors, critic, inputs, adversarial)

            def judge(tensors: Tensors, fakes: Tensor) -> Tensor:
                return self._critic_loss(tensors, inputs, fakes)

            judging = judge if adversarial else None
            return contested(self.adams, self.config, lists, own, judging)

        return step

    # What reader and generator are to make small.

    def _own_loss(
        self, tensors: Tensors, critic: Tensors, inputs: Inputs, adversarial: bool
    ) -> tuple[Tensor, Any]:
        config, images, points = self.config, inputs["images"], inputs["points"]
        inside = self._inside(inputs)
        with using(self.own, tensors):
            mean, spread = self.reader(inputs["sources"])
            styles = mean + ops.exp(spread / 2) * inputs["noise"]
            copies = self.mask.paint(styles, points)
            half = config.batch // 2
            others = ops.roll(styles, 1, 0)[:half]
            crossed = self.mask.paint(others, points[:half]) if adversarial else None
        weight = inside / ops.mean(inside)
        terms = {
            "copy": (1.0, self._distance(copies, images, weight)),
            "divergence": (config.divergence, divergence(mean, spread)),
        }
        if self.identity is not None:
            few = config.batch // 4
            seen = (inside * copies + (1 - inside) * images)[:few]
            aims = self.identity.aims(images[:few])
            unlike = ops.mean(self.identity.likeness(seen, aims))
            terms["likeness"] = (config.likeness, unlike)
        fakes = copies
        if adversarial:
            fakes = ops.concatenate([crossed, copies[half:]], 0)
            match, fool = self._judged(fakes, inputs, critic)
            terms["fool"] = (config.adversarial, fool)
            terms["match"] = (config.features, match)
        total = sum(weight * loss for weight, loss in terms.values())
        losses = {name: loss for name, (_, loss) in terms.items()}
        return total, (losses, ops.stop_gradient(fakes))

    def _inside(self, inputs: Inputs) -> Tensor:
        """Return how much each pixel counts, (N, R, R, 1)."""
        size = (self.plan.resolution,) * 2
        return ops.image.resize(inputs["inside"], size, "bilinear")

    def _distance(self, copies: Tensor, images: Tensor, weight: Tensor) -> Tensor:
        edges, chroma = self.config.edges, self.config.chroma
        return reconstruction(copies, images, weight, edges=edges, chroma=chroma)

    def _judged(
        self, fakes: Tensor, inputs: Inputs, critic: Tensors
    ) -> tuple[Tensor, Tensor]:
        """Return how far copies are in the critic's features, and how it decides."""
        half, inside = self.config.batch // 2, self._inside(inputs)
        drawn = expression_mask.fields(inputs["points"])
        with using(self.critic.trainable_variables, critic):
            features = self.critic.features(fakes * inside, drawn)
            real = self.critic.features(inputs["images"] * inside, drawn)
            fool = -ops.mean(self.critic.judge(features))
        match = sum(
            ops.mean(
                ops.abs(ops.cast(a[half:] - ops.stop_gradient(b)[half:], "float32"))
            )
            for a, b in zip(features, real, strict=True)
        )
        return match, fool

    def _critic_loss(self, tensors: Tensors, inputs: Inputs, fakes: Tensor) -> Tensor:
        drawn, inside = expression_mask.fields(inputs["points"]), self._inside(inputs)
        with using(self.critic.trainable_variables, tensors):
            false = self.critic((fakes * inside, drawn))
            true = self.critic((inputs["images"] * inside, drawn))
            return ops.mean(ops.relu(1 + false)) + ops.mean(ops.relu(1 - true))

    # What is shown now and then.

    def report(self) -> dict[str, Any]:
        """Write a sheet and return figures, both of people held out.

        Rows in turn: pictures, copies, the same points in another's style, and in
        that of a person nobody has seen.
        """
        shown = self.album.held_out(24)
        images, points = shown["images"], ops.convert_to_tensor(shown["points"])
        with using(self.own, self.run.state.lists["mean"]):
            styles, _ = self.reader(ops.convert_to_tensor(images))
            deviation = ops.std(styles, 0)
            noise = np.random.default_rng(0).standard_normal(styles.shape)
            drawn = ops.mean(styles, 0) + deviation * noise.astype(np.float32)
            sets = styles, ops.roll(styles, 1, 0), drawn
            rows = [self.mask.paint(s, points) for s in sets]
        rows = [images, *map(ops.convert_to_numpy, rows)]
        self.run.show(rows)
        inside = ops.convert_to_numpy(self._inside(shown))
        error = (inside * (images - rows[1]) ** 2).sum((1, 2, 3))
        error /= 3 * inside.sum((1, 2, 3))
        return {"psnr": float(np.mean(10 * np.log10(4 / error)))}


def divergence(mean: Tensor, spread: Tensor) -> Tensor:
    """Return the divergence from the unit normal in nats, the mean over images."""
    nats = ops.square(mean) + ops.exp(spread) - 1 - spread
    return ops.mean(ops.sum(nats, -1)) / 2


# --- the command --------------------------------------------------------------


def train(
    data: Path,
    folder: Path,
    config: MaskConfig,
    *,
    minutes: float = float("inf"),
    precision: str = "mixed_bfloat16",
) -> None:
    """Begin or go on with a training in a folder."""
    shards = Shards.read(data)
    with computing_in(precision):
        Trainer(config, shards, folder, minutes).train()
