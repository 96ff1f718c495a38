"""How faithful inversion is, what it costs, and what each part of it is for.

    python -m benchmarks.inversion modes FOLDER_OF_PORTRAITS [--most 21]
    python -m benchmarks.inversion plain FOLDER     # against W+ from the mean latent
    python -m benchmarks.inversion ablation FOLDER  # each loss left out
    python -m benchmarks.inversion edits FOLDER     # can the latents be edited?
    python -m benchmarks.inversion large            # 1,024 px, random weights

Every part prints its table and keeps its rows, with the commit, in
benchmarks/results/inversion.json. Figures are taken on tight crops inside the face
mask, as in `benchmarks.quality`. The identity network is part of the loss, so that
the descriptor's distance says less than PSNR and MS-SSIM do.
"""

import dataclasses
import json
import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.quality import Portraits, measure
from retouch.edits.edit import Direction
from retouch.engine.retoucher import Retoucher
from retouch.inversion.invert import Inverter
from retouch.models import Model
from retouch.photos.photo import read
from retouch.presets import PRESETS, Preset, Weights
from retouch.settings import Settings

RESULTS = Path(__file__).parent / "results" / "inversion.json"
FIGURES = {
    "PSNR in the face, dB": "PSNR, dB",
    "MS-SSIM in the face": "MS-SSIM",
    "descriptor distance": "descriptor",
}
TRAIT, FAR = "happy", 1.5  # the edit that is done and undone, in deviations

app = typer.Typer()
Column = dict[str, float]


@app.command()
def modes(folder: Path, most: int = 21, tuned: int = 4, model: str = "default") -> None:
    """Measure every mode; times are of a second run, with nothing to compile.

    On a machine that is busy with other work, the seconds of all processors together
    say more than those of the clock.
    """
    network = Model.load(model)
    faces = _faces(folder, network, most)
    columns = {"encoder": _mode(network, faces, Preset(0))}
    for name, preset in PRESETS.items():
        columns[name] = _mode(network, faces, preset)
    columns["tune"] = _tuned(network, _first(faces, tuned))
    _keep("modes", columns)


