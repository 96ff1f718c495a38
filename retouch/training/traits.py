"""Fit the readers of traits: from latents, to guide edits; from pictures, to judge.

    retouch train traits DATA pretrained --ratings omi=omi.csv --labels ffhq=ffhq.csv

The rated faces are parted in two, and so are those that a table labels. One half
teaches the guide, a reader of dlib's descriptor and the landmarks, which then labels
every crop; from those labels a linear reader of latents is fitted. The other half
makes the judge, so that no rating serves both to guide an edit and to judge it.

What latents tell is read in two ways: linearly, and off the picture that they stand
for. Both skills are printed and kept; a twentieth of the people teaches nothing.
"""

import csv
import dataclasses
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generators.gradients import compiled
from pretrained import dlib_files
from pretrained.loading import load, load_shape
from pretrained.registry import Library, Shelf
from retouch.contracts import Embedder, Encoder, Generator
from retouch.geometry import LEFT_EYE, RIGHT_EYE
from retouch.training.export import files
from retouch.training.shards import Shards, as_images, shrunk
from scorers.guide import Guide
from scorers.judge import Judge, shape_of
from scorers.latent import LIGHT, LatentTraits, Space, held_out_skill, ridge

Floats = NDArray[np.float32]

RATED = (
    "attractive", "age", "gender", "happy", "weight", "well-groomed",
    "long-haired", "skin-color", "hair-color", "alert",
)  # fmt: skip


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
    held_out: NDArray[np.bool_] | None = None  # which of them teach nothing

    @property
    def teaching(self) -> NDArray[np.bool_]:
        """Which of them readers are fitted to."""
        if self.held_out is None:
            return np.ones(len(self.names), bool)
        return ~self.held_out


def gather(
    shards: Shards,
    encoder: Encoder,
    identity: Embedder,
    at_once: int = 32,
    size: int | None = None,
) -> Faces:
    """Return the crops of shards with their latents and descriptors.

    Args:
        size: of the pictures that the encoder reads, if they must be smaller.
    """
    encode, embed = compiled(encoder.encode), compiled(identity.embed)
    latents, descriptors = [], []
    for i in range(0, len(shards.images), at_once):
        images = as_images(shards.images[i : i + at_once])
        descriptors.append(np.asarray(embed(images)))
        images = images if size is None else shrunk(images, size)
        latents.append(np.asarray(encode(images)))
    named = shards.landmarks, shards.names, shards.sources
    joined = np.concatenate(descriptors), np.concatenate(latents)
    return Faces(shards.images, *named, *joined, shards.testing())


