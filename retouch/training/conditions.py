"""What every crop of a folder shows: attributes, judged or read, for all of them.

Raters and tables speak of some crops only. Readers of dlib's descriptor, the
landmarks and small pixels learn from those and then say the same of every crop, so
that a network can be told the same attributes of each face it sees.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generators.gradients import compiled
from pretrained import dlib_files
from retouch.errors import SettingsError
from retouch.training.shards import Shards, as_images
from retouch.training.traits import lighting
from scorers.judge import Judge, shape_of
from scorers.latent import LIGHT, Space, ridge

Floats = NDArray[np.float32]
STRENGTH = 300.0  # of the ridge that reads a table's trait
COMPONENTS = 150  # of small pixels
AT_ONCE = 32
# What a CVAE's decoder is told, in the order of its latent's tail. The last ones are
# told so that an edit keeps them; they are no directions to move in.
CONDITIONS = (
    "happy", "age", "gender", "attractive", "weight", "glasses", "beard",
    "eye_makeup", "yaw", "light", "skin-color",
)  # fmt: skip
MIRRORED = (
    "yaw",
    "roll",
    "light-side",
)  # traits that change their sign with the picture
# Traits that tables tell under other titles: the columns are added up, with signs.
TOLD_BY = {
    "glasses": {"glasses=ReadingGlasses": 1, "glasses=Sunglasses": 1},
    "smiling": {"smile": 1},
    "young": {"age": -1},
}


@dataclass(frozen=True, eq=False)
class Conditions:
    """Attributes of every crop, in deviations of the crops that are learnt from."""

    names: tuple[str, ...]
    values: Floats  # (N, names)
    slopes: Floats  # (128, names): of a reader of dlib's descriptor alone,
    skill: Floats  # (names,): and how much of the variance it explains

    def of(self, chosen: NDArray[np.int64], flips: NDArray[np.bool_]) -> Floats:
        """Return the attributes of crops, some of them mirrored."""
        values = self.values[chosen].copy()
        signs = np.array([-1 if n in MIRRORED else 1 for n in self.names], np.float32)
        values[flips] *= signs
        return values


def descriptors_of(shards: Shards, kept: Path) -> Floats:
    """Return dlib's descriptors of all crops (N, 128), computed once and kept."""
    if kept.exists():
        with np.load(kept) as file:
            if np.array_equal(file["names"], shards.names):
                return file["descriptors"]
    embed, parts = compiled(dlib_files.identity().embed), []
    for i in range(0, len(shards.images), AT_ONCE):
        parts.append(np.asarray(embed(as_images(shards.images[i : i + AT_ONCE]))))
    found = np.concatenate(parts)
    partial = kept.with_suffix(".partial.npz")
    np.savez(partial, names=shards.names, descriptors=found)
    partial.replace(kept)
    return found


def read_once(
    shards: Shards,
    names: tuple[str, ...],
    guide: Judge,
    descriptors: Floats,
    kept: Path,
) -> Conditions:
    """Return what `read` does, from the file if that holds it already."""
    if kept.exists():
        with np.load(kept) as file:
            same = tuple(file["names"]) == names
            if same and len(file["values"]) == len(shards.images):
                return Conditions(
                    names, *(file[n] for n in ("values", "slopes", "skill"))
                )
    found = read(shards, names, guide, descriptors)
    partial = kept.with_suffix(".partial.npz")
    parts = {n: getattr(found, n) for n in ("names", "values", "slopes", "skill")}
    np.savez(partial, **parts)
    partial.replace(kept)
    return found


def read(
    shards: Shards, names: tuple[str, ...], guide: Judge, descriptors: Floats
) -> Conditions:
    """Return the named attributes of every crop.

    Args:
        guide: reads what raters judged; all else is learnt from the shards' labels.
    """
    learn = ~shards.testing()
    inputs = np.concatenate(
        [descriptors, shape_of(shards.landmarks), _pixels(shards.images, learn)], 1
    )
    opinions = guide.score(descriptors, shards.landmarks)
    light = lighting(shards.images)
    columns = []
    for name in names:
        if name in guide.names:
            columns.append(opinions[:, guide.names.index(name)])
        elif name in LIGHT:
            columns.append(light[:, LIGHT.index(name)])
        else:
            columns.append(_learnt(inputs, label(shards, name), learn))
    values = np.stack(columns, 1).astype(np.float32)
    mean, deviation = values[learn].mean(0), values[learn].std(0) + 1e-6
    values = np.clip((values - mean) / deviation, -4, 4)
    slopes, offsets = ridge(descriptors[learn], values[learn], STRENGTH)
    errors = (descriptors[learn] @ slopes + offsets - values[learn]).var(0)
    return Conditions(names, values, slopes, 1 - errors / values[learn].var(0))


def label(shards: Shards, name: str) -> Floats:
    """Return a trait of the shards' tables (N,), NaN where they are silent."""
    columns = TOLD_BY.get(name, {name: 1})
    if missing := [c for c in columns if c not in shards.traits]:
        raise SettingsError(
            f"The data has no labels of '{missing[0]}', which '{name}' is learnt from."
            " Pack it with a table that has them: retouch train data --table."
        )
    places = [shards.traits.index(c) for c in columns]
    return shards.labels[:, places] @ np.array(list(columns.values()), np.float32)


def _learnt(inputs: Floats, labels: Floats, learn: NDArray[np.bool_]) -> Floats:
    known = learn & np.isfinite(labels)
    slopes, offsets = ridge(inputs[known], labels[known, None], STRENGTH)
    return (inputs @ slopes + offsets)[:, 0]


def _pixels(images: NDArray[np.uint8], learn: NDArray[np.bool_]) -> Floats:
    """Return the principal components of crops shrunk to 32 pixels."""
    step = images.shape[1] // 32 or 1
    small = images[:, ::step, ::step].reshape(len(images), -1).astype(np.float32)
    small = small / 127.5 - 1
    small -= small[learn].mean(0)
    axes = Space.fit(small[learn], COMPONENTS).axes
    return small @ axes.T
