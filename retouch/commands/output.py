"""Photos into the program and out of it, and the report of what was done."""

import dataclasses
import json
import shlex
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from retouch.errors import PhotoError, SettingsError
from retouch.settings import MAX_PIXELS, Settings, check_options, option

if TYPE_CHECKING:
    from retouch.engine.report import FaceReport
    from retouch.engine.session import Result
    from retouch.photos.photo import Photo, Provenance, Seal


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where the result goes, how it is written, and what is said of it."""

    out: str | None = option(None, "Where the result goes; - is standard output.")
    compare: bool = option(
        False,
        "Write before | after, and beneath it each face enlarged.",
        flags=("--compare",),
    )
    quality: int | None = option(
        None,
        "Of JPEG, WebP, AVIF and HEIC; as the input's if not given.",
        low=1,
        high=100,
    )
    force: bool = option(False, "Replace what is there.", flags=("--force",))
    strip_location: bool = option(
        False, "Leave out GPS data.", flags=("--strip-location",)
    )
    provenance: bool = option(True, "Say in the file what was done.")
    as_json: bool = option(False, "Report as JSON.", flags=("--json",))
    quiet: bool = option(False, "Print nothing.", flags=("--quiet",))
    verbose: bool = option(False, "Say what takes how long.", flags=("--verbose", "-v"))

    def __post_init__(self) -> None:
        check_options(self)

    def target(
        self, photo: str, done: str, settings: Settings, *, sheet: bool = False
    ) -> str:
        """Return where the result of that photo goes, checked before any work.

        Args:
            done: what is done to the photo, in a word of the file's name.
            sheet: whether the result shows several pictures.
        """
        refuse_folder(photo)
        target = self.out or self._beside(photo, done)
        format = check(target, self.force)
        if settings.reversible:
            self._check_originals(format, sheet)
        return target

    def _check_originals(self, format: str | None, sheet: bool) -> None:
        from retouch.provenance import carried

        if self.compare or sheet:
            raise SettingsError(
                "--reversible is for one picture, and this shows several: leave it out,"
                " or --compare, --grid and --range."
            )
        if format is not None:
            carried.check(format)

    def _beside(self, photo: str, done: str) -> str:
        if photo == "-":
            return "-"
        from retouch.photos.photo import beside

        return str(beside(photo, f"-{done}{'-compared' if self.compare else ''}"))

    def write(
        self,
        result: "Result",
        target: str,
        budget: float | None = None,
        wished: Collection[str] = (),
    ) -> None:
        """Write the finished photo and report its faces.

        Args:
            budget: how far a face's descriptor was allowed to move, if that is known.
            wished: traits that were to change.
        """
        from retouch.engine.comparison import compared

        photo = result.photo
        shown = compared(result.before, photo, result.faces) if self.compare else photo
        self.put(shown, target, result.provenance, result.seal)
        if not self.quiet:
            self._report(result, target, budget, wished)

    def put(
        self,
        photo: "Photo",
        target: str,
        provenance: "Provenance | None" = None,
        seal: "Seal | None" = None,
    ) -> None:
        """Write a photo, and say where it has no quality that could be chosen."""
        if self.quality is not None and not self.quiet:
            _warn_of_quality(photo, target)
        put(
            photo,
            target,
            quality=self.quality,
            force=self.force,
            strip_location=self.strip_location,
            provenance=provenance if self.provenance else None,
            seal=seal,
        )

    def _report(
        self,
        result: "Result",
        target: str,
        budget: float | None,
        wished: Collection[str],
    ) -> None:
        from retouch.commands.sentences import told

        if self.as_json:
            rows = [dataclasses.asdict(face) for face in result.faces]
            say(json.dumps({"out": target, "faces": rows}), target)
            return
        for sentence in told(result.faces, budget, wished):
            say(sentence, target)
        for face in result.faces if self.verbose else ():
            say(_line(face), target)
        if result.seal and result.seal.note:
            say(result.seal.note, target)
        if target != "-":
            say(target, target)


def get(photo: str, max_pixels: int = MAX_PIXELS) -> "Photo":
    """Read the photo of that name, or the one on standard input."""
    from retouch.photos.photo import read

    refuse_folder(photo)
    source = sys.stdin.buffer.read() if photo == "-" else Path(photo)
    return read(source, max_pixels=max_pixels)


def refuse_folder(photo: str) -> None:
    """Say what to do to whom gives a folder."""
    if Path(photo).is_dir():
        raise PhotoError(
            f"'{photo}' is a folder; give one photo. To beautify, edit, retouch or"
            f" invert all in it: retouch batch {shlex.quote(photo)} RESULTS"
        )


def check(target: str, force: bool) -> str | None:
    """Refuse a target that cannot be written; return the format that it asks for."""
    from retouch.photos.photo import check_target

    return None if target == "-" else check_target(Path(target), force=force)


def put(photo: "Photo", target: str, **options: Any) -> None:
    """Write a photo to a file or to standard output."""
    from retouch.photos.photo import write

    write(photo, sys.stdout.buffer if target == "-" else Path(target), **options)


def _warn_of_quality(photo: "Photo", target: str) -> None:
    from retouch.photos.formats import FORMATS, format_of

    named = None if target == "-" else format_of(Path(target))
    format = named or photo.format or "PNG"
    if not FORMATS[format].quality:
        typer.echo(
            f"retouch: --quality was left out: a {format} keeps every pixel as it is.",
            err=True,
        )


def say(text: str, target: str) -> None:
    """Print on standard output, unless the picture goes there."""
    typer.echo(text, err=target == "-")


def _line(face: "FaceReport") -> str:
    words = [f"face {face.index}: {face.size:.0f} px"]
    if face.note:
        return f"{words[0]}, {face.note}"
    if face.touched:
        words.append(f"skin retouched, {face.touched:.1%} of the photo's pixels")
    if face.score:
        words.append(f"guide {face.score[0]:+.2f} -> {face.score[1]:+.2f}")
    if face.judged:
        words.append(f"judge {face.judged[0]:+.2f} -> {face.judged[1]:+.2f}")
    if face.share:
        words.append(f"identity {face.identity:.2f}")
    if face.changed:
        most = sorted(face.changed.items(), key=lambda item: -abs(item[1]))[:3]
        words.append("changed " + ", ".join(f"{n} {d:+.2f}" for n, d in most))
    return "; ".join(words)
