"""Fit the guide and the judge: what raters say of faces, read off pictures.

    retouch train judges DATA pretrained --ratings omi=omi.csv --ratings me=me.csv \
        --labels ffhq=ffhq.csv

Every source's rated faces are parted in two, and so are those that a table labels. One
half teaches the guide, a reader of dlib's descriptor and the landmarks, which edits
climb; the other half makes the judge, so that no rating serves both to guide an edit
and to judge it. A twentieth of the people teaches neither.

Attractiveness is rated by different people in every source: ratings are standardised
within each, and the source is a covariate. What of it follows from skin, gender, age
and make-up is regressed away in `FREED`, which is what beautify climbs.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pretrained import dlib_files
from retouch.training.export import files
from retouch.training.rated import (
    LABELS,
    RATED,
    Faces,
    Labels,
    Ratings,
    gather,
    labels_of,
    rated,
    standardised,
)
from retouch.training.shards import Shards
from scorers.judge import FREED, Judge, shape_of
from scorers.latent import held_out_skill, ridge

Floats = NDArray[np.float32]
CONTROLS = "skin-color", "gender", "age", "eye_makeup", "lip_makeup"
RIDGE = 100.0  # of the traits that one source's half rates
BOTH_RIDGE = 300.0  # of attractiveness, which all rate
FOLDS = 10


def parts(count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Part rated faces in two halves, for the guide and for the judge."""
    order = np.random.default_rng(7).permutation(count)
    return order[::2], order[1::2]


def fit_judge(
    faces: Faces,
    index: NDArray[np.int64],
    ratings: Floats,
    strength: float,
    names: tuple[str, ...] = RATED,
) -> Judge:
    """Return a judge learnt from the faces of the index and their raw ratings."""
    population = ratings.mean(0), ratings.std(0)
    ratings = standardised(ratings)
    descriptors = faces.descriptors[index]
    inputs = np.concatenate([descriptors, shape_of(faces.landmarks[index])], 1)
    slopes, offsets = ridge(inputs, ratings, strength)
    own = ridge(descriptors, ratings, strength / 2)
    skills = (
        held_out_skill(inputs, ratings, strength),
        held_out_skill(descriptors, ratings, strength / 2),
    )
    return Judge(names, slopes, offsets, *own, *skills, *population)


# --- both sets of raters ------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Pooled:
    """How attractive the faces of several sources are, on one scale."""

    index: NDArray[np.int64]  # which faces
    source: NDArray[np.int64]  # (N,): whose raters, by their number
    values: Floats  # (N,): deviations within each source

    @classmethod
    def of(cls, every: Sequence[Ratings]) -> "Pooled":
        """Join the first trait of several ratings."""
        numbers = [np.full(len(index), i) for i, (index, _) in enumerate(every)]
        values = [standardised(ratings[:, 0]) for _, ratings in every]
        index = np.concatenate([index for index, _ in every])
        return cls(index, np.concatenate(numbers), np.concatenate(values))

    def freed(self, controls: Floats) -> "Pooled":
        """Return what the controls (N, K) do not explain, on one scale again."""
        values = self.values.copy()
        for number in np.unique(self.source):
            own = self.source == number
            columns = np.column_stack([controls[own], np.ones(own.sum())])
            told = columns @ np.linalg.lstsq(columns, values[own], rcond=None)[0]
            values[own] = standardised(values[own] - told)
        return dataclasses.replace(self, values=values)

    def inputs(self, seen: Floats) -> Floats:
        """Return what is seen of the faces, and whose raters judged them."""
        return np.column_stack([seen, np.eye(self.source.max() + 1)[self.source]])

    def skills(self, seen: Floats, strength: float) -> Floats:
        """Return the correlation with ratings kept aside, within each source."""
        inputs, targets = self.inputs(seen), self.values[:, None]
        fold = np.random.default_rng(0).permutation(len(inputs)) % FOLDS
        guesses = np.zeros_like(self.values)
        for i in range(FOLDS):
            rest = fold != i
            slopes, offsets = ridge(inputs[rest], targets[rest], strength)
            guesses[~rest] = (inputs[~rest] @ slopes + offsets)[:, 0]
        owns = [self.source == n for n in np.unique(self.source)]
        pairs = [np.corrcoef(guesses[own], self.values[own])[0, 1] for own in owns]
        return np.array(pairs, np.float32)


