"""Sheets, loops and films of an edit, beside or instead of the finished photo."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from retouch.commands import output
from retouch.commands.output import Output
from retouch.contracts import OnStep
from retouch.errors import SettingsError
from retouch.jobs import ranges
from retouch.photos import disk, film

if TYPE_CHECKING:
    from retouch.engine.retoucher import Retoucher
    from retouch.engine.session import KnownFaces, Result
    from retouch.photos.photo import Photo
    from retouch.settings import Climb, Settings

GRADES = (0.0, 0.5, 1.0, 1.5, 2.0)  # strengths on a sheet of beautify
WRITERS = {".gif": ranges.write_gif, ".mp4": ranges.write_mp4}


def checked(force: bool, **wanted: Path | None) -> list[Path]:
    """Return the loops and films that are wanted, checked before any work.

    Args:
        wanted: a file of each kind, by the kind's name.
    """
    paths = [path for path in wanted.values() if path is not None]
    for kind, path in wanted.items():
        if path is not None and path.suffix.lower() != f".{kind}":
            raise SettingsError(
                f"--{kind} takes the name of a .{kind} file, such as loop.{kind};"
                f" got '{path}'."
            )
    for path in paths:
        disk.check_path(path, force=force)
        if path.suffix.lower() == ".mp4":
            film.codec_for(path)
    return paths


def beautified(
    engine: "Retoucher",
    photo: "Photo | KnownFaces",
    settings: "Settings",
    climb: "Climb",
    on_step: OnStep,
    films: list[Path],
) -> "Result":
    """Return the beautified photo, and write the way to it."""
    task = engine.beautifying(settings, climb)
    session = engine.cut(photo, settings, adults=task.purpose.adults)
    if session.chosen and settings.strength:
        (session,) = engine.invert([session], settings, on_step)
        on_step("editing", 0.0)
        moved = engine.move([session], task, settings)
        shown = ranges.between(engine, session, moved.way, settings, on_step=on_step)
        _write(shown, films)
        return engine.complete(session, moved, task.purpose, settings)
    _write([session.photo] * 2, films)
    (result,) = engine.finish([session], task, settings, on_step)
    return result


def graded(
    engine: "Retoucher",
    photo: "Photo | KnownFaces",
    settings: "Settings",
    climb: "Climb",
    target: str,
    to: Output,
    on_step: OnStep,
) -> None:
    """Write the sheet of a beautified photo at several strengths, labelled."""
    from retouch.engine import comparison

    session = engine.cut(photo, settings, adults=True)
    (session,) = engine.invert([session], settings, on_step)
    steps, faces = [], tuple(session.reports())
    for done, strength in enumerate(GRADES):
        on_step("editing", done / len(GRADES))
        own = dataclasses.replace(settings, strength=strength)
        task = engine.beautifying(own, climb)
        (result,) = engine.finish([session], task, own)
        steps.append((f"{strength:g}", result.photo))
        faces = result.faces
    sheet = comparison.graded(steps, faces)
    to.put(sheet, target, result.provenance, result.seal)
    if not to.quiet:
        output.say(target, target)


def ranged(
    engine: "Retoucher",
    photo: "Photo | KnownFaces",
    span: ranges.Range,
    settings: "Settings",
    target: str,
    to: Output,
    films: list[Path],
    on_step: OnStep,
) -> None:
    """Write the sheet of a range, and its loops."""
    from retouch.engine.session import Result
    from retouch.photos.photo import Photo, Provenance

    pictures = ranges.ranged(engine, photo, span, settings, on_step)
    words = f"{span.name} {span.low:+g} to {span.high:+g}"
    name = Provenance(settings.model, words, settings.strength)
    sheet = Photo(ranges.sheet(pictures, span.values), format=pictures[0].format)
    most = pictures[np.abs(span.values).argmax()]
    before = photo if isinstance(photo, Photo) else photo.photo
    told = Result(most, before, (), name, settings)  # what a file says of itself
    to.put(sheet, target, told.provenance, told.seal)
    _write(pictures, films)
    if not to.quiet:
        output.say(target, target)
    tell(films, to)


def tell(films: list[Path], to: Output) -> None:
    """Name the loops that were written."""
    for path in films if not to.quiet else ():
        output.say(str(path), str(path))


def _write(pictures: list["Photo"], films: list[Path]) -> None:
    frames = ranges.loop(pictures)
    for path in films:
        # Whether it may be replaced was asked before the work began.
        WRITERS[path.suffix.lower()](frames, path, force=True)
