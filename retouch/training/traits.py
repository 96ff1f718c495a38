"""Fit the reader of traits from latents: what guides edits, and how well it knows.

    retouch train traits DATA pretrained --ratings omi=omi.csv --labels ffhq=ffhq.csv

The guide (`retouch train judges`) labels every crop; from those labels a linear reader
of latents is fitted. What latents tell is read in two ways: linearly, and off the
picture that they stand for. Both skills are printed and kept; a twentieth of the people
teaches nothing.
"""

import dataclasses
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generators.gradients import compiled
from pretrained import dlib_files
from pretrained.loading import load, load_judge, load_shape
from pretrained.registry import Library, Shelf
from retouch.contracts import Generator
from retouch.training.export import files
from retouch.training.judges import RIDGE
from retouch.training.rated import (
    LABELS,
    RATED,
    Faces,
    Labels,
    gather,
    labels_of,
    rated,
    standardised,
)
from retouch.training.shards import Shards
from scorers.guide import Guide
from scorers.judge import Judge, shape_of
from scorers.latent import LIGHT, LatentTraits, Space, held_out_skill, ridge

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Config:
    """How strongly the fits are held back, and in how many dimensions."""

    dimensions: int = 400
    latent_ridge: float = 300.0


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


def fit_latents(
    faces: Faces, teacher: Judge, labels: Labels, config: Config
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


def _fit(
    coordinates: Floats, targets: Floats, config: Config
) -> tuple[Floats, Floats, Floats]:
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
    return held_out_skill(read, standardised(ratings), RIDGE)


def skill_of_pictures(
    generator: Generator,
    guide: Guide,
    latents: Floats,
    ratings: Floats,
    at_once: int = 25,
) -> Floats:
    """Return the same for what is read of the pictures that latents stand for."""
    see = compiled(lambda x: guide.sees(generator.decode(x)))
    parts = [latents[i : i + at_once] for i in range(0, len(latents), at_once)]
    read = np.concatenate([np.asarray(see(part)) for part in parts])
    return held_out_skill(read, standardised(ratings), RIDGE)


def fit(
    faces: Faces,
    guide: Judge,
    index: NDArray[np.int64],
    ratings: Floats,
    labels: Labels,
    config: Config | None = None,
) -> LatentTraits:
    """Return the reader of latents, with what it tells of ratings."""
    traits = fit_latents(faces, guide, labels, config or Config())
    skill = traits.skill.copy()
    skill[: len(RATED)] = skill_of_latents(traits, faces, index, ratings)
    return dataclasses.replace(traits, skill=skill)


def keep(traits: LatentTraits, name: str, out: Path, terms: str) -> None:
    """Write the reader beside the networks of a model, with its row."""
    files.keep(
        out,
        f"{name}-traits",
        "scorer",
        "latent-traits",
        reader_arrays(traits),
        config={"names": list(traits.names)},
        licence=terms,
        family=name,
    )


def reader_arrays(reader: LatentTraits) -> dict[str, Floats]:
    """Return what of a reader are arrays, by the names that files have for them."""
    pairs = ((f.name, getattr(reader, f.name)) for f in fields(reader))
    own = {name: value for name, value in pairs if isinstance(value, np.ndarray)}
    space = reader.space
    return {"mean": space.mean, "axes": space.axes, "spread": space.deviations, **own}


def main(
    data: Path, networks: Path, ratings: tuple[str, Path], labels: tuple[str, Path]
) -> dict[str, dict[str, float]]:
    """Fit the reader for the default networks of a folder, and keep it there.

    Returns each rated trait's skill from latents, and from the pictures that latents
    stand for.
    """
    library = Library(Shelf(networks), Shelf(networks))
    encoder = load(library, "default-encoder", "encoder")
    generator = load(library, "default", "generator")
    guide = load_judge(library, "guide")
    faces = gather(Shards.read(data), encoder, dlib_files.identity())
    index, values = rated(faces, *ratings)
    reader = fit(faces, guide, index, values, labels_of(faces, *labels, LABELS))
    keep(reader, "default", networks, library.row("default").licence)
    sight = Guide(dlib_files.identity(), guide, load_shape(library, "shape"))
    skill = {
        "latents": reader.skill[: len(RATED)],
        "through the generator": skill_of_pictures(
            generator, sight, faces.latents[index], values
        ),
    }
    return {
        way: dict(zip(RATED, map(float, numbers), strict=True))
        for way, numbers in skill.items()
    }
