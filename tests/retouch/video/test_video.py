import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retouch.errors import PhotoError
from retouch.video import video
from retouch.video.live import Live
from retouch.video.track import Tracker
from tests.retouch import clips
from tests.retouch.photos.test_film import shown, sound

COUNT = 14


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    shown = clips.frames(COUNT)
    return clips.write(tmp_path_factory.mktemp("clips") / "in.mp4", shown)


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch):
    monkeypatch.setattr(video, "STRETCH", 5)


def live(detector):
    return Live(Tracker(detector, every=4), clips.Negative())


def test_every_frame_passes_the_effect_and_the_rest_stays(clip, tmp_path, detector):
    out = tmp_path / "out.mp4"
    done = video.rework(clip, out, live(detector), {})
    assert (done.frames, done.resumed, done.whole, done.people) == (COUNT, 0, True, 1)
    before, after = shown(clip), shown(out)
    assert [f.moment for f in before] == [f.moment for f in after]
    assert sound(out) == sound(clip)
    for one, other in zip(before, after, strict=True):
        gap = np.abs(one.pixels.astype(int) - other.pixels)
        assert gap[:, :20].mean() < 3 and gap.max() > 100
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_stopped_run_plays_and_going_on_equals_running_through(
    clip, tmp_path, detector
):
    out, whole = tmp_path / "out.mkv", tmp_path / "whole.mkv"
    through, sums = live(detector), []
    video.rework(clip, whole, through, {})

    def stop_at(frame):
        return lambda done, total: done == frame and signal.raise_signal(signal.SIGINT)

    frames = 0
    for stop in (7, 12):
        part = live(detector)
        done = video.rework(clip, out, part, {}, on_frame=stop_at(stop))
        assert (done.frames, done.resumed, done.whole) == (stop, frames, False)
        frames, sums = stop, sums + part.effect.sums
        assert len(shown(out)) == stop
        last = sound(out)[-1][0]
        assert last < 1000 * stop / clips.RATE + 50
        video.check(clip, out, force=False)  # its own leftover is no obstacle
    part = live(detector)
    done = video.rework(clip, out, part, {})
    assert (done.frames, done.resumed, done.whole) == (COUNT, 12, True)
    assert sums + part.effect.sums == through.effect.sums  # the very same frames
    assert [f.moment for f in shown(whole)] == [f.moment for f in shown(out)]
    assert sound(out) == sound(whole)


def test_other_options_begin_anew(clip, tmp_path, detector):
    out = tmp_path / "out.mp4"

    def stop(done, total):
        if done == 6:
            signal.raise_signal(signal.SIGINT)

    assert not video.rework(clip, out, live(detector), {"a": 1}, on_frame=stop).whole
    assert video.rework(clip, out, live(detector), {"a": 2}).resumed == 0


def test_progress_is_told_of_how_many(clip, tmp_path, detector):
    told = []
    video.rework(
        clip,
        tmp_path / "out.mp4",
        live(detector),
        {},
        on_frame=lambda done, total: told.append((done, total)),
    )
    assert told == [(i, COUNT) for i in range(COUNT + 1)]


def test_the_input_is_never_the_output(clip):
    with pytest.raises(PhotoError, match="exists already"):
        video.check(clip, clip, force=True)


@pytest.mark.skipif(sys.platform == "win32", reason="limits are POSIX")
def test_a_full_disk_is_a_sentence(clip, tmp_path):
    code = f"""
import resource, signal, sys
from pathlib import Path
from retouch.video import video
from retouch.faces.detect import Detector
from retouch.errors import PhotoError
from retouch.video.live import Live
from retouch.video.track import Tracker
from tests.retouch import clips
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
live = Live(Tracker(Detector()), clips.Negative())
try:
    video.rework(Path({str(clip)!r}), Path({str(tmp_path / "out.mp4")!r}), live, {{}})
except PhotoError as error:
    sys.exit(f"SAID {{error}}")
"""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True
    )
    assert done.stderr.startswith("SAID Writing"), done.stderr
    assert "free some space" in done.stderr
    assert not (tmp_path / "out.mp4").exists()
