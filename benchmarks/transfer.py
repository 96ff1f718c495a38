"""What transfers gain in happiness, and what they cost in identity.

    python -m benchmarks.transfer FACES [--models default,glow] [--most 20]

FACES holds pictures in lfw/ and lfw.csv (file, person, expression). Of the people that
trainings hold out, those with a neutral and a happy picture take part: each one's
neutral picture gets the smile of the next one's happy picture. Measured on the
finished photo, by dlib's own descriptor and by the judge, which guides nothing.
"""

import csv
import json
import subprocess
import zlib
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from retouch.engine import Retoucher
from retouch.errors import RetouchError
from retouch.expressions.evaluate import Assessor, Seen
from retouch.expressions.transfer import Transfers
from retouch.expressions.transfer_options import Transferring
from retouch.photo import read
from retouch.settings import Settings
from retouch.sitting import Sitting

RESULTS = Path(__file__).parent / "results"
HELD_OUT = 50  # of a thousand people, as training.shards has it
ALPHAS = (0.3, 0.4, 0.5, 1.0, 1.25)
WANTED = 1.0  # deviations of happiness


def held_out(faces: Path) -> list[tuple[Path, Path]]:
    """Return a neutral and a happy picture of each person who is held out."""
    people: dict[str, dict[str, str]] = defaultdict(dict)
    with open(faces / "lfw.csv", newline="") as file:
        for row in csv.DictReader(file):
            people[row["person"]].setdefault(row["expression"], row["file"])
    return [
        (faces / "lfw" / own["neutral"], faces / "lfw" / own["happiness"])
        for person, own in sorted(people.items())
        if {"neutral", "happiness"} <= own.keys()
        and zlib.crc32(f"lfw/{person}".encode()) % 1000 < HELD_OUT
    ]


def sat(engine: Transfers, paths: list[tuple[Path, Path]], settings: Settings):
    """Return the sittings of those people in whose pictures both faces are found."""
    found = []
    for pair in paths:
        try:
            found.append([engine.sit(read(p), p.name, settings) for p in pair])
        except RetouchError:
            continue
    return found


def series(
    engine: Transfers,
    assessor: Assessor,
    source: Sitting,
    target: Sitting,
    settings: Settings,
) -> list[dict[str, float]]:
    """Return the figures of one transfer at every alpha."""
    photos = engine.ranged(source, target, [], ALPHAS, Transferring(), settings)
    face, own = target.faces[0], assessor.see(target.photo, target.faces[0])
    given = assessor.see(source.photo, source.faces[0])
    rows = []
    for photo in photos:
        seen = assessor.see(photo, face)
        rows.append(_row(seen, own, given))
    return rows


def _row(seen: Seen, own: Seen, given: Seen) -> dict[str, float]:
    return {
        "happier": seen.happy - own.happy,
        "identity to target": seen.distance(own),
        "identity to source": seen.distance(given),
        "units as source": seen.agreement(given),
        "units as target": seen.agreement(own),
        "turned": seen.turned(own),
        "sharpness": seen.sharpness / own.sharpness,
    }


def at(rows: list[dict[str, float]], wanted: float) -> dict[str, float] | None:
    """Return the figures where happiness has risen by so much, between two alphas."""
    grid = [{"alpha": a, **row} for a, row in zip(ALPHAS, rows, strict=True)]
    points = [dict.fromkeys(grid[0], 0.0), *grid]
    for low, high in pairwise(points):
        if low["happier"] < wanted <= high["happier"]:
            share = (wanted - low["happier"]) / (high["happier"] - low["happier"])
            return {
                key: low[key] + share * (high[key] - low[key])
                for key in ("alpha", "identity to target")
            }
    return None


def main(
    faces: Path,
    models: Annotated[str, typer.Option(help="Names, with commas.")] = "default,glow",
    most: int = 20,
    identity: float = 0.3,
    steps: int = 40,
) -> None:
    """Measure transfers between held-out people with each model."""
    assessor, figures = Assessor(), {}
    for model in models.split(","):
        settings = Settings(model=model, identity=identity, steps=steps)
        engine = Transfers(Retoucher.load(model))
        people = sat(engine, held_out(faces)[:most], settings)
        happy = [pair[1] for pair in people]
        happy = happy[1:] + happy[:1]
        every = []
        for (target, _), source in zip(people, happy, strict=True):
            every.append(series(engine, assessor, source, target, settings))
        means = [
            {
                key: float(np.mean([rows[i][key] for rows in every]))
                for key in every[0][0]
            }
            for i in range(len(ALPHAS))
        ]
        figures[model] = {
            "pairs": len(every),
            "alphas": dict(zip(map(str, ALPHAS), means, strict=True)),
            "at +1 deviation": at(means, WANTED),
        }
        _show(model, means, figures[model]["at +1 deviation"])
        _keep(figures, identity, steps)


def _show(model: str, means: list[dict[str, float]], one: dict | None) -> None:
    table = Table(model, *map(str, ALPHAS))
    for key in means[0]:
        table.add_row(key, *(f"{row[key]:+.2f}" for row in means))
    console = Console(width=100)
    console.print(table)
    if one is None:
        console.print("happiness does not rise by 1 deviation")
    else:
        distance = one["identity to target"]
        console.print(f"+1 deviation at alpha {one['alpha']:.2f}: {distance:.3f}")


def _keep(figures: dict, identity: float, steps: int) -> None:
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    record = {"commit": commit, "identity": identity, "steps": steps}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({**record, "figures": figures}, indent=1)
    (RESULTS / "transfer.json").write_text(text + "\n")


if __name__ == "__main__":
    typer.run(main)
