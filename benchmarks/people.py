"""People held out of every training, and their faces, cut and inverted."""

import io
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image

from retouch.engine.retoucher import Retoucher
from retouch.engine.session import KnownFaces, Session
from retouch.geometry import Face, Points
from retouch.photos.photo import Photo, read
from retouch.settings import Settings

HELD_OUT = 50  # of a thousand people
Person = tuple[str, Photo, Points]  # name, picture, landmarks
# Crops, as a folder of data calls their source, and how many people of it.
Source = tuple[str, str, int]


@dataclass(frozen=True, eq=False)
class Crops:
    """The pictures of a collection, with landmarks and whom they show."""

    names: NDArray[np.str_]
    people: NDArray[np.str_]
    landmarks: NDArray[np.float64]  # (N, 68, 2)
    data: bytes
    ends: NDArray[np.int64]

    @classmethod
    def read(cls, file: Path) -> Self:
        with np.load(file) as kept:
            marks = kept["landmarks"].astype(np.float64)
            data, ends = kept["data"].tobytes(), kept["offsets"]
            return cls(kept["names"], kept["people"], marks, data, ends)

    def photo(self, place: int) -> Photo:
        part = self.data[self.ends[place] : self.ends[place + 1]]
        return Photo(np.asarray(Image.open(io.BytesIO(part)).convert("RGB")))


def taught_nothing(source: str, person: str) -> bool:
    """Say whether a person of a source is held out, as trainings have it."""
    return zlib.crc32(f"{source}/{person}".encode()) % 1000 < HELD_OUT


def held_out(
    folder: Path,
    sources: Iterable[Source],
    fits: Callable[[Points], bool] = lambda marks: True,
) -> list[Person]:
    """Return people of crops who taught nothing, one picture each.

    Args:
        fits: says by its landmarks whether a picture will do.
    """
    found = []
    for source, called, count in sources:
        crops = Crops.read(folder / f"{source}.npz")
        first: dict[str, int] = {}
        for i, person in enumerate(crops.people):
            if taught_nothing(called, person) and fits(crops.landmarks[i]):
                first.setdefault(str(person), i)
        rows = np.array(list(first.values()))
        even = np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)
        for i in rows[even]:
            name = f"{source}/{crops.names[i]}"
            found.append((name, crops.photo(i), crops.landmarks[i]))
    return found


def portraits(engine: Retoucher, folder: Path, count: int) -> list[Person]:
    """Return the largest face of each of some photos of a folder, evenly chosen."""
    files = sorted(folder.glob("*.jpg"))
    found = []
    for i in np.linspace(0, len(files) - 1, min(count, len(files))).astype(int):
        photo = read(files[i])
        (face, *_) = engine.find(photo)
        found.append((f"{folder.name}/{files[i].name}", photo, face.landmarks))
    return found


def opened(
    engine: Retoucher, people: Iterable[Person], settings: Settings
) -> dict[str, Session]:
    """Return the people's faces, inverted; whoever is left alone is named."""
    sessions = {}
    for name, photo, marks in people:
        known = KnownFaces(photo, (seen(engine, photo, marks),))
        session = engine.cut(known, settings, adults=True)
        if session.chosen:
            sessions[name] = session
        else:
            typer.echo(f"{name}: {session.notes[0]}")
    inverted = engine.invert(list(sessions.values()), settings)
    return dict(zip(sessions, inverted, strict=True))


def seen(engine: Retoucher, photo: Photo, marks: Points) -> Face:
    """Return the face that the detector sees where landmarks say that one is."""
    low, high = marks.min(0), marks.max(0)
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    return engine.detector.again(photo.pixels, Face(marks, box, 1.0))
