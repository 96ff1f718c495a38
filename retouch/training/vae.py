"""Train a variational autoencoder, plain or conditional, with its encoder.

    retouch train data ~/portraits runs/data --table portraits=labels.csv
    retouch train vae runs/data runs/vae --minutes 12
    retouch train cvae runs/data runs/cvae --minutes 12

The loss of a step is the distance in values, edges at three scales and hue, the
distance of each picture's mean and deviation, and the divergence from the unit
normal, whose weight is annealed and of which each unit has some nats free. The
conditional one is told attributes: a head learns to read them off the picture, a
probe tries to read them off the free numbers and these learn to tell it nothing,
and a picture decoded with one condition moved must be read as moved.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from encoders import vae as encoders
from generators import cvae, vae, weights
from generators.adam import Adam, Tensors
from generators.gradients import compiled, differentiate
from generators.layers import Affine
from pretrained import dlib_files
from pretrained.loading import load_judge
from pretrained.registry import library
from retouch.contracts import Tensor
from retouch.training.conditions import CONDITIONS, Conditions, descriptors_of, read
from retouch.training.export.files import restore as restored
from retouch.training.fidelity import contrast, figures
from retouch.training.loop import (
    Inputs,
    Losses,
    Run,
    State,
    Stepped,
    improved,
    sheet,
    using,
    values,
)
from retouch.training.losses import importance, reconstruction
from retouch.training.options import VAEConfig
from retouch.training.precision import computing_in
from retouch.training.shards import Batches, Shards, as_images

PROBE = 96  # units of the probe's hidden layer
OPEN = ("light", "yaw", "skin-color")  # that pictures cannot be painted without
FARTHEST = 2.5  # deviations that a condition is moved while learning
WEIGHTS = {"ffhq": 0.3}  # how often a source is drawn, where data.json says otherwise

# --- networks -----------------------------------------------------------------


def networks(names: tuple[str, ...] = ()) -> tuple[keras.Model, encoders.Sight]:
    """Return a new decoder and encoder; with names, of a conditional one."""
    if not names:
        plan = vae.Config()
        decoder = vae.VAE(plan, name="generator")
    else:
        plan = cvae.Config(conditions=names)
        decoder = cvae.CVAE(plan, name="generator")
    config = encoders.Config(tokens=plan.tokens, width=plan.width, conditions=names)
    return decoder, encoders.Sight(config, name="encoder")


class Probe(keras.Model):  # type: ignore[misc]  # Keras tells no types
    """Tries to read the attributes off the free numbers of latents."""

    def __init__(self, inputs: int, outputs: int, **kw: Any) -> None:
        super().__init__(**kw)
        self.first = Affine(inputs, PROBE, activate=True, name="first")
        self.second = Affine(PROBE, outputs, name="second")
        self.built = True

    def call(self, latents: Tensor) -> Tensor:
        # What is hidden by being small would not be hidden from the decoder.
        power = ops.mean(ops.square(latents), -1, keepdims=True)
        latents = latents * ops.rsqrt(power + 1e-6)
        return ops.cast(self.second(self.first(latents)), "float32")


# --- the training -------------------------------------------------------------


class Trainer:
    """The networks and the compiled step that improves them."""

    def __init__(
        self,
        config: VAEConfig,
        shards: Shards,
        folder: Path,
        minutes: float = float("inf"),
        *,
        conditions: Conditions | None = None,
        pair: tuple[keras.Model, encoders.Sight] | None = None,
        begin: Path | None = None,
    ) -> None:
        keras.utils.set_random_seed(config.seed)
        self.config, self.shards, self.conditions = config, shards, conditions
        self.batches = Batches(shards, config.batch, config.seed, WEIGHTS)
        names = conditions.names if conditions else ()
        self.decoder, self.encoder = pair or networks(names)
        free = self.encoder.config.tokens * self.encoder.config.width
        if begin is not None:
            take(begin, self.decoder, self.encoder)
        self.secret = np.array([n not in OPEN for n in names], np.float32)
        self.probe = Probe(free, len(names), name="probe") if names else None
        self.own = [
            *self.encoder.trainable_variables,
            *self.decoder.trainable_variables,
        ]
        self.weight = ops.convert_to_tensor(importance(self.decoder.resolution)[None])
        steps = config.images // config.batch
        self.adam = Adam(config.rate, warm_up=config.warm_up, decay_over=steps)
        self.probe_adam = Adam(2e-3)
        described = config.described and conditions
        self.identity = dlib_files.identity() if config.likeness or described else None
        self._step = compiled(self._improve)
        self.run = Run(folder, self._start(), config.batch, config.images, minutes)

    def _start(self) -> State:
        own = values(self.own)
        probe = values(self.probe.trainable_variables) if self.probe else []
        adam, probe_adam = self.adam.start(own), self.probe_adam.start(probe)
        lists = {"own": own, "mean": own, "probe": probe}
        return State({**lists, "adam": adam, "probe_adam": probe_adam})

    def train(self) -> None:
        """Train until done; what is there when time is up goes on the next time."""
        self.run.go(self.step, self.report)

    def step(self, index: int) -> Losses:
        """Take one step and return its losses."""
        inputs = {k: ops.convert_to_tensor(v) for k, v in self.draw(index).items()}
        return self.run.move(self._step, inputs)

    def draw(self, index: int) -> dict[str, np.ndarray]:
        """Return images and all random numbers of a step."""
        batch, rng = self.config.batch, np.random.default_rng((self.config.seed, index))
        probability = self.batches.probability
        chosen = rng.choice(len(probability), batch, p=probability)
        flips = rng.random(batch) < 0.5
        crops = self.shards.images[chosen]
        crops[flips] = crops[flips, :, ::-1]
        free = self.encoder.config.tokens * self.encoder.config.width
        ramp = min(1.0, (index + 1) * batch / max(self.config.anneal, 1))
        drawn = {
            "images": as_images(crops),
            "noise": rng.standard_normal((batch, free), np.float32),
            "ramp": np.array(ramp, np.float32),
        }
        if self.conditions is not None:
            count = len(self.conditions.names)
            drawn["told"] = self.conditions.of(chosen, flips)
            told = rng.random((batch, 1)) < self.config.told
            drawn["by_table"] = told.astype(np.float32)
            which = np.eye(count, dtype=np.float32)[
                rng.integers(count, size=batch // 4)
            ]
            far = rng.uniform(-FARTHEST, FARTHEST, (batch // 4, 1))
            drawn["move"] = which * far.astype(np.float32)
        return drawn

    def _improve(self, lists: list[Tensors], inputs: Inputs) -> Stepped:
        own, mean, probe, adam, probe_adam = lists
        (_, (losses, free)), slopes = differentiate(
            lambda tensors: self._loss(tensors, probe, inputs), own
        )
        (own, mean, adam), losses["norm"] = improved(
            self.adam, self.config, [own, mean, adam], slopes
        )
        if self.probe is not None:
            (losses["probe"], _), slopes = differentiate(
                lambda tensors: (self._misread(tensors, free, inputs["told"]), None),
                probe,
            )
            probe, probe_adam = self.probe_adam.apply(probe_adam, slopes, probe)
        return [own, mean, probe, adam, probe_adam], losses

    # What encoder and decoder are to make small.

    def _loss(
        self, tensors: Tensors, probe: Tensors, inputs: Inputs
    ) -> tuple[Tensor, Any]:
        config, images = self.config, inputs["images"]
        with using(self.own, tensors):
            mean, spread, read = self.encoder.parts(images)
            free = mean + ops.exp(spread / 2) * inputs["noise"]
            told = self._told(read, inputs)
            copies = self.decoder.decode(ops.concatenate([free, told], 1))
        nats = divergence(mean, spread)
        terms = {
            "copy": (1.0, self._distance(copies, images)),
            "contrast": (config.contrast, contrast(copies, images, self.weight)),
            "divergence": (config.divergence * inputs["ramp"], held(nats, config.free)),
        }
        few = config.batch // 4
        if config.likeness:
            unlike = self._unlikeness(copies[:few], images[:few])
            terms["likeness"] = (config.likeness, unlike)
        if self.probe is not None:
            latents = mean, free, told, read
            terms |= self._condition(tensors, probe, latents, copies[:few], inputs)
        total = sum(weight * loss for weight, loss in terms.values())
        losses = {name: ops.stop_gradient(loss) for name, (_, loss) in terms.items()}
        losses["active"] = ops.sum(ops.cast(nats > 0.02, "float32"))
        return total, (losses, ops.stop_gradient(free))

    def _told(self, read: Tensor, inputs: Inputs) -> Tensor:
        """Return the conditions: mostly as they are read, as on a new photo."""
        if self.probe is None:
            return read
        by_table, read = inputs["by_table"], ops.stop_gradient(read)
        return by_table * inputs["told"] + (1 - by_table) * read

    def _distance(self, copies: Tensor, images: Tensor) -> Tensor:
        edges, chroma = self.config.edges, self.config.chroma
        return reconstruction(copies, images, self.weight, edges=edges, chroma=chroma)

    def _unlikeness(self, copies: Tensor, images: Tensor) -> Tensor:
        assert self.identity is not None
        aims = self.identity.aims(images)
        return ops.mean(self.identity.likeness(copies, aims))

    def _condition(
        self,
        tensors: Tensors,
        probe: Tensors,
        latents: tuple[Tensor, ...],
        copies: Tensor,
        inputs: Inputs,
    ) -> dict[str, tuple[float, Tensor]]:
        """Return what makes the conditions, and nothing else, tell the attributes."""
        assert self.probe is not None
        config, (mean, free, told, read) = self.config, latents
        with using(self.probe.trainable_variables, probe):
            guessed = self.probe(free)
        few = inputs["move"].shape[0]
        wanted = told[:few] + inputs["move"]
        with using(self.own, tensors):
            start = ops.stop_gradient(mean[:few])
            moved = self.decoder.decode(ops.concatenate([start, wanted], 1))
        with using(self.own, [ops.stop_gradient(t) for t in tensors]):
            again, _, seen = self.encoder.parts(moved)
        return {
            "attributes": (config.attributes, _square(read - inputs["told"])),
            "secrecy": (config.secrecy, _square(guessed * self.secret)),
            "moved": (config.moved, _square(seen - wanted)),
            "steady": (config.steady, _square(again - start) / _square(start)),
            "described": (config.described, self._undescribed(moved, copies, inputs)),
        }

    def _undescribed(self, moved: Tensor, copies: Tensor, inputs: Inputs) -> Tensor:
        """Return how far what dlib sees of a move is from the move."""
        if self.identity is None or self.conditions is None:
            return 0.0
        before = ops.stop_gradient(self.identity.embed(copies))
        gap = self.identity.embed(moved) - before
        seen = ops.matmul(gap, self.conditions.slopes)
        return ops.mean(self.conditions.skill * ops.square(seen - inputs["move"]))

    def _misread(self, tensors: Tensors, free: Tensor, told: Tensor) -> Tensor:
        assert self.probe is not None
        with using(self.probe.trainable_variables, tensors):
            return _square(self.probe(free) - told)

    # What is shown now and then.

    def report(self) -> dict[str, Any]:
        """Write a sheet and return figures, both of people held out.

        Rows in turn: pictures, copies, the middle between two people, samples.
        """
        images = self.shards.held_out(32)
        with using(self.own, self.run.state.lists["mean"]):
            latents = self.encoder.encode(ops.convert_to_tensor(images))
            middle = (latents + ops.roll(latents, 1, 0)) / 2
            drawn = self.decoder.sample(len(images), seed=0)
            rows = [self.decoder.decode(x) for x in (latents, middle, drawn)]
        rows = [images, *map(ops.convert_to_numpy, rows)]
        parts = [row[i : i + 8] for i in (0, 8, 16, 24) for row in rows]
        path = self.run.folder / f"sheet-{self.run.state.images:07}.png"
        sheet(np.concatenate(parts), 8, path)
        return figures(images, rows[1])


def held(nats: Tensor, free: float) -> Tensor:
    """Return the sum of what units diverge; what each has free pulls at nothing."""
    return ops.sum(ops.maximum(nats, free))


def restore(run: Path, decoder: keras.Model, encoder: encoders.Sight) -> int:
    """Give networks the moving average of a run; return how many images it saw."""
    own = [*encoder.trainable_variables, *decoder.trainable_variables]
    return restored(run, own, "vae")


def take(run: Path, decoder: keras.Model, encoder: encoders.Sight) -> None:
    """Begin with the weights of a plain VAE's run, wherever they fit."""
    pair = networks()
    restore(run, *pair)
    for new, old in zip((decoder, encoder), pair, strict=True):
        known = weights.variables(old)
        for name, variable in weights.variables(new).items():
            if name in known and known[name].shape == variable.shape:
                variable.assign(known[name].value)


