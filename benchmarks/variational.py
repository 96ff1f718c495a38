"""How well the variational models copy faces that they never saw, and edit them.

    python -m benchmarks.variational DATA [--count 200] [--edited 60] [--sheet out.png]

DATA is a folder of shards; only people held out are looked at. Copies are those of
the encoder alone, measured inside the face mask. Edits go two deviations up on the
decoded crops and are read by classifiers that guide none of them: the judge, and
for what it does not know, readers of labels. Written to results/variational.json,
where the figures of models that are not measured again stay.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.quality import Portraits, measure
from pretrained.loading import load_judge
from pretrained.registry import library
from retouch.edits.edit import Direction
from retouch.faces.detect import Detector
from retouch.faces.identity import descriptors
from retouch.geometry import Face, Similarity
from retouch.models import Model
from retouch.photos.levels import pixels_of
from retouch.stitching import mask
from retouch.training.conditions import descriptors_of, label
from retouch.training.shards import Shards, as_images
from scorers.judge import Judge, shape_of
from scorers.latent import LIGHT, ridge

Floats = NDArray[np.float32]
RESULTS = Path(__file__).parent / "results"
MODELS = ("vae", "cvae", "vqvae")
EDITS = ("happy", "age", "gender", "glasses", "beard", "eye_makeup")
LABELLED = ("glasses", "beard", "eye_makeup")
READ = ("happy", "age", "gender", "weight", "attractive", "skin-color", *LABELLED)
KEPT = ("age", "gender", "happy", "skin-color")
STRENGTH = 2.0  # deviations
ACTIVE = 0.01  # variance of a unit's mean over faces (Burda et al., 2016)
SEEN = 256  # pixels a side of the crops that landmarks are read from
SOURCES = ("omi", "synthetic", "ffhq", "utk")


@dataclass(frozen=True, eq=False)
class Classifiers:
    """What reads traits of pictures: the judge, and readers of labels."""

    judge: Judge
    slopes: Floats  # (128 + 136, LABELLED)
    offsets: Floats
    model: Model

    @classmethod
    def fit(cls, shards: Shards, model: Model, kept: Path) -> "Classifiers":
        """Learn the labels that the judge does not know, from the training crops."""
        judge = load_judge(library(), "judge")
        descriptors, learn = descriptors_of(shards, kept), ~shards.testing()
        slopes, offsets = [], []
        for name in LABELLED:
            truth = label(shards, name)
            known = learn & np.isfinite(truth)
            parts = [descriptors[known], shape_of(shards.landmarks[known])]
            inputs = np.concatenate(parts, 1)
            slope, offset = ridge(inputs, truth[known, None], 100.0)
            deviation = (inputs @ slope).std()
            slopes.append(slope[:, 0] / deviation)
            offsets.append(offset[0] / deviation)
        return cls(judge, np.stack(slopes, 1), np.array(offsets, np.float32), model)

    def read(self, images: Floats, landmarks: Floats) -> Floats:
        """Return the traits READ of crops (N, len(READ)), landmarks read anew."""
        detector, marks = Detector(), []
        for image, points in zip(images, landmarks, strict=True):
            pixels = pixels_of(image)
            large = np.asarray(Image.fromarray(pixels).resize((SEEN, SEEN), 1))
            scale = SEEN / len(image)
            face = Face(points * scale, (0, 0, SEEN, SEEN), 1.0)
            marks.append(detector.again(large, face).landmarks / scale)
        found = np.array(marks, np.float32)
        described = descriptors(images, found)
        judged = self.judge.score(described, found)
        inputs = np.concatenate([described, shape_of(found)], 1)
        labelled = inputs @ self.slopes + self.offsets
        columns = [
            labelled[:, LABELLED.index(n)]
            if n in LABELLED
            else judged[:, self.judge.names.index(n)]
            for n in READ
        ]
        return np.stack(columns, 1)


def portraits(shards: Shards, index: NDArray) -> Portraits:
    """Return crops with their masks."""
    size = shards.contents.resolution
    areas = []
    for points in shards.landmarks[index]:
        face = Face(points, (0, 0, size, size), 1.0)
        areas.append(mask.draw(face, Similarity(1, 0, 0, 0), size, (size, size)))
    masks = np.array(areas, np.float32)[..., None]
    return Portraits(as_images(shards.images[index]), masks, shards.landmarks[index])


def copied(model: Model, faces: Portraits) -> tuple[dict[str, float], Floats, Floats]:
    """Return figures of the encoder's copies, the copies and the latents."""
    parts = [faces.images[i : i + 20] for i in range(0, len(faces.images), 20)]
    latents = np.concatenate([model.inverter.guess(part) for part in parts])
    copies = np.concatenate(
        [model.decode(latents[i : i + 20]) for i in range(0, len(latents), 20)]
    )
    figures = measure(faces, copies)
    moments = [_moments(images, faces.masks) for images in (copies, faces.images)]
    # On the scale that the eye and the old services measured: 0 is black.
    figures["mean against the originals'"] = moments[0][0] / moments[1][0]
    figures["deviation against the originals'"] = moments[0][1] / moments[1][1]
    figures["active units"] = float((latents.var(0) > ACTIVE).sum())
    return figures, copies, latents


