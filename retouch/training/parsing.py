"""Train the parsing network on masks drawn by hand and on crops with landmarks.

    retouch train data people=PICTURES runs/heads --crop head --resolution 256 \
        --table people=glasses.csv
    retouch train parsing runs/heads --run runs/parsing --masks MASKS --begin lite0.npz
    retouch train parsing runs/heads --run runs/front --masks MASKS \
        --outlines benchmarks/labels/training.csv --pictures FACES \
        --begin pretrained/parsing.safetensors --stay 0.2

A table that says who wears no glasses (0) lets eyes be certain there. The last run goes
on from the network that ships, and learns hands, things and rims in front of faces from
outlines drawn by hand; what they outline should not be among the other PICTURES.
`--teacher runs/parsing` begins with that run's network and takes its word where it is
sure.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from generators import weights
from generators.adam import Adam, Tensors
from generators.gradients import compiled, differentiate
from retouch.contracts import Tensor
from retouch.errors import WeightsError
from retouch.faces.parse import COLOURS
from retouch.geometry import HEAD
from retouch.training import parts
from retouch.training.builder import built
from retouch.training.export.files import keep, restore
from retouch.training.handheld import Cutout
from retouch.training.heads import HELD_OUT, Head, Heads, drawn, from_shards, person
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
from retouch.training.options import ParsingConfig
from retouch.training.outlines import outlined
from retouch.training.precision import computing_in
from retouch.training.shards import Shards
from scorers.parsing import BLOCKS, PARTS, RESOLUTION, network

Floats = NDArray[np.float32]
SMALL = parts.bits("brows", "white", "iris", "lips", "teeth", "glasses", "front")
SMALL_WEIGHT = 3.0  # of a pixel that shows one of those, and certainly
SOURCE = "trained by this project; its trunk began as EfficientNet-Lite0 (Apache-2.0)"
SURE = 0.85  # probability from which a teacher is believed


def loss_of(logits: Tensor, allowed: Tensor, weight: Tensor) -> Tensor:
    """Return how improbable it is that each pixel's part is among those allowed."""
    every = ops.logsumexp(logits, -1)
    among = ops.logsumexp(logits + (allowed - 1) * 1e4, -1)
    return ops.sum(weight * (every - among)) / ops.maximum(ops.sum(weight), 1.0)


def unpacked(sets: parts.Sets) -> tuple[Floats, Floats]:
    """Return which parts are allowed, (N, R, R, parts), and the pixels' weights."""
    allowed = (sets[..., None] >> np.arange(len(PARTS))) & 1
    sure = allowed.sum(-1) == 1
    weight = (sets != parts.ANYTHING) * (
        1 + (SMALL_WEIGHT - 1) * (sure & (sets & SMALL > 0))
    )
    return allowed.astype(np.float32), weight.astype(np.float32)


