"""The commands on directions: what ships and what is one's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retouch.commands import completion, learn, terminal

if TYPE_CHECKING:
    from retouch.edits.directions import Known

app = typer.Typer(
    no_args_is_help=True, help="Directions of edits: list, show, learn, import."
)
app.command("learn")(learn.learn)


@app.command("list")
def list_(
    model: Annotated[
        str,
        typer.Option(
            help="The model that they move.", autocompletion=completion.models
        ),
    ] = "default",
) -> None:
    """List directions with their safe range and what came of a trial."""
    from rich.table import Table

    from pretrained.registry import library
    from retouch.edits.directions import offered
    from retouch.edits.names import climbs, traits

    table = Table("name", "more is", "safe range", "+1 is judged", "identity")
    rows = library().rows()
    climbed = climbs(model)
    for name in offered(traits(model)):
        table.add_row(*_shipped(name, climbed))
    for row in rows:
        if row.name == f"{model}-traits":
            for name, seen in row.config.get("moves", {}).items():
                table.add_row(*_straight(name, seen))
        learnt = row.architecture == "learnt" and row.family == model
        if learnt or row.kind == "directions":
            table.add_row(row.name, row.source, "", "", "")
    terminal.console().print(table)


def _shipped(name: str, climbs: bool) -> tuple[str, ...]:
    """Return the row of an edit that ships; what was never tried has no figures."""
    from retouch.edits.directions import DIRECTIONS

    known = DIRECTIONS.get(name)
    if known is None:
        return name, f"{name}; without figures", "", "", ""
    span = f"{known.low:+g} to {known.high:+g}"
    tried = known.trial if climbs else known.tried
    figures = ("", "")
    if tried is not None:
        figures = f"{tried.judged:+.2f}", f"{tried.identity:.2f}"
    return name, known.meaning, span, *figures


def _straight(name: str, seen: dict[str, float]) -> tuple[str, ...]:
    """Return the row of a straight move: what its guide sees of it at +2."""
    other = max((n for n in seen if n != name), key=lambda n: abs(seen[n]))
    told = f"{name}, alike for all; at +2 the guide sees {seen[name]:+.2f}"
    told += f" of it and {seen[other]:+.2f} of {other}"
    return f"straight:{name}", told, "-2 to +2", "", ""


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            help="The name of a direction.", autocompletion=completion.directions
        ),
    ],
) -> None:
    """Print what is known of one."""
    from pretrained.registry import library
    from retouch.edits.directions import DIRECTIONS
    from retouch.edits.straight import unknown

    if known := DIRECTIONS.get(name):
        typer.echo(f"{name}: +1 is {_measured(known)}")
        typer.echo(f"safe from {known.low:+g} to {known.high:+g}")
        trials = {"default": known.tried, "default128": known.trial}
        for model, tried in trials.items():
            if tried is not None:
                typer.echo(
                    f"with {model} eight portraits were judged {tried.judged:+.2f} at"
                    f" +1, without landmarks {tried.second:+.2f}, and moved"
                    f" {tried.identity:.2f} from who they were"
                )
        if known.adults:
            typer.echo("faces that look younger than 18 are left alone")
        return
    rows = {row.name: row for row in library().rows()}
    row = rows.get(name)
    if row is None or not (row.architecture == "learnt" or row.kind == "directions"):
        own = [n for n, r in rows.items() if r.architecture == "learnt"]
        raise unknown("direction", name, [*DIRECTIONS, *own])
    typer.echo(f"{name}: {row.source}, for the latents of {row.family}")
    if "skill" in row.config:
        typer.echo(f"agrees with ratings kept aside at r = {row.config['skill']:.2f}")


def _measured(known: "Known") -> str:
    """Return what strength 1 is."""
    from retouch.edits.manner import GAZE

    if known.trait == GAZE:
        return f"{known.meaning}, by an eighth of an eye's width"
    who = "judges see it" if known.trial else "landmarks show it"
    return f"one deviation {known.meaning}, as {who}"


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A .npy, .pt or .npz file.")],
    name: Annotated[str, typer.Option(help="What to call it.")],
    family: Annotated[
        str | None, typer.Option(help="The latent space that it belongs to.")
    ] = None,
) -> None:
    """Keep a direction of another project; no code in the file is run."""
    from pretrained import loading
    from pretrained.registry import library

    row = loading.import_file(library(), file, name, family=family)
    typer.echo(f"{row.name}: {row.kind} of {row.family}")