def _moments(images: Floats, masks: Floats) -> tuple[float, float]:
    area = masks.sum((1, 2))  # (N, 1)
    values = images / 2 + 0.5
    mean = (masks * values).sum((1, 2)) / area
    square = (masks * (values - mean[:, None, None]) ** 2).sum((1, 2)) / area
    return float(mean.mean()), float(np.sqrt(square).mean())


def edited(model: Model, eyes: Classifiers, faces: Portraits, latents: Floats) -> dict:
    """Return for each edit what its own classifier and the others see of it."""
    before = eyes.read(model.decode(latents), faces.landmarks)
    rows = {}
    for name, offset in _offsets(model):
        after = eyes.read(model.decode(latents + STRENGTH * offset), faces.landmarks)
        moves = dict(zip(READ, (after - before).mean(0).tolist(), strict=True))
        own = moves.pop(name.rpartition(":")[2].replace("smiling", "happy"))
        other = max(moves, key=lambda n: abs(moves[n]))
        rows[name] = {
            "own": own,
            "largest other": moves[other],
            "which": other,
            "others": moves,
            "holds": bool(own >= 1 and abs(moves[other]) < own / 2),
        }
    return rows


def _offsets(model: Model) -> list[tuple[str, Floats]]:
    """Return the straight moves of one deviation that a model has for the edits."""
    found = []
    for name in EDITS:
        if name not in model.traits.names:
            continue
        keep = tuple(n for n in (*KEPT, *LIGHT) if n in model.traits.names)
        found.append((name, Direction.of(model.traits, name, keep).offset))
        if name in model.means:
            found.append((f"mean:{name}", model.means[name]))
    return found


def main(
    data: Path,
    count: int = 200,
    most: int = 60,
    kept: Path = Path("descriptors.npz"),
    models: str = ",".join(MODELS),
    sheet: Path | None = None,
) -> None:
    """Measure the models on people held out of a folder of shards.

    Args:
        count: faces that are copied.
        most: faces that are edited.
        kept: where dlib's descriptors of all crops are kept, or are to be.
    """
    shards = Shards.read(data)
    held = np.flatnonzero(shards.testing())
    faces = portraits(shards, held[np.linspace(0, len(held) - 1, count).astype(int)])
    some = held[np.isin(shards.sources[held], SOURCES)]
    subjects = portraits(shards, some[np.linspace(0, len(some) - 1, most).astype(int)])
    columns, edits, pictures = {}, {}, [faces.images[:: max(1, count // 12)]]
    for name in models.split(","):
        model = Model.load(name)
        figures, copies, _ = copied(model, faces)
        columns[name] = figures
        pictures.append(copies[:: max(1, count // 12)])
        if not edits:
            eyes = Classifiers.fit(shards, model, kept)
        edits[name] = edited(
            model, eyes, subjects, model.inverter.guess(subjects.images)
        )
    _show(columns, edits, count)
    _keep(columns, edits, count, most)
    if sheet is not None:
        from retouch.training.loop import sheet as draw

        rows = np.stack(pictures, 1)[:12]
        draw(rows.reshape(-1, *rows.shape[2:]), len(pictures), sheet)


def _show(columns: dict, edits: dict, count: int) -> None:
    table = Table("figure", *columns, title=f"{count} faces held out")
    for name in next(iter(columns.values())):
        table.add_row(name, *(f"{figures[name]:.3f}" for figures in columns.values()))
    console = Console(width=120)
    console.print(table)
    table = Table("model", "edit, +2", "own", "largest other", "which", "holds")
    for model, rows in edits.items():
        for name, row in rows.items():
            moves = (f"{row[n]:+.2f}" for n in ("own", "largest other"))
            table.add_row(model, name, *moves, row["which"], str(row["holds"]))
    console.print(table)


def _keep(columns: dict, edits: dict, count: int, most: int) -> None:
    """Write the figures; those of models that were not measured now stay."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    path, setting = RESULTS / "variational.json", {"faces": count, "edited": most}
    record = {"copies": {}, "edits": {}, **setting}
    if path.exists():
        old = json.loads(path.read_text("utf-8"))
        if setting.items() <= old.items():
            record = old
    record["commit"] = commit
    record["copies"] |= columns
    record["edits"] |= edits
    RESULTS.mkdir(exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    typer.run(main)