def fit_pooled(faces: Faces, pooled: Pooled, name: str) -> Judge:
    """Return a judge of one trait that the raters of several sources judged."""
    descriptors = faces.descriptors[pooled.index]
    whole = np.concatenate([descriptors, shape_of(faces.landmarks[pooled.index])], 1)
    parts = []
    for seen in (whole, descriptors):
        slopes, offsets = ridge(pooled.inputs(seen), pooled.values[:, None], BOTH_RIDGE)
        # A face that nobody rated: the mean of what all raters would say.
        count = seen.shape[1]
        parts += [slopes[:count], offsets + slopes[count:].mean(0)]
    skills = [
        pooled.skills(s, BOTH_RIDGE).mean(keepdims=True) for s in (whole, descriptors)
    ]
    scale = np.zeros(1, np.float32), np.ones(1, np.float32)
    known: Any = (*parts, *skills, *scale)
    return Judge((name,), *known)


def fit(
    faces: Faces, ratings: Sequence[Ratings], labels: Labels
) -> tuple[Judge, Judge]:
    """Return the guide and the judge.

    Args:
        ratings: of several sources, `RATED` of the first and "attractive" of others.
    """
    ratings = [_teaching(faces, *own) for own in ratings]
    learnt = faces.teaching[labels.index]
    worn, values = labels.index[learnt], labels.values[learnt]
    halves = zip(*(parts(len(index)) for index, _ in ratings), strict=True)
    readers = []
    for own, seen in zip(halves, parts(len(worn)), strict=True):
        half = [(i[o], r[o]) for (i, r), o in zip(ratings, own, strict=True)]
        index, others = half[0][0], half[0][1][:, 1:]
        judge = fit_judge(faces, index, others, RIDGE, RATED[1:])
        judge = judge.joined(
            fit_judge(faces, worn[seen], values[seen], RIDGE, labels.names)
        )
        readers.append(_with_beauty(faces, half, judge))
    guide, judge = readers
    return guide, judge


def _teaching(faces: Faces, index: NDArray[np.int64], ratings: Floats) -> Ratings:
    learnt = faces.teaching[index]
    return index[learnt], ratings[learnt]


def _with_beauty(faces: Faces, half: Sequence[Ratings], judge: Judge) -> Judge:
    """Return the judge with how attractive faces are, and what of it is free."""
    pooled = Pooled.of(half)
    read = judge.score(faces.descriptors[pooled.index], faces.landmarks[pooled.index])
    known = [judge.names.index(name) for name in CONTROLS if name in judge.names]
    free = fit_pooled(faces, pooled.freed(read[:, known]), FREED)
    return fit_pooled(faces, pooled, RATED[0]).joined(judge).joined(free)


def keep(guide: Judge, judge: Judge, out: Path, terms: str) -> None:
    """Write both with their rows."""
    for title, reader in (("guide", guide), ("judge", judge)):
        files.keep(
            out,
            title,
            "scorer",
            "judge",
            reader.arrays,
            config={"names": list(reader.names)},
            licence=terms,
            family="",
            half=False,
        )


def main(
    data: Path,
    out: Path,
    ratings: Mapping[str, Path],
    labels: tuple[str, Path],
    licence: str,
) -> dict[str, dict[str, float]]:
    """Fit the guide and the judge, and keep them in a folder.

    Returns how attractiveness is read within each source, and what is free of it, by
    ten folds of all its rated people.
    """
    faces = gather(Shards.read(data), None, dlib_files.identity())
    every = [
        rated(faces, name, path, RATED if i == 0 else RATED[:1])
        for i, (name, path) in enumerate(ratings.items())
    ]
    guide, judge = fit(faces, every, labels_of(faces, *labels, LABELS))
    keep(guide, judge, out, licence)
    pooled = Pooled.of(every)
    descriptors = faces.descriptors[pooled.index]
    whole = np.concatenate([descriptors, shape_of(faces.landmarks[pooled.index])], 1)
    told = {"attractive": pooled.skills(whole, BOTH_RIDGE)}
    told["by the descriptor alone"] = pooled.skills(descriptors, BOTH_RIDGE)
    return {
        way: dict(zip(ratings, map(float, skill), strict=True))
        for way, skill in told.items()
    }
