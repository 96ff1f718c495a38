"""The command that makes training data of pictures."""

from pathlib import Path
from typing import Annotated

import typer

from retouch.commands.options import with_options
from retouch.errors import SettingsError
from retouch.training.options import Recipe


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
    from retouch.training.data import pack
    from retouch.training.packing import Source
    from retouch.training.shards import Share

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
