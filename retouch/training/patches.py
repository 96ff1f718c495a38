"""Patches of crops with blemishes painted on their skin, and what was painted.

What the network sees is linear in Lab: of skins and of stains it is worked out once,
and a patch is the sum of one each, turned, the stain as strong as chance will have it.

Real spots that stand in the crops are neither: there a loss is to be blind. The crops'
own folds, nostrils, lips and rims of glasses are to stay, red as they are.
"""

from typing import Any, NamedTuple

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
from scorers.blemishes import GREY, bands, seen

Floats = NDArray[np.float32]
Random = np.random.Generator
FEATURES = [*range(31, 60)]  # landmarks of nostrils, eyes and lips
PATCH = 128  # pixels a side
FACES = 150, 180, 205, 235, 270, 320  # pixels of the faces that patches are cut from
KEPT = 3000  # skins, and as many stains, that patches are mixed of
DARK = 58.0  # L of skin; of lighter faces LIGHT are drawn, so that dark ones count
LIGHT = 0.45
REDDER = 1.3  # a*, from which a spot of the crop itself is one that nobody labelled
ROUND = 0.4  # how wide such a spot is for its length; what is longer is a fold
LARGEST = 0.08  # of the face's size: larger than any spot
NEAR = 0.03  # of the face's size around eyes, lips and nostrils, where no spot is seen
NOISE = 3.5  # levels of 255, at most
SEEN = 1.0  # of Lab: fainter stains are not looked for
BEYOND = 0.2  # of Lab: stains beyond the skin that are no lesson
NOTHING = 0.1  # of the patches show no blemish at all
FAINTER = 0.5, 1.15  # times a stain, where skin is as light as this:
MIDDLING = 55.0  # L
SHOWN = 0.35, 1.15  # how much less stains show on the darkest skin, and more


class Skin(NamedTuple):
    """A patch of skin with its marks, on which blemishes are laid."""

    seen: NDArray[np.float16]  # by the network
    bare: NDArray[np.bool_]  # where a blemish may lie
    own: NDArray[np.bool_]  # where spots of the crop itself lie
    shown: float  # how strongly a blemish shows


class Stained(NamedTuple):
    """Blemishes without a skin."""

    seen: NDArray[np.float16]  # which they add to what the network sees
    stain: NDArray[np.float16]  # Lab


