"""What a command says, and to whom: progress and reports."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from retouch.contracts import OnStep

if TYPE_CHECKING:
    from rich.console import Console

    from retouch.engine.retoucher import Retoucher
    from retouch.engine.session import KnownFaces
    from retouch.faces.detect import Detector
    from retouch.photos.photo import Photo

T = TypeVar("T")
STOPPED = "Stopped. The same command goes on from there."
PACE = 10.0  # seconds between two lines of what is no terminal


def plain(name: str) -> str:
    """Return a file's name as it fits into a line, whatever is in it."""
    return name if name.isprintable() else repr(name)


def console(**options: Any) -> "Console":
    """Return a console that prints text as it is."""
    from rich.console import Console

    return Console(markup=False, highlight=False, **options)


def retoucher(model: str, detector: "Detector | None" = None) -> "Retoucher":
    """Return the engine with the model of that name."""
    from retouch.engine.retoucher import Retoucher

    return Retoucher.load(model, detector)


def opened(
    model: str, photo: "Photo", latents: Sequence[Path] | None
) -> "tuple[Retoucher, KnownFaces]":
    """Return the engine, and the photo with its faces: of latent files, if any."""
    if not latents:
        return found_beside(photo, lambda detector: retoucher(model, detector))
    from retouch.inversion.latent_files import load

    saved, engine = [load(path) for path in latents], retoucher(model)
    from retouch.jobs import saved_faces

    engine = saved_faces.suited(engine, saved)
    return engine, saved_faces.known(engine, photo, saved)


def found_beside(
    photo: "Photo", load: "Callable[[Detector], T]"
) -> "tuple[T, KnownFaces]":
    """Load what works on faces, and find those of a photo meanwhile."""
    from retouch.faces.detect import Detector

    detector = Detector()
    with ThreadPoolExecutor(1) as thread:
        finding = thread.submit(detector.present, photo.pixels)
        loaded = load(detector)
        from retouch.engine.session import KnownFaces

        return loaded, KnownFaces(photo, tuple(finding.result()))


@contextmanager
def progress(quiet: bool = False, verbose: bool = False) -> Iterator[OnStep]:
    """Show what is being done: a bar on a terminal, with verbose a line a stage.

    What has not told yet how far it is has a light that wanders along the bar. Where
    nobody looks, as in a log, a line tells from time to time.
    """
    if verbose:
        yield (stages := _Stages()).say
        stages.end()
    elif quiet:
        yield lambda what, part: None
    elif not sys.stderr.isatty():
        paced = Paced()
        yield lambda what, part: paced.say(f"{what}, {part:.0%}")
    else:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
        with Progress(*columns, console=console(stderr=True), transient=True) as bar:
            task = bar.add_task("loading", total=None)

            def show(what: str, part: float) -> None:
                total = 1.0 if part else None
                bar.update(task, description=what, completed=part, total=total)

            yield show


class Paced:
    """Prints on standard error where long work is, now and then."""

    def __init__(self, pace: float = PACE) -> None:
        self.pace, self.since = pace, time.monotonic()

    def say(self, text: str) -> None:
        """Print a line, unless one was printed a moment ago."""
        if time.monotonic() - self.since >= self.pace:
            self.since = time.monotonic()
            print(f"retouch: {text}", file=sys.stderr, flush=True)


class _Stages:
    """Prints each stage with its seconds once it is over."""

    def __init__(self) -> None:
        self.what, self.since = "loading", time.perf_counter()

    def say(self, what: str, part: float) -> None:
        what = what.partition(",")[0]  # what follows is of the moment
        if what != self.what:
            self.end()
            self.what, self.since = what, time.perf_counter()

    def end(self) -> None:
        seconds = time.perf_counter() - self.since
        print(f"{self.what}: {seconds:.2f} s", file=sys.stderr)
