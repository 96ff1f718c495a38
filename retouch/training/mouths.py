"""Mouths that a finisher learns from: a generator's, and what real ones look like.

Of people who show their teeth there are pairs, the generator's copy and the picture
itself. Of people who do not there is only what a smile draws, and nobody knows how
their teeth look: those mouths are compared with other people's, as open as they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from retouch.edits.moves import EXPRESSION, TraitMove
from retouch.edits.way import Way
from retouch.engine.rendering import AJAR, FURTHER, PLAIN
from retouch.errors import SettingsError
from retouch.faces.detect import Detector
from retouch.geometry import INNER_LIPS, Face, Points
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


@dataclass(frozen=True, eq=False)
class Mouths:
    """Mouths (N, HEIGHT, WIDTH, 3) and where they are looked at, (N, HEIGHT, WIDTH)."""

    copies: Pixels
    originals: Pixels
    shown: Pixels  # of both
    apart: NDArray[np.float32]  # how far lips are; these mouths are sorted by it
    drawn: Pixels
    drawn_shown: Pixels
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
        pairs = list(_pairs(shards, model, np.flatnonzero(taught & (apart > PARTED))))
        drawn = list(_drawn(shards, model, np.flatnonzero(taught & (apart <= AJAR))))
        if min(len(pairs), len(drawn)) < FEW:
            raise SettingsError(
                f"The data show {len(pairs)} people's teeth sharply, and {len(drawn)}"
                f" who close their lips; a finisher needs {FEW} of either."
            )
        pairs.sort(key=lambda row: row[3])
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
        return near.clip(0, len(self.apart) - 1)


def _pairs(
    shards: Shards, model: Model, rows: NDArray[np.int64]
) -> Iterator[tuple[Any, ...]]:
    for part in _parts(rows):
        latents = model.inverter.encode(as_images(shards.images[part]))
        copies = pixels_of(model.draw(latents, finished=False))
        for row, copy in zip(part, copies, strict=True):
            marks = shards.landmarks[row].astype(np.float64)
            own, shown = shards.images[row], _shown(marks)
            (mouth,) = _cut(marks, own)
            if _sharpness(mouth, *_cut(marks, shown)) > SHARP:
                yield (*_cut(marks, copy, own, shown), np.float32(opening(marks)))


def _drawn(
    shards: Shards, model: Model, rows: NDArray[np.int64]
) -> Iterator[tuple[Any, ...]]:
    """Draw the smiles of closed mouths, as the stitch has them drawn."""
    detector = Detector()
    assert model.moves is not None
    change = TraitMove(model.moves, "happy").change
    for part in _parts(rows):
        latents = model.inverter.encode(as_images(shards.images[part]))
        way = Way.learnt(latents, np.repeat(change[None], len(part), 0), model.moves)
        ends = way.plainer(PLAIN).reaching(FURTHER, EXPRESSION).end
        pictures = levels_of(model.draw(ends, finished=False))
        for row, picture in zip(part, np.rint(pictures).astype(np.uint8), strict=True):
            own = shards.landmarks[row].astype(np.float64)
            box = (*own.min(0), *own.max(0))
            marks = detector.again(picture, Face(own, box, 1.0)).landmarks
            if opening(marks) > PARTED:
                yield (*_cut(marks, picture, _shown(marks)), np.float32(opening(marks)))


def _parts(rows: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    return (rows[i : i + AT_ONCE] for i in range(0, len(rows), AT_ONCE))


def _shown(marks: Points) -> Pixels:
    """Return where a crop is looked at, (R, R): between the lips."""
    width = float(np.hypot(*(marks[54] - marks[48])))
    inside = filled(marks[INNER_LIPS], RESOLUTION, GROW * width, SOFT * width)
    return np.rint(255 * inside).astype(np.uint8)


def _cut(marks: Points, *planes: Pixels) -> list[Pixels]:
    """Return the windows of crops in whose middle the mouth lies."""
    x, y = np.rint(marks[48:].mean(0) - (WIDTH / 2, HEIGHT / 2)).astype(int)
    x, y = (int(np.clip(v, 0, RESOLUTION - n)) for v, n in ((x, WIDTH), (y, HEIGHT)))
    return [plane[y : y + HEIGHT, x : x + WIDTH] for plane in planes]


def _sharpness(mouth: Pixels, shown: Pixels) -> float:
    """Return by how many levels neighbours in a row differ where a mouth is shown."""
    steps = np.abs(np.diff(mouth.astype(np.float32), axis=1)).mean(-1)
    inside = shown[:, 1:] > 127
    return float(steps[inside].mean()) if inside.any() else 0.0