class Patches:
    """Random batches of patches that depend on the seed and the step alone."""

    def __init__(self, shards: Shards, size: int, seed: int) -> None:
        self.shards, self.size, self.seed = shards, size, seed
        self.index = np.flatnonzero(~shards.testing())
        self.areas: dict[int, tuple[NDArray[np.bool_], bool]] = {}  # as they are met
        self.skins: dict[int, Skin] = {}
        self.stained: dict[int, Stained] = {}

    def draw(self, step: int) -> list[Floats]:
        """Return what the network sees, what stained it in Lab, and weights."""
        rng = np.random.default_rng((self.seed, step))
        rows = [self._patch(rng) for _ in range(self.size)]
        return [np.stack(column) for column in zip(*rows, strict=True)]

    def _patch(self, rng: Random) -> tuple[Floats, ...]:
        number = int(rng.integers(KEPT))
        skin = self._skin(number)
        shown, bare, own = _turned(rng, skin.seen, skin.bare, skin.own)
        more, stain = _turned(rng, *self._like(rng, number))
        part = skin.shown * rng.uniform(*FAINTER) * (rng.random() >= NOTHING)
        stain = np.float32(part) * stain
        strength = np.abs(stain).max(-1)
        blind = np.where(bare, own & (strength <= SEEN), strength > BEYOND)
        shown = shown + np.float32(part) * more
        return shown, stain, (~blind).astype(np.float32)

    def _skin(self, number: int) -> Skin:
        """Return a skin; each has a number, and the size of face that goes with it."""
        if number not in self.skins:
            rng = np.random.default_rng((self.seed, number, 0))
            self.skins[number] = self._drawn(rng, FACES[number % len(FACES)])
        return self.skins[number]

    def _like(self, rng: Random, number: int) -> Stained:
        """Return blemishes of a face as large as a skin's."""
        kind = number % len(FACES)
        other = kind + len(FACES) * int(rng.integers(KEPT // len(FACES)))
        if other not in self.stained:
            own = np.random.default_rng((self.seed, other, 1))
            self.stained[other] = _stained(own, FACES[kind])
        return self.stained[other]

    def _row(self, rng: Random) -> int:
        """Return which crop is drawn: dark skin oftener than there are crops of it."""
        while True:
            row = int(self.index[rng.integers(len(self.index))])
            if row not in self.areas:
                image, marks = self.shards.images[row], self.shards.landmarks[row]
                area = _area(image, marks.astype(np.float64))
                light = to_lab(image[area].astype(np.float32))[:, 0]
                self.areas[row] = area, bool(len(light) and np.median(light) < DARK)
            if self.areas[row][1] or rng.random() < LIGHT:
                return row

    def _drawn(self, rng: Random, size: float) -> Skin:
        row = self._row(rng)
        image, marks = self.shards.images[row], self.shards.landmarks[row]
        area, _ = self.areas[row]
        transform = _placed(marks, area, size, rng)
        clean = _lit(_moved(Image.fromarray(image), transform), rng)
        bare = _moved(Image.fromarray(area), transform) > 0.5
        noise = rng.normal(0, rng.uniform(0, NOISE), clean.shape)
        lab = to_lab((clean + noise).clip(0, 255).astype(np.float32))
        own = _own_spots(lab, bare, transform(marks), size)
        light = lab[bare][:, 0].mean() if bare.any() else MIDDLING
        shown = float(np.clip(light / MIDDLING, *SHOWN))
        kept = blemishes.painted(lab, _marks(rng, bare, size, shown))
        known = seen(*bands(kept, size)).astype(np.float16)
        return Skin(known, bare, own, shown)


def _stained(rng: Random, size: float) -> Stained:
    stains: list[Stain] = []
    for _ in range(rng.integers(2, 11)):
        x, y = rng.uniform(0, PATCH, 2)
        stains += blemishes.passing(rng, x, y, size)
    flat = blemishes.painted(np.zeros((PATCH, PATCH, 3), np.float32), stains)
    grey = np.broadcast_to(GREY, flat.shape)
    shown = seen(*bands(flat + grey, size))
    return Stained(shown.astype(np.float16), flat.astype(np.float16))


def _turned(rng: Random, *fields: NDArray[Any]) -> list[NDArray[Any]]:
    """Return fields (H, W, ...) turned or mirrored alike, in one of eight ways."""
    turns, mirrored = int(rng.integers(4)), rng.integers(2)
    return [np.rot90(f[:, ::-1] if mirrored else f, turns) for f in fields]


def _moved(picture: Image.Image, transform: Similarity) -> Floats:
    """Return a patch of a picture; beyond its edge it is black."""
    data, kind = tuple(transform.inverse.matrix.ravel()), Image.Transform.AFFINE
    soft = Image.Resampling.BICUBIC if picture.mode == "RGB" else 0
    return np.asarray(picture.transform((PATCH, PATCH), kind, data, soft), np.float32)


def _area(image: NDArray[np.uint8], marks: parts.Points) -> NDArray[np.bool_]:
    sets = parts.of_landmarks(image, marks, glasses=False)
    bare = parts.bits("skin", "nose")
    other = parts.bits("white", "iris", "lips", "teeth", "background")
    return (sets & bare > 0) & (sets & other == 0)


def _placed(
    marks: NDArray[Any], area: NDArray[Any], size: float, rng: Random
) -> Similarity:
    """Return where a patch lies whose centre shows skin of a face of that size."""
    face = 1 / TIGHT.transform(marks, 1).scale
    ys, xs = np.nonzero(area)
    pick = rng.integers(len(ys)) if len(ys) else None
    x, y = (xs[pick], ys[pick]) if pick is not None else marks[33]
    away = rng.normal(0, 12, 2)
    centre = Similarity.shifting(PATCH / 2 + away[0], PATCH / 2 + away[1])
    turn = Similarity.turning(rng.normal(0, 15))
    scale = Similarity.scaling(size / face)
    return centre @ turn @ scale @ Similarity.shifting(-float(x), -float(y))


def _lit(image: Floats, rng: Random) -> Floats:
    light = (image / 255) ** np.exp(rng.normal(0, 0.25))
    light = light * rng.uniform(0.3, 1.2) * rng.uniform(0.92, 1.08, 3)
    return (255 * light.clip(0, 1)).astype(np.float32)


def _marks(
    rng: Random, bare: NDArray[np.bool_], size: float, shown: float
) -> list[Stain]:
    """Return the marks that stay; darker skin shows less of them."""
    ys, xs = np.nonzero(bare)
    stains: list[Stain] = []
    for _ in range(rng.integers(0, 6) if len(ys) else 0):
        pick = rng.integers(len(ys))
        for stain in blemishes.lasting(rng, xs[pick] + 0.5, ys[pick] + 0.5, size):
            light, a, b = (shown * c for c in stain.colour)
            shape = _held(stain, bare)
            stains.append(stain._replace(colour=(light, a, b), shape=shape))
    return stains


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
