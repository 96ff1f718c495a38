"""Where live pictures come from: a camera, a clip, or a picture that stands still."""

import os
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from retouch.errors import DependencyError, PhotoError
from retouch.photos.film import Film, Frame
from retouch.photos.formats import FORMATS
from retouch.photos.levels import eight_bit
from retouch.photos.photo import read

BASE = Fraction(1, 1000)  # seconds of a camera's tick
STILL_RATE = Fraction(30)  # frames a second of a picture
LOST = 30  # reads in a row that may fail before a camera counts as unplugged


class Source(Protocol):
    """Gives frames, one after the other."""

    @property
    def base(self) -> Fraction:
        """The seconds of one tick."""

    @property
    def rate(self) -> Fraction:
        """Frames a second, nearly."""

    def frames(self) -> Iterator[Frame]:
        """Yield frames with growing times."""


def source_of(name: str) -> "Camera | Still | Film":
    """Return the camera of that number, or the picture or clip of that name."""
    if name.isdecimal():
        return Camera(int(name))
    path = Path(name)
    suffixes = {suffix for kind in FORMATS.values() for suffix in kind.suffixes}
    if path.suffix.lower() in suffixes:
        return Still(path)
    return Film(path)


class Still:
    """A picture in the camera's place."""

    base, rate = 1 / STILL_RATE, STILL_RATE

    def __init__(self, path: Path):
        self.pixels = eight_bit(read(path).pixels)

    def __enter__(self) -> "Still":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def frames(self) -> Iterator[Frame]:
        """Yield the picture for ever."""
        tick = 0
        while True:
            yield Frame(self.pixels, tick, float(tick * self.base))
            tick += 1


class Camera:
    """A camera of this machine, through OpenCV."""

    base, rate = BASE, Fraction(30)

    def __init__(self, number: int):
        self.number, cv2 = number, vision()
        self.device: Any = cv2.VideoCapture(number)
        if not self.device.isOpened():
            raise PhotoError(
                f"There is no camera {number}, or another program holds it. Plug it in,"
                " close the other program, or take another: --camera 1, --video a.mp4."
            )
        told = self.device.get(cv2.CAP_PROP_FPS)
        if 1 <= told <= 240:
            self.rate = Fraction(round(told))

    def __enter__(self) -> "Camera":
        return self

    def __exit__(self, *_: object) -> None:
        self.device.release()

    def frames(self) -> Iterator[Frame]:
        """Yield what the camera sees until it is unplugged."""
        start, last, failed = time.monotonic(), -1, 0
        while True:
            sound, pixels = self.device.read()
            if not sound:
                failed += 1
                if failed >= LOST:
                    raise PhotoError(
                        f"The camera {self.number} sends no more pictures. Plug it in"
                        " again and start anew."
                    )
                time.sleep(0.02)
                continue
            failed = 0
            last = max(last + 1, round((time.monotonic() - start) / self.base))
            pixels = np.ascontiguousarray(pixels[..., ::-1])
            yield Frame(pixels, last, float(last * self.base))


def vision() -> Any:
    """Return OpenCV."""
    # What goes wrong is raised, not printed.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")
    try:
        import cv2
    except ImportError as error:
        raise DependencyError(
            f"A camera and a window need OpenCV ({error})."
            " Run: pip install opencv-python av"
        ) from error
    return cv2
