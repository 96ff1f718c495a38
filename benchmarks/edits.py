"""What edits gain, what they cost in identity, and what else they change.

    python -m benchmarks.edits FOLDER_OF_PORTRAITS [--sheet out.png]

Every edit runs the whole way, from photo to photo, at the default settings. Gains
are in standard deviations of the judged trait, by the judge and by the second
opinion that sees no landmarks; identity is the distance of dlib's descriptor.
"""

import dataclasses
import json
import subprocess
import time
from pathlib import Path

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from retouch.crop import cut
from retouch.engine import Result, Retoucher
from retouch.errors import FaceError
from retouch.geometry import TIGHT
from retouch.photo import Photo, read
from retouch.settings import Settings

RESULTS = Path(__file__).parent / "results"
DRIFTS = ("age", "gender", "skin-color", "happy")
SHOWN = 200  # pixels a side of a face on the sheet
# Name, moves (none is beautify), strength.
EDITS = (
    ("beautify 1", {}, 1.0),
    ("beautify 2", {}, 2.0),
    ("smile +1.5", {"smile": 1.5}, 1.0),
    ("age +1", {"age": 1.0}, 1.0),
    ("age -1", {"age": -1.0}, 1.0),
)


def apply(
    retoucher: Retoucher, photo: Photo, moves: dict[str, float], settings: Settings
) -> Result:
    """Return the photo after one edit of its largest face."""
    if moves:
        return retoucher.edited(photo, moves, settings)
    return retoucher.beautified(photo, settings)


def figures(results: list[Result]) -> dict[str, float]:
    """Return the means over the faces that were worked on."""
    reports = [r.faces[0] for r in results if r.faces[0].changed]
    row = {"faces": float(len(reports))}
    row["left alone"] = float(len(results) - len(reports))
    if not reports:
        return row
    if reports[0].judged and reports[0].second:
        gains = np.array([r.judged[1] - r.judged[0] for r in reports])
        row["judged gain"] = float(gains.mean())
        row["up on"] = float((gains > 0).mean())
        second = [r.second[1] - r.second[0] for r in reports]
        row["without landmarks"] = float(np.mean(second))
    if reports[0].score:
        row["guide's gain"] = float(np.mean([r.score[1] - r.score[0] for r in reports]))
    row["identity"] = float(np.mean([r.identity for r in reports]))
    row["identity, most"] = float(np.max([r.identity for r in reports]))
    row["share let go"] = float(np.mean([r.share for r in reports]))
    for name in DRIFTS:
        row[f"{name} drift"] = float(np.mean([r.changed[name] for r in reports]))
    return row


def main(
    folder: Path,
    model: str = "default",
    identity: float = 0.25,
    steps: int = 40,
    most: int = 40,
    sheet: Path | None = None,
) -> None:
    """Measure the edits on the largest face of every picture of a folder."""
    retoucher = Retoucher.load(model)
    base = Settings(faces="largest", identity=identity, steps=steps)
    photos = [read(p) for p in sorted(folder.iterdir()) if p.is_file()][:most]
    columns: dict[str, dict[str, float]] = {}
    pictures = [[_face(retoucher, photo, photo) for photo in photos]]
    for name, moves, strength in EDITS:
        settings = dataclasses.replace(base, strength=strength)
        start = time.perf_counter()
        results = []
        for photo in photos:
            try:
                results.append(apply(retoucher, photo, moves, settings))
            except FaceError:
                continue
        columns[name] = figures(results)
        columns[name]["seconds"] = (time.perf_counter() - start) / len(results)
        pictures.append([_face(retoucher, r.before, r.photo) for r in results])
    _show(columns)
    _keep(columns, model, identity, steps)
    if sheet is not None:
        _draw(pictures, sheet)


def _face(retoucher: Retoucher, before: Photo, photo: Photo) -> np.ndarray:
    face = retoucher.detector.find(before.pixels)[0]
    return cut(photo.pixels, face.transform(TIGHT, SHOWN), SHOWN) / 127.5 - 1


def _draw(pictures: list[list[np.ndarray]], path: Path) -> None:
    from training.loop import sheet

    count = min(len(row) for row in pictures)
    order = [row[i] for i in range(count) for row in pictures]
    sheet(np.stack(order), len(pictures), path)


def _show(columns: dict[str, dict[str, float]]) -> None:
    table = Table("figure", *columns)
    names = dict.fromkeys(name for row in columns.values() for name in row)
    for name in names:
        values = (row.get(name) for row in columns.values())
        table.add_row(name, *("" if v is None else f"{v:+.2f}" for v in values))
    Console(width=140).print(table)


def _keep(columns: dict, model: str, identity: float, steps: int) -> None:
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    record = {"commit": commit, "model": model, "identity": identity, "steps": steps}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({**record, "figures": columns}, indent=1)
    (RESULTS / "edits.json").write_text(text + "\n")


if __name__ == "__main__":
    typer.run(main)
