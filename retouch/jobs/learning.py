"""Learn what somebody likes: a reader of traits from ratings of one's own photos.

It reads what the guide reads, dlib's descriptor and the landmarks, and latents too,
so that an edit can climb it like a trait that ships.
"""

import csv
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from retouch.edits.learnt import Learnt
from retouch.errors import FaceError, RetouchError, SettingsError
from retouch.photos.disk import AS_NAMES
from retouch.photos.photo import read
from scorers.judge import Judge, shape_of
from scorers.latent import held_out_skill, ridge

if TYPE_CHECKING:
    from retouch.engine.retoucher import Retoucher

Floats = NDArray[np.float32]
FEWEST = 30  # rated faces
LEAST = 0.3  # correlation with held-out ratings, below which it is not to be used
HOLDS = (30.0, 100.0, 300.0, 1000.0)  # strengths of the ridge that are tried


@dataclass(frozen=True)
class Rating:
    """What somebody says of a photo."""

    file: Path
    score: float


@dataclass(frozen=True, eq=False)
class RatedFaces:
    """Rated faces as they are seen."""

    descriptors: Floats  # (N, 128)
    landmarks: Floats  # (N, 68, 2)
    coordinates: Floats  # (N, K) of their latents
    scores: Floats  # (N,)
    skipped: tuple[str, ...] = ()  # sentences


def table(path: Path) -> list[Rating]:
    """Return the ratings of a table with the columns file and score.

    Files are looked for beside the table.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig", errors=AS_NAMES) as file:
            reader = csv.DictReader(file)
            rows, columns = list(reader), reader.fieldnames or ()
    except (OSError, csv.Error) as error:
        raise SettingsError(
            f"The table {path} cannot be read ({error}). Give a CSV with the columns"
            " file and score."
        ) from None
    if not rows or not {"file", "score"} <= {*columns}:
        got = ", ".join(columns) if rows else "no row"
        raise SettingsError(
            f"The table {path} needs the columns file and score; got {got}."
        )
    return [_rating(path, number, row) for number, row in enumerate(rows, 2)]


def _rating(path: Path, number: int, row: dict[str, Any]) -> Rating:
    try:
        score = float(row["score"])
    except (TypeError, ValueError):
        score = math.nan
    if not math.isfinite(score) or not row["file"]:
        raise SettingsError(
            f"Line {number} of {path} needs a file and a number; got"
            f" '{row['file']}', '{row['score']}'."
        )
    return Rating(path.parent / row["file"], score)


def see(
    retoucher: "Retoucher",
    ratings: list[Rating],
    on_step: Callable[[str, float], None] | None = None,
) -> RatedFaces:
    """Return what is seen of the largest face of each photo."""
    from retouch.engine.session import ADULT, YOUNG

    model, examiner = retoucher.model, retoucher.examiner
    if model.traits is None:
        raise SettingsError(f"The model '{model.name}' has no reader of its latents.")
    looks, latents, scores, skipped = [], [], [], []
    for i, rating in enumerate(ratings):
        if on_step is not None:
            on_step("looking at faces", i / len(ratings))
        try:
            photo = read(rating.file)
            face = retoucher.find(photo)[0]
            if examiner.years(photo, [face])[0] < ADULT:
                raise FaceError(YOUNG)
        except RetouchError as error:
            skipped.append(f"{rating.file}: {error}")
            continue
        looks.append(examiner.seen(photo, [face]))
        images, _ = retoucher.crops(photo, [face])
        latents.append(model.inverter.guess(images))
        scores.append(rating.score)
    if len(scores) < FEWEST:
        raise FaceError(
            f"{len(scores)} rated faces were found; {FEWEST} are needed to learn from."
            + (f" The first that was left out: {skipped[0]}" if skipped else "")
        )
    descriptors, landmarks = map(np.concatenate, zip(*looks, strict=True))
    coordinates = np.asarray(model.traits.space.coordinates(np.concatenate(latents)))
    values = np.array(scores, np.float32)
    return RatedFaces(descriptors, landmarks, coordinates, values, tuple(skipped))


def learn(name: str, seen: RatedFaces) -> Learnt:
    """Return the reader of the scores, held back as much as suits it best."""
    scores, deviation = seen.scores, seen.scores.std()
    if not deviation:
        raise SettingsError("All scores are the same: there is nothing to learn.")
    targets = ((scores - scores.mean()) / deviation)[:, None]
    inputs = np.concatenate([seen.descriptors, shape_of(seen.landmarks)], 1)
    skills = [held_out_skill(inputs, targets, hold)[0] for hold in HOLDS]
    hold = HOLDS[int(np.argmax(skills))]
    slopes, offsets = ridge(inputs, targets, hold)
    own_slopes, own_offsets = ridge(seen.descriptors, targets, hold / 2)
    judge = Judge(
        (name,),
        slopes,
        offsets,
        own_slopes,
        own_offsets,
        np.array([max(skills)], np.float32),
        held_out_skill(seen.descriptors, targets, hold / 2),
        scores.mean(keepdims=True),
        np.array([deviation], np.float32),
    )
    # Fewer faces than coordinates: what the judge says is learnt, which is smoother.
    said = judge.score(seen.descriptors, seen.landmarks)
    latent, _ = ridge(seen.coordinates, said, len(scores) / 2)
    return Learnt(judge, latent[:, 0])


def refuse(learnt: Learnt) -> SettingsError:
    """Return the error of a reader that has not learnt enough."""
    return SettingsError(
        f"'{learnt.name}' agrees with ratings kept aside at r = {learnt.skill:.2f};"
        f" below {LEAST} an edit would climb noise. Rate more photos,"
        " or allow it: --force."
    )
