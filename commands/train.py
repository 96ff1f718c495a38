"""The commands that train networks on pictures of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from commands.options import with_options
from retouch.errors import SettingsError
from training.options import Config, Recipe

app = typer.Typer(
    help="Train on pictures of your own.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.command()
@with_options(Recipe, "recipe")
def data(
    sources: Annotated[
        list[str], typer.Argument(help="Folders of pictures, or NAME=FOLDER.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder for the shards.")],
    recipe: Recipe,
    table: Annotated[
        list[str] | None, typer.Option(help="NAME=FILE: labels of a source, a CSV.")
    ] = None,
    weight: Annotated[
        list[str] | None, typer.Option(help="NAME=NUMBER: how often it is drawn.")
    ] = None,
    series: Annotated[
        list[str] | None,
        typer.Option(help="NAME: files are PERSON_TRAIT_0, _1, _2, a trait growing."),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; all cores.")] = None,
) -> None:
    """Find, cut, sift and pack the faces of folders of pictures."""
    from training.data import pack
    from training.packing import Source
    from training.shards import Share

    folders = dict(_source(text) for text in sources)
    tables, weights = _named(table, folders), _named(weight, folders)
    for name in series or ():
        _known(name, folders)
    packed = {}
    for name, folder in folders.items():
        grows = name in (series or ())
        share = None
        if name in weights or grows:
            share = Share(_number(weights.get(name, "1")), grows)
        own = Path(tables[name]) if name in tables else None
        packed[name] = Source(Path(folder), own, share)
    for line in pack(packed, out, recipe, workers=workers).lines():
        typer.echo(line)
    typer.echo(f"What was left out and why: {out / 'dropped.csv'}")


@app.command()
@with_options(Config, "config")
def generator(
    data: Annotated[Path, typer.Argument(help="Folder of shards: retouch train data.")],
    run: Annotated[Path, typer.Argument(help="Folder of the training.")],
    config: Config,
    minutes: Annotated[
        float, typer.Option(help="Stop then; started again, it goes on.")
    ] = float("inf"),
    precision: Annotated[
        str, typer.Option(help="Keras' policy: mixed_bfloat16 or float32.")
    ] = "mixed_bfloat16",
    begin: Annotated[
        Path | None, typer.Option(help="A folder of exported networks to begin with.")
    ] = None,
) -> None:
    """Train a face generator and its encoder, or go on with it."""
    from training.faces import train as run_training

    run_training(data, run, config, minutes=minutes, precision=precision, begin=begin)


@app.command()
def export(
    data: Annotated[Path, typer.Argument(help="Folder of shards.")],
    run: Annotated[Path, typer.Argument(help="Folder of the training.")],
    out: Annotated[Path, typer.Argument(help="Folder for the networks.")],
    name: Annotated[str, typer.Option(help="What the generator is called.")] = "own",
    licence: Annotated[str, typer.Option(help="Terms of the weights.")] = "unknown",
) -> None:
    """Write a training's generator and encoder as files that load."""
    from training.export import export as hand_over
    from training.shards import Shards

    hand_over(run, Shards.read(data), out, name=name, licence=licence)
    typer.echo(str(out / "manifest.json"))


@app.command()
def traits(
    data: Annotated[Path, typer.Argument(help="Folder of shards.")],
    networks: Annotated[Path, typer.Argument(help="Folder of exported networks.")],
    ratings: Annotated[str, typer.Option(help="NAME=FILE: judged traits of a source.")],
    labels: Annotated[str, typer.Option(help="NAME=FILE: labels of another.")],
) -> None:
    """Fit the readers of traits that guide edits, and the judge."""
    from training.traits import main as fit

    pairs = [text.partition("=")[::2] for text in (ratings, labels)]
    fit(data, networks, *((name, Path(file)) for name, file in pairs))


def _source(text: str) -> tuple[str, str]:
    name, _, folder = text.rpartition("=")
    if name:
        return name, folder
    stem = Path(folder).resolve().name
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in stem), folder


def _named(texts: list[str] | None, folders: dict[str, str]) -> dict[str, str]:
    pairs = [text.partition("=")[::2] for text in texts or ()]
    return {_known(name, folders): value for name, value in pairs}


def _known(name: str, folders: dict[str, str]) -> str:
    if name not in folders:
        known = ", ".join(folders)
        raise SettingsError(f"No source is called '{name}'. Known: {known}.")
    return name


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"weight takes NAME=NUMBER; got '{text}'.") from None
