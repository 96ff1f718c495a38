"""What is known of crops: who sees what in them, and the tables of raters."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generators.gradients import compiled
from retouch.contracts import Embedder, Encoder
from retouch.geometry import LEFT_EYE, RIGHT_EYE
from retouch.training.shards import Shards, as_images, shrunk
from retouch.training.tables import rows_of

Floats = NDArray[np.float32]
Ratings = tuple[NDArray[np.int64], Floats]  # which faces are rated, and their ratings

RATED = (
    "attractive", "age", "gender", "happy", "weight", "well-groomed",
    "long-haired", "skin-color", "hair-color", "alert",
)  # fmt: skip


LABELS = {
    "glasses": "glasses",
    "beard": "beard",
    "eye_makeup": "eye_makeup",
    "lip_makeup": "lip_makeup",
    "yaw": "yaw",
}


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
    encoder: Encoder | None,
    identity: Embedder,
    at_once: int = 32,
    size: int | None = None,
) -> Faces:
    """Return the crops of shards with their latents and descriptors.

    Args:
        encoder: None leaves latents out.
        size: of the pictures that the encoder reads, if they must be smaller.
    """
    encode = compiled(encoder.encode) if encoder else lambda x: np.zeros((len(x), 0))
    embed = compiled(identity.embed)
    latents, descriptors = [], []
    for i in range(0, len(shards.images), at_once):
        images = as_images(shards.images[i : i + at_once])
        descriptors.append(np.asarray(embed(images)))
        images = images if size is None else shrunk(images, size)
        latents.append(np.asarray(encode(images)))
    named = shards.landmarks, shards.names, shards.sources
    joined = np.concatenate(descriptors), np.concatenate(latents)
    return Faces(shards.images, *named, *joined, shards.testing())


def standardised(values: Floats) -> Floats:
    return (values - values.mean(0)) / (values.std(0) + 1e-9)


def openness(landmarks: Floats) -> Floats:
    """Return how far eyes are open, for their width, (N,)."""
    parts = []
    for eye in (LEFT_EYE, RIGHT_EYE):
        corners = landmarks[:, eye]
        width = np.linalg.norm(corners[:, 3] - corners[:, 0], axis=-1)
        gaps = (corners[:, a] - corners[:, b] for a, b in ((5, 1), (4, 2)))
        parts.append(sum(np.linalg.norm(gap, axis=-1) for gap in gaps) / width)
    return parts[0] + parts[1]


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
    chosen = [
        i
        for i, stem in enumerate(stems)
        if faces.sources[i] == source and stem in table
    ]
    values = np.array([[_number(w) for w in table[stems[i]]] for i in chosen], "f4")
    index = np.array(chosen, np.int64)
    values = np.concatenate([values, openness(faces.landmarks[index])[:, None]], 1)
    return Labels((*columns.values(), "eyes-open"), index, standardised(values))


def read_words(path: Path, columns: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the named columns of a table, unread, by the stem of each row's file."""
    rows = rows_of(path, *columns)
    return {Path(row["file"]).stem: [row[c] for c in columns] for row in rows}


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return 0.0 if word.startswith("No") else 1.0


def rated(
    faces: Faces, source: str, path: Path, traits: tuple[str, ...] = RATED
) -> Ratings:
    """Return which crops of a source are rated, and their ratings."""
    table = read_words(path, traits)
    stems = [Path(str(name)).stem for name in faces.names]
    index = [
        i for i, s in enumerate(stems) if faces.sources[i] == source and s in table
    ]
    return np.array(index), np.array([table[stems[i]] for i in index], np.float32)
