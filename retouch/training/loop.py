"""What every training shares: a state on disk, a log, sheets, a progress bar.

A run's folder holds state.safetensors (everything needed to go on as if never
stopped), metrics.jsonl (one line now and then) and PNG sheets.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from generators.adam import Adam, Tensors, averaged
from generators.gradients import differentiate
from retouch.contracts import Tensor
from retouch.errors import WeightsError
from retouch.photos.levels import pixels_of
from retouch.training.devices import copied
from retouch.training.options import Learning

Inputs = Mapping[str, Tensor]
Losses = dict[str, Tensor]
Stepped = tuple[list[Tensors], Losses]  # what a step makes of a state's lists
Step = Callable[..., Stepped]

CRITIC_CLIP = 10.0  # bound of the norm of a critic's gradient
CELL = 256  # pixels a side of a face on a sheet, at most


def values(variables: Iterable[keras.Variable]) -> Tensors:
    """Return copies of the variables' present values."""
    return [keras.ops.copy(v.value) for v in variables]


def using(
    variables: Iterable[keras.Variable], tensors: Tensors
) -> AbstractContextManager[Any]:
    """Return a context in which the variables have the values of the tensors."""
    pairs = list(zip(variables, tensors, strict=True))
    return keras.StatelessScope(state_mapping=pairs)


def clipped(gradients: Tensors, limit: float) -> tuple[Tensors, object]:
    """Bound the gradients' common norm; a norm that is no number moves nothing."""
    squares = [keras.ops.sum(keras.ops.square(g)) for g in gradients]
    norm = keras.ops.sqrt(sum(squares[1:], squares[0]))
    sound = keras.ops.isfinite(norm)
    factor = limit / keras.ops.maximum(norm, limit)
    clean = [keras.ops.where(sound, g * factor, 0.0) for g in gradients]
    return clean, norm


def improved(
    optimiser: Adam, config: Learning, lists: list[Tensors], slopes: Tensors
) -> tuple[list[Tensors], object]:
    """Return tensors, their moving mean and the optimiser's state after a step.

    Beside them the norm that the slopes had.
    """
    own, mean, state = lists
    slopes, norm = clipped(slopes, config.clip)
    own, state = optimiser.apply(state, slopes, own)
    decay = keras.ops.minimum(config.average, (1 + state[0]) / (10 + state[0]))
    return [own, averaged(mean, own, decay), state], norm


def contested(
    optimisers: tuple[Adam, Adam],
    config: Learning,
    lists: list[Tensors],
    own_loss: Callable[[Tensors, Tensors], tuple[Tensor, Any]],
    critic_loss: Callable[[Tensors, Tensor], Tensor] | None = None,
) -> Stepped:
    """Return the lists of networks and of their critic after a step, and the losses.

    Args:
        lists: as `contest` began them.
        own_loss: of the networks' tensors and the critic's; returns the sum, then
            its parts by name, and images for the critic.
        critic_loss: of the critic's tensors and those images; None lets it rest.
    """
    own, mean, critic, adam, critic_adam = lists
    (_, (losses, fakes)), slopes = differentiate(own_loss, own, critic)
    (own, mean, adam), losses["norm"] = improved(
        optimisers[0], config, [own, mean, adam], slopes
    )
    if critic_loss is not None:
        (losses["critic"], _), slopes = differentiate(
            lambda tensors: (critic_loss(tensors, fakes), None), critic
        )
        slopes, _ = clipped(slopes, CRITIC_CLIP)
        critic, critic_adam = optimisers[1].apply(critic_adam, slopes, critic)
    losses = {name: keras.ops.stop_gradient(loss) for name, loss in losses.items()}
    return [own, mean, critic, adam, critic_adam], losses


# --- what is kept -------------------------------------------------------------


@dataclass
class State:
    """Named lists of tensors, and how many images they have seen."""

    lists: dict[str, Tensors]
    images: int = 0

    def save(self, path: Path) -> None:
        """Write all of it, replacing the file only when complete."""
        flat = {
            f"{name}/{i:04}": np.asarray(keras.ops.convert_to_numpy(tensor))
            for name, tensors in self.lists.items()
            for i, tensor in enumerate(tensors)
        }
        partial = path.with_suffix(".partial")
        try:
            save_file(flat, partial, metadata={"images": str(self.images)})
        except (SafetensorError, OSError) as error:
            partial.unlink(missing_ok=True)
            raise WeightsError(
                f"Writing {path} failed ({error}). Free some space: the same command"
                " goes on from what was written before."
            ) from None
        os.replace(partial, path)

    def load(self, path: Path) -> list[str]:
        """Take every list that fits; return the names of those that begin anew.

        The first list is the network itself and must fit.
        """
        try:
            flat = load_file(path)
            with safe_open(path, "np") as file:
                images = int(file.metadata()["images"])
        except (SafetensorError, OSError, KeyError, TypeError) as error:
            raise WeightsError(
                f"{path} is damaged or no training's state ({error})."
                " Delete it to begin anew."
            ) from None
        anew = [name for name in self.lists if not self._take(name, flat)]
        if anew[:1] == list(self.lists)[:1]:
            raise WeightsError(
                f"{path} holds the state of another network. Train in another folder,"
                " or with the same plan as before."
            )
        self.images = images
        return anew

    def _take(self, name: str, flat: dict[str, np.ndarray]) -> bool:
        own = self.lists[name]
        stored = [flat[key] for key in sorted(flat) if key.startswith(f"{name}/")]
        if [s.shape for s in stored] != [tuple(t.shape) for t in own]:
            return False
        kinds = [keras.backend.standardize_dtype(t.dtype) for t in own]
        self.lists[name] = [
            keras.ops.convert_to_tensor(s, dtype=kind)
            for s, kind in zip(stored, kinds, strict=True)
        ]
        return True


