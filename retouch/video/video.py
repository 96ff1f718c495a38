"""A whole video file: every frame through an effect, resumed where work was stopped.

Finished stretches lie in a folder beside the output until all is done, each with the
state of tracker and effect behind it; so an interrupted run goes on as if it had never
stopped, and what is there can be joined to a playable file at any time.
"""

import json
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.photos import disk
from retouch.photos.film import Film, Frame, Recorder, codec_for, join
from retouch.video.live import Live

STRETCH = 150  # frames in a part
OnFrame = Callable[[int, int | None], None]  # frames done, of how many


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    frames: int  # in the output
    resumed: int  # of them from an earlier run
    whole: bool  # False if it was stopped before the end
    people: int


class Parts:
    """The finished stretches of a job, in a folder beside its output."""

    def __init__(self, target: Path, job: Mapping[str, Any]):
        self.folder = target.with_name(f".{target.name}.parts")
        self.job = json.dumps(job, sort_keys=True)
        note = self.folder / "job.json"
        if note.exists() and note.read_text("utf-8") != self.job:
            shutil.rmtree(self.folder)
        with disk.refusing(f"'{self.folder}'"):
            self.folder.mkdir(exist_ok=True)
            note.write_text(self.job, "utf-8")
        # A part counts once its state lies beside it, which is written last.
        self.states = sorted(self.folder.glob("*.npz"))

    @property
    def paths(self) -> list[Path]:
        return [path.with_suffix(".nut") for path in self.states]

    @property
    def next(self) -> Path:
        return self.folder / f"{len(self.states):06}.nut"

    def resume(self, live: Live) -> tuple[int, float]:
        """Bring tracker and effect to where work stopped; return frames and time."""
        if not self.states:
            return 0, 0.0
        with np.load(self.states[-1]) as kept:
            arrays = dict(kept)
        live.tracker.resume(_under("tracker", arrays))
        live.effect.resume(_under("effect", arrays))
        return int(arrays["frames"]), float(arrays["end"])

    def add(self, live: Live, frames: int, end: float) -> None:
        """Take the next part in, with the state behind it."""
        arrays = {"frames": np.array(frames), "end": np.array(end)}
        states = {"tracker": live.tracker.state(), "effect": live.effect.state()}
        for name, state in states.items():
            arrays |= {f"{name}/{key}": value for key, value in state.items()}
        path = self.next.with_suffix(".npz")
        unfinished = path.with_suffix(".unfinished")
        with disk.refusing(f"'{path}'"), unfinished.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        unfinished.replace(path)
        self.states.append(path)

    def remove(self) -> None:
        """Forget the job."""
        shutil.rmtree(self.folder)


def _under(name: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    prefix = f"{name}/"
    return {
        k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)
    }


def check(source: Path, target: Path, *, force: bool) -> None:
    """Refuse a target that cannot be written, but for one that a stopped run left."""
    codec_for(target)
    going_on = target.with_name(f".{target.name}.parts").is_dir()
    disk.check_path(target, force=force or going_on)
    if target.exists() and source.exists() and target.samefile(source):
        disk.check_path(target, force=False)


def rework(
    source: Path,
    target: Path,
    live: Live,
    options: Mapping[str, Any],
    *,
    notes: Mapping[str, str] | None = None,
    on_frame: OnFrame | None = None,
) -> Outcome:
    """Write the source's every frame through an effect, with its sound.

    Stopped by Control-C it joins what is done, so that the target plays.

    Args:
        options: what decides the result; a run with others begins anew.
    """
    codec, say = codec_for(target), on_frame or (lambda done, total: None)
    with Film(source) as film, _stoppable() as stopped:
        parts = Parts(target, {**options, **_told(source), "codec": codec})
        done, end = parts.resume(live)
        resumed, frames = done, film.frames()
        for _ in islice(frames, done):
            pass
        say(done, film.count)
        whole = False
        while not stopped.is_set() and not whole:
            before = done
            with Recorder(parts.next, codec, film.base, film.rate, "nut") as recorder:
                for frame in _stretch(frames, stopped):
                    after = live.show(frame.pixels, frame.moment).after
                    recorder.add(after, frame.tick)
                    done, end = done + 1, frame.moment + float(1 / film.rate)
                    say(done, film.count)
            if done > before:
                parts.add(live, done, end)
            whole = done - before < STRETCH and not stopped.is_set()
    if parts.paths:
        join(parts.paths, source, target, until=None if whole else end, notes=notes)
    if whole:
        parts.remove()
    return Outcome(done, resumed, whole, live.tracker.known)


def _told(source: Path) -> dict[str, Any]:
    """Return what tells one source from another."""
    about = source.stat()
    return {
        "source": str(source.resolve()),
        "size": about.st_size,
        "changed": about.st_mtime_ns,
    }


def _stretch(frames: Iterator[Frame], stopped: threading.Event) -> Iterator[Frame]:
    """Yield the frames of the next part; none after a stop, and none is lost."""
    for _ in range(STRETCH):
        if stopped.is_set():
            return
        frame = next(frames, None)
        if frame is None:
            return
        yield frame


@contextmanager
def _stoppable() -> Iterator[threading.Event]:
    """Let Control-C end the work between two frames; a second one ends it at once."""
    stopped = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return

    def stop(number: int, frame: Any) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)
