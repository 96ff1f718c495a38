"""Patches of crops with blemishes painted on their skin, and what was painted.

Real spots that stand in the crops are neither: there a loss is to be blind. The crops'
own folds, nostrils, lips and rims of glasses are to stay, red as they are.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import (
    distance_transform_edt,
    gaussian_filter,
    grey_dilation,
    label,
)

from retouch.geometry import TIGHT, Similarity
from retouch.photos.lab import to_lab
from retouch.training import blemishes, parts
from retouch.training.blemishes import Stain
from retouch.training.shards import Shards
from scorers.blemishes import bands, seen

Floats = NDArray[np.float32]
Random = np.random.Generator
FEATURES = [*range(31, 60)]  # landmarks of nostrils, eyes and lips
PATCH = 128  # pixels a side
FACE = 150.0, 330.0  # pixels of the faces that patches are cut from
DARK = 58.0  # L of skin; of lighter faces LIGHT are drawn, so that dark ones count
LIGHT = 0.45
REDDER = 1.3  # a*, from which a spot of the crop itself is one that nobody labelled
ROUND = 0.4  # how wide such a spot is for its length; what is longer is a fold
LARGEST = 0.08  # of the face's size: larger than any spot
NEAR = 0.03  # of the face's size around eyes, lips and nostrils, where no spot is seen
SEEN = 1.0  # of Lab: fainter stains are not looked for
NOTHING = 0.12  # of the patches show no blemish at all


class Patches:
    """Random batches of patches that depend on the seed and the step alone."""

    def __init__(self, shards: Shards, size: int, seed: int) -> None:
        self.shards, self.size, self.seed = shards, size, seed
        self.index = np.flatnonzero(~shards.testing())
        self.skins: dict[int, tuple[NDArray[np.bool_], bool]] = {}  # as they are met

    def draw(self, step: int) -> list[Floats]:
        """Return patches in Lab, what the network sees, what stained both, weights."""
        rng = np.random.default_rng((self.seed, step))
        rows = [self._patch(rng) for _ in range(self.size)]
        return [np.stack(column) for column in zip(*rows, strict=True)]

    def _row(self, rng: Random) -> int:
        """Return which crop is drawn: dark skin oftener than there are crops of it."""
        while True:
            row = int(self.index[rng.integers(len(self.index))])
            if row not in self.skins:
                image, marks = self.shards.images[row], self.shards.landmarks[row]
                skin = _skin(image, marks.astype(np.float64))
                light = to_lab(image[skin].astype(np.float32))[:, 0]
                self.skins[row] = skin, bool(len(light) and np.median(light) < DARK)
            if self.skins[row][1] or rng.random() < LIGHT:
                return row

    def _patch(self, rng: Random) -> tuple[Floats, ...]:
        row = self._row(rng)
        image, marks = self.shards.images[row], self.shards.landmarks[row]
        skin, _ = self.skins[row]
        transform, size = _placed(marks, skin, rng)
        clean = _lit(_moved(Image.fromarray(image), transform), rng)
        area = _moved(Image.fromarray(skin), transform) > 0.5
        noise = rng.normal(0, rng.uniform(0, 5), clean.shape)
        lab = to_lab((clean + noise).clip(0, 255).astype(np.float32))
        stays, goes = _stains(rng, area, size, lab)
        kept = blemishes.painted(lab, stays)
        spoilt = blemishes.painted(kept, goes)
        stain = spoilt - kept
        own = _own_spots(lab, area, transform(marks), size)
        painted = np.abs(stain).max(-1) > SEEN
        weight = 1 - (own & ~painted).astype(np.float32)
        return spoilt, seen(*bands(spoilt, size)), stain, weight


def _moved(picture: Image.Image, transform: Similarity) -> Floats:
    """Return a patch of a picture; beyond its edge it is black."""
    data, kind = tuple(transform.inverse.matrix.ravel()), Image.Transform.AFFINE
    soft = Image.Resampling.BICUBIC if picture.mode == "RGB" else 0
    return np.asarray(picture.transform((PATCH, PATCH), kind, data, soft), np.float32)


def _skin(image: NDArray[np.uint8], marks: parts.Points) -> NDArray[np.bool_]:
    sets = parts.of_landmarks(image, marks, glasses=False)
    bare = parts.bits("skin", "nose")
    other = parts.bits("white", "iris", "lips", "teeth", "background")
    return (sets & bare > 0) & (sets & other == 0)


def _placed(
    marks: NDArray[Any], skin: NDArray[Any], rng: Random
) -> tuple[Similarity, float]:
    """Return where a patch lies whose centre shows skin, and the face's size in it."""
    face = 1 / TIGHT.transform(marks, 1).scale
    size = min(rng.uniform(*FACE), 1.5 * face)
    ys, xs = np.nonzero(skin)
    pick = rng.integers(len(ys)) if len(ys) else None
    x, y = (xs[pick], ys[pick]) if pick is not None else marks[33]
    away = rng.normal(0, 12, 2)
    centre = Similarity.shifting(PATCH / 2 + away[0], PATCH / 2 + away[1])
    turn = Similarity.turning(rng.normal(0, 15))
    scale = Similarity.scaling(size / face)
    return centre @ turn @ scale @ Similarity.shifting(-float(x), -float(y)), size