def lighting(images: NDArray[np.uint8]) -> Floats:
    """Return brightness, its slopes, colour cast and contrast of the faces, (N, 5)."""
    unit = images.shape[1] / 128
    down, across = (
        slice(round(unit * low), round(unit * high), max(1, round(unit * 4)))
        for low, high in ((40, 120), (20, 108))
    )
    face = images[:, down, across].astype(np.float32) / 255
    grey = face.mean(-1)
    top, left = (side // 2 for side in grey.shape[1:])
    columns = []
    columns.append(grey.mean((1, 2)))
    columns.append(grey[:, :, :left].mean((1, 2)) - grey[:, :, left:].mean((1, 2)))
    columns.append(grey[:, :top].mean((1, 2)) - grey[:, top:].mean((1, 2)))
    columns.append(face[..., 0].mean((1, 2)) - face[..., 2].mean((1, 2)))
    columns.append(grey.std((1, 2)))
    return np.stack(columns, 1)


def standardised(values: Floats) -> Floats:
    return (values - values.mean(0)) / (values.std(0) + 1e-9)


def parts(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Part rated faces in two halves, for the guide and for the judge."""
    order = np.random.default_rng(7).permutation(count)
    return order[::2], order[1::2]


def openness(landmarks: Floats) -> Floats:
    """Return how far eyes are open, for their width, (N,)."""
    parts = []
    for eye in (LEFT_EYE, RIGHT_EYE):
        corners = landmarks[:, eye]
        width = np.linalg.norm(corners[:, 3] - corners[:, 0], axis=-1)
        gaps = (corners[:, a] - corners[:, b] for a, b in ((5, 1), (4, 2)))
        parts.append(sum(np.linalg.norm(gap, axis=-1) for gap in gaps) / width)
    return parts[0] + parts[1]


def fit_judge(
    faces: Faces, index, ratings: Floats, config: Config, names=RATED
) -> Judge:
    """Return a judge learnt from the faces of the index and their raw ratings."""
    population = ratings.mean(0), ratings.std(0)
    ratings = standardised(ratings)
    descriptors = faces.descriptors[index]
    inputs = np.concatenate([descriptors, shape_of(faces.landmarks[index])], 1)
    slopes, offsets = ridge(inputs, ratings, config.judge_ridge)
    own = ridge(descriptors, ratings, config.judge_ridge / 2)
    skills = (
        held_out_skill(inputs, ratings, config.judge_ridge),
        held_out_skill(descriptors, ratings, config.judge_ridge / 2),
    )
    return Judge(names, slopes, offsets, *own, *skills, *population)


def fit_latents(
    faces: Faces, teacher: Judge, labels: "Labels", config: Config
) -> LatentTraits:
    """Return a reader of latents that agrees with the teacher on every crop.

    Its skill is that of agreeing. Traits of which the teacher knows nothing are
    learnt from the crops that have labels for them.
    """
    allowed = faces.teaching
    space = Space.fit(faces.latents[allowed], config.dimensions)
    coordinates = np.asarray(space.coordinates(faces.latents))
    opinions = teacher.score(faces.descriptors, faces.landmarks)
    targets = [opinions, standardised(lighting(faces.images))]
    own = np.concatenate(targets, 1)[allowed]
    parts = [_fit(coordinates[allowed], own, config)]
    new = [i for i, name in enumerate(labels.names) if name not in teacher.names]
    learnt = allowed[labels.index]
    inputs = coordinates[labels.index][learnt]
    parts += [_fit(inputs, labels.values[learnt, i : i + 1], config) for i in new]
    slopes, offsets, skill = (np.concatenate(x, -1) for x in zip(*parts, strict=True))
    names = teacher.names + LIGHT + tuple(labels.names[i] for i in new)
    return LatentTraits(space, names, slopes, offsets, skill)


def _fit(coordinates: Floats, targets: Floats, config: Config):
    skill = held_out_skill(coordinates, targets, config.latent_ridge, folds=5)
    return *ridge(coordinates, targets, config.latent_ridge), skill


# --- what latents tell of held-out ratings ------------------------------------


def skill_of_latents(
    traits: LatentTraits, faces: Faces, index: NDArray[np.int64], ratings: Floats
) -> Floats:
    """Return the linear reader's correlation with ratings that taught it nothing.

    What judges see is fitted to the latents of all crops but the rated ones, once;
    then judges are learnt from nine tenths of the ratings and read the last tenth.
    """
    coordinates = np.asarray(traits.space.coordinates(faces.latents))
    seen = np.concatenate([faces.descriptors, shape_of(faces.landmarks)], 1)
    others = faces.teaching.copy()
    others[index] = False
    slopes, offsets = ridge(coordinates[others], seen[others], Config.latent_ridge)
    read = coordinates[index] @ slopes + offsets
    return held_out_skill(read, standardised(ratings), Config.judge_ridge)


def skill_of_pictures(
    generator: Generator, guide: Guide, latents: Floats, ratings: Floats, at_once=25
) -> Floats:
    """Return the same for what is read of the pictures that latents stand for."""
    see = compiled(lambda x: guide.sees(generator.decode(x)))
    parts = [latents[i : i + at_once] for i in range(0, len(latents), at_once)]
    read = np.concatenate([np.asarray(see(part)) for part in parts])
    return held_out_skill(read, standardised(ratings), Config.judge_ridge)


# --- tables -------------------------------------------------------------------


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
    index = np.array(index, np.int64)
    values = np.concatenate([values, openness(faces.landmarks[index])[:, None]], 1)
    return Labels((*columns.values(), "eyes-open"), index, standardised(values))


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
    learnt = faces.teaching[labels.index]
    worn, values = labels.index[learnt], labels.values[learnt]
    both = []
    for half, own in zip(parts(len(index)), parts(len(worn)), strict=True):
        judged = fit_judge(faces, index[half], ratings[half], config)
        seen = fit_judge(faces, worn[own], values[own], config, labels.names)
        both.append(judged.joined(seen))
    guide, judge = both
    traits = fit_latents(faces, guide, labels, config)
    skill = traits.skill.copy()
    skill[: len(RATED)] = skill_of_latents(traits, faces, index, ratings)
    return dataclasses.replace(traits, skill=skill), guide, judge


def keep(
    traits: LatentTraits, guide: Judge, judge: Judge, name: str, out: Path, terms: str
) -> None:
    """Write all three beside the networks of a model, with their rows."""
    for title, architecture, reader, family in (
        (f"{name}-traits", "latent-traits", traits, name),
        ("guide", "judge", guide, ""),
        ("judge", "judge", judge, ""),
    ):
        files.keep(
            out,
            title,
            "scorer",
            architecture,
            reader_arrays(reader),
            config={"names": list(reader.names)},
            licence=terms,
            family=family,
            half=architecture == "latent-traits",
        )


def reader_arrays(reader: LatentTraits | Judge) -> dict[str, Floats]:
    """Return what of a reader are arrays, by the names that files have for them."""
    if isinstance(reader, Judge):
        return reader.arrays
    pairs = ((f.name, getattr(reader, f.name)) for f in fields(reader))
    own = {name: value for name, value in pairs if isinstance(value, np.ndarray)}
    space = reader.space
    return {"mean": space.mean, "axes": space.axes, "spread": space.deviations, **own}


LABELS = {
    "glasses": "glasses",
    "beard": "beard",
    "eye_makeup": "eye_makeup",
    "lip_makeup": "lip_makeup",
    "yaw": "yaw",
}


def main(
    data: Path, networks: Path, ratings: tuple[str, Path], labels: tuple[str, Path]
) -> dict[str, dict[str, float]]:
    """Fit all readers for the default networks of a folder, and keep them there.

    Returns each rated trait's skill from pictures, from latents, and from the
    pictures that latents stand for.
    """
    library = Library(Shelf(networks), Shelf(networks))
    encoder = load(library, "default-encoder", "encoder")
    generator = load(library, "default", "generator")
    faces = gather(Shards.read(data), encoder, dlib_files.identity())
    index, values = rated(faces, *ratings)
    readers = fit(faces, index, values, labels_of(faces, *labels, LABELS))
    keep(*readers, "default", networks, library.row("default").licence)
    sight = Guide(dlib_files.identity(), readers[1], load_shape(library, "shape"))
    skill = {
        "pictures": fit_judge(faces, index, values, Config()).skill,
        "latents": readers[0].skill[: len(RATED)],
        "through the generator": skill_of_pictures(
            generator, sight, faces.latents[index], values
        ),
    }
    return {
        way: dict(zip(RATED, map(float, numbers), strict=True))
        for way, numbers in skill.items()
    }
