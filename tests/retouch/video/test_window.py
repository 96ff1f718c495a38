"""The window on a screen of its own, where there is Xvfb; what keys do needs none."""

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
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
AGAIN = 25  # looks, before a key is pressed once more
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

    def shown(place, like, *, alike, key=None, seconds=PATIENCE):
        """Wait until a place looks like something, or like it no longer.

        OpenCV may miss a key while it draws: it is pressed until it is obeyed.
        """
        for tries in range(5 * seconds):
            looked = seen()
            if alike == (np.abs(looked[place] - like).mean() < 1):
                return looked
            assert program.poll() is None, program.stderr.read()
            if key and tries % AGAIN == 0:
                pressed(key)
            time.sleep(0.2)
        raise AssertionError("The window does not show it.")

    def pressed(key):
        words = "search", "--name", "^retouch live$", "windowfocus", "key"
        subprocess.run(["xdotool", *words, key], env=screen, timeout=60)

    def opened():
        """Wait until the window shows the camera."""
        astronaut = skimage.data.astronaut().astype(int)
        beside = np.s_[300:450, 100:400]  # of the face
        looked = shown(beside, astronaut[beside], alike=True, seconds=PATIENCE // 3)
        return looked, astronaut

    command = [sys.executable, CLI, *words]
    start = partial(subprocess.Popen, command, env=screen, stderr=subprocess.PIPE)
    program = start()
    try:
        for tries in reversed(range(3)):
            try:
                plain, astronaut = opened()
                break
            except AssertionError:  # Qt may map nothing where no manager is
                if not tries:
                    raise
                program.kill()
                program.communicate()
                program = start()
        assert np.abs(plain[:512, :512] - astronaut)[FACE].mean() > 5  # is masked
        held = shown(LABEL, plain[LABEL], alike=False, key="c")
        shown(LABEL, held[LABEL], alike=False, key="s")
        names = {path.name.partition("-")[0] for path in kept.iterdir()}
        assert names == {"landmarks", "mask", "original"}
        shown(LABEL, plain[LABEL], alike=True, key="r")
        for _ in range(PATIENCE):  # it may be gone before the key is let go
            pressed("q")
            with suppress(subprocess.TimeoutExpired):
                program.wait(1)
                break
        assert program.poll() == 0, program.stderr.read()
    finally:
        program.kill()
        program.communicate()
