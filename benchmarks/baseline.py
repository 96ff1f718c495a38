"""The same edits without a network: one picture of differences, laid on everybody.

Ridge regression finds which aligned pixels go with a trait, as the guide reads it on
the crops of a training; that picture, blind to light and to kept traits, is added
through the same stitch.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from keras import ops
from numpy.typing import NDArray

from pretrained import dlib_files
from retouch.edits.edit import View
from retouch.faces.crop import resized
from retouch.models import Model
from retouch.settings import Settings
from retouch.training.rated import standardised
from retouch.training.shards import Shards, as_images
from retouch.training.traits import lighting
from scorers.latent import LIGHT, LatentTraits, Space, ridge

Floats = NDArray[np.float32]
SIDE = 64  # pixels a side that the regression sees
DIMENSIONS = 200
HOLD = 300.0
HALVINGS = 7


@dataclass(frozen=True, eq=False)
class Pixels:
    """Pictures' traits, linearly, in the coordinates of their principal components."""

    traits: LatentTraits

    @classmethod
    def fit(cls, data: Path, model: Model, most: int = 6000) -> "Pixels":
        """Learn from crops of people who are not held out."""
        shards = Shards.read(data)
        index = np.flatnonzero(~shards.testing())
        index = index[:: max(1, len(index) // most)][:most]
        images, sight = shards.images[index], model.sight
        embed = dlib_files.identity().embed
        descriptors = np.concatenate(
            [np.asarray(embed(as_images(part))) for part in _parts(images)]
        )
        opinions = sight.judge.score(descriptors, shards.landmarks[index])
        targets = np.concatenate([opinions, standardised(lighting(images))], 1)
        small = np.concatenate(
            [np.asarray(ops.average_pool(as_images(p), 2, 2)) for p in _parts(images)]
        )
        space = Space.fit(small, DIMENSIONS)
        slopes, offsets = ridge(np.asarray(space.coordinates(small)), targets, HOLD)
        names = sight.names + LIGHT
        return cls(LatentTraits(space, names, slopes, offsets, np.ones(len(names))))

    def picture(self, trait: str, settings: Settings, size: int) -> Floats:
        """Return what one deviation of a trait adds to a crop, (size, size, 3)."""
        keep = tuple(n for n in (*settings.kept_traits, *LIGHT) if n != trait)
        step = self.traits.step(trait, keep)
        offset = np.asarray(self.traits.space.offset(step[None]))[0]
        return resized(offset.astype(np.float32), size)


def _parts(images: NDArray[np.uint8], size: int = 50) -> list[NDArray[np.uint8]]:
    return [images[i : i + size] for i in range(0, len(images), size)]


def strengthened(model: Model, view: View, picture: Floats, identity: float) -> float:
    """Return how strongly to add the picture for the same mean identity distance."""
    origin = np.asarray(model.identity.embed(view.images))
    low, high = 0.0, 8.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        shown = view.images + view.masks * np.float32(middle) * picture
        gaps = np.asarray(model.identity.embed(np.clip(shown, -1, 1))) - origin
        near = np.linalg.norm(gaps, axis=1).mean() < identity
        low, high = (middle, high) if near else (low, middle)
    return (low + high) / 2
