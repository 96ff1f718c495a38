"""Teach a generator without readers what the traits of faces are, by its own pictures.

    retouch models teach NAME

Samples are decoded, and what the guide says of a picture is taken for a rating of its
latent: no rated photographs are needed, nor an encoder. A model that has one, or is
one, learns more from crops of people, for samples are not as varied.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray
from PIL import Image

from generators.gradients import compiled
from pretrained import dlib_files
from pretrained.registry import Library, Row
from retouch.contracts import Generator, OnStep, exact
from retouch.errors import WeightsError
from retouch.faces.detect import Detector
from retouch.faces.face_crop import FaceCrop
from retouch.geometry import TIGHT
from retouch.models import Model
from retouch.photos.levels import pixels_of
from retouch.training.export.files import keep
from retouch.training.rated import Faces, Labels, gather
from retouch.training.shards import Shards, as_images
from retouch.training.traits import Config, fit_latents, reader_arrays
from scorers.judge import Judge
from scorers.latent import LatentTraits

Floats = NDArray[np.float32]

CROP = 128  # pixels: what `retouch.training.traits` reads light and descriptors of
LARGEST = 256  # pixels of a side in which faces are looked for
AT_ONCE = 4  # pictures that are decoded together
FEWEST = 40  # faces from which anything can be learnt
PATIENCE = 12  # pictures without any face, after which no more are looked at
DIMENSIONS = 4  # faces for each dimension that is told apart
RESTRAINT = 10  # faces that outweigh a ridge of 1


def teach(
    library: Library,
    name: str,
    *,
    samples: int = 0,
    seed: int = 0,
    data: Path | None = None,
    dimensions: int = Config.dimensions,
    out: Path | None = None,
    on_step: OnStep | None = None,
) -> Row:
    """Fit and keep a reader of a generator's latents; return its row.

    Args:
        samples: of the generator that are looked at,
        data: or shards of people, which the model's encoder turns back.
        dimensions: of the latents, along which they vary most.
        out: a folder; None keeps it in the user's library.
    """
    if out is None:
        library.check_free(f"{name}-traits")
    model, say = Model.load(name, library).in_keras, on_step or (lambda *told: None)
    if data is not None:
        faces, seen = encoded(model, Shards.read(data)), "crops"
    else:
        faces, seen = study(model.generator, samples, seed=seed, on_step=say), "samples"
        count = len(faces.latents)
        if count < max(FEWEST, samples // 10):
            raise WeightsError(
                f"'{name}' cannot be taught: {count or 'none'} of its pictures show a"
                " face that can be found. Only generators of faces can be."
            )
    say("fitting", 1.0)
    if model.guide is None:
        raise WeightsError("The guide of faces is missing. Install retouch anew.")
    traits, row = learn(faces, model.guide, dimensions), library.row(name, "generator")
    return keep(
        out or library.own.folder,
        f"{name}-traits",
        "scorer",
        "latent-traits",
        reader_arrays(traits),
        licence=row.licence,
        source=f"learnt from {faces.teaching.sum()} {seen} of '{name}'",
        family=row.family,
        config={"names": list(traits.names)},
    )


def encoded(model: Model, shards: Shards) -> Faces:
    """Return the crops of shards with the latents that the model's encoder gives."""
    encoder: Any = model.encoder
    size = None
    if encoder is None and exact(model.generator):
        encoder, size = model.generator, model.generator.resolution
    if encoder is None:
        raise WeightsError(
            f"'{model.name}' has no encoder that could read crops. Teach it by samples:"
            f" retouch models teach {model.name}."
        )
    sides = shards.contents.resolution if size else model.generator.resolution
    shards.contents.check(model.generator.crop, sides)
    return gather(shards, encoder, model.identity, size=size)


def learn(faces: Faces, guide: Judge, dimensions: int) -> LatentTraits:
    """Return a reader of latents that agrees with what the guide sees of faces."""
    count = int(faces.teaching.sum())
    config = Config(
        dimensions=min(dimensions, count // DIMENSIONS),
        latent_ridge=min(Config.latent_ridge, count / RESTRAINT),
    )
    return fit_latents(faces, guide, _no_labels(), config)


def study(generator: Generator, samples: int, *, seed: int, on_step: OnStep) -> Faces:
    """Return the samples in whose pictures a face is found, with what is seen of it."""
    latents = ops.convert_to_numpy(generator.sample(samples, seed=seed))
    crops, landmarks, kept = [], [], []
    detector = Detector(scout=False)  # samples stand upright
    for i, picture in enumerate(_pictures(generator, latents)):
        on_step("looking at samples", i / samples)
        seen = _portrait(detector, picture)
        if seen is not None:
            crops.append(seen[0])
            landmarks.append(seen[1])
            kept.append(i)
        elif i == PATIENCE and not kept:
            break
    images = np.array(crops, np.uint8).reshape(-1, CROP, CROP, 3)
    marks = np.array(landmarks, np.float32).reshape(-1, 68, 2)
    names = np.array([str(i) for i in kept], np.str_)
    sources = np.full(len(kept), "sample")
    return Faces(images, marks, names, sources, _described(images), latents[kept])


def _pictures(generator: Generator, latents: Floats) -> Iterator[NDArray[np.uint8]]:
    decode = compiled(generator.decode)
    for i in range(0, len(latents), AT_ONCE):
        images = ops.convert_to_numpy(decode(latents[i : i + AT_ONCE]))
        yield from pixels_of(images)


def _portrait(
    detector: Detector, picture: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], Floats] | None:
    """Return the largest face's tight crop with its landmarks, if there is a face."""
    if len(picture) > LARGEST:
        smaller = Image.fromarray(picture).resize(
            (LARGEST, LARGEST), Image.Resampling.BOX
        )
        picture = np.asarray(smaller)
    found = detector.find(picture)
    if not found:
        return None
    seen = FaceCrop.of(picture, found[0], TIGHT, CROP)
    return seen.picture, seen.landmarks.astype(np.float32)


def _described(images: NDArray[np.uint8]) -> Floats:
    embed, rows = compiled(dlib_files.identity().embed), []
    for i in range(0, len(images), 32):
        rows.append(ops.convert_to_numpy(embed(as_images(images[i : i + 32]))))
    return np.concatenate(rows) if rows else np.zeros((0, 128), np.float32)


def _no_labels() -> Labels:
    return Labels((), np.zeros(0, np.int64), np.zeros((0, 0), np.float32))
