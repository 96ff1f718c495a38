"""How the default model serves people held out, group by group, and how it draws.

    python -m benchmarks.population DATA [--sheet out.png]

DATA is a folder of shards (`retouch train data`) whose labels hold age and male.
First the reconstruction by the encoder alone, by age, gender and skin tone (thirds of
what the judge reads). Then samples of the prior against crops of people held out: the
Frechet distance of descriptors and of low-level features, a classifier that is to tell
them apart (0.5: it cannot), and the length of short ways through the latents.
Writes benchmarks/results/population.json.
"""

import json
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.linalg import sqrtm

from benchmarks.quality import RESULTS, commit, detail, signal_to_noise
from retouch.faces.identity import apart, descriptors
from retouch.geometry import TIGHT, Face
from retouch.models import Model
from retouch.stitching import mask
from retouch.training.loop import sheet as write_sheet
from retouch.training.shards import Shards, as_images
from scorers.latent import ridge

Floats = NDArray[np.float32]
AT_ONCE = 50
STEP = 1e-2  # of a way between two latents, for its length


def in_parts(function, *arrays: NDArray) -> Floats:
    """Apply a function to a part of the rows at a time."""
    count = len(arrays[0])
    parts = [slice(i, i + AT_ONCE) for i in range(0, count, AT_ONCE)]
    return np.concatenate(
        [np.asarray(function(*(a[p] for a in arrays))) for p in parts]
    )


# --- by group -----------------------------------------------------------------


def groups(shards: Shards, index: NDArray, skin: Floats) -> dict[str, NDArray]:
    """Return who belongs to which group, as rows of the index."""
    age, male = (shards.labels[index, shards.traits.index(t)] for t in ("age", "male"))
    named = np.isin(shards.sources[index], ["utk"])
    bands = {"18-29": (18, 30), "30-44": (30, 45), "45-59": (45, 60), "60+": (60, 200)}
    found = {"everyone": np.ones(len(index), bool)}
    for name, (low, high) in bands.items():
        found[f"age {name}"] = named & (age >= low) & (age < high)
    found["women"], found["men"] = named & (male == 0), named & (male == 1)
    thirds = np.quantile(skin, [1 / 3, 2 / 3])
    for i, name in enumerate(("lightest third", "middle third", "darkest third")):
        found[f"skin, {name}"] = np.digitize(skin, thirds) == i
    return found


def by_group(model: Model, shards: Shards, index: NDArray) -> dict[str, dict]:
    """Return the encoder's reconstruction of each group."""
    images, marks = as_images(shards.images[index]), shards.landmarks[index]
    size = images.shape[1]
    masks = np.stack([_mask(points, size) for points in marks])
    copies = in_parts(lambda x: model.decode(model.inverter.guess(x)), images)
    own = descriptors(images, marks)
    gap = apart(descriptors(copies, marks), own)
    noise = signal_to_noise(images, copies, masks)
    kept = detail(copies, masks, 1.0) / detail(images, masks, 1.0)
    scores = model.judge.score(own, marks)
    skin = scores[:, model.judge.names.index("skin-color")]
    return {
        name: {
            "faces": int(who.sum()),
            "PSNR in the face, dB": float(noise[who].mean()),
            "descriptor distance": float(gap[who].mean()),
            "detail kept, finer than 1 px": float(kept[who].mean()),
        }
        for name, who in groups(shards, index, skin).items()
        if who.any()
    }


def _mask(points: Floats, size: int) -> Floats:
    face = Face(points, (0, 0, size, size))
    transform = face.transform(TIGHT, size)
    return mask.draw(face, transform, size, (size, size, 3))[..., None]


# --- the prior ----------------------------------------------------------------


