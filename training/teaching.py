"""Teach a generator without readers what the traits of faces are, by its own pictures.

    retouch models teach NAME

Samples are decoded, and what the guide says of a picture is taken for a rating of its
latent: no rated photographs are needed, nor an encoder.
"""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
from keras import ops
from numpy.typing import NDArray
from PIL import Image

from generators.gradients import compiled
from pretrained import dlib_files
from pretrained.loading import load, load_judge
from pretrained.registry import Library, Row
from retouch import crop
from retouch.contracts import Generator
from retouch.errors import WeightsError
from retouch.finding.detect import Detector
from retouch.geometry import TIGHT
from scorers.judge import Judge
from scorers.latent import LatentTraits
from training.shards import as_images
from training.traits import Config, Faces, Labels, fit_latents, reader_arrays

Floats = NDArray[np.float32]
OnStep = Callable[[str, float], None]

CROP = 128  # pixels: what `training.traits` reads light and descriptors of
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
    samples: int,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Row:
    """Fit and keep the readers of a generator's latents; return their row."""
    row = library.row(name, "generator")
    reader = Row(
        f"{name}-traits",
        "scorer",
        f"{name}-traits.safetensors",
        architecture="latent-traits",
        licence=row.licence,
        source=f"learnt from {samples} samples of '{name}'",
        family=row.family,
    )
    library.check_free(reader.name)
    generator, guide = load(library, name, "generator"), load_judge(library, "guide")
    say = on_step or (lambda what, part: None)
    try:
        traits = learn(generator, guide, samples, seed=seed, on_step=say)
    except ValueError as error:
        raise WeightsError(f"'{name}' cannot be taught: {error}") from None
    reader = dataclasses.replace(reader, config={"names": list(traits.names)})
    return library.add(reader, reader_arrays(traits))


def learn(
    generator: Generator, guide: Judge, samples: int, *, seed: int, on_step: OnStep
) -> LatentTraits:
    """Return a reader of the generator's latents; ValueError if too few show faces."""
    faces = study(generator, samples, seed=seed, on_step=on_step)
    count = len(faces.latents)
    if count < max(FEWEST, samples // 10):
        raise ValueError(
            f"{count or 'none'} of its pictures show a face that can be found. Only"
            " generators of faces can be."
        )
    on_step("fitting", 1.0)
    own = Config()
    config = dataclasses.replace(
        own,
        dimensions=min(own.dimensions, count // DIMENSIONS),
        latent_ridge=min(own.latent_ridge, count / RESTRAINT),
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
        yield from np.rint(np.clip(images * 127.5 + 127.5, 0, 255)).astype(np.uint8)


def _portrait(
    detector: Detector, picture: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], Floats] | None:
    """Return the largest face's tight crop with its landmarks, if there is a face."""
    if len(picture) > LARGEST:
        smaller = Image.fromarray(picture).resize((LARGEST, LARGEST), Image.BOX)
        picture = np.asarray(smaller)
    found = detector.find(picture)
    if not found:
        return None
    transform = found[0].transform(TIGHT, CROP)
    image = crop.cut(picture, transform, CROP)
    marks = transform(found[0].landmarks).astype(np.float32)
    return np.rint(image).clip(0, 255).astype(np.uint8), marks


def _described(images: NDArray[np.uint8]) -> Floats:
    embed, rows = compiled(dlib_files.identity().embed), []
    for i in range(0, len(images), 32):
        rows.append(ops.convert_to_numpy(embed(as_images(images[i : i + 32]))))
    return np.concatenate(rows) if rows else np.zeros((0, 128), np.float32)


def _no_labels() -> Labels:
    return Labels((), np.zeros(0, np.int64), np.zeros((0, 0), np.float32))
