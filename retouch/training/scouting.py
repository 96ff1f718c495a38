"""Train the scout: quick detectors of small faces, one for each eighth of a turn.

    retouch train scout FACES... --without PICTURES --out pretrained

Structural support vector machines over whole pictures (King 2015), as dlib fits them:
every window of a picture that is not its face counts as none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from retouch.errors import SettingsError
from retouch.faces.detect import Detector
from retouch.faces.small_faces import THRESHOLD, TURNS, WEIGHTS, WINDOW, detector_of
from retouch.training.export.files import keep

Grey = NDArray[np.uint8]

SIZES = 1.05, 1.6  # of the faces, in windows
UPRIGHT = 20.0  # degrees: a portrait turned further is left out
EMPTY = 250, 600  # pixels of the longer side: the sizes of pictures without faces
HELD_OUT = 10  # one portrait in so many tells the skill
SEVERITY = 400.0  # what a face missed costs against a wide margin
# Portraits of one face teach dlib that no two marks may touch: a doubtful large one
# then hides the small face in it. Both thresholds stand in a detector's first bytes, as
# mantissa and exponent: 0 and 0, for which come half of the union and all of a mark.
HEAD = 64  # bytes
NONE_TOUCH = bytes.fromhex("0100010b 0100010b")
SOME_OVERLAP = bytes.fromhex("01018101 01010100")
ROOM = 1.1  # of a face's half side that a portrait must leave around its centre


@dataclass(frozen=True, eq=False)
class Portrait:
    """A picture with one upright face."""

    pixels: Grey
    centre: tuple[float, float]
    half: float  # of the face's side

    @classmethod
    def of(cls, image: Image.Image, detector: Detector, size: float) -> "Portrait":
        """Return a picture with its face `size` pixels large; ValueError if none."""
        faces = detector.find(np.asarray(image))
        if len(faces) != 1 or abs(faces[0].roll) > UPRIGHT:
            raise ValueError("This is no portrait.")
        left, top, right, bottom = faces[0].box
        scale = size / (right - left)
        shape = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        centre = (left + right) / 2 * scale, (top + bottom) / 2 * scale
        portrait = cls(
            np.asarray(image.resize(shape, Image.Resampling.BOX)), centre, size / 2
        )
        if min(*centre, *np.subtract(shape, centre)) < ROOM * portrait.half:
            raise ValueError("This face is too close to the edge.")
        return portrait

    def turned(self, degrees: float, *, mirrored: bool) -> Grey:
        """Return the picture turned clockwise about the face's centre."""
        image, (x, y) = Image.fromarray(self.pixels), self.centre
        if mirrored:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            x = image.width - x
        bilinear = Image.Resampling.BILINEAR
        return np.asarray(image.rotate(-degrees, bilinear, center=(x, y)))

    def box(self, dlib: Any, *, mirrored: bool) -> Any:
        x, y = self.centre
        x = self.pixels.shape[1] - x if mirrored else x
        ends = x - self.half, y - self.half, x + self.half, y + self.half
        return dlib.rectangle(*(round(end) for end in ends))


def train(faces: list[Path], without: Path, out: Path, most: int, terms: str) -> str:
    """Fit and keep the detectors; return how well they do."""
    import dlib

    portraits = list(_portraits(faces, most))
    if len(portraits) < 2 * HELD_OUT:
        raise SettingsError(
            f"{len(portraits)} pictures with one upright face were found; at least"
            f" {2 * HELD_OUT} are needed."
        )
    empty = list(_empty(without))
    held_out, known = (
        portraits[::HELD_OUT],
        [p for i, p in enumerate(portraits) if i % HELD_OUT],
    )
    states = {t: _fit(dlib, known, empty, t) for t in TURNS}
    # 0 to 255 is exact in half precision.
    arrays = {f"turn{t}": np.frombuffer(s, np.uint8) for t, s in states.items()}
    source = f"trained by this project on {len(known)} portraits"
    beside: dict[str, Any] = {"licence": terms, "source": source}
    keep(out, WEIGHTS, "detector", "dlib-windows", arrays, **beside)
    return _skill(dlib, held_out, empty, states)


def _portraits(folders: list[Path], most: int) -> Iterator[Portrait]:
    detector, rng = Detector(scout=False), np.random.default_rng(0)
    for folder in folders:
        files = sorted(path for path in folder.iterdir() if path.is_file())
        for path in files[:: -(-len(files) // most) or 1]:
            with Image.open(path) as image:
                grey = image.convert("L")
            grey.thumbnail((256, 256), Image.Resampling.BOX)
            try:
                yield Portrait.of(grey, detector, WINDOW * rng.uniform(*SIZES))
            except ValueError:
                continue


def _empty(folder: Path) -> Iterator[Grey]:
    """Yield the pictures without faces, in several sizes."""
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        with Image.open(path) as image:
            grey = image.convert("L")
        for side in EMPTY:
            scale = side / max(grey.size)
            shape = [max(1, round(length * scale)) for length in grey.size]
            yield np.asarray(grey.resize(shape))


def _fit(dlib: Any, portraits: list[Portrait], empty: list[Grey], turn: int) -> bytes:
    options = dlib.simple_object_detector_training_options()
    options.detection_window_size = WINDOW**2
    options.C, options.epsilon, options.num_threads = SEVERITY, 0.01, 1
    options.add_left_right_image_flips, options.upsample_limit = False, 0
    pairs = [(p, mirrored) for p in portraits for mirrored in (False, True)]
    images = [p.turned(turn, mirrored=mirrored) for p, mirrored in pairs]
    boxes = [[p.box(dlib, mirrored=mirrored)] for p, mirrored in pairs]
    images, boxes = [*images, *empty], [*boxes, *([] for _ in empty)]
    detector = dlib.train_simple_object_detector(images, boxes, options)
    return overlapping(detector.__getstate__()[0])


def overlapping(state: bytes) -> bytes:
    """Return a detector's bytes, changed so that its marks may lie in each other."""
    head, weights = state[:HEAD], state[HEAD:]
    return head.replace(NONE_TOUCH, SOME_OVERLAP) + weights


def _skill(
    dlib: Any, portraits: list[Portrait], empty: list[Grey], states: dict[int, bytes]
) -> str:
    """Say how many held-out faces are seen, and how often one is seen in nothing."""
    run = dlib.fhog_object_detector.run_multiple
    detectors = [detector_of(dlib, state) for state in states.values()]
    angles = np.random.default_rng(1).uniform(0, 360, len(portraits))
    found = 0
    for portrait, angle in zip(portraits, angles, strict=True):
        boxes = run(detectors, portrait.turned(angle, mirrored=False), 0, THRESHOLD)[0]
        centres = [(box.center().x, box.center().y) for box in boxes]
        gaps = np.hypot(*np.subtract(centres or [(np.inf, 0)], portrait.centre).T)
        found += gaps.min() < portrait.half / 2
    marks = sum(len(run(detectors, image, 0, THRESHOLD)[0]) for image in empty)
    area = sum(image.size for image in empty) / 1e6
    return (
        f"{found} of {len(portraits)} held-out faces at any angle are seen;"
        f" {marks / area:.1f} marks in a megapixel without faces."
    )
