"""Train the finisher: what a generator draws between lips is to look like real teeth.

    retouch train finisher DATA runs/finisher --eyes lite0.npz --out NETWORKS

DATA holds tight crops of 256 px. Copies are drawn to their originals, in value, in
edges and in the features of EfficientNet-Lite0, whose weights are read from a file as
`retouch train parsing --begin` takes it. Beside them mouths of smiles are learnt that
nobody has seen: those are to keep their broad light, and a critic that sees real mouths
is to take them for such. Of pairs it sees whole mouths, or closed lips would be soft.
Its push is set against the copies' pull by their slopes on the picture. What ships is a
broad mean over the steps: single states, and those after long trainings, draw specks
and second rows of teeth, by which the critic is fooled.
"""

from collections.abc import Callable
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from generators import weights
from generators.adam import Adam, Tensors
from generators.finisher import Config, Finisher
from generators.gradients import compiled, differentiate
from retouch.contracts import Tensor
from retouch.models import Model
from retouch.training.critics import Critic, Eyes, hinge, length, overall
from retouch.training.export.files import LICENCE, keep, restore
from retouch.training.loop import (
    Inputs,
    Losses,
    Run,
    Stepped,
    contest,
    contested,
    sheet,
    using,
)
from retouch.training.mouths import Mouths
from retouch.training.options import FinisherConfig
from retouch.training.precision import computing_in
from retouch.training.shards import Shards, as_images

PRECISION = "mixed_bfloat16"
EDGES, SEEN = 0.5, 0.15  # weights beside that of values
FAINT = 0.05  # of what it adds to a picture at first
BROAD, STILL = 3.0, 1.0  # of drawn mouths' light, and of what lies beside the teeth
SOFT = 9  # pixels: what is broader is light
EVERY, MOST = 16, 48  # every so manyth mouth is kept aside; that many are shown
GAIN, TINT, BRIGHT = 0.12, 0.06, 0.06  # by which pictures vary before they are judged
BLURRED = 0.5  # of a copy, at most: a move draws softer mouths

Random = np.random.Generator


