"""Sheets, loops and films of an edit, beside or instead of the finished photo."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retouch.commands import output
from retouch.commands.output import Output
from retouch.errors import SettingsError
from retouch.jobs import ranges

if TYPE_CHECKING:
    from retouch.engine.session import Result
    from retouch.photos.photo import Photo
    from retouch.settings import Climb, Settings

WRITERS = {".gif": ranges.write_gif, ".mp4": ranges.write_mp4}


def beside(
    target: str, force: bool, *, gif: bool = False, mp4: bool = False
) -> list[Path]:
    """Return where loops go that belong to a target, checked before any work."""
    wanted = [suffix for suffix, asked in ((".gif", gif), (".mp4", mp4)) if asked]
    if wanted and target == "-":
        raise SettingsError(
            "A loop cannot follow a photo to standard output; use --out."
        )
    paths = [Path(target).with_suffix(suffix) for suffix in wanted]
    for path in paths:
        output.check(str(path), force)
    return paths


def beautified(
    engine: Any,
    photo: "Photo",
    settings: "Settings",
    climb: "Climb",
    on_step: Any,
    films: list[Path],
) -> "Result":
    """Return the beautified photo, and write the way to it."""
    task = engine.beautifying(settings, climb)
    session = engine.cut(photo, settings, adults=task.adults)
    if session.chosen and settings.strength:
        (session,) = engine.invert([session], settings, on_step)
        after = engine.move([session], task, settings).latents
        task = dataclasses.replace(task, move=lambda view: after)
        _write(ranges.between(engine, session, after, settings), films)
    else:
        _write([photo, photo], films)
    (result,) = engine.finish([session], task, settings, on_step)
    return result


def ranged(
    engine: Any,
    photo: "Photo",
    span: ranges.Range,
    settings: "Settings",
    target: str,
    to: Output,
    films: list[Path],
) -> None:
    """Write the sheet of a range, and its loops."""
    from retouch.photos.photo import Photo, Provenance

    pictures = ranges.ranged(engine, photo, span, settings)
    words = f"{span.name} {span.low:+g} to {span.high:+g}"
    name = Provenance(settings.model, words, settings.strength)
    sheet = Photo(ranges.sheet(pictures), format=photo.format)
    provenance = name if to.provenance else None
    output.put(sheet, target, quality=to.quality, force=to.force, provenance=provenance)
    _write(pictures, films)
    if not to.quiet:
        output.say(target, target)
    tell(films, to)


def tell(films: list[Path], to: Output) -> None:
    """Name the loops that were written."""
    for film in films if not to.quiet else ():
        output.say(str(film), str(film))


def _write(pictures: list["Photo"], films: list[Path]) -> None:
    frames = ranges.loop(pictures)
    for film in films:
        # Whether it may be replaced was asked before the work began.
        WRITERS[film.suffix](frames, film, force=True)
