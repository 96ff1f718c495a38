"""How long a photo is searched for faces, and how small and turned ones are found.

    python -m benchmarks.finding [PORTRAITS] [--pictures FOLDER]

Photos are enlarged pictures of scikit-image, with a portrait in them or without. In the
second table portraits of a folder, or the astronaut alone, stand in rows of such a
photo, at one size and turn at a time. First the pictures of further folders are counted
in which somebody is found.
"""

from pathlib import Path
from time import perf_counter
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image
from skimage.data import astronaut, chelsea, coffee, rocket

from retouch.faces.detect import Detector
from retouch.geometry import Face

MEGAPIXELS = (1, 4, 12, 24, 50)
SIZES = (40, 56, 80, 120, 180, 260, 400)  # pixels of a face
TURNS = (0, 15, 45, 90, 180)  # degrees
SIDES = 6000, 4000
COLUMNS, ROWS = 6, 3
SURE = 0.8  # confidence of a portrait that may serve
ROUNDS = 5

Portrait = tuple[Image.Image, Face]


def main(
    folder: Annotated[Path | None, typer.Argument()] = None,
    pictures: Annotated[list[Path] | None, typer.Option()] = None,
) -> None:
    """Print both tables, and what is found in the pictures of other folders."""
    detector = Detector()
    for place in pictures or []:
        among(detector, place)
    time(detector)
    count(detector, gathered(detector, folder))


def time(detector: Detector) -> None:
    """Print how long photos of several sizes are searched."""
    print(f"seconds of a search, median of {ROUNDS}\n\nphoto MP  one face    nobody")
    for megapixels in MEGAPIXELS:
        height = round((megapixels * 1e6 / 1.5) ** 0.5)
        size = round(1.5 * height), height
        nobody = Image.fromarray(coffee()).resize(size)
        face = nobody.copy()
        face.paste(Image.fromarray(astronaut()).resize((height // 2, height // 2)))
        times = [seconds(detector, np.asarray(photo)) for photo in (face, nobody)]
        print(f"{megapixels:8}{times[0]:10.2f}{times[1]:10.2f}")


def count(detector: Detector, portraits: list[Portrait]) -> None:
    """Print how many portraits are found at several sizes and turns."""
    print(f"\nfound of {COLUMNS * ROWS} in 24 megapixels\n\nface px", end="")
    print("".join(f"{turn:7}°" for turn in TURNS))
    for size in SIZES:
        found = [seen(detector, portraits, size, turn) for turn in TURNS]
        print(f"{size:7}" + "".join(f"{number:8}" for number in found), flush=True)


def among(detector: Detector, folder: Path) -> None:
    """Print in how many pictures of a folder somebody is found."""
    files = sorted(folder.iterdir())
    photos = (np.asarray(Image.open(file).convert("RGB")) for file in files)
    found = sum(bool(detector.find(photo)) for photo in photos)
    print(f"{folder}: somebody in {found} of {len(files)} pictures")


def seconds(detector: Detector, photo: NDArray) -> float:
    """Return how long a search takes, the first one left out."""
    times = []
    for _ in range(ROUNDS + 1):
        start = perf_counter()
        detector.find(photo)
        times.append(perf_counter() - start)
    return float(np.median(times[1:]))


def gathered(detector: Detector, folder: Path | None) -> list[Portrait]:
    """Return pictures of one sure face."""
    files = sorted(folder.iterdir()) if folder else []
    images = [Image.open(file).convert("RGB") for file in files]
    portraits = []
    for image in images or [Image.fromarray(astronaut())]:
        faces = detector.find(np.asarray(image))
        if len(faces) == 1 and faces[0].confidence > SURE:
            portraits.append((image, faces[0]))
    return portraits


def seen(
    detector: Detector, portraits: list[Portrait], size: float, turn: float
) -> int:
    """Return how many are found of portraits that stand in a photo."""
    rng = np.random.default_rng((round(size), turn))
    photo = Image.fromarray((chelsea, rocket)[rng.integers(2)]()).resize(SIDES)
    places = []
    for cell in range(COLUMNS * ROWS):
        image, face = portraits[rng.integers(len(portraits))]
        scale = size / face.size
        shape = [max(1, round(side * scale)) for side in image.size]
        x, y = (scale * (face.box[i] + face.box[i + 2]) / 2 for i in (0, 1))
        turned = image.resize(shape, Image.Resampling.LANCZOS)
        turned = turned.rotate(-turn, Image.Resampling.BICUBIC, center=(x, y))
        reach = min(size * 1.1, x, y, shape[0] - x, shape[1] - y)
        ends = x - reach, y - reach, x + reach, y + reach
        corner = 50 + 980 * (cell % COLUMNS), 50 + 1300 * (cell // COLUMNS)
        photo.paste(turned.crop([round(end) for end in ends]), corner)
        places.append((corner[0] + reach, corner[1] + reach))
    faces = detector.find(np.asarray(photo))
    boxes = np.array([face.box for face in faces]).reshape(-1, 2, 2)
    gaps = np.linalg.norm(boxes.mean(1)[None] - np.array(places)[:, None], axis=-1)
    return int((gaps.min(1, initial=np.inf) < 0.4 * size).sum())


if __name__ == "__main__":
    typer.run(main)
