"""The window of `retouch live`: the framed face, a slider for the frame, four keys."""

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from retouch.errors import DependencyError, RetouchError
from retouch.video.live import Live, Picture, decorated, keep
from retouch.video.live_options import LiveOptions
from retouch.video.sources import Source, vision

TITLE = "retouch live"
SLIDER = "size / 10"
HELP = "C hold   S save   R return   Q quit"
SMALLEST, LARGEST = 20, 40  # of the slider
PROBE = sys.executable, "-c", "import cv2; cv2.namedWindow('probe')"


def check_screen() -> None:
    """Refuse to go on where no window can be opened."""
    vision()
    if not sys.platform.startswith("linux"):
        return
    named = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    # Without a screen Qt ends the program that asks, so another one asks first.
    if named and not subprocess.run(PROBE, capture_output=True).returncode:
        return
    raise DependencyError(
        "No window can be opened: there is no screen, or OpenCV was built without"
        " windows. Use --headless --out clip.mp4, or run:"
        " pip install --force-reinstall opencv-python"
    )


class Window:
    """Shows the loop until the key Q, Escape, or the window's closing."""

    def __init__(self, live: Live, options: LiveOptions):
        self.live, self.options = live, options
        self.size = options.size
        self.held: Picture | None = None
        self.told = ""

    def run(self, source: Source) -> None:
        """Show frames until the user quits or the source ends."""
        cv2 = self._open()
        try:
            for frame in source.frames():
                picture = self.live.show(frame.pixels, frame.moment)
                if not self._present(cv2, picture):
                    return
                while self.held is not None:
                    if not self._present(cv2, self.held):
                        return
        finally:
            cv2.destroyAllWindows()
            cv2.waitKey(1)

    def _open(self) -> Any:
        cv2 = vision()
        cv2.namedWindow(TITLE, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
        start = round(10 * self.size)
        cv2.createTrackbar(SLIDER, TITLE, start, LARGEST, self._resize)
        cv2.setTrackbarMin(SLIDER, TITLE, SMALLEST)
        return cv2

    def _resize(self, value: int) -> None:
        self.size = max(value, SMALLEST) / 10

    def _present(self, cv2: Any, picture: Picture) -> bool:
        """Show a picture and obey a key; return whether to go on."""
        help_ = f"{HELP}   size {self.size:.1f}"
        lines = [line for line in (help_, self.told) if line]
        shown = decorated(picture, self.size, lines)
        cv2.imshow(TITLE, np.ascontiguousarray(shown[..., ::-1]))
        key = cv2.waitKey(max(self.options.delay, 30 if self.held else 1))
        closed = cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1
        return not closed and self.obey(key & 0xFF if key >= 0 else -1, picture)

    def obey(self, key: int, picture: Picture) -> bool:
        """Do what a key says; return False to quit."""
        letter = chr(key).lower() if 0 <= key < 128 else ""
        if letter in ("q", "\x1b"):
            return False
        if letter == "c":
            self.held, self.told = picture, "held"
        elif letter == "r":
            self.held, self.told = None, ""
        elif letter == "s":
            self.told = self._save(picture)
        return True

    def _save(self, picture: Picture) -> str:
        """Keep a picture; a disk that is full must not end the show."""
        folder, effect = Path(self.options.folder), self.live.effect.name
        try:
            paths = keep(picture, self.size, folder, effect, datetime.now())
        except RetouchError as error:
            return str(error)
        return f"saved {paths[0].name} and {len(paths) - 1} more"