class Trainer:
    """One training of the parsing network in a folder."""

    def __init__(
        self,
        options: ParsingConfig,
        heads: list[Head],
        folder: Path,
        minutes: float,
        cutouts: Sequence[Cutout] = (),
    ) -> None:
        self.options = options
        self.network = built(network, RESOLUTION, "parsing")
        self.own = self.network.trainable_variables
        self.first = values(self.own)
        self.heads, self.cutouts = heads, cutouts
        steps = options.images // options.batch
        self.adam = Adam(options.rate, warm_up=options.warm_up, decay_over=steps)
        self.improve = compiled(self._improve)
        self.folder, self.minutes = folder, minutes

    def begin(self, path: Path | None, teacher: Path | None) -> None:
        """Take a network or a trunk, or a teacher's weights and its sure opinions."""
        if path is not None and path.suffix == ".safetensors":
            take_network(self.network, path)
        elif path is not None:
            take_trunk(self.network, path)
        if teacher is not None:
            restore(teacher, self.own, "parsing")
            self.heads = [self._taught(head) for head in self.heads]
        self.first = values(self.own)

    def train(self) -> None:
        size, seed = self.options.batch, self.options.seed
        self.batches = Heads(self.heads, size, seed, self.cutouts)
        own = values(self.own)
        state = State({"own": own, "mean": own, "adam": self.adam.start(own)})
        self.run = Run(self.folder, state, size, self.options.images, self.minutes)
        plan = json.dumps(asdict(self.options), indent=2)
        (self.folder / "config.json").write_text(plan + "\n", "utf-8")
        self.run.go(self.step, self.report)

    def step(self, index: int) -> Losses:
        images, sets = self.batches.draw(index)
        inputs = [ops.convert_to_tensor(x) for x in (images, *unpacked(sets))]
        return self.run.move(self.improve, *inputs)

    def _improve(
        self, lists: list[Tensors], images: Tensor, allowed: Tensor, weight: Tensor
    ) -> Stepped:
        def loss(tensors: Tensors) -> tuple[Tensor, None]:
            with using(self.own, tensors):
                logits = self.network(images, training=True)
            return loss_of(logits, allowed, weight), None

        (value, _), slopes = differentiate(loss, lists[0])
        lists, norm = improved(self.adam, self.options, lists, slopes)
        return lists, {"loss": value, "norm": norm}

    def report(self) -> dict[str, Any]:
        """Write a sheet of a batch and what the network makes of it."""
        images, sets = self.batches.draw(2**31)
        with using(self.own, self.run.state.lists["mean"]):
            logits = ops.convert_to_numpy(self.network(images[:16]))
        names = np.array(COLOURS, np.float32)[logits.argmax(-1)] / 127.5 - 1
        rows = [np.concatenate([images[i : i + 8], names[i : i + 8]]) for i in (0, 8)]
        path = self.folder / f"sheet-{self.run.state.images:07}.png"
        sheet(np.concatenate(rows), 8, path)
        allowed, weight = unpacked(sets[:16])
        return {"held": float(ops.convert_to_numpy(loss_of(logits, allowed, weight)))}

    def _taught(self, head: Head) -> Head:
        """Return the head with its sets narrowed to what the network is sure of."""
        if head.drawn or head.outlined:
            return head
        transform = HEAD.transform(head.landmarks, RESOLUTION)
        sure = self._sure(head.placed(transform).image)
        back = Head(
            head.name, np.zeros((*sure.shape, 3), np.uint8), sure, head.landmarks
        )
        known = back.placed(transform.inverse).sets[
            : len(head.sets), : head.sets.shape[1]
        ]
        both = head.sets & known
        return Head(
            head.name, head.image, np.where(both, both, head.sets), head.landmarks
        )

    def _sure(self, image: Floats) -> parts.Sets:
        both = np.stack([image, image[:, ::-1]]) / 127.5 - 1
        chance = ops.convert_to_numpy(ops.softmax(self.network(both)))
        chance = (chance[0] + chance[1][:, ::-1]) / 2
        best = (1 << chance.argmax(-1)).astype(np.int32)
        return np.where(chance.max(-1) > SURE, best, parts.ANYTHING).astype(np.int32)

    def export(self, out: Path, licence: str) -> None:
        """Write the averaged network, in half precision, with its row.

        A part of what it began with may stay (Wortsman and others, 2022): so it loses
        less of what it could.
        """
        restore(self.folder, self.own, "parsing")
        for variable, first in zip(self.own, self.first, strict=True):
            variable.assign_add(self.options.stay * (first - variable.value))
        keep(
            out,
            "parsing",
            "scorer",
            "parsing",
            weights.arrays(self.network),
            config={"parts": list(PARTS)},
            licence=licence,
            source=SOURCE,
            resolution=RESOLUTION,
            crop=HEAD.name,
        )


def take_network(model: keras.Model, path: Path) -> None:
    """Give the network the weights of one that was trained before."""
    try:
        known = load_file(path)
        weights.assign(model, {name: a.astype(np.float32) for name, a in known.items()})
    except (OSError, SafetensorError, ValueError) as error:
        raise WeightsError(f"{path} holds no parsing network ({error}).") from None


def take_trunk(model: keras.Model, path: Path) -> None:
    """Give the trunk the weights of an EfficientNet-Lite0, batch norm folded in."""
    own = weights.variables(model)
    known = {"stem": "stem"}
    for i in range(len(BLOCKS)):
        for part, letter in (("widen", "e"), ("depthwise", "d"), ("narrow", "p")):
            known[f"block{i}_{part}"] = f"{i}.{letter}"
    if not path.is_file():
        raise WeightsError(
            f"There is no file '{path}' of EfficientNet-Lite0's weights."
        )
    try:
        with np.load(path) as file:
            for ours, theirs in known.items():
                if f"{ours}.kernel" in own:
                    own[f"{ours}.bias"].assign(file[f"{theirs}.b"])
                    kernel = own[f"{ours}.kernel"]
                    kernel.assign(file[f"{theirs}.w"].reshape(kernel.shape))
    except (OSError, KeyError, ValueError) as error:
        raise WeightsError(
            f"{path} holds no EfficientNet-Lite0 with its norms folded in ({error})."
        ) from None


@computing_in("float32")
def train(
    data: list[Path],
    folder: Path,
    options: ParsingConfig,
    *,
    masks: Path,
    outlines: Path | None = None,
    pictures: Path | None = None,
    minutes: float = float("inf"),
    begin: Path | None = None,
    teacher: Path | None = None,
    out: Path | None = None,
    licence: str = "unknown",
) -> None:
    """Begin or go on with the training in a folder; write the network if asked."""
    heads = [head for head in drawn(masks) if person(head.name) not in HELD_OUT]
    for part in data:
        heads += from_shards(Shards.read(part))
    cutouts: list[Cutout] = []
    for picture in outlined(outlines, pictures) if outlines and pictures else ():
        heads.append(picture.head())
        cutouts += picture.cutouts()
    trainer = Trainer(options, heads, folder, minutes, cutouts)
    trainer.begin(begin, teacher)
    trainer.train()
    if out is not None:
        trainer.export(out, licence)
