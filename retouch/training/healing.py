"""Train the healing network on blemishes painted on the skin of crops.

    retouch train healing DATA runs/healing

No pairs of pictures are needed: what was painted is what is to be taken away. Real
spots that stand in the crops are neither: there the loss is blind.
"""

from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, grey_dilation

from generators import weights
from generators.adam import Adam, Tensors
from generators.gradients import compiled, differentiate
from retouch.contracts import Tensor
from retouch.geometry import TIGHT, Similarity
from retouch.photos.lab import to_lab, to_rgb
from retouch.training import blemishes, parts
from retouch.training.blemishes import Stain
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
from retouch.training.shards import Shards
from scorers.blemishes import BANDS, bands, network, seen

Floats = NDArray[np.float32]
Random = np.random.Generator
PATCH = 128  # pixels a side
FACE = 150.0, 330.0  # pixels of the faces that patches are cut from
REDDER = 1.3  # a*, from which a spot of the crop itself is one that nobody labelled
INSIDE = 4.0  # how much more a blemish's own pixels count
FAINT, MOST = 0.3, 8.0  # of a band's Lab: it hardly counts, it counts no more
SEEN = 1.5  # of Lab: fainter stains are not looked for
NOTHING = 0.12  # of the patches show no blemish at all


class Patches:
    """Random batches of patches that depend on the seed and the step alone."""

    def __init__(self, shards: Shards, size: int, seed: int) -> None:
        self.shards, self.size, self.seed = shards, size, seed
        self.index = np.flatnonzero(~shards.testing())
        self.skins: dict[int, NDArray[np.bool_]] = {}  # by row, as they are met

    def draw(self, step: int) -> list[Floats]:
        """Return bands, what is left of them, what stained both, and weights."""
        rng = np.random.default_rng((self.seed, step))
        rows = [self._patch(rng) for _ in range(self.size)]
        return [np.stack(column) for column in zip(*rows, strict=True)]

    def _patch(self, rng: Random) -> tuple[Floats, ...]:
        row = int(self.index[rng.integers(len(self.index))])
        image, marks = self.shards.images[row], self.shards.landmarks[row]
        if row not in self.skins:
            self.skins[row] = _skin(image, marks.astype(np.float64))
        skin = self.skins[row]
        transform, size = _placed(marks, skin, rng)
        clean = _lit(_moved(Image.fromarray(image), transform), rng)
        area = _moved(Image.fromarray(skin), transform) > 0.5
        noise = rng.normal(0, rng.uniform(0, 5), clean.shape)
        lab = to_lab((clean + noise).clip(0, 255).astype(np.float32))
        stays, goes = _stains(rng, area, size, lab)
        kept = blemishes.painted(lab, stays)
        spoilt = blemishes.painted(kept, goes)
        detail, rest = bands(spoilt, size)
        stain = spoilt - kept
        return detail, rest, bands(stain, size)[0], _weight(stain, lab, area, size)


def _moved(picture: Image.Image, transform: Similarity) -> Floats:
    """Return a patch of a picture; beyond its edge it is black."""
    data, kind = tuple(transform.inverse.matrix.ravel()), Image.Transform.AFFINE
    soft = Image.Resampling.BICUBIC if picture.mode == "RGB" else 0
    return np.asarray(picture.transform((PATCH, PATCH), kind, data, soft), np.float32)


def _skin(image: NDArray[np.uint8], marks: parts.Points) -> NDArray[np.bool_]:
    sets = parts.of_landmarks(image, marks, glasses=False)
    bare = parts.bits("skin", "nose")
    other = parts.bits("white", "iris", "lips", "teeth", "background")
    return (sets & bare > 0) & (sets & other == 0)


def _placed(
    marks: NDArray[Any], skin: NDArray[Any], rng: Random
) -> tuple[Similarity, float]:
    """Return where a patch lies whose centre shows skin, and the face's size in it."""
    face = 1 / TIGHT.transform(marks, 1).scale
    size = min(rng.uniform(*FACE), 1.5 * face)
    ys, xs = np.nonzero(skin)
    pick = rng.integers(len(ys)) if len(ys) else None
    x, y = (xs[pick], ys[pick]) if pick is not None else marks[33]
    away = rng.normal(0, 12, 2)
    centre = Similarity.shifting(PATCH / 2 + away[0], PATCH / 2 + away[1])
    turn = Similarity.turning(rng.normal(0, 15))
    scale = Similarity.scaling(size / face)
    return centre @ turn @ scale @ Similarity.shifting(-float(x), -float(y)), size


def _lit(image: Floats, rng: Random) -> Floats:
    light = (image / 255) ** np.exp(rng.normal(0, 0.25))
    light = light * rng.uniform(0.45, 1.2) * rng.uniform(0.92, 1.08, 3)
    return (255 * light.clip(0, 1)).astype(np.float32)


