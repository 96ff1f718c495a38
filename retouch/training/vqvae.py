"""Train a VQ-VAE of two levels, then the prior of its codes.

    retouch train data ~/portraits runs/data --table portraits=labels.csv
    retouch train vqvae runs/data runs/vqvae --minutes 12
    retouch train prior runs/data runs/vqvae --minutes 3

The loss is the distance in values, edges at three scales and hue, that of each
picture's mean and deviation, and the gap between vectors and their codes, from both
sides. Codes that nothing uses any more begin anew where vectors are. The prior
learns to name masked codes, coarse ones from the conditions and from each other,
fine ones from the coarse and from those around them.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from encoders import vqvae as encoders
from generators import vqvae
from generators.adam import Adam, Tensors
from generators.gradients import compiled, differentiate
from retouch.contracts import Tensor
from retouch.training.conditions import CONDITIONS, Conditions
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
from retouch.training.options import PriorConfig, VQConfig
from retouch.training.precision import computing_in
from retouch.training.shards import Batches, Shards, as_images
from retouch.training.vae import WEIGHTS, read_all

IDLE = 0.1  # part of its fair share below which a code begins anew
FORGET = 0.9  # of how often codes were used, each step

# --- networks -----------------------------------------------------------------


def networks(config: vqvae.Config | None = None) -> tuple[vqvae.VQVAE, encoders.Maps]:
    """Return a new decoder with its prior, and a new encoder."""
    decoder = vqvae.VQVAE(
        config or vqvae.Config(conditions=CONDITIONS), name="generator"
    )
    return decoder, encoders.Maps(encoders.Config(), name="encoder")


def learnt(decoder: vqvae.VQVAE, encoder: encoders.Maps) -> list[keras.Variable]:
    """Return what the first training moves: all but the prior."""
    prior = {v.path for v in decoder.prior.trainable_variables}
    own = [v for v in decoder.trainable_variables if v.path not in prior]
    return [*encoder.trainable_variables, *own]


# --- the training -------------------------------------------------------------


class Trainer:
    """Encoder, codes and decoder, and the compiled step that improves them."""

    def __init__(
        self,
        config: VQConfig,
        shards: Shards,
        folder: Path,
        minutes: float = float("inf"),
        *,
        pair: tuple[vqvae.VQVAE, encoders.Maps] | None = None,
    ) -> None:
        keras.utils.set_random_seed(config.seed)
        self.config, self.shards = config, shards
        self.batches = Batches(shards, config.batch, config.seed, WEIGHTS)
        self.decoder, self.encoder = pair or networks()
        self.own = learnt(self.decoder, self.encoder)
        self.weight = ops.convert_to_tensor(importance(self.decoder.resolution)[None])
        steps = config.images // config.batch
        self.adam = Adam(config.rate, warm_up=config.warm_up, decay_over=steps)
        self._step = compiled(self._improve)
        self.run = Run(folder, self._start(), config.batch, config.images, minutes)

    def _start(self) -> State:
        own = values(self.own)
        fair = ops.full((2, self.decoder.config.codes), 1 / self.decoder.config.codes)
        lists = {"own": own, "mean": own, "used": [ops.cast(fair, "float32")]}
        return State({**lists, "adam": self.adam.start(own)})

    def train(self) -> None:
        """Train until done; what is there when time is up goes on the next time."""
        self.run.go(self.step, self.report)

    def step(self, index: int) -> Losses:
        """Take one step and return its losses."""
        images = ops.convert_to_tensor(self.draw(index))
        losses = self.run.move(self._step, images)
        if index % self.config.revive == self.config.revive - 1:
            losses["revived"] = self._revive(images, index)
        return losses

    def draw(self, index: int) -> np.ndarray:
        """Return the images of a step."""
        chosen, flips = chosen_at(self.batches, self.config.seed, index)
        crops = self.shards.images[chosen]
        crops[flips] = crops[flips, :, ::-1]
        return as_images(crops)

    def _improve(self, lists: list[Tensors], images: Tensor) -> Stepped:
        own, mean, (used,), adam = lists
        (_, (losses, now)), slopes = differentiate(
            lambda tensors: self._loss(tensors, images), own
        )
        (own, mean, adam), losses["norm"] = improved(
            self.adam, self.config, [own, mean, adam], slopes
        )
        used = FORGET * used + (1 - FORGET) * now
        return [own, mean, [used], adam], losses

    def _loss(self, tensors: Tensors, images: Tensor) -> tuple[Tensor, Any]:
        config, decoder = self.config, self.decoder
        with using(self.own, tensors):
            maps = decoder.maps(self.encoder.encode(images))
            numbers = [b.numbers(m) for b, m in zip(decoder.books, maps, strict=True)]
            codes = [b.of(n) for b, n in zip(decoder.books, numbers, strict=True)]
            pairs = list(zip(maps, codes, strict=True))
            passed = [m + ops.stop_gradient(c - m) for m, c in pairs]
            copies = decoder.paint(*passed)
        edges, chroma = config.edges, config.chroma
        copy = reconstruction(copies, images, self.weight, edges=edges, chroma=chroma)
        terms = {
            "copy": (1.0, copy),
            "contrast": (config.contrast, contrast(copies, images, self.weight)),
            "commitment": (
                config.commitment,
                sum(_square(m - ops.stop_gradient(c)) for m, c in pairs),
            ),
            "codes": (1.0, sum(_square(ops.stop_gradient(m) - c) for m, c in pairs)),
        }
        total = sum(weight * loss for weight, loss in terms.values())
        losses = {name: ops.stop_gradient(loss) for name, (_, loss) in terms.items()}
        used = ops.stack([_shares(n, decoder.config.codes) for n in numbers])
        losses["coarse"], losses["fine"] = _variety(used[0]), _variety(used[1])
        return total, (losses, used)

    def _revive(self, images: Tensor, index: int) -> float:
        """Put codes that nothing uses where vectors are; return how many."""
        lists = self.run.state.lists
        with using(self.own, lists["own"]):
            maps = self.decoder.maps(self.encoder.encode(images))
        used = ops.convert_to_numpy(lists["used"][0])
        rng, total = np.random.default_rng((self.config.seed, index, 1)), 0
        paths = [variable.path for variable in self.own]
        for level, (book, vectors) in enumerate(
            zip(self.decoder.books, maps, strict=True)
        ):
            at = paths.index(book.codes.path)
            idle = np.flatnonzero(used[level] * self.decoder.config.codes < IDLE)
            pool = ops.convert_to_numpy(vectors).reshape(-1, vectors.shape[-1])
            new = pool[rng.integers(len(pool), size=len(idle))]
            for name in ("own", "mean"):
                codes = np.array(ops.convert_to_numpy(lists[name][at]))
                codes[idle] = new
                lists[name][at] = ops.convert_to_tensor(codes)
            total += len(idle)
        return float(total)

    def report(self) -> dict[str, Any]:
        """Write a sheet and return figures, both of people held out.

        Rows in turn: pictures, copies, the middle between two people.
        """
        images = self.shards.held_out(32)
        with using(self.own, self.run.state.lists["mean"]):
            latents = self.encoder.encode(ops.convert_to_tensor(images))
            middle = (latents + ops.roll(latents, 1, 0)) / 2
            rows = [self.decoder.decode(x) for x in (latents, middle)]
        rows = [images, *map(ops.convert_to_numpy, rows)]
        parts = [row[i : i + 8] for i in (0, 8, 16, 24) for row in rows]
        path = self.run.folder / f"sheet-{self.run.state.images:07}.png"
        sheet(np.concatenate(parts), 8, path)
        return figures(images, rows[1])


def chosen_at(batches: Batches, seed: int, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which crops a step sees, and which of them mirrored."""
    rng = np.random.default_rng((seed, index))
    probability = batches.probability
    chosen = rng.choice(len(probability), batches.size, p=probability)
    return chosen, rng.random(batches.size) < 0.5


