"""Batches for the expression mask: pictures, their points, and whose style to read."""

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from retouch.expressions.expression import gaze, mirrored, with_irises
from retouch.training.shapes import shapes_of
from retouch.training.shards import Shards, as_images

WEIGHTS = {"lfw": 0.6}  # how often a source is drawn, where data.json says otherwise
OTHER = 0.6  # how often the style is read off another picture, where there is one
MIRROR = 0.25  # or off the mirrored one, where there is none
SIDE = 32  # pixels at which insides are kept
FLOOR = 0.05  # how much what lies outside counts


class Album:
    """Draws batches that depend on the seed and the step alone."""

    def __init__(self, shards: Shards, size: int, seed: int) -> None:
        self.shards, self.size, self.seed = shards, size, seed
        self.shapes = shapes_of(shards)
        self.looks = _looks(shards.images, self.shapes)
        self.insides = np.stack([_inside(shape) for shape in self.shapes])
        self.allowed = ~shards.testing()
        shares = shards.contents.sources
        own = {name: share.weight for name, share in shares.items()}
        own.update((n, w) for n, w in WEIGHTS.items() if n in own)
        share = np.array([own.get(str(s), 1.0) for s in shards.sources]) * self.allowed
        self.probability = share / share.sum()
        self.alike = _alike(shards)

    def draw(self, step: int, style: int) -> dict[str, NDArray[Any]]:
        """Return images and all random numbers of a step."""
        rng = np.random.default_rng((self.seed, step))
        chosen = rng.choice(len(self.probability), self.size, p=self.probability)
        flips = rng.random(self.size) < 0.5
        others, turned = chosen.copy(), flips.copy()
        for i, index in enumerate(chosen):
            family = self.alike.get(index, ())
            if len(family) > 1 and rng.random() < OTHER:
                others[i] = rng.choice(family)
            elif rng.random() < MIRROR:
                turned[i] = not flips[i]
        batch = self._batch(chosen, flips)
        batch["sources"] = self._images(others, turned)
        batch["noise"] = rng.standard_normal((self.size, style), np.float32)
        return batch

    def held_out(self, count: int) -> dict[str, NDArray[Any]]:
        """Return people kept aside, spread over the sources."""
        index = np.flatnonzero(~self.allowed)
        chosen = index[np.linspace(0, len(index) - 1, count).astype(int)]
        return self._batch(chosen, np.zeros(count, bool))

    def _batch(
        self, chosen: NDArray[np.int64], flips: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        shapes, looks = self.shapes[chosen].copy(), self.looks[chosen].copy()
        insides = self.insides[chosen].copy()
        shapes[flips], looks[flips] = mirrored(shapes[flips], looks[flips])
        insides[flips] = insides[flips, :, ::-1]
        inside = FLOOR + (1 - FLOOR) * insides[..., None].astype(np.float32) / 255
        return {
            "images": self._images(chosen, flips),
            "points": with_irises(shapes, looks),
            "inside": inside,
        }

    def _images(
        self, chosen: NDArray[np.int64], flips: NDArray[np.bool_]
    ) -> NDArray[np.float32]:
        crops = self.shards.images[chosen]
        crops[flips] = crops[flips, :, ::-1]
        return as_images(crops)


def _looks(images: NDArray[np.uint8], shapes: NDArray[Any]) -> NDArray[np.float32]:
    parts = range(0, len(images), 1000)
    return np.concatenate(
        [gaze(images[i : i + 1000], shapes[i : i + 1000]) for i in parts]
    )


def _alike(shards: Shards) -> dict[int, NDArray[Any]]:
    """Return for each crop those of the same person."""
    families = defaultdict(list)
    for i, key in enumerate(zip(shards.sources, shards.people, strict=True)):
        families[key].append(i)
    groups = [np.array(g) for g in families.values() if len(g) > 1]
    return {int(i): group for group in groups for i in group}


def _inside(shape: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the face from jaw to forehead, a little grown, (SIDE, SIDE)."""
    scale = 4
    image = Image.new("L", (SIDE * scale,) * 2)
    brows = shape[17:27]
    lifted = brows + 1.0 * (brows.mean(0) - shape[33])
    outline = np.concatenate([shape[:17], lifted[::-1]]) * SIDE * scale
    flat = [tuple(p) for p in outline]
    pen = ImageDraw.Draw(image)
    pen.polygon(flat, fill=255)
    pen.line([*flat, flat[0]], fill=255, width=round(0.16 * SIDE * scale))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))
