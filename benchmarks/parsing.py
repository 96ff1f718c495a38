"""How well a face's parts are told apart, beside what landmarks alone tell.

    python -m benchmarks.parsing ../shared/faces

The folder holds `parsing/`, masks drawn by hand (FASSEG: Khan, Mauro and Leonardi 2015,
2017), of which seven people were never trained on, and the pictures of which
`labels/parts.csv` outlines glasses, hands and teeth, held out as well.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from retouch.faces.detect import Detector
from retouch.faces.parse import COVERING, Parser, Parts
from retouch.geometry import Face
from retouch.stitching import mask
from retouch.training.heads import HELD_OUT, person

LABELS = Path(__file__).parent / "labels" / "parts.csv"
GROUPS = {
    "background": ("background", "glasses", "front"),
    "skin": ("skin",),
    "hair, brows": ("hair", "brows"),
    "eyes": ("white", "iris"),
    "nose": ("nose",),
    "mouth": ("lips", "teeth"),
}
ROUNDS = 20


class Count(NamedTuple):
    """Pixels that two masks share, and that one or both have."""

    shared: int
    either: int

    def __add__(self, other: tuple) -> "Count":
        return Count(self.shared + other[0], self.either + other[1])

    @property
    def share(self) -> float:
        return self.shared / max(self.either, 1)


NONE = Count(0, 0)


def main(faces: Annotated[Path, typer.Argument()]) -> None:
    """Print the tables."""
    detector, parser = Detector(), Parser()
    drawn(faces / "parsing", detector, parser)
    outlined(faces, detector, parser)


def drawn(folder: Path, detector: Detector, parser: Parser) -> None:
    """Print how far parsing and landmarks agree with masks drawn by hand."""
    counts: dict[str, Count] = defaultdict(lambda: NONE)
    by_landmarks: dict[str, Count] = defaultdict(lambda: NONE)
    times, pictures = [], 0
    for path in sorted(folder.glob("*.webp")):
        if person(path.stem) not in HELD_OUT:
            continue
        image = np.asarray(Image.open(path).convert("RGB"))
        wanted = np.asarray(Image.open(path.with_suffix(".png")))
        face = detector.find(image)[0]
        start = process_time()
        parts = parser.parts(image, face)
        times.append(process_time() - start)
        seen = in_picture(parts, image.shape)
        for i, name in enumerate(GROUPS):
            counts[name] += agreement(seen == i, (wanted == i) & (seen >= 0))
        outline = mask.Outline.of(
            face, mask.Similarity.scaling(1), max(image.shape), image.shape
        )
        regions = {
            "skin": outline.skin(),
            "eyes": outline.eyes(),
            "mouth": outline.mouth(),
        }
        for name, area in regions.items():
            inside = area[: image.shape[0], : image.shape[1]] > 0.5
            by_landmarks[name] += agreement(inside, wanted == list(GROUPS).index(name))
        pictures += 1
    print(f"{pictures} masks drawn by hand, intersection over union\n")
    print(f"{'part':14}{'parsing':>9}{'landmarks':>11}")
    for name, count in counts.items():
        other = by_landmarks.get(name)
        told = f"{other.share:11.2f}" if other else f"{'-':>11}"
        print(f"{name:14}{count.share:9.2f}{told}")
    print(f"\n{1000 * np.median(times):.0f} ms of the processor a face")


def in_picture(parts: Parts, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return which group each pixel of a picture shows; -1 beyond the square."""
    chances = np.stack([parts.chance(*names) for names in GROUPS.values()], -1)
    data = tuple(parts.transform.matrix.ravel())
    seen = Image.fromarray(chances.argmax(-1).astype(np.int32)).transform(
        shape[1::-1],
        Image.Transform.AFFINE,
        data,
        Image.Resampling.NEAREST,
        fillcolor=-1,
    )
    return np.asarray(seen)


def agreement(one: NDArray, other: NDArray) -> Count:
    return Count(int((one & other).sum()), int((one | other).sum()))


