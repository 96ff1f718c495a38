"""The command that prints what attributes the faces of photos have."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from retouch.commands import output, terminal
from retouch.commands.options import with_options
from retouch.commands.output import Output
from retouch.commands.transfer import listed
from retouch.errors import RetouchError
from retouch.settings import Settings, option

if TYPE_CHECKING:
    from retouch.engine.retoucher import Retoucher
    from retouch.jobs.attributes import Estimate
    from retouch.photos.photo import Photo

PhotoOrFolder = Annotated[
    str,
    typer.Argument(help="A photo, - for standard input, or a folder of photos."),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reading:
    """What reads the attributes."""

    model: str = option("cvae", "The model whose encoder looks at the faces.")


@with_options(Output, "to", "as_json")
@with_options(Settings, "settings", "faces", "max_pixels")
@with_options(Reading, "reading")
def attributes(
    photo: PhotoOrFolder, settings: Settings, to: Output, reading: Reading
) -> None:
    """Estimate the attributes of each face, in deviations of the population."""
    if Path(photo).is_dir():
        _of_folder(Path(photo), settings, to, reading)
        return
    source = output.get(photo, settings.max_pixels)
    found = _estimated(terminal.retoucher(reading.model), source, settings)
    if to.as_json:
        typer.echo(json.dumps(list(map(dataclasses.asdict, found))))
    for face in () if to.as_json else found:
        typer.echo(_line(face))


def _of_folder(folder: Path, settings: Settings, to: Output, reading: Reading) -> None:
    """Print a line for each face of a folder's photos, or an object for each photo.

    What cannot be read, or shows nobody, is told of, and the others go on.
    """
    names, failed = listed(folder), 0
    engine = terminal.retoucher(reading.model)
    for name in names:
        row: dict[str, Any] = {"photo": name}
        try:
            source = output.get(name, settings.max_pixels)
            found = _estimated(engine, source, settings)
        except RetouchError as error:
            failed += 1
            row["error"] = str(error)
            if not to.as_json:
                said = "" if name in str(error) else f"{terminal.plain(name)}: "
                typer.echo(f"retouch: {said}{error}", err=True)
        else:
            row["faces"] = list(map(dataclasses.asdict, found))
            for face in () if to.as_json else found:
                typer.echo(f"{terminal.plain(name)}: {_line(face)}")
        if to.as_json:
            typer.echo(json.dumps(row))
    if failed:
        raise typer.Exit(1)


def _estimated(
    engine: "Retoucher", source: "Photo", settings: Settings
) -> "list[Estimate]":
    from retouch.jobs.attributes import attributes as estimate

    return estimate(engine, source, settings)


def _line(face: "Estimate") -> str:
    told = (f"{name} {value:+.2f}" for name, value in face.attributes.items())
    return f"face {face.index}: {face.size:.0f} px, {face.note or '; '.join(told)}"
