"""How far each direction that ships can go, and what it costs on the way.

    python -m benchmarks.ranges FOLDER_OF_PORTRAITS [--most 8] [--names smile,age]

Every direction moves the largest face of every portrait by several strengths, the
whole way from photo to photo. A strength is safe where the judge sees more than at
the one before it, on nearly every face, within the identity budget; the safe ranges
in `retouch.edits.directions` are what this prints.
"""

import json
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.edits import DRIFTS, SHOWN, Bench
from retouch.edits.directions import DIRECTIONS
from retouch.engine.report import FaceReport
from retouch.settings import Settings
from retouch.training.loop import sheet

RESULTS = Path(__file__).parent / "results" / "ranges.json"
STRENGTHS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
STEADY = 0.8  # of the faces must go on the right way

Row = dict[str, float]


def main(
    folder: Path,
    most: int = 8,
    names: Annotated[str, typer.Option(help="Directions, with commas.")] = "",
    pictures: Annotated[Path | None, typer.Option(help="Folder for sheets.")] = None,
) -> None:
    """Measure the directions on the portraits of a folder."""
    bench = Bench(folder, Settings(faces="largest"), most)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    judged = [name for name, own in DIRECTIONS.items() if own.tried is not None]
    for name in [n for n in names.split(",") if n] or judged:
        done = [bench.edited({name: s}, 1.0) for s in STRENGTHS]
        rows = measured(name, [d.reports for d in done])
        _show(name, rows)
        known[name] = rows
        RESULTS.write_text(json.dumps(known, indent=1) + "\n")
        if pictures is not None:
            crops = [bench.crops(d.photos, SHOWN) for d in done]
            crops.insert(3, bench.crops([s.photo for s in bench.sessions], SHOWN))
            order = np.stack(crops, 1).reshape(-1, SHOWN, SHOWN, 3)
            sheet(order, len(crops), pictures / f"{name}.png")


def measured(name: str, reports: list[list[FaceReport]]) -> dict[str, Row]:
    """Return the figures of a direction at every strength."""
    gains = np.array([[r.judged[1] - r.judged[0] for r in own] for own in reports])
    second = np.array([[r.second[1] - r.second[0] for r in own] for own in reports])
    trait = DIRECTIONS[name].trait
    rows = {}
    for i, strength in enumerate(STRENGTHS):
        inner = i + 1 if strength < 0 else i - 1  # the strength nearer to none
        less = 0.0 if abs(strength) == min(map(abs, STRENGTHS)) else gains[inner]
        way = np.sign(strength)
        row = {
            "judged": gains[i].mean(),
            "without landmarks": second[i].mean(),
            "further than the one before": (way * (gains[i] - less) > 0).mean(),
            "identity": np.mean([r.identity for r in reports[i]]),
            "share allowed": np.mean([r.share for r in reports[i]]),
        }
        for other in DRIFTS:
            if other != trait:
                row[f"{other} drift"] = np.mean([r.changed[other] for r in reports[i]])
        rows[f"{strength:g}"] = {key: float(value) for key, value in row.items()}
    return rows


def safe(rows: dict[str, Row]) -> tuple[float, float]:
    """Return the range in which every strength goes further than the one before."""

    def end(strengths: list[float]) -> float:
        last = 0.0
        for strength in strengths:
            if rows[f"{strength:g}"]["further than the one before"] < STEADY:
                break
            last = strength
        return last

    below = sorted((s for s in STRENGTHS if s < 0), reverse=True)
    return end(below), end(sorted(s for s in STRENGTHS if s > 0))


def _show(name: str, rows: dict[str, Row]) -> None:
    table = Table(f"{name}, safe {safe(rows)}", *rows)
    for figure in next(iter(rows.values())):
        table.add_row(figure, *(f"{row[figure]:+.2f}" for row in rows.values()))
    Console(width=110).print(table)


if __name__ == "__main__":
    typer.run(main)
