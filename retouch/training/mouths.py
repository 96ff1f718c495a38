"""Mouths that a finisher learns from: a generator's, and what real ones look like.

There are pairs, the generator's copy of a mouth and the picture itself, two of them
open for one that is closed. Of closed ones there is what a smile draws, too, and nobody
knows how their teeth look: those are compared with other people's, as open as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from retouch.edits.moves import teeth
from retouch.engine.rendering import AJAR
from retouch.errors import SettingsError
from retouch.faces.detect import Detector
from retouch.geometry import INNER_LIPS, OUTER_LIPS, Face, Points
from retouch.models import Model
from retouch.photos.levels import levels_of, pixels_of
from retouch.stitching.mouths import filled, opening
from retouch.training.shards import Shards, as_images

HEIGHT, WIDTH = 64, 96  # pixels of a mouth that is cut out of a crop of RESOLUTION
RESOLUTION = 256
PARTED = 0.06  # of a mouth's width: lips that show teeth
GROW, SOFT = 0.03, 0.015  # of it, by which what is looked at goes beyond the lips
SHARP = 5.0  # levels between neighbours, at least, in teeth that are an example
FEW = 50  # mouths of a kind that teach nothing
AT_ONCE = 32
ALIKE = 60  # real mouths on either side that are about as open

Pixels = NDArray[np.uint8]
Latents = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Mouths:
    """Mouths (N, HEIGHT, WIDTH, 3) and where parts of them are, (N, HEIGHT, WIDTH)."""

    copies: Pixels
    originals: Pixels
    lips: Pixels  # of both, and all between them
    teeth: Pixels  # of both: what is between their lips
    apart: NDArray[np.float32]  # how far lips are; these mouths are sorted by it
    drawn: Pixels
    drawn_teeth: Pixels
    drawn_apart: NDArray[np.float32]

    @classmethod
    def of(cls, shards: Shards, model: Model) -> Self:
        """Take those of people who are not held out, as a model draws them."""
        shards.contents.check("tight", RESOLUTION)
        if model.moves is None:
            raise SettingsError(
                f"The model '{model.name}' has no moves that draw smiles."
            )
        taught = ~shards.testing()
        apart = np.array([opening(m) for m in shards.landmarks.astype(np.float64)])
        parted, shut = (
            np.flatnonzero(taught & some) for some in (apart > PARTED, apart <= AJAR)
        )
        latents = _latents(shards, model, shut)
        drawn = list(_drawn(shards, model, shut, latents))
        known = _latents(shards, model, parted)
        pairs = list(_pairs(shards, model, parted, known, SHARP))
        if min(len(pairs), len(drawn)) < FEW:
            raise SettingsError(
                f"The data show {len(pairs)} people's teeth sharply, and {len(drawn)}"
                f" who close their lips; a finisher needs {FEW} of either."
            )
        few = np.linspace(0, len(shut) - 1, min(len(shut), len(pairs) // 2))
        few = few.astype(int)
        pairs += _pairs(shards, model, shut[few], latents[few], 0.0)
        pairs.sort(key=lambda row: row[-1])
        columns = [*zip(*pairs, strict=True), *zip(*drawn, strict=True)]
        return cls(*(np.stack(column) for column in columns))

    @classmethod
    def read(cls, path: Path) -> Self:
        with np.load(path) as file:
            return cls(*(file[field.name] for field in fields(cls)))

    def write(self, path: Path) -> None:
        np.savez(
            path, **{field.name: getattr(self, field.name) for field in fields(self)}
        )

    def alike(
        self, rows: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return for drawn mouths real ones that are about as open."""
        place = np.searchsorted(self.apart, self.drawn_apart[rows])
        near = place + rng.integers(-ALIKE, ALIKE + 1, len(rows))
        last = len(self.apart) - 1
        first = min(int(np.searchsorted(self.apart, PARTED)), last)
        return near.clip(first, last)


def _latents(shards: Shards, model: Model, rows: NDArray[np.int64]) -> Latents:
    """Return the latents of crops as the model's encoder guesses them."""
    encode = model.inverter.encode
    parts = [encode(as_images(shards.images[rows[part]])) for part in _parts(rows)]
    none = np.zeros((0, *model.generator.latent_shape), np.float32)
    return np.concatenate([none, *parts])


def _pairs(
    shards: Shards,
    model: Model,
    rows: NDArray[np.int64],
    latents: Latents,
    sharp: float,
) -> Iterator[tuple[Any, ...]]:
    """Return mouths that are as sharp between their lips, or more."""
    for part in _parts(rows):
        copies = pixels_of(model.draw(latents[part], finished=False))
        for row, copy in zip(rows[part], copies, strict=True):
            marks = shards.landmarks[row].astype(np.float64)
            planes = copy, shards.images[row], _lips(marks), _teeth(marks)
            copied, own, lips, teeth = _cut(marks, *planes)
            if _sharpness(own, teeth) >= sharp:
                yield copied, own, lips, teeth, np.float32(opening(marks))


def _drawn(
    shards: Shards, model: Model, rows: NDArray[np.int64], latents: Latents
) -> Iterator[tuple[Any, ...]]:
    """Draw the smiles of closed mouths, as the stitch has them drawn."""
    detector = Detector()
    assert model.moves is not None
    for part in _parts(rows):
        smiling = teeth(model.moves, latents[part])
        pictures = levels_of(model.draw(smiling, finished=False))
        levels = np.rint(pictures).astype(np.uint8)
        for row, picture in zip(rows[part], levels, strict=True):
            own = shards.landmarks[row].astype(np.float64)
            box = (*own.min(0), *own.max(0))
            marks = detector.again(picture, Face(own, box, 1.0)).landmarks
            if opening(marks) > PARTED:
                yield (*_cut(marks, picture, _teeth(marks)), np.float32(opening(marks)))


def _parts(rows: NDArray[np.int64]) -> Iterator[slice]:
    return (slice(i, i + AT_ONCE) for i in range(0, len(rows), AT_ONCE))


def _teeth(marks: Points) -> Pixels:
    """Return what of a crop lies between the lips, (R, R)."""
    return _within(marks, INNER_LIPS, GROW, SOFT)


def _lips(marks: Points) -> Pixels:
    """Return what of a crop is the mouth, (R, R)."""
    return _within(marks, OUTER_LIPS, 2 * GROW, 2 * SOFT)


def _within(marks: Points, part: slice, grow: float, soft: float) -> Pixels:
    width = float(np.hypot(*(marks[54] - marks[48])))
    inside = filled(marks[part], RESOLUTION, grow * width, soft * width)
    return np.rint(255 * inside).astype(np.uint8)


def _cut(marks: Points, *planes: Pixels) -> list[Pixels]:
    """Return the windows of crops in whose middle the mouth lies."""
    x, y = np.rint(marks[48:].mean(0) - (WIDTH / 2, HEIGHT / 2)).astype(int)
    x, y = (int(np.clip(v, 0, RESOLUTION - n)) for v, n in ((x, WIDTH), (y, HEIGHT)))
    return [plane[y : y + HEIGHT, x : x + WIDTH] for plane in planes]


def _sharpness(mouth: Pixels, teeth: Pixels) -> float:
    """Return by how many levels neighbours in a row differ between lips."""
    steps = np.abs(np.diff(mouth.astype(np.float32), axis=1)).mean(-1)
    inside = teeth[:, 1:] > 127
    return float(steps[inside].mean()) if inside.any() else 0.0