def _square(difference: Tensor) -> Tensor:
    return ops.mean(ops.square(difference))


def _shares(numbers: Tensor, codes: int) -> Tensor:
    """Return the part of places that hold each code."""
    flat = ops.reshape(numbers, (-1,))
    counts = ops.bincount(ops.cast(flat, "int32"), minlength=codes)
    return ops.cast(counts[:codes], "float32") / flat.shape[0]


def _variety(shares: Tensor) -> Tensor:
    """Return how many codes are in use, as the exponential of their entropy."""
    return ops.exp(-ops.sum(shares * ops.log(shares + 1e-9)))


# --- the prior ----------------------------------------------------------------


class PriorTrainer:
    """Teaches the prior to name masked codes of a decoder that stays as it is."""

    def __init__(
        self,
        config: PriorConfig,
        shards: Shards,
        folder: Path,
        conditions: Conditions,
        pair: tuple[vqvae.VQVAE, encoders.Maps],
        minutes: float = float("inf"),
    ) -> None:
        self.config, self.shards, self.conditions = config, shards, conditions
        self.batches = Batches(shards, config.batch, config.seed, WEIGHTS)
        self.decoder, self.encoder = pair
        self.own = self.decoder.prior.trainable_variables
        steps = config.images // config.batch
        self.adam = Adam(config.rate, warm_up=config.warm_up, decay_over=steps)
        self._step = compiled(self._improve)
        own = values(self.own)
        state = State({"own": own, "mean": own, "adam": self.adam.start(own)})
        self.run = Run(folder, state, config.batch, config.images, minutes)

    def train(self) -> None:
        """Train until done; what is there when time is up goes on the next time."""
        self.run.go(self.step, self.report)

    def step(self, index: int) -> Losses:
        """Take one step and return its losses."""
        inputs = {k: ops.convert_to_tensor(v) for k, v in self.draw(index).items()}
        return self.run.move(self._step, inputs)

    def draw(self, index: int) -> dict[str, np.ndarray]:
        """Return images, conditions and masks of a step."""
        chosen, flips = chosen_at(self.batches, self.config.seed, index)
        crops = self.shards.images[chosen]
        crops[flips] = crops[flips, :, ::-1]
        rng = np.random.default_rng((self.config.seed, index, 1))
        told = self.conditions.of(chosen, flips)
        told[rng.random(len(told)) < self.config.untold] = 0
        drawn = {"images": as_images(crops), "told": told}
        for name, side in zip(
            ("coarse", "fine"), self.decoder.config.sides, strict=True
        ):
            share = np.cos(np.pi / 2 * rng.random((len(told), 1)))  # that is masked
            known = rng.random((len(told), side**2)) >= share
            drawn[name] = known.astype(np.float32)
        return drawn

    def _improve(self, lists: list[Tensors], inputs: Inputs) -> Stepped:
        own, mean, adam = lists
        numbers = self.decoder.numbers(self.encoder.encode(inputs["images"]))
        (_, losses), slopes = differentiate(
            lambda tensors: self._loss(tensors, numbers, inputs), own
        )
        new, losses["norm"] = improved(
            self.adam, self.config, [own, mean, adam], slopes
        )
        return new, losses

    def _loss(
        self, tensors: Tensors, numbers: Tensor, inputs: Inputs
    ) -> tuple[Tensor, Losses]:
        books, prior = self.decoder.books, self.decoder.prior
        coarse, fine = (b.of(n) for b, n in zip(books, numbers, strict=True))
        with using(self.own, tensors):
            guesses = (
                prior(coarse, inputs["coarse"], inputs["told"]),
                prior.fine(fine, inputs["fine"], coarse),
            )
        names = "coarse", "fine"
        losses = {
            name: _missed(guess, number, inputs[name])
            for name, guess, number in zip(names, guesses, numbers, strict=True)
        }
        return losses["coarse"] + losses["fine"], losses

    def report(self) -> dict[str, Any]:
        """Write a sheet of samples, whose rows differ in the first condition."""
        count = len(self.conditions.names)
        told = np.zeros((24, count), np.float32)
        told[:, 0] = np.repeat([-1.5, 0, 1.5], 8)
        with using(self.own, self.run.state.lists["mean"]):
            latents = self.decoder.sample(24, seed=0, conditions=told)
            images = ops.convert_to_numpy(self.decoder.decode(latents))
        path = self.run.folder / f"sheet-{self.run.state.images:07}.png"
        sheet(images, 8, path)
        return {}


