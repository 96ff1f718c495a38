"""Pictures in which what lies in front of a face was outlined by hand.

A table has a row for each outline: `picture`, `part` (hand, front, glasses, hair, or
unknown, of which nothing is to be learnt), and `points`, the corners of an area, or of
a line that is `line` pixels wide and may be `closed`. Such a picture is a head to learn
from, and what was outlined is cut out and laid over other people's faces.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation, binary_erosion

from retouch.faces.detect import Detector
from retouch.geometry import Face
from retouch.training import parts
from retouch.training.handheld import Cutout
from retouch.training.heads import Head

Area = NDArray[np.bool_]
# What an outline's name allows its pixels to show, what lies over others last.
SHOWN = {
    "unknown": parts.ANYTHING,
    "hair": parts.BIT["hair"],
    "glasses": parts.BIT["glasses"],
    "front": parts.BIT["front"],
    "hand": parts.BIT["front"],
}
LOOSE = ("front", "hand", "glasses")  # what can be cut out
OFF = 2  # pixels by which an outline may be off
NEAR = 8  # pixels from outlined rims, within which there may be more of the glasses


class Outlined(NamedTuple):
    """A picture with a face, and the areas that were outlined in it."""

    name: str
    image: NDArray[np.uint8]
    face: Face
    areas: Mapping[str, Area]  # by part

    def head(self) -> Head:
        """Return the picture with what landmarks and outlines tell of its pixels."""
        sets = parts.of_landmarks(self.image, self.face.landmarks)
        for part, bit in SHOWN.items():
            if part in self.areas:
                _mark(sets, self.areas[part], bit)
        if (worn := self.areas.get("glasses")) is not None:
            bare = ~binary_dilation(worn, iterations=NEAR)
            sets[bare] &= ~parts.BIT["glasses"]
        landmarks = self.face.landmarks
        return Head(self.name, self.image, sets, landmarks, outlined=True)

    def cutouts(self) -> Iterator[Cutout]:
        """Yield what lies in front of the face, to be laid over others."""
        for part in LOOSE:
            if part in self.areas:
                yield Cutout(self.image, self.areas[part], self.face.landmarks, part)


def _mark(sets: parts.Sets, area: Area, bit: int) -> None:
    """Set what an area shows; at its rim it may be that, or what was there."""
    inner = binary_erosion(area, iterations=OFF)
    sure = inner if inner.sum() > area.sum() / 2 else area  # of thin things all of it
    sets[binary_dilation(area, iterations=OFF)] |= bit
    sets[sure] = bit


def outlined(table: Path, folder: Path) -> Iterator[Outlined]:
    """Yield the pictures of a folder that a table names and in which a face is."""
    detector = Detector()
    for name, rows in rows_of(table).items():
        image, faces = opened(folder, name, detector)
        if faces:
            yield Outlined(name, image, faces[0], areas_of(rows, image.shape))


def rows_of(table: Path) -> dict[str, list[dict[str, str]]]:
    """Return a table's rows by the pictures that they are of."""
    rows = defaultdict(list)
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            rows[row["picture"]].append(row)
    return rows


def opened(
    folder: Path, name: str, detector: Detector
) -> tuple[NDArray[np.uint8], list[Face]]:
    """Return a picture of a folder, or a crop of its packs, with its faces."""
    if not name.startswith("crops/"):
        image = np.array(Image.open(folder / name).convert("RGB"))
        return image, detector.find(image)
    _, source, file = name.split("/", 2)
    with np.load(folder / "crops" / f"{source}.npz") as pack:
        i = int(np.flatnonzero(pack["names"] == file)[0])
        start, stop = pack["offsets"][i : i + 2]
        data, marks = pack["data"][start:stop].tobytes(), pack["landmarks"][i]
    image = np.array(Image.open(io.BytesIO(data)).convert("RGB"))
    return image, [Face(marks.astype(np.float64), (0, 0, *image.shape[1::-1]))]


def areas_of(rows: list[dict[str, str]], shape: tuple[int, ...]) -> dict[str, Area]:
    """Return what the outlines of a picture cover, by part."""
    areas: dict[str, Area] = {}
    for row in rows:
        area = area_of(row, shape)
        areas[row["part"]] = areas.get(row["part"], np.zeros_like(area)) | area
    return areas


def area_of(row: Mapping[str, str], shape: tuple[int, ...]) -> Area:
    """Return what an outline covers: an area, or a line of some width."""
    points = [tuple(float(v) for v in p.split(",")) for p in row["points"].split()]
    canvas = Image.new("L", (shape[1], shape[0]))
    pen, width = ImageDraw.Draw(canvas), round(float(row["line"]))
    if not width:
        pen.polygon(points, fill=1)
    else:
        closed = points + points[:2] if int(row["closed"]) else points
        pen.line(closed, fill=1, width=width, joint="curve")
    return np.asarray(canvas, bool)
