"""The commands that measure what was made: transfers, edits, inversions."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from retouch.errors import PhotoError

if TYPE_CHECKING:
    from retouch.expressions.assess import Assessor
    from retouch.expressions.evaluate import Evaluation

app = typer.Typer(
    help="Measure edited faces: identity, action units, pose, quality.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
Folder = Annotated[Path, typer.Argument(help="The folder of pictures.")]
Out = Annotated[
    Path | None, typer.Option(help="A folder for tables; DIRECTORY/evaluation.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there.")]
TABLES = (
    "evaluation.csv", "action_units.csv", "likeliness.csv", "summary.json", "plot.png",
)  # fmt: skip

ENDS = "target", "source"
TITLES = {"Identity distance": "identity", "Action units' agreement": "agreement"}


@app.command()
def transfers(directory: Folder, out: Out = None, force: Force = False) -> None:
    """Measure what `retouch transfer --range` wrote, in a folder and those in it."""
    from retouch.expressions.evaluate import transfers as measured

    place = _place(directory, out, force)
    _write(measured(_assessor(), directory), place)


@app.command()
def edits(directory: Folder, out: Out = None, force: Force = False) -> None:
    """Measure the pictures of DIRECTORY/after against those in DIRECTORY/before."""
    _pairs(directory, out, force)


@app.command()
def inversions(directory: Folder, out: Out = None, force: Force = False) -> None:
    """Measure copies in DIRECTORY/after against the pictures in DIRECTORY/before."""
    _pairs(directory, out, force)


def _pairs(directory: Path, out: Path | None, force: bool) -> None:
    from retouch.expressions.evaluate import pairs

    place = _place(directory, out, force)
    _write(pairs(_assessor(), directory), place)


def _place(directory: Path, out: Path | None, force: bool) -> Path:
    """Return where the tables go, checked before any work."""
    from retouch.expressions.evaluate import existing

    place = out or existing(directory) / "evaluation"
    if place.exists() and not place.is_dir():
        raise PhotoError(f"'{place}' is a file; --out names a folder.")
    there = [name for name in TABLES if (place / name).exists()]
    if there and not force:
        raise PhotoError(
            f"'{place}' holds {there[0]} already; choose another folder, or allow it"
            " to be replaced with --force."
        )
    return place


def _assessor() -> "Assessor":
    from retouch.expressions.assess import Assessor

    return Assessor()


def _write(found: "Evaluation", place: Path) -> None:
    from retouch.expressions.evaluate import summary, table, unit_table
    from retouch.photos import charts, disk
    from retouch.photos.photo import Photo, encode

    told = summary(found)
    files = {
        "evaluation.csv": table(found.rows),
        "action_units.csv": unit_table(found),
        "summary.json": (json.dumps(told, indent=1) + "\n").encode(),
        "plot.png": encode(Photo(charts.draw(_panels(found, told)))),
    }
    if found.distances:
        files["likeliness.csv"] = table(found.distances)
    with disk.refusing(f"'{place}'"):
        place.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        disk.put(place / name, data)
    means = ", ".join(f"{name} {value:.3f}" for name, value in told["mean"].items())
    typer.echo(f"{told['outputs']} outputs: {means}")
    typer.echo(str(place))


def _panels(found: "Evaluation", told: dict[str, Any]) -> list[Any]:
    """Return identity and agreement against alpha, or against one another."""
    from retouch.photos.charts import Panel

    if "alphas" not in told:
        dots = [(row["identity_target"], row["agreement_target"]) for row in found.rows]
        return [Panel("Action units kept", "identity distance", {"outputs": dots})]

    def line(key: str) -> list[tuple[float, float]]:
        return [(row["alpha"], row[key]) for row in told["alphas"] if key in row]

    panels = [
        Panel(title, "alpha", {f"to {end}": line(f"{key}_{end}") for end in ENDS})
        for title, key in TITLES.items()
    ]
    if way := line("gone"):
        title = "Part of the way to the source's units"
        panels.append(Panel(title, "alpha", {"gone": way}))
    return panels