def _missed(logits: Tensor, numbers: Tensor, known: Tensor) -> Tensor:
    """Return the cross entropy of masked places, in nats."""
    chances = ops.log_softmax(logits)
    picked = ops.take_along_axis(chances, numbers[..., None], -1)[..., 0]
    hidden = 1 - known
    return -ops.sum(hidden * picked) / (ops.sum(hidden) + 1e-6)


# --- the commands -------------------------------------------------------------


def train(
    data: Path,
    folder: Path,
    config: VQConfig,
    *,
    minutes: float = float("inf"),
    precision: str = "mixed_bfloat16",
) -> None:
    """Begin or go on with a training in a folder."""
    with computing_in(precision):
        trainer = Trainer(config, Shards.read(data), folder, minutes)
        record = json.dumps({"names": list(CONDITIONS), **asdict(config)}, indent=2)
        (folder / "config.json").write_text(record + "\n", "utf-8")
        trainer.train()


def train_prior(
    data: Path,
    folder: Path,
    config: PriorConfig,
    *,
    minutes: float = float("inf"),
    precision: str = "mixed_bfloat16",
) -> None:
    """Begin or go on with the prior of the VQ-VAE that was trained in a folder."""
    shards = Shards.read(data)
    conditions = read_all(shards, folder / "descriptors.npz")
    with computing_in(precision):
        pair = networks()
        restore(folder, *pair)
        out = folder / "prior"
        PriorTrainer(config, shards, out, conditions, pair, minutes).train()


def restore(folder: Path, decoder: vqvae.VQVAE, encoder: encoders.Maps) -> int:
    """Give networks the moving average of a run; return how many images it saw."""
    images = restored(folder, learnt(decoder, encoder), "vqvae")
    if (folder / "prior" / "state.safetensors").exists():
        restored(folder / "prior", decoder.prior.trainable_variables, "prior")
    return images
