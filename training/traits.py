"""Fit the readers of traits: from latents, to guide edits; from pictures, to judge.

    retouch train traits DATA pretrained --ratings omi=omi.csv --labels ffhq=ffhq.csv

The rated faces are parted in two. One half teaches a reader of dlib's descriptor
and the landmarks, which then labels every crop; from those labels and from tables
of other traits a linear reader of latents is fitted. The other half makes the
judge, so that no rating serves both to guide an edit and to judge it.
"""

import csv
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generators.gradients import compiled
from pretrained import dlib_files
from pretrained.loading import load
from pretrained.registry import Library, Row, Shelf
from retouch.contracts import Embedder, Encoder
from scorers.judge import Judge, shape_of
from scorers.latent import LatentTraits, Space, held_out_skill, ridge
from training.shards import Shards, as_images

Floats = NDArray[np.float32]

RATED = (
    "attractive", "age", "gender", "happy", "weight", "well-groomed",
    "long-haired", "skin-color", "hair-color", "alert",
)  # fmt: skip
LIGHT = ("light", "light-side", "light-above", "warmth", "contrast")


@dataclass(frozen=True)
class Config:
    """How strongly the fits are held back, and in how many dimensions."""

    dimensions: int = 400
    judge_ridge: float = 100.0
    latent_ridge: float = 300.0


@dataclass(frozen=True, eq=False)
class Faces:
    """What is known of each crop: `gather` makes it of shards."""

    images: NDArray[np.uint8]
    landmarks: Floats
    names: NDArray[np.str_]
    sources: NDArray[np.str_]
    descriptors: Floats
    latents: Floats


def gather(shards: Shards, encoder: Encoder, identity: Embedder, at_once=32) -> Faces:
    """Return the crops of shards with their latents and descriptors."""
    encode, embed = compiled(encoder.encode), compiled(identity.embed)
    latents, descriptors = [], []
    for i in range(0, len(shards.images), at_once):
        images = as_images(shards.images[i : i + at_once])
        latents.append(np.asarray(encode(images)))
        descriptors.append(np.asarray(embed(images)))
    named = shards.landmarks, shards.names, shards.sources
    joined = np.concatenate(descriptors), np.concatenate(latents)
    return Faces(shards.images, *named, *joined)


def lighting(images: NDArray[np.uint8]) -> Floats:
    """Return brightness, its slopes, colour cast and contrast of the faces, (N, 5)."""
    face = images[:, 40:120:4, 20:108:4].astype(np.float32) / 255
    grey = face.mean(-1)
    columns = []
    columns.append(grey.mean((1, 2)))
    columns.append(grey[:, :, :11].mean((1, 2)) - grey[:, :, 11:].mean((1, 2)))
    columns.append(grey[:, :10].mean((1, 2)) - grey[:, 10:].mean((1, 2)))
    columns.append(face[..., 0].mean((1, 2)) - face[..., 2].mean((1, 2)))
    columns.append(grey.std((1, 2)))
    return np.stack(columns, 1)


def standardised(values: Floats) -> Floats:
    return (values - values.mean(0)) / (values.std(0) + 1e-9)


