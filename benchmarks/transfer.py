"""What transfers gain in happiness, and what they cost in identity.

    python -m benchmarks.transfer FACES [--models default,glow] [--most 16]

FACES holds pictures in lfw/ and lfw.csv (file, person, expression). Of the people that
trainings hold out, those with a neutral and a happy picture take part: each one's
neutral picture gets the smile of the next one's happy picture. Measured on the
finished photo, by dlib's own descriptor and by the judge, which guides nothing, and
by the part of the way to the source's action units. Models that are not run keep the
figures that they have.
"""

import csv
import json
import subprocess
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.people import taught_nothing
from retouch.engine.retoucher import Retoucher
from retouch.engine.session import Session
from retouch.errors import RetouchError
from retouch.expressions.assess import Assessor, Measures
from retouch.expressions.transfer import Transfers
from retouch.expressions.transfer_options import Transferring
from retouch.photos.photo import read
from retouch.settings import Settings

RESULTS = Path(__file__).parent / "results" / "transfer.json"
MODELS = "default,glow,vae,cvae,vqvae"
ALPHAS = (0.3, 0.4, 0.5, 0.75, 1.0, 1.25, 1.5)
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
        if {"neutral", "happiness"} <= own.keys() and taught_nothing("lfw", person)
    ]


def sat(engine: Transfers, paths: list[tuple[Path, Path]], settings: Settings):
    """Return the sessions of those people in whose pictures both faces are found."""
    found = []
    for pair in paths:
        try:
            found.append([engine.cut(read(p), p.name, settings) for p in pair])
        except RetouchError:
            continue
    return found


def series(
    engine: Transfers,
    assessor: Assessor,
    source: Session,
    target: Session,
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


def _row(seen: Measures, own: Measures, given: Measures) -> dict[str, float]:
    part = seen.gone(own, given)
    return {
        "happier": seen.happy - own.happy,
        "identity to target": seen.distance(own),
        "identity to source": seen.distance(given),
        "units: part of the way": 0.0 if part is None else part,
        "units apart": given.apart(own),
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


def measured(
    model: str, assessor: Assessor, paths: list[tuple[Path, Path]], settings: Settings
) -> list[list[dict[str, float]]]:
    """Return the figures of every pair at every alpha."""
    engine = Transfers(Retoucher.load(model))
    people = sat(engine, paths, settings)
    happy = [pair[1] for pair in people]
    happy = happy[1:] + happy[:1]
    return [
        series(engine, assessor, source, target, settings)
        for (target, _), source in zip(people, happy, strict=True)
    ]


def mean(rows: list[dict[str, float]]) -> dict[str, float]:
    """Return the means of rows.

    The part of the way weighs pairs by the square of how far they are apart, so that
    it is one projection for all: near ones, whose part is noise, count little.
    """
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    weights = np.square([row["units apart"] for row in rows])
    key = "units: part of the way"
    means[key] = float(np.average([row[key] for row in rows], weights=weights))
    return means


def main(
    faces: Path,
    models: Annotated[str, typer.Option(help="Names, with commas.")] = MODELS,
    most: int = 20,
    identity: float = 0.3,
    steps: int = 40,
    results: Annotated[Path, typer.Option(help="What is written.")] = RESULTS,
) -> None:
    """Measure transfers between held-out people with each model."""
    assessor, paths = Assessor(), held_out(faces)[:most]
    for model in models.split(","):
        settings = Settings(model=model, identity=identity, steps=steps)
        every = measured(model, assessor, paths, settings)
        means = [mean([rows[i] for rows in every]) for i in range(len(ALPHAS))]
        found = {
            **_told(identity, steps),
            "pairs": len(every),
            "alphas": dict(zip(map(str, ALPHAS), means, strict=True)),
            "at +1 deviation": at(means, WANTED),
        }
        _show(model, means, found["at +1 deviation"])
        _keep(model, found, results)


def _show(model: str, means: list[dict[str, float]], one: dict | None) -> None:
    table = Table(model, *map(str, ALPHAS))
    for key in means[0]:
        table.add_row(key, *(f"{row[key]:+.2f}" for row in means))
    console = Console(width=120)
    console.print(table)
    if one is None:
        console.print("happiness does not rise by 1 deviation")
    else:
        distance = one["identity to target"]
        console.print(f"+1 deviation at alpha {one['alpha']:.2f}: {distance:.3f}")


def _told(identity: float, steps: int) -> dict[str, float | int | str]:
    """Return what figures were measured with."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return {"commit": commit, "identity": identity, "steps": steps}


def _keep(model: str, found: dict, path: Path) -> None:
    """Write a model's figures beside those of the others."""
    figures = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures | {model: found}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    typer.run(main)