def divergence(mean: Tensor, spread: Tensor) -> Tensor:
    """Return each unit's divergence from the unit normal in nats, over the batch."""
    nats = ops.square(mean) + ops.exp(spread) - 1 - spread
    return ops.mean(nats, 0) / 2


def _square(difference: Tensor) -> Tensor:
    return ops.mean(ops.square(difference))


# --- the command --------------------------------------------------------------


def train(
    data: Path,
    folder: Path,
    config: VAEConfig,
    *,
    conditional: bool = False,
    begin: Path | None = None,
    minutes: float = float("inf"),
    precision: str = "mixed_bfloat16",
) -> None:
    """Begin or go on with a training in a folder."""
    shards = Shards.read(data)
    folder.mkdir(parents=True, exist_ok=True)
    conditions = None
    if conditional:
        conditions = read_all(shards, folder / "descriptors.npz")
    # Only now: dlib's descriptors are wanted in full precision.
    with computing_in(precision):
        trainer = Trainer(
            config, shards, folder, minutes, conditions=conditions, begin=begin
        )
        names = list(conditions.names) if conditions else []
        record = json.dumps({"names": names, **asdict(config)}, indent=2)
        (folder / "config.json").write_text(record + "\n", "utf-8")
        trainer.train()


def read_all(shards: Shards, kept: Path) -> Conditions:
    """Return the attributes that a conditional network is told of every crop."""
    guide = load_judge(library(), "guide")
    return read(shards, CONDITIONS, guide, descriptors_of(shards, kept))