def contest(
    optimisers: tuple[Adam, Adam],
    own: Iterable[keras.Variable],
    critic: Iterable[keras.Variable],
) -> State:
    """Return the state in which networks and their critic begin."""
    first, other = values(own), values(critic)
    adam, critic_adam = optimisers[0].start(first), optimisers[1].start(other)
    lists = {"own": first, "mean": first, "critic": other, "adam": adam}
    return State({**lists, "critic_adam": critic_adam})


@dataclass
class Run:
    """One training in a folder: steps until it has seen enough or time is up."""

    folder: Path
    state: State
    batch: int
    until: int  # images
    minutes: float = float("inf")
    save_every: float = 5.0  # minutes
    log: dict[str, list[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.checkpoint.exists() and (anew := self.state.load(self.checkpoint)):
            self._note({"begun anew": anew})
        lists = self.state.lists.items()
        self.state.lists = {name: [copied(t) for t in ts] for name, ts in lists}

    @property
    def checkpoint(self) -> Path:
        return self.folder / "state.safetensors"

    def go(
        self, step: Callable[[int], Losses], report: Callable[[], dict[str, Any]]
    ) -> None:
        """Call step(index) until done; now and then save, report and log.

        Stopped by Control-C, it saves before it ends.
        """
        first, start = self.state.images, time.monotonic()
        saved, rate = start, 0.0
        try:
            with _progress() as bar:
                task = bar.add_task("", total=self.until, completed=first, rate="")
                while self.state.images < self.until:
                    self._advance(step)
                    now = time.monotonic()
                    rate = (self.state.images - first) / (now - start)
                    seen = self.state.images
                    bar.update(task, completed=seen, rate=f"{rate:.1f} images/s")
                    if now - start > 60 * self.minutes:
                        break
                    if now - saved > 60 * self.save_every:
                        self._record(report, rate)
                        saved = time.monotonic()
        except KeyboardInterrupt:
            self.state.save(self.checkpoint)
            raise
        if self.state.images > first:
            self._record(report, rate)

    def move(self, step: Step, *inputs: object) -> Losses:
        """Let a compiled step make new lists of the state's; return its losses."""
        lists = self.state.lists
        new, losses = step(list(lists.values()), *inputs)
        self.state.lists = dict(zip(lists, new, strict=True))
        return losses

    def show(self, rows: list[np.ndarray]) -> None:
        """Write a sheet of rows of pictures, eight columns of all rows at a time."""
        parts = [row[i : i + 8] for i in range(0, len(rows[0]), 8) for row in rows]
        step = -(-rows[0].shape[1] // CELL)
        path = self.folder / f"sheet-{self.state.images:07}.png"
        sheet(np.concatenate(parts)[:, ::step, ::step], 8, path)

    def _advance(self, step: Callable[[int], Losses]) -> None:
        for name, value in step(self.state.images // self.batch).items():
            self.log.setdefault(name, []).append(value)
        self.state.images += self.batch

    def _record(self, report: Callable[[], dict[str, Any]], rate: float) -> None:
        self.state.save(self.checkpoint)
        means = {
            name: float(np.mean([float(value) for value in values]))
            for name, values in self.log.items()
        }
        self.log.clear()
        seen = {"images": self.state.images, "rate": round(rate, 2)}
        self._note({**seen, **means, **report()})

    def _note(self, line: dict[str, Any]) -> None:
        with (self.folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")


# --- what is shown ------------------------------------------------------------


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.completed:,} / {task.total:,} images"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )


def sheet(images: np.ndarray, columns: int, path: Path) -> None:
    """Write images (N, H, W, 3) in [-1, 1] as one PNG, row by row."""
    n, h, w, _ = images.shape
    rows = -(-n // columns)
    canvas = np.zeros((rows * columns, h, w, 3), np.uint8)
    canvas[:n] = pixels_of(images)
    canvas = canvas.reshape(rows, columns, h, w, 3).swapaxes(1, 2)
    Image.fromarray(canvas.reshape(rows * h, columns * w, 3)).save(path)
