"""The window itself needs a screen; what its keys do needs none."""

import sys

import pytest

from retouch.errors import DependencyError, PhotoError
from retouch.faces.detect import Detector
from retouch.video.live import Live
from retouch.video.live_options import LiveOptions
from retouch.video.sources import Camera
from retouch.video.track import Tracker
from retouch.video.window import Window, check_screen
from tests.retouch import clips


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
    pytest.importorskip("cv2")
    with pytest.raises(PhotoError, match="There is no camera 87"):
        Camera(87)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X is Linux's")
@pytest.mark.parametrize("display", ["", ":9876"])
def test_without_a_screen_the_window_is_refused_with_the_remedy(display, monkeypatch):
    pytest.importorskip("cv2")
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(DependencyError, match="--headless"):
        check_screen()
