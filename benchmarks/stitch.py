"""How long stitching takes: with the size of the photo, and with that of the face.

    python -m benchmarks.stitch

Reading and writing files is left out; copying the photo once is shown beside it, as
that is the only part that grows with the photo.
"""

from collections.abc import Callable
from time import process_time

import numpy as np
from numpy.typing import NDArray

from retouch.faces.face_crop import FaceCrop
from retouch.geometry import FFHQ, NOSE, Similarity
from retouch.stitching.change import Change
from retouch.stitching.stitch import Piece, stitch
from tests.retouch.drawing import drawn_face

MEGAPIXELS = (1, 4, 12, 24, 50, 100)
FACES = (100, 200, 400, 800, 1600, 3200)  # pixels a side
CROP = 256
ROUNDS = 3


def main() -> None:
    print(f"difference, {CROP} px crops; seconds of the processor, best of {ROUNDS}\n")
    print("photo MP  face px  stitching  copying the photo")
    for megapixels in MEGAPIXELS:
        report(megapixels, 400)
    print()
    for face in FACES:
        report(24, face)


def report(megapixels: int, face_size: int) -> None:
    photo = drawn_photo(megapixels)
    piece = drawn_piece(photo, face_size)
    copying = best(lambda: stitch(photo, []))
    stitching = best(lambda: stitch(photo, [piece])) - copying
    print(f"{megapixels:8} {face_size:8} {stitching:10.3f} {copying:18.3f}")


def best(call: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = process_time()
        call()
        times.append(process_time() - start)
    return min(times)


def drawn_photo(megapixels: int) -> NDArray[np.uint8]:
    width = round(np.sqrt(megapixels * 1e6 * 3 / 2))
    height = round(megapixels * 1e6 / width)
    noise = np.random.default_rng(0).integers(90, 170, (height, 64, 3), np.uint8)
    return np.tile(noise, (1, width // 64 + 1, 1))[:, :width].copy()


def drawn_piece(photo: NDArray[np.uint8], size: int) -> Piece:
    """Return an edit that lifts and lights a face in the middle of the photo."""
    height, width = photo.shape[:2]
    middle = Similarity.shifting((width - size) / 2, (height - size) / 2)
    face = drawn_face(size).moved(middle)
    seen = FaceCrop.of(photo, face, FFHQ, CROP)
    before = seen.levels
    y, x = np.mgrid[:CROP, :CROP] / CROP - 0.5
    hill = np.exp(-(x**2 + y**2) * 40).astype(np.float32)[..., None]
    after = before + 20 * hill * np.array([1, 0.5, -0.5], np.float32)
    moved = seen.landmarks.copy()
    moved[NOSE.start :, 1] -= 2  # pixels: all but jaw and brows
    marks = seen.landmarks, moved
    return Piece(face, seen.transform, Change(before, after, marks))


if __name__ == "__main__":
    main()