def _lit(image: Floats, rng: Random) -> Floats:
    light = (image / 255) ** np.exp(rng.normal(0, 0.25))
    light = light * rng.uniform(0.3, 1.2) * rng.uniform(0.92, 1.08, 3)
    return (255 * light.clip(0, 1)).astype(np.float32)


def _stains(
    rng: Random, area: NDArray[np.bool_], size: float, lab: Floats
) -> tuple[list[Stain], list[Stain]]:
    """Return the marks that stay and the blemishes that go; darker skin shows less."""
    ys, xs = np.nonzero(area)
    stays: list[Stain] = []
    goes: list[Stain] = []
    if not len(ys):
        return stays, goes
    many = 0 if rng.random() < NOTHING else rng.integers(2, 12)
    for paint, into, count in (
        (blemishes.lasting, stays, rng.integers(0, 6)),
        (blemishes.passing, goes, many),
    ):
        for _ in range(count):
            pick = rng.integers(len(ys))
            shown = np.clip(lab[ys[pick], xs[pick], 0] / 55, 0.35, 1.1)
            for stain in paint(rng, xs[pick] + 0.5, ys[pick] + 0.5, size):
                light, a, b = (float(shown * c) for c in stain.colour)
                shape = _held(stain, area)
                into.append(stain._replace(colour=(light, a, b), shape=shape))
    return stays, goes


def _held(stain: Stain, area: NDArray[np.bool_]) -> Floats:
    """Return a stain's shape without what lies beyond the skin."""
    rows = np.arange(stain.shape.shape[0]) + stain.top
    columns = np.arange(stain.shape.shape[1]) + stain.left
    inside = area[
        rows.clip(0, len(area) - 1)[:, None], columns.clip(0, len(area) - 1)[None]
    ]
    return stain.shape * inside


def _own_spots(
    lab: Floats, area: NDArray[np.bool_], marks: parts.Points, size: float
) -> NDArray[np.bool_]:
    """Return where a crop has red spots itself: round, and away from its features."""
    red = lab[..., 1]
    narrow, wide = (gaussian_filter(red, part * size) for part in (0.006, 0.03))
    found, count = label((narrow - wide > REDDER) & area)
    if not count:
        return np.zeros_like(area)
    near = np.ones_like(area)
    x, y = marks[FEATURES].astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < PATCH) & (y < PATCH)
    near[y[inside], x[inside]] = False
    far = distance_transform_edt(near) > NEAR * size
    spots = [n for n in range(1, count + 1) if _is_spot(found == n, far, size)]
    return grey_dilation(np.isin(found, spots), 5).astype(bool)


def _is_spot(where: NDArray[np.bool_], far: NDArray[np.bool_], size: float) -> bool:
    ys, xs = np.nonzero(where)
    if len(ys) < 4 or not far[where].all():
        return False
    short, long = np.sqrt(np.linalg.eigvalsh(np.cov(ys, xs)).clip(0) + 1 / 12)
    return bool(short > ROUND * long and 4 * long < LARGEST * size)