class Trainer:
    """One training of the finisher in a folder."""

    def __init__(
        self,
        options: FinisherConfig,
        mouths: Mouths,
        folder: Path,
        eyes: Eyes,
        minutes: float = float("inf"),
        precision: str = PRECISION,
    ) -> None:
        keras.utils.set_random_seed(options.seed)
        self.options, self.mouths = options, mouths
        with computing_in(precision):
            self.network = Finisher(Config(width=options.width), name="finisher")
        colours = self.network.colours.kernel
        colours.assign(FAINT * colours)
        self.eyes, self.critic = eyes, Critic(eyes)
        self.own = self.network.trainable_variables
        steps = options.images // options.batch
        adam = Adam(options.rate, first=0.5, warm_up=options.warm_up, decay_over=steps)
        critic = Adam(0.7 * options.rate, first=0.0, decay_over=steps)
        self.adams = adam, critic
        start = contest(self.adams, self.own, self.critic.trainable_variables)
        self.improve = compiled(self._improve)
        self.run = Run(folder, start, options.batch, options.images, minutes)
        plan = dumps(asdict(options), indent=2)
        (folder / "config.json").write_text(plan + "\n", "utf-8")

    def train(self) -> None:
        self.run.go(self.step, self.report)

    def step(self, index: int) -> Losses:
        rng = np.random.default_rng((self.options.seed, index))
        inputs = self._drawn(rng) | {"push": np.float32(self._push(index))}
        inputs = {name: ops.convert_to_tensor(x) for name, x in inputs.items()}
        return self.run.move(self.improve, inputs)

    def _push(self, index: int) -> float:
        """Return how strong the critic's push is: it has to learn first."""
        return self.options.fool * min(1.0, index / max(self.options.warm_up, 1))

    def _drawn(self, rng: Random) -> dict[str, NDArray[np.float32]]:
        """Return a batch: half copies with their originals, half drawn mouths."""
        own, half = self.mouths, self.options.batch // 2
        pairs, made = (_learnt(rng, len(x), half) for x in (own.copies, own.drawn))
        others = own.alike(made, rng)
        copies, originals, lips = _turned(
            rng, own.copies[pairs], own.originals[pairs], own.lips[pairs]
        )
        drawn, teeth = _turned(rng, own.drawn[made], own.drawn_teeth[made])
        reals, real_teeth = _turned(rng, own.originals[others], own.teeth[others])
        return {
            "copies": as_images(copies),
            "originals": as_images(originals),
            "drawn": as_images(drawn),
            "reals": as_images(np.concatenate([originals, reals])),
            "shown": _part(np.concatenate([lips, teeth])),
            "reals_shown": _part(np.concatenate([lips, real_teeth])),
            "blur": rng.uniform(0, BLURRED, (half, 1, 1, 1)).astype(np.float32),
            "made_vary": _variety(rng, 2 * half),
            "real_vary": _variety(rng, 2 * half),
        }

    def _improve(self, lists: list[Tensors], inputs: Inputs) -> Stepped:
        def own(tensors: Tensors, critic: Tensors) -> tuple[Tensor, Any]:
            return self._own_loss(tensors, critic, inputs)

        def judge(tensors: Tensors, fakes: Tensor) -> Tensor:
            with using(self.critic.trainable_variables, tensors):
                reals = self._judged(inputs["reals"], inputs, "real")
                made = self._judged(fakes, inputs, "made")
            return hinge(reals, made)

        return contested(self.adams, self.options, lists, own, judge)

    def _own_loss(
        self, tensors: Tensors, critic: Tensors, inputs: Inputs
    ) -> tuple[Tensor, Any]:
        copies, half = inputs["copies"], self.options.batch // 2
        blurred = ops.average_pool(copies, 3, 1, "same")
        copies = copies + inputs["blur"] * (blurred - copies)
        with using(self.own, tensors):
            finished = self.network(ops.concatenate([copies, inputs["drawn"]], 0))
        finished = ops.cast(finished, "float32")
        fixed = ops.stop_gradient(finished)

        def unlike(pictures: Tensor) -> Tensor:
            return self._unlikeness(pictures[:half], inputs["originals"])

        def moved(pictures: Tensor) -> Tensor:
            return _strayed(pictures[half:], inputs["drawn"], inputs["shown"][half:])

        def fool(pictures: Tensor) -> Tensor:
            with using(self.critic.trainable_variables, critic):
                return -overall(self._judged(pictures, inputs, "made"))

        terms = {"copy": unlike, "stray": moved, "fool": fool}
        losses, slopes = {}, {}
        for name, term in terms.items():
            losses[name], slopes[name] = _with_slope(term, fixed)
        pull = length(slopes["copy"][:half])
        pushes = [slopes["fool"][:half], slopes["fool"][half:]]
        pushes = [inputs["push"] * pull / length(p) * p for p in pushes]
        whole = slopes["copy"] + slopes["stray"] + ops.concatenate(pushes, 0)
        return ops.sum(finished * ops.stop_gradient(whole)), (losses, fixed)

    def _unlikeness(self, pictures: Tensor, originals: Tensor) -> Tensor:
        off = pictures - originals
        edges = ops.mean(ops.abs(off[:, 1:] - off[:, :-1]))
        edges += ops.mean(ops.abs(off[:, :, 1:] - off[:, :, :-1]))
        seen = self.eyes.unlikeness(pictures, originals)
        return ops.mean(ops.abs(off)) + EDGES * edges + SEEN * seen

    def _judged(self, pictures: Tensor, inputs: Inputs, kind: str) -> list[Tensor]:
        shown = inputs["shown" if kind == "made" else "reals_shown"]
        gain, offset = ops.split(inputs[f"{kind}_vary"], [1], -1)
        return self.critic((gain * pictures + offset) * shown, shown)

    def report(self) -> dict[str, Any]:
        """Write a sheet of mouths nothing is learnt from; say how near copies come."""
        own = self.mouths
        kinds = own.drawn, own.copies, own.originals
        drawn, copies, originals = (as_images(_aside(kind)) for kind in kinds)
        with using(self.own, self.run.state.lists["mean"]):
            made = [self.network(pictures) for pictures in (drawn, copies)]
        made = [ops.convert_to_numpy(ops.cast(m, "float32")) for m in made]
        path = self.run.folder / f"sheet-{self.run.state.images:07}.png"
        rows = [[drawn, made[0]], [copies, made[1], originals]]
        parts = [r[i : i + 8] for k in rows for i in range(0, MOST, 8) for r in k]
        sheet(np.concatenate(parts), 8, path)
        inside = _part(_aside(own.lips))
        missed = np.abs(made[1] - originals) * inside
        return {"aside": float(missed.sum() / (3 * inside.sum()))}

    def export(self, out: Path, licence: str, family: str) -> None:
        """Write the network and its row for the models of a family."""
        restore(self.run.folder, self.own, "finisher")
        keep(
            out,
            f"{family}-finisher",
            "finisher",
            "finisher",
            weights.arrays(self.network),
            config=asdict(self.network.config),
            licence=licence,
            family=family,
        )