def parts(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Part rated faces in two halves, for the guide and for the judge."""
    order = np.random.default_rng(7).permutation(count)
    return order[::2], order[1::2]


def fit_judge(faces: Faces, index, ratings: Floats, config: Config) -> Judge:
    """Return a judge learnt from the faces of the index and their raw ratings."""
    population = ratings.mean(0), ratings.std(0)
    ratings = standardised(ratings)
    descriptors = faces.descriptors[index]
    inputs = np.concatenate([descriptors, shape_of(faces.landmarks[index])], 1)
    slopes, offsets = ridge(inputs, ratings, config.judge_ridge)
    own = ridge(descriptors, ratings, config.judge_ridge / 2)
    skill = held_out_skill(inputs, ratings, config.judge_ridge)
    return Judge(RATED, slopes, offsets, *own, skill, *population)


def fit_latents(
    faces: Faces, teacher: Judge, labels: "Labels", config: Config
) -> LatentTraits:
    """Return a reader of latents that agrees with the teacher on every crop.

    Traits that only some crops have labels for are learnt from those.
    """
    space = Space.fit(faces.latents, config.dimensions)
    coordinates = np.asarray(space.coordinates(faces.latents))
    opinions = teacher.score(faces.descriptors, faces.landmarks)
    targets = [opinions, standardised(lighting(faces.images))]
    parts = [_fit(coordinates, np.concatenate(targets, 1), config)]
    own = coordinates[labels.index]
    parts += [_fit(own, column[:, None], config) for column in labels.values.T]
    slopes, offsets, skill = (np.concatenate(x, -1) for x in zip(*parts, strict=True))
    return LatentTraits(space, RATED + LIGHT + labels.names, slopes, offsets, skill)


def _fit(coordinates: Floats, targets: Floats, config: Config):
    skill = held_out_skill(coordinates, targets, config.latent_ridge, folds=5)
    return *ridge(coordinates, targets, config.latent_ridge), skill


@dataclass(frozen=True, eq=False)
class Labels:
    """Further traits of some of the crops, standardised."""

    names: tuple[str, ...]
    index: NDArray[np.int64]  # which crops
    values: Floats  # (len(index), names)


def labels_of(faces: Faces, source: str, path: Path, columns: dict[str, str]) -> Labels:
    """Return the labels that a table has for crops of one source.

    Args:
        columns: the trait's name of each column; words count as present, unless
            they begin with "No".
    """
    table = read_words(path, tuple(columns))
    stems = [Path(str(name)).stem for name in faces.names]
    index = [
        i
        for i, stem in enumerate(stems)
        if faces.sources[i] == source and stem in table
    ]
    values = np.array([[_number(w) for w in table[stems[i]]] for i in index], "f4")
    return Labels(tuple(columns.values()), np.array(index), standardised(values))


def read_words(path: Path, columns: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the named columns of a table, unread, by the stem of each row's file."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return {Path(row["file"]).stem: [row[c] for c in columns] for row in rows}


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return 0.0 if word.startswith("No") else 1.0


def rated(faces: Faces, source: str, path: Path) -> tuple[NDArray[np.int64], Floats]:
    """Return which crops of a source are rated, and their ratings."""
    table = read_words(path, RATED)
    stems = [Path(str(name)).stem for name in faces.names]
    index = [
        i for i, s in enumerate(stems) if faces.sources[i] == source and s in table
    ]
    return np.array(index), np.array([table[stems[i]] for i in index], np.float32)


def fit(
    faces: Faces, index: NDArray[np.int64], ratings: Floats, labels: Labels, config=None
) -> tuple[LatentTraits, Judge, Judge]:
    """Return the reader of latents, the guide and the judge."""
    config = config or Config()
    guide, judge = parts(len(index))
    teacher = fit_judge(faces, index[guide], ratings[guide], config)
    traits = fit_latents(faces, teacher, labels, config)
    return traits, teacher, fit_judge(faces, index[judge], ratings[judge], config)


def keep(
    traits: LatentTraits, guide: Judge, judge: Judge, name: str, out: Path, terms: str
) -> None:
    """Write all three beside the networks of a model, with their rows."""
    space = {"mean": traits.space.mean, "axes": traits.space.axes}
    space["spread"] = traits.space.deviations
    reader = f"{name}-traits"
    _write(reader, "latent-traits", traits, space, out, terms, family=name, half=True)
    for kind, scorer in (("guide", guide), ("judge", judge)):
        _write(kind, "judge", scorer, {}, out, terms, family="", half=False)


def _write(name, architecture, reader, more, out, terms, *, family, half) -> None:
    row = Row(
        name,
        "scorer",
        f"{name}.safetensors",
        architecture=architecture,
        config={"names": list(reader.names)},
        licence=terms,
        source="trained by this project",
        family=family,
    )
    Shelf(out).add(row, {**more, **_arrays(reader)}, half=half)


def _arrays(reader: LatentTraits | Judge) -> dict[str, Floats]:
    """Return what of a reader are arrays, by their fields' names."""
    pairs = ((f.name, getattr(reader, f.name)) for f in fields(reader))
    return {name: value for name, value in pairs if isinstance(value, np.ndarray)}


LABELS = {
    "glasses": "glasses",
    "beard": "beard",
    "eye_makeup": "eye_makeup",
    "lip_makeup": "lip_makeup",
}


def main(
    data: Path, networks: Path, ratings: tuple[str, Path], labels: tuple[str, Path]
) -> None:
    """Fit all readers for the default networks of a folder, and keep them there."""
    library = Library(Shelf(networks), Shelf(networks))
    encoder = load(library, "default-encoder", "encoder")
    faces = gather(Shards.read(data), encoder, dlib_files.identity())
    index, values = rated(faces, *ratings)
    readers = fit(faces, index, values, labels_of(faces, *labels, LABELS))
    keep(*readers, "default", networks, library.row("default").licence)
