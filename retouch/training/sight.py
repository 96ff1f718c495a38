"""Fit the reader of a face's shape, which lets a guide see landmarks move.

    retouch train sight DATA pretrained

Its inputs are features of the descriptor's network, which are summed up crop by crop:
only their products are kept. A tenth of the crops tells how well it reads.
"""

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generators.gradients import compiled
from pretrained import dlib_files
from retouch.errors import SettingsError
from retouch.training.export import files
from retouch.training.shards import Shards, as_images
from scorers.guide import Shape
from scorers.identity import Identity, placed
from scorers.judge import shape_of

Floats = NDArray[np.float32]
AXES = 40  # along which shapes are read
HOLD = 10_000.0  # strength of the ridge
AT_ONCE = 32
FEW = 400  # crops, below which the ridge leaves nothing to be read


def features_of(identity: Identity, images: NDArray[np.uint8]) -> Floats:
    """Return the features of crops that the shape is read off."""
    read = compiled(lambda x: placed(identity.features(identity.chips(x))))
    parts = []
    for i in range(0, len(images), AT_ONCE):
        part = as_images(images[i : i + AT_ONCE])
        # One size of batch: another would be compiled anew.
        grown = np.concatenate([part, np.repeat(part[:1], AT_ONCE - len(part), 0)])
        parts.append(np.asarray(read(grown))[: len(part)].astype(np.float16))
    return np.concatenate(parts)


def fit(
    features: Floats, shapes: Floats, kept: NDArray[np.bool_], hold: float = HOLD
) -> Shape:
    """Return the reader learnt from some crops; the kept ones tell its skill."""
    mean, own = shapes[~kept].mean(0), shapes[~kept]
    _, sizes, axes = np.linalg.svd(own - mean, full_matrices=False)
    axes = (sizes / np.sqrt(len(own)))[:AXES, None] * axes[:AXES]
    inputs = features[~kept].astype(np.float32)
    means, deviations = inputs.mean(0), inputs.std(0)
    # What never fires tells nothing, and would be divided by nothing.
    deviations = np.where(deviations < 1e-4, np.inf, deviations)
    inputs = (inputs - means) / deviations
    gram = inputs.T @ inputs + np.float32(hold) * np.eye(inputs.shape[1], dtype="f4")
    slopes = np.linalg.solve(gram, inputs.T @ _along(own - mean, axes))
    slopes /= deviations[:, None]
    means, slopes = means.astype("f4"), slopes.astype("f4")
    reader = Shape(means, slopes, axes.astype("f4"), mean.astype("f4"), mean[:1])
    read = np.asarray(reader.read(features[kept].astype(np.float32)))
    left = ((read - shapes[kept]) ** 2).sum() / ((shapes[kept] - mean) ** 2).sum()
    return Shape(reader.means, reader.slopes, axes, mean, np.array([1 - left], "f4"))


def _along(shapes: Floats, axes: Floats) -> Floats:
    """Return the coordinates of shapes along axes that are as long as they vary."""
    return shapes @ axes.T / (axes**2).sum(1)


def keep(reader: Shape, out: Path, terms: str) -> None:
    """Write the reader with its row."""
    names = "means", "slopes", "axes", "mean", "skill"
    arrays = {name: getattr(reader, name) for name in names}
    files.keep(out, "shape", "scorer", "shape", arrays, licence=terms)


def main(data: Path, networks: Path, terms: str, most: int = 12_000) -> float:
    """Fit the reader to crops of people not held out; return its skill."""
    shards = Shards.read(data)
    names = zip(shards.sources, shards.names, strict=True)
    order = np.array([zlib.crc32(f"{s}/{n}".encode()) for s, n in names])
    index = np.flatnonzero(~shards.testing())
    if len(index) < FEW:
        raise SettingsError(
            f"The data show {len(index)} people who are not held out; reading shapes is"
            f" learnt from {FEW} or more."
        )
    index = index[np.argsort(order[index])][:most]
    features = features_of(dlib_files.identity(), shards.images[index])
    shapes = shape_of(shards.landmarks[index])
    reader = fit(features, shapes, np.arange(len(index)) % 10 == 0)
    keep(reader, networks, terms)
    return float(reader.skill[0])
