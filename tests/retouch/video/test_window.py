"""The window on a screen of its own, where there is Xvfb; what keys do needs none."""

import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageGrab

from retouch.errors import DependencyError, PhotoError
from retouch.faces.detect import Detector
from retouch.video.live import Live
from retouch.video.live_options import LiveOptions
from retouch.video.sources import Camera
from retouch.video.track import Tracker
from retouch.video.window import Window, check_screen
from tests.retouch import clips

CLI = Path(__file__).parents[3] / "cli.py"
PATIENCE = 120  # seconds in which a program beside the others must have come so far
FACE = np.s_[80:175, 178:270]  # of the portrait, within its frame
LABEL = np.s_[486:508, 8:200]  # where it is told what a key did


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    loop = Live(Tracker(Detector()), clips.Negative())
    return Window(loop, LiveOptions(folder=str(folder)))


def test_keys_hold_save_return_and_quit(window):
    picture = window.live.show(clips.PORTRAIT, 0.0)
    assert window.obey(ord("c"), picture) and window.held is picture
    assert window.obey(ord("S"), picture) and "saved original-" in window.told
    assert window.obey(ord("r"), picture) and window.held is None
    assert window.obey(-1, picture) and window.obey(ord("x"), picture)
    assert not window.obey(ord("q"), picture) and not window.obey(27, picture)


def test_a_failed_save_is_told_in_the_window_and_work_goes_on(tmp_path):
    loop = Live(Tracker(Detector()), clips.Negative())
    window = Window(loop, LiveOptions(folder=str(tmp_path / "none")))
    picture = loop.show(clips.PORTRAIT, 0.0)
    assert window.obey(ord("s"), picture) and "failed" in window.told


def test_the_slider_changes_the_frame(window):
    window._resize(33)
    assert window.size == 3.3
    window._resize(0)
    assert window.size == 2.0


def test_a_missing_camera_is_a_sentence():
    pytest.importorskip("cv2", exc_type=ImportError)
    with pytest.raises(PhotoError, match="There is no camera 87"):
        Camera(87)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X is Linux's")
@pytest.mark.parametrize("display", ["", ":9876"])
def test_without_a_screen_the_window_is_refused_with_the_remedy(display, monkeypatch):
    pytest.importorskip("cv2", exc_type=ImportError)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(DependencyError, match="--headless"):
        check_screen()


@pytest.fixture(scope="module")
def screen():
    """Return what programs need to know of a screen that nobody sees."""
    pytest.importorskip("cv2", exc_type=ImportError)
    for program in ("Xvfb", "xdotool"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    end, told = os.pipe()
    # Else it starts anew, and forgets windows, whenever its last program leaves.
    words = "-displayfd", str(told), "-screen", "0", "800x600x24", "-noreset"
    with subprocess.Popen(
        ["Xvfb", *words, "-nolisten", "tcp"], pass_fds=[told], stderr=subprocess.DEVNULL
    ) as server:
        os.close(told)
        with open(end) as number:  # said once programs may come; one that is free
            display = f":{number.readline().strip()}"
        yield {**os.environ, "DISPLAY": display}
        server.terminate()


def test_the_window_shows_the_camera_and_obeys_keys(screen, tmp_path):
    portrait, kept = tmp_path / "me.png", tmp_path / "kept"
    kept.mkdir()
    Image.fromarray(skimage.data.astronaut()).save(portrait)
    words = "live", "--camera", portrait, "--no-mirror", "--folder", kept

    def seen():
        return np.asarray(ImageGrab.grab(xdisplay=screen["DISPLAY"])).astype(int)

    def shown(place, like, *, alike, seconds=PATIENCE):
        """Wait until a place looks like something, or like it no longer."""
        looked = seen()
        for _ in range(5 * seconds):
            if alike == (np.abs(looked[place] - like).mean() < 1):
                return looked
            assert program.poll() is None, program.stderr.read()
            time.sleep(0.2)
            looked = seen()
        raise AssertionError("The window does not show it.")

    def pressed(key, how="key"):
        words = "search", "--sync", "--name", "^retouch live$", "windowfocus", how
        subprocess.run(["xdotool", *words, key], env=screen, check=True, timeout=60)

    command = [sys.executable, CLI, *words]
    start = partial(subprocess.Popen, command, env=screen, stderr=subprocess.PIPE)
    astronaut = skimage.data.astronaut().astype(int)
    beside = np.s_[300:450, 100:400]  # of the face
    look = partial(shown, beside, astronaut[beside], alike=True)
    program = start()
    try:
        try:
            plain = look(seconds=PATIENCE // 3)
        except AssertionError:  # Qt may map nothing where no manager of windows is
            program.kill()
            program.communicate()
            program = start()
            plain = look()
        assert np.abs(plain[:512, :512] - astronaut)[FACE].mean() > 5  # is masked
        pressed("c")
        held = shown(LABEL, plain[LABEL], alike=False)
        pressed("s")
        shown(LABEL, held[LABEL], alike=False)
        names = sorted(path.name.partition("-")[0] for path in kept.iterdir())
        assert names == ["landmarks", "mask", "original"]
        pressed("r")
        shown(LABEL, plain[LABEL], alike=True)
        pressed("q", "keydown")  # the window is gone before it can be let go
        assert program.wait(PATIENCE) == 0, program.stderr.read()
    finally:
        program.kill()
        program.communicate()