def _stains(
    rng: Random, area: NDArray[np.bool_], size: float, lab: Floats
) -> tuple[list[Stain], list[Stain]]:
    """Return the marks that stay and the blemishes that go; darker skin shows less."""
    ys, xs = np.nonzero(area)
    stays: list[Stain] = []
    goes: list[Stain] = []
    if not len(ys):
        return stays, goes
    many = 0 if rng.random() < NOTHING else rng.integers(2, 12)
    for paint, into, count in (
        (blemishes.lasting, stays, rng.integers(0, 6)),
        (blemishes.passing, goes, many),
    ):
        for _ in range(count):
            pick = rng.integers(len(ys))
            shown = np.clip(lab[ys[pick], xs[pick], 0] / 55, 0.45, 1.1)
            for stain in paint(rng, xs[pick] + 0.5, ys[pick] + 0.5, size):
                light, a, b = (float(shown * c) for c in stain.colour)
                shape = _held(stain, area)
                into.append(stain._replace(colour=(light, a, b), shape=shape))
    return stays, goes


def _held(stain: Stain, area: NDArray[np.bool_]) -> Floats:
    """Return a stain's shape without what lies beyond the skin."""
    rows = np.arange(stain.shape.shape[0]) + stain.top
    columns = np.arange(stain.shape.shape[1]) + stain.left
    inside = area[
        rows.clip(0, len(area) - 1)[:, None], columns.clip(0, len(area) - 1)[None]
    ]
    return stain.shape * inside


def _weight(stain: Floats, lab: Floats, area: NDArray[np.bool_], size: float) -> Floats:
    """Return how much each pixel counts: not at all where the crop has spots itself."""
    red = lab[..., 1]
    narrow, wide = (gaussian_filter(red, part * size) for part in (0.006, 0.03))
    own = grey_dilation(narrow - wide, 5) > REDDER
    painted = np.abs(stain).max(-1) > SEEN
    return 1 - (own & area & ~painted).astype(np.float32)


def loss_of(logits: Tensor, detail: Tensor, stained: Tensor, weight: Tensor) -> Tensor:
    """Return how far the parts of the bands are from the parts that were painted.

    A band that is hardly there counts as little; what was painted, much.
    """
    square = ops.sum(detail * detail, -1)
    part = ops.sum(detail * stained, -1) / (square + FAINT)
    part = ops.clip(part, 0.0, 1.0)
    doubt = ops.softplus(logits) - part * logits
    counts = weight[..., None] * ops.minimum(ops.sqrt(square), MOST)
    counts = counts * (1 + INSIDE * part)
    return ops.sum(counts * doubt) / ops.maximum(ops.sum(counts), 1.0)


class Trainer:
    """One training of the healing network in a folder."""

    def __init__(
        self, options: HealingConfig, shards: Shards, folder: Path, minutes: float
    ) -> None:
        self.options = options
        self.network = built(network, None, "healing", 3 * BANDS + 3)
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
        detail, rest, stained, weight = self.patches.draw(index)
        shown = np.stack([seen(*pair) for pair in zip(detail, rest, strict=True)])
        inputs = [ops.convert_to_tensor(x) for x in (shown, detail, stained, weight)]
        return self.run.move(self.improve, *inputs)

    def _improve(
        self,
        lists: list[Tensors],
        shown: Tensor,
        detail: Tensor,
        stained: Tensor,
        weight: Tensor,
    ) -> Stepped:
        def loss(tensors: Tensors) -> tuple[Tensor, None]:
            with using(self.own, tensors):
                logits = self.network(shown, training=True)
            return loss_of(logits, detail, stained, weight), None

        (off, _), slopes = differentiate(loss, lists[0])
        lists, norm = improved(self.adam, self.options, lists, slopes)
        return lists, {"off": off, "norm": norm}

    def report(self) -> dict[str, Any]:
        """Write a sheet: spoilt, healed, as it was; return what stays of the stains."""
        detail, rest, stained, weight = self.patches.draw(2**31)
        shown = np.stack([seen(*pair) for pair in zip(detail, rest, strict=True)])
        with using(self.own, self.run.state.lists["mean"]):
            logits = ops.convert_to_numpy(self.network(shown))
        part = 1 / (1 + np.exp(-logits[..., None]))
        before, stain = detail.sum(-2) + rest, stained.sum(-2)
        after = before - (part * detail).sum(-2)
        rows = [x[:8] for x in (before, after, before - stain)]
        path = self.run.folder / f"sheet-{self.run.state.images:07}.png"
        sheet(to_rgb(np.concatenate(rows)) / 127.5 - 1, 8, path)
        where = np.abs(stain).max(-1) > SEEN
        left = np.abs(after - before + stain)[where].mean()
        off = loss_of(logits, detail, stained, weight)
        return {
            "aside": float(ops.convert_to_numpy(off)),
            "left": float(left / np.abs(stain)[where].mean()),
        }

    def export(self, out: Path, licence: str) -> None:
        """Write the averaged network, in half precision, with its row."""
        restore(self.run.folder, self.own, "healing")
        arrays = weights.arrays(self.network)
        keep(out, "healing", "scorer", "healing", arrays, crop="head", licence=licence)


def train(
    data: Path,
    folder: Path,
    options: HealingConfig,
    *,
    minutes: float = float("inf"),
    out: Path | None = None,
    licence: str = "unknown",
) -> None:
    """Begin or go on with the training in a folder; write the network if asked."""
    keras.config.set_dtype_policy("float32")
    trainer = Trainer(options, Shards.read(data), folder, minutes)
    trainer.train()
    if out is not None:
        trainer.export(out, licence)
