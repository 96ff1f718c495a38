"""How well a face's parts are told apart, beside what landmarks alone tell.

    python -m benchmarks.parsing ../shared/faces

The folder holds `parsing/`, masks drawn by hand (FASSEG: Khan, Mauro and Leonardi 2015,
2017), of which seven people were never trained on, and the pictures of which
`labels/parts.csv` outlines glasses, hands and teeth, held out as well.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image

from retouch.faces.detect import Detector
from retouch.faces.parse import COVERING, Parser, Parts
from retouch.stitching import mask
from retouch.training.heads import HELD_OUT, person
from retouch.training.outlines import Outlined, areas_of, opened, rows_of

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


def outlined(faces: Path, detector: Detector, parser: Parser) -> None:
    """Print what is found of glasses, hands and teeth."""
    found: dict[str, Count] = defaultdict(lambda: NONE)
    covered: dict[str, Count] = defaultdict(lambda: NONE)
    for picture in pictures(faces, detector):
        parts = parser.parts(picture.image, picture.face)
        for part, wanted in picture.areas.items():
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
    for name, rows in rows_of(LABELS).items():
        image, (face, *_) = opened(faces, name, detector)
        yield Outlined(name, image, face, areas_of(rows, image.shape))


if __name__ == "__main__":
    typer.run(main)