def low_level(images: Floats) -> Floats:
    """Return means, deviations and the energy of three bands of each colour."""
    parts = [images.mean((1, 2)), images.std((1, 2))]
    for _ in range(3):
        n, h, w, c = images.shape
        small = images.reshape(n, h // 2, 2, w // 2, 2, c).mean((2, 4))
        fine = images - small.repeat(2, 1).repeat(2, 2)
        parts.append(np.log(fine.std((1, 2)) + 1e-3))
        images = small
    return np.concatenate(parts, 1)


def frechet(one: Floats, other: Floats) -> float:
    """Return the Frechet distance of two clouds of points taken for normal."""
    a, b = np.cov(one.T), np.cov(other.T)
    root = sqrtm(a @ b).real
    gap = one.mean(0) - other.mean(0)
    return float(gap @ gap + np.trace(a + b - 2 * root))


def told_apart(one: Floats, other: Floats, folds: int = 5) -> float:
    """Return how often a ridge classifier tells rows apart that it did not learn."""
    rows = np.concatenate([one, other])
    rows = (rows - rows.mean(0)) / (rows.std(0) + 1e-9)
    sides = np.repeat([1.0, -1.0], [len(one), len(other)]).astype(np.float32)
    order = np.random.default_rng(0).permutation(len(rows))
    right = 0
    for part in np.array_split(order, folds):
        rest = np.setdiff1d(order, part)
        slopes, offsets = ridge(rows[rest], sides[rest, None], 30.0)
        right += int(((rows[part] @ slopes + offsets)[:, 0] * sides[part] > 0).sum())
    return right / len(rows)


def path_length(model: Model, starts: Floats, ends: Floats) -> float:
    """Return the mean change of a picture for a short way, per whole way."""
    a = in_parts(model.decode, starts)
    b = in_parts(model.decode, starts + STEP * (ends - starts))
    return float(np.sqrt(((a - b) ** 2).mean((1, 2, 3))).mean() / STEP)


def prior(model: Model, images: Floats, marks: Floats) -> tuple[dict, Floats]:
    """Compare samples with crops; return figures and samples."""
    count = len(images) // 2
    real, others = images[:count], images[count : 2 * count]
    latents = np.asarray(model.generator.sample(count, seed=0))
    drawn = in_parts(model.decode, latents)
    place = np.repeat(marks.mean(0, keepdims=True), count, 0)
    seen = {"samples": drawn, "held out": real, "others held out": others}
    known = {k: descriptors(v.astype(np.float32), place) for k, v in seen.items()}
    plain = {k: low_level(v) for k, v in seen.items()}
    figures = {}
    for name in ("samples", "others held out"):
        figures[name] = {
            "Frechet distance of descriptors": frechet(known[name], known["held out"]),
            "Frechet distance, low level": frechet(plain[name], plain["held out"]),
            "told apart from people held out": told_apart(
                np.concatenate([known[name], plain[name]], 1),
                np.concatenate([known["held out"], plain["held out"]], 1),
            ),
        }
    encoded = in_parts(model.inverter.guess, real)
    figures["samples"]["path length"] = path_length(model, latents, latents[::-1])
    figures["others held out"]["path length"] = path_length(
        model, encoded, encoded[::-1]
    )
    return figures, drawn


# --- the command --------------------------------------------------------------


def main(data: Path, faces: int = 600, sheet: Path | None = None) -> None:
    """Measure the default model on people held out of a folder of shards."""
    model, shards = Model.load(), Shards.read(data)
    apart = np.flatnonzero(shards.testing() & (shards.sources != "omi_edits"))
    index = np.random.default_rng(0).permutation(apart)[:faces]
    tables = {"reconstruction": by_group(model, shards, index)}
    images, marks = as_images(shards.images[index]), shards.landmarks[index]
    tables["prior"], drawn = prior(model, images, marks)
    for title, rows in tables.items():
        _show(title, rows)
    record = {"commit": commit(), "faces": len(index), **tables}
    (RESULTS / "population.json").write_text(json.dumps(record, indent=1) + "\n")
    if sheet is not None:
        write_sheet(drawn[:48], 8, sheet)


def _show(title: str, rows: dict[str, dict[str, float]]) -> None:
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    table = Table(title, *names)
    for name, row in rows.items():
        table.add_row(name, *(f"{row[n]:.3f}" if n in row else "" for n in names))
    Console(width=140).print(table)


if __name__ == "__main__":
    typer.run(main)
