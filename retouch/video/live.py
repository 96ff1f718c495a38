"""The loop of moving pictures, free of windows and files: a frame in, a frame out."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from retouch.faces import crop
from retouch.geometry import LEFT_EYE, RIGHT_EYE, TIGHT, Face, Similarity
from retouch.photos import disk
from retouch.photos.photo import Photo, Provenance, encode
from retouch.video.track import Track, Tracker

Pixels8 = NDArray[np.uint8]
SAVED = 512  # pixels a side of the pictures that are kept
GREEN, WHITE, BLACK = (60, 200, 90), (255, 255, 255), (0, 0, 0)
HINT = "No face: look at the camera, come nearer, or make it lighter."


class Effect(Protocol):
    """Changes the faces of frames that come one after the other."""

    name: str

    def apply(
        self, pixels: NDArray[Any], tracks: Iterable[Track], time: float
    ) -> NDArray[Any]:
        """Return the frame with its faces changed; the input stays as it is."""

    def state(self) -> Mapping[str, NDArray[Any]]:
        """Return what is needed to go on another time."""

    def resume(self, kept: Mapping[str, NDArray[Any]]) -> None:
        """Take up such a state."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One frame: as it came, as it became, and whose faces are in it."""

    before: Pixels8
    after: Pixels8
    tracks: tuple[Track, ...]
    faces: tuple[Face, ...]  # smoothed, at that moment
    seconds: Mapping[str, float]  # of each part, on the clock

    @property
    def hint(self) -> str:
        """What to tell whoever sits before the camera."""
        return "" if self.faces else HINT


class Live:
    """Follows faces through frames and changes them."""

    def __init__(self, tracker: Tracker, effect: Effect, *, mirror: bool = False):
        self.tracker, self.effect, self.mirror = tracker, effect, mirror

    def show(self, pixels: Pixels8, moment: float) -> Picture:
        """Return what becomes of the next frame (H, W, 3).

        Args:
            moment: its time in seconds, growing.
        """
        if self.mirror:
            pixels = np.ascontiguousarray(pixels[:, ::-1])
        start = time.perf_counter()
        tracks = tuple(self.tracker.follow(pixels, moment))
        tracked = time.perf_counter()
        after = pixels
        if shown := [track for track in tracks if track.trust]:
            after = faded(pixels, self.effect.apply(pixels, shown, moment), shown)
        spent = {
            "tracking": tracked - start,
            self.effect.name: time.perf_counter() - tracked,
        }
        faces = tuple(track.face for track in tracks)
        return Picture(pixels, after, tracks, faces, spent)


def faded(before: Pixels8, after: Pixels8, tracks: Iterable[Track]) -> Pixels8:
    """Return the changed frame, as changed only as far as each face is trusted.

    Landmarks astray would lay a mask half beside the face.
    """
    shape = before.shape
    for track in tracks:
        if track.trust < 1:
            place = crop.window_of(track.face.transform(TIGHT, 1), 1, shape).slices
            part = before[place].astype(np.float32)
            part += track.trust * (after[place] - part)
            after = after.copy()
            after[place] = np.rint(part).astype(np.uint8)
    return after


# --- what the window shows and the key S keeps --------------------------------


def frame_of(face: Face, size: float, side: int) -> Similarity:
    """Return the similarity to an upright square around a face.

    Args:
        size: its side in distances of the eyes.
        side: its side in pixels after the move.
    """
    marks = face.landmarks
    eyes = [marks[eye].mean(0) for eye in (LEFT_EYE, RIGHT_EYE)]
    half = size / 2 * np.hypot(*(eyes[1] - eyes[0]))
    x, y = marks.mean(0)
    corners = [(x - half, y - half), (x + half, y - half), (x + half, y + half)]
    return Similarity.fit(corners, [(0, 0), (side, 0), (side, side)])


def decorated(picture: Picture, size: float, lines: Iterable[str]) -> Pixels8:
    """Return the changed frame with the faces framed and lines of help on it."""
    image = Image.fromarray(picture.after)
    pen = ImageDraw.Draw(image)
    for face in picture.faces:
        back = frame_of(face, size, 1).inverse
        (left, top), (right, bottom) = back([(0, 0), (1, 1)]).tolist()
        pen.rectangle((left, top, right, bottom), outline=GREEN, width=2)
    told = [*lines, *([picture.hint] if picture.hint else [])]
    letters = max(12, image.height // 34)
    for i, line in enumerate(told):
        place = (8, image.height - 6 - (len(told) - i) * (letters + 4))
        pen.text(
            place, line, WHITE, font_size=letters, stroke_width=2, stroke_fill=BLACK
        )
    return np.asarray(image)


def pointed(picture: Picture) -> Pixels8:
    """Return the frame as it came with the landmarks drawn on it."""
    image = Image.fromarray(picture.before)
    pen = ImageDraw.Draw(image)
    for face in picture.faces:
        reach = max(1.0, face.size / 110)
        for x, y in face.landmarks.tolist():
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=GREEN)
    return np.asarray(image)


def keep(
    picture: Picture, size: float, folder: Path, effect: str, moment: datetime
) -> list[Path]:
    """Write the framed face as it came, with landmarks, and changed; never over others.

    Without a face the whole frames are kept.
    """
    result = "mask" if effect == "mask" else "edited"
    shown = {
        "original": picture.before,
        "landmarks": pointed(picture),
        result: picture.after,
    }
    if picture.faces:
        place = frame_of(picture.faces[0], size, SAVED)
        shown = {name: _framed(pixels, place) for name, pixels in shown.items()}
    stamp = _free(folder, shown, moment.strftime("%Y%m%d-%H%M%S"))
    paths = []
    model = "mask" if effect == "mask" else "default"
    for name, pixels in shown.items():
        told = Provenance(model, effect, 1.0) if name == result else None
        path = folder / f"{name}-{stamp}.png"
        disk.put(path, encode(Photo(pixels), "PNG", provenance=told))
        paths.append(path)
    return paths


def _framed(pixels: Pixels8, place: Similarity) -> Pixels8:
    cut = crop.cut(pixels, place, SAVED)
    return np.rint(cut.clip(0, 255)).astype(np.uint8)


def _free(folder: Path, names: Iterable[str], stamp: str) -> str:
    """Return the stamp, with a number if files of that stamp are there."""
    names, number, free = list(names), 1, stamp
    while any((folder / f"{name}-{free}.png").exists() for name in names):
        number += 1
        free = f"{stamp}-{number}"
    return free