@app.command()
def plain(folder: Path, most: int = 4, steps: int = 1000) -> None:
    """Search from the mean latent, and say when ours is as good."""
    network = Model.load()
    faces = _faces(folder, network, most)
    # Without an encoder it begins at the mean, with the published schedule, and
    # searches in full precision.
    theirs = Inverter(network.generator, None, network.identity)
    ours = network.inverter
    columns = {"W+ from the mean": _timed(theirs, faces, Preset(steps))}
    goal = columns["W+ from the mean"]["loss"]
    columns["balanced"] = _timed(ours, faces, PRESETS["balanced"], goal=goal)
    hundred = dataclasses.replace(PRESETS["balanced"], steps=steps // 10)
    columns[f"{steps // 10} steps of ours"] = _timed(ours, faces, hundred, goal=goal)
    _keep("plain", columns)


@app.command()
def ablation(folder: Path, most: int = 8, presets: str = "fast,balanced") -> None:
    """Leave out each loss, and double it."""
    network = Model.load()
    faces = _faces(folder, network, most)
    columns = {}
    for name in presets.split(","):
        preset = PRESETS[name]
        columns[name] = _figures(network, faces, preset)
        for entry in dataclasses.fields(Weights):
            own = getattr(preset.weights, entry.name)
            for word, value in (("without", 0.0), ("twice", 2 * own)):
                if own == 0 and word == "twice":
                    word, value = "with", 0.1
                if own == value:
                    continue
                weights = dataclasses.replace(preset.weights, **{entry.name: value})
                other = dataclasses.replace(preset, weights=weights)
                label = f"{name}, {word} {entry.name}"
                columns[label] = _figures(network, faces, other)
    _keep("ablation", columns)


@app.command()
def edits(folder: Path, most: int = 8) -> None:
    """Edit, encode again and undo; and let the judge see what an edit gained."""
    retoucher = Retoucher.load()
    faces = _faces(folder, retoucher.model, most)
    photos = [read(path) for path in sorted(folder.iterdir())[:most]]
    columns = {}
    for name, steps in {"encoder": 0, **dict.fromkeys(PRESETS, None)}.items():
        preset = PRESETS.get(name, PRESETS["fast"])
        column = _consistency(retoucher.model, faces, preset, steps)
        settings = Settings(
            faces="largest", preset=name if name in PRESETS else "fast", steps=steps
        )
        done = [retoucher.edited(p, {"smile": FAR}, settings).faces[0] for p in photos]
        judged = [face for face in done if face.judged]
        gains = [face.judged[1] - face.judged[0] for face in judged]
        column["judged gain of smile +1.5"] = float(np.mean(gains))
        column["identity moved"] = float(np.mean([f.identity for f in judged]))
        columns[name] = column
    _keep("edits", columns)


@app.command()
def large(resolution: int = 1024, steps: int = 3) -> None:
    """Time the step of the official channel plan with random weights."""
    from generators.stylegan2 import StyleGAN2, official
    from pretrained import dlib_files

    generator = StyleGAN2(official(resolution))
    inverter = Inverter(generator, None, dlib_files.identity(crop="ffhq"))
    images = np.zeros((1, resolution, resolution, 3), np.float32)
    masks = np.ones((1, resolution, resolution, 1), np.float32)
    start = time.perf_counter()
    inverter.invert(images, masks, steps=1)
    first = time.perf_counter() - start
    start = time.perf_counter()
    inverter.invert(images, masks, steps=steps)
    seconds = (time.perf_counter() - start) / (steps + 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    name = f"{resolution} px"
    column = {"seconds a step": seconds, "first two, compiling": first, "GiB": peak}
    _keep("large", {name: column})


# --- measuring ----------------------------------------------------------------


def _faces(folder: Path, network: Model, most: int) -> Portraits:
    return _first(Portraits.read(folder, network.generator.resolution), most)


def _first(faces: Portraits, most: int) -> Portraits:
    parts = faces.images, faces.masks, faces.landmarks
    return Portraits(*(part[:most] for part in parts))


def _of_copies(network: Model, faces: Portraits, copies: np.ndarray) -> Column:
    found = measure(faces, copies)
    return {short: found[name] for name, short in FIGURES.items()}


def _figures(network: Model, faces: Portraits, preset: Preset) -> Column:
    found = network.inverter.invert(faces.images, faces.masks, preset=preset)
    return _of_copies(network, faces, network.decode(found.latents))


def _seconds(act: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = act()
    return time.perf_counter() - start, result


def _mode(network: Model, faces: Portraits, preset: Preset) -> Column:
    # A face on its own, as a photo has it; the first call compiles.
    part = faces.images[:1], faces.masks[:1]
    network.inverter.invert(*part, preset=preset, steps=min(preset.steps, 2))
    begun = time.process_time()
    alone, _ = _seconds(lambda: network.inverter.invert(*part, preset=preset))
    worked = time.process_time() - begun
    together, found = _seconds(
        lambda: network.inverter.invert(faces.images, faces.masks, preset=preset)
    )
    column = _of_copies(network, faces, network.decode(found.latents))
    column |= {"seconds, a face alone": alone, "of all processors": worked}
    column["seconds a face, together"] = together / len(faces.images)
    return column | {"faces": len(faces.images)}


def _tuned(network: Model, faces: Portraits) -> Column:
    from retouch.inversion.tune import Tuner, tuned

    preset = PRESETS["balanced"]
    network = network.in_keras  # which alone can be tuned
    inverter, tuner = network.inverter, Tuner(network.generator, network.identity)
    copies, times, worked, sizes = [], [], [], []
    for image, mask in zip(faces.images, faces.masks, strict=True):
        start, begun = time.perf_counter(), time.process_time()
        latents = inverter.invert(image[None], mask[None], preset=preset).latents
        done = tuner.tune(image, mask, latents[0])
        times.append(time.perf_counter() - start)
        worked.append(time.process_time() - begun)
        sizes.append(sum(delta.size * 2 for delta in done.deltas.values()))
        halves = {n: np.float32(np.float16(d)) for n, d in done.deltas.items()}
        own = tuned(network.generator, halves)
        copies.append(np.asarray(own.decode(latents))[0])
    column = _of_copies(network, faces, np.stack(copies))
    column |= {"seconds, a face alone": min(times), "of all processors": min(worked)}
    column["MiB a face"] = max(sizes) / 2**20
    return column | {"faces": len(faces.images)}


def _timed(
    inverter: Inverter,
    faces: Portraits,
    preset: Preset,
    goal: float | None = None,
) -> Column:
    """Return the final loss, the time, and how long the goal took to reach."""
    parts = faces.images, faces.masks
    inverter.invert(*parts, preset=preset, steps=1)  # compiles
    seconds, found = _seconds(lambda: inverter.invert(*parts, preset=preset))
    best = np.minimum.accumulate(found.losses, 0).mean(1)
    column = {"loss": float(best[-1]), "seconds a face": seconds / len(faces.images)}
    column["steps"] = len(best) - 1
    if goal is not None and best[-1] <= goal:
        column["steps to the goal"] = int(np.argmax(best <= goal))
        part = (column["steps to the goal"] + 1) / len(best)
        column["seconds to the goal"] = part * column["seconds a face"]
    return column


def _consistency(
    model: Model, faces: Portraits, preset: Preset, steps: int | None
) -> Column:
    """Return how far latents lie from themselves, edited, drawn, read and undone."""
    step = Direction.of(model.traits, TRAIT, ()).offset * FAR
    inverter, masks = model.inverter, faces.masks

    def found(images: np.ndarray) -> np.ndarray:
        options = {"preset": preset, "steps": steps}
        return inverter.invert(images, masks, **options).latents

    first = found(faces.images)
    again = found(np.clip(model.decode(first + step), -1, 1)) - step
    gap = (again - first) / np.asarray(model.generator.spread)
    seen = model.decode(again) - model.decode(first)
    return {
        "edit consistency, latents": float(np.sqrt(np.mean(gap**2))),
        "edit consistency, pixels": float(
            (masks * np.abs(seen)).sum() / masks.sum() / 3
        ),
        "length of the edit": float(
            np.sqrt(np.mean((step / np.asarray(model.generator.spread)) ** 2))
        ),
    }


# --- keeping ------------------------------------------------------------------


def _keep(part: str, columns: dict[str, Column]) -> None:
    names = list(dict.fromkeys(n for column in columns.values() for n in column))
    table = Table(part, *names)
    for row, column in columns.items():
        values = (column.get(name) for name in names)
        table.add_row(row, *("" if v is None else f"{v:.4g}" for v in values))
    Console(width=140).print(table)
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    rows = {row: {**column, "commit": commit} for row, column in columns.items()}
    known[part] = known.get(part, {}) | rows
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    app()
