"""The commands that take an expression to another face, and that find a mean face."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retouch.commands import output, terminal
from retouch.commands.options import with_options
from retouch.commands.output import Output
from retouch.errors import PhotoError, SettingsError
from retouch.expressions.transfer_options import Transferring
from retouch.settings import TRUST, Settings

if TYPE_CHECKING:
    from retouch.expressions.transfer import Transfers

CHOSEN = ("identity", "steps", "stitch", "mask_region", "model", "max_pixels", *TRUST)


@with_options(Output, "to")
@with_options(Transferring, "wish")
@with_options(Settings, "settings", *CHOSEN)
def transfer(
    source: Annotated[str, typer.Argument(help="A photo with the expression.")],
    target: Annotated[str, typer.Argument(help="The photo that is to show it.")],
    settings: Settings,
    wish: Transferring,
    to: Output,
    neutral: Annotated[
        list[str] | None,
        typer.Option(help="A neutral picture of the source's person, or a folder."),
    ] = None,
    more: Annotated[
        list[str] | None, typer.Argument(help="More pictures for --neutral.")
    ] = None,
    span: Annotated[
        str | None,
        typer.Option("--range", help="A folder of pictures: alpha=0.3:0.5:11."),
    ] = None,
) -> None:
    """Give the target's face the source's expression; all else stays the target's."""
    from retouch.expressions.spans import Faces, alphas, write

    plain = pictures(neutral, more)
    values = alphas(span, wish) if span is not None else None
    if values is None:
        place = to.target(target, "transfer", settings)
    else:
        place = folder(to, target)
    photos = [output.get(name, settings.max_pixels) for name in (source, target)]
    rest = [output.get(name, settings.max_pixels) for name in plain]
    with terminal.progress(to.quiet, to.verbose) as on_step:
        engine = _transfers(settings.model)
        giving, taking = (
            engine.cut(photos[0], f"The source '{source}'", settings, wish.source_face),
            engine.cut(photos[1], f"The target '{target}'", settings, wish.target_face),
        )
        neutrals = [
            engine.cut(p, f"The neutral picture '{n}'", settings)
            for n, p in zip(plain, rest, strict=True)
        ]
        if values is None:
            task = engine.task(giving, taking, neutrals, wish, settings)
            result = engine.run(taking, task, settings, on_step)
        else:
            faces = Faces(giving, taking, neutrals, (Path(source), Path(target)))
            on_step("transferring", 0.0)
            rows = write(engine, faces, values, wish, settings, Path(place))
    if values is None:
        to.write(result, place, settings.identity)
    elif not to.quiet:
        for row in rows:
            output.say(f"alpha {row['alpha']:g}: {row['file']}", place)


@with_options(Output, "to", "out", "force", "quiet")
@with_options(Settings, "settings", "steps", "model", "max_pixels")
def mean(
    directory: Annotated[Path, typer.Argument(help="Pictures of one person.")],
    settings: Settings,
    to: Output,
) -> None:
    """Write a person's mean face, expressions weighed out, and its latent beside it.

    Without --out both lie beside the folder, named as it is.
    """
    from retouch.photos import disk
    from retouch.photos.photo import Photo

    names = listed(directory)
    named = directory if directory.name not in ("", "..") else directory.resolve()
    target = to.out or str(named.parent / f"{named.name}-mean.png")
    if target == "-":
        raise SettingsError("mean writes two files; give --out a name, such as m.png.")
    beside = Path(target).with_suffix(".npz")
    output.check(target, to.force)
    disk.check_path(beside, force=to.force)
    names = [n for n in names if Path(n).resolve() != Path(target).resolve()]
    photos = [output.get(name, settings.max_pixels) for name in names]
    engine = _transfers(settings.model)
    sessions = [
        engine.cut(photo, f"'{name}'", settings)
        for name, photo in zip(names, photos, strict=True)
    ]
    face = engine.mean(sessions, settings)
    face.save(beside, names, settings.model)
    output.put(Photo(face.pixels), target, force=to.force)
    if not to.quiet:
        for name, weight in zip(names, face.weights, strict=True):
            output.say(f"{name}: weight {weight:.2f}", target)
        output.say(f"{target}\n{beside}", target)


def pictures(neutral: list[str] | None, more: list[str] | None) -> list[str]:
    """Return the files that --neutral names, folders opened."""
    if more and not neutral:
        raise SettingsError(
            f"transfer takes a source and a target; got '{more[0]}' besides. Put"
            " neutral pictures behind --neutral."
        )
    names: list[str] = []
    for name in [*(neutral or []), *(more or [])]:
        names += listed(Path(name)) if Path(name).is_dir() else [name]
    return names


def listed(directory: Path) -> list[str]:
    """Return the pictures of a folder, by name."""
    from PIL import Image

    if not directory.is_dir():
        raise PhotoError(f"There is no folder '{directory}'; check the name.")
    kinds = Image.registered_extensions()
    files = (p for p in directory.iterdir() if p.is_file())  # and no pipe that waits
    found = [p for p in files if p.suffix.lower() in kinds]
    if not found:
        raise PhotoError(f"The folder '{directory}' holds no pictures. Name another.")
    return sorted(map(str, found))


def folder(to: Output, target: str) -> str:
    """Return the folder that a range is written to, checked before any work."""
    place = Path(to.out or Path(target).with_name(f"{Path(target).stem}-transfers"))
    if place.exists() and not place.is_dir():
        raise PhotoError(f"'{place}' is a file; --range writes a folder.")
    if place.is_dir() and any(place.iterdir()) and not to.force:
        raise PhotoError(
            f"'{place}' holds files already; choose another folder, or allow them to"
            " be replaced with --force."
        )
    return str(place)


def _transfers(model: str) -> "Transfers":
    retoucher = terminal.retoucher(model)
    from retouch.expressions.transfer import Transfers

    return Transfers(retoucher)