# --- outlined by hand ---------------------------------------------------------


class Outlined(NamedTuple):
    """A picture with a face, and the masks that were outlined in it."""

    image: NDArray[np.uint8]
    face: Face
    masks: dict[str, NDArray[np.bool_]]


def outlined(faces: Path, detector: Detector, parser: Parser) -> None:
    """Print what is found of glasses, hands and teeth."""
    found: dict[str, Count] = defaultdict(lambda: NONE)
    covered: dict[str, Count] = defaultdict(lambda: NONE)
    for picture in pictures(faces, detector):
        parts = parser.parts(picture.image, picture.face)
        for part, wanted in picture.masks.items():
            names = ("teeth",) if part == "teeth" else COVERING
            seen, told = (
                placed(parts, parts.chance(*some), wanted.shape) > 0.5
                for some in (names, (part,))
            )
            found[part] += agreement(told & near(wanted), wanted)
            covered[part] += Count(int((seen & wanted).sum()), int(wanted.sum()))
    print(f"\n{'outlined':14}{'IoU':>6}{'found':>8}   (by landmarks: none of it)")
    for part, count in found.items():
        print(f"{part:14}{count.share:6.2f}{covered[part].share:8.0%}")


def near(wanted: NDArray, reach: int = 12) -> NDArray[np.bool_]:
    """Return the box of a mask: what else is in front elsewhere was not outlined."""
    rows, columns = (np.flatnonzero(wanted.any(axis)) for axis in (1, 0))
    box = np.zeros_like(wanted)
    top, left = max(rows[0] - reach, 0), max(columns[0] - reach, 0)
    box[top : rows[-1] + reach, left : columns[-1] + reach] = True
    return box


def placed(parts: Parts, area: NDArray, shape: tuple[int, ...]) -> NDArray:
    data, kind = tuple(parts.transform.matrix.ravel()), Image.Transform.AFFINE
    image = Image.fromarray(np.ascontiguousarray(area))
    return np.asarray(
        image.transform(shape[1::-1], kind, data, Image.Resampling.BILINEAR)
    )


def pictures(faces: Path, detector: Detector) -> Iterator[Outlined]:
    """Yield the pictures that the table of outlines names."""
    rows = defaultdict(list)
    with LABELS.open(newline="") as file:
        for row in csv.DictReader(file):
            rows[row["picture"]].append(row)
    for name, outlines in rows.items():
        image, face = opened(faces, name, detector)
        masks: dict[str, NDArray] = {}
        for row in outlines:
            drawn_one = area_of(row, image.shape)
            masks[row["part"]] = masks.get(row["part"], False) | drawn_one
        yield Outlined(image, face, masks)


def opened(faces: Path, name: str, detector: Detector) -> tuple[NDArray, Face]:
    """Return a picture of the folder, or a crop of its packs, with its face."""
    if not name.startswith("crops/"):
        image = np.asarray(Image.open(faces / name).convert("RGB"))
        return image, detector.find(image)[0]
    _, source, file = name.split("/", 2)
    with np.load(faces / "crops" / f"{source}.npz") as pack:
        i = int(np.flatnonzero(pack["names"] == file)[0])
        start, stop = pack["offsets"][i : i + 2]
        data, marks = pack["data"][start:stop].tobytes(), pack["landmarks"][i]
    image = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    return image, Face(marks.astype(np.float64), (0, 0, *image.shape[1::-1]))


def area_of(row: dict[str, str], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return what an outline covers: an area, or a line of some width."""
    points = [tuple(float(v) for v in p.split(",")) for p in row["points"].split()]
    canvas = Image.new("L", shape[1::-1])
    pen, width = ImageDraw.Draw(canvas), round(float(row["line"]))
    if not width:
        pen.polygon(points, fill=1)
    else:
        closed = points + points[:2] if int(row["closed"]) else points
        pen.line(closed, fill=1, width=width, joint="curve")
    return np.asarray(canvas, bool)


if __name__ == "__main__":
    typer.run(main)