def train(
    data: Path,
    folder: Path,
    options: FinisherConfig,
    *,
    eyes: Path,
    model: str = "default",
    minutes: float = float("inf"),
    precision: str = PRECISION,
    out: Path | None = None,
    licence: str = LICENCE,
) -> None:
    """Begin or go on with the training in a folder; write the network if asked.

    The mouths are drawn once, and kept there.
    """
    seeing, known = Eyes(eyes), folder / "mouths.npz"
    if not known.exists():
        mouths = Mouths.of(Shards.read(data), Model.load(model))
        folder.mkdir(parents=True, exist_ok=True)
        mouths.write(known)
    trainer = Trainer(options, Mouths.read(known), folder, seeing, minutes, precision)
    trainer.train()
    if out is not None:
        trainer.export(out, licence, model)


def _with_slope(
    term: Callable[[Tensor], Tensor], pictures: Tensor
) -> tuple[Tensor, Tensor]:
    (value, _), slope = differentiate(lambda x: (term(x), None), pictures)
    return ops.stop_gradient(value), ops.stop_gradient(slope)


def _strayed(pictures: Tensor, drawn: Tensor, shown: Tensor) -> Tensor:
    """Return how far drawn mouths are from themselves in broad light, and beside."""
    broad = pictures - drawn
    for _ in range(2):
        broad = ops.average_pool(broad, SOFT, 1, "same")
    beside = ops.mean(ops.abs((pictures - drawn) * (1 - shown)))
    return BROAD * ops.mean(ops.abs(broad)) + STILL * beside


def _aside(rows: NDArray[Any]) -> NDArray[Any]:
    """Return what is not learnt from."""
    return rows[::EVERY][:MOST]


def _learnt(rng: Random, count: int, many: int) -> NDArray[np.int64]:
    """Return which of the mouths to learn from."""
    return rng.choice(np.flatnonzero(np.arange(count) % EVERY), many)


def _turned(rng: Random, *planes: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Return rows of which some are mirrored, the same of all planes."""
    some = rng.random(len(planes[0])) < 0.5
    return [
        np.where(some[(..., *[None] * (p.ndim - 1))], p[:, :, ::-1], p) for p in planes
    ]


def _part(shown: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(shown[..., None] / np.float32(255))


def _variety(rng: Random, count: int) -> NDArray[np.float32]:
    """Return by what colours are multiplied, and what is added, (N, 1, 1, 4)."""
    gain = 1 + GAIN * rng.standard_normal((count, 1, 1, 1))
    offset = BRIGHT * rng.standard_normal((count, 1, 1, 1))
    offset = offset + TINT * rng.standard_normal((count, 1, 1, 3))
    return np.concatenate([gain, offset], -1).astype(np.float32)
