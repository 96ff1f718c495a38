"""Learn what expressions are, and the scale of action units, from packed crops.

    retouch train expressions DATA pretrained --poses ffhq=ffhq.csv

Needs a source with several pictures of many people, and a table of measured poses
(columns file, yaw, pitch). Held-out people are left out; on them is measured how well
single action units tell the expressions that a table names.
"""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.errors import SettingsError
from retouch.training.export import files
from retouch.training.shards import Shards, as_images
from retouch.training.tables import rows_of
from scorers.action_units import NAMES, ActionUnits, calibrated
from scorers.expression import Expressions, fit

Floats = NDArray[np.float32]
AXES = 16
LEAST = 100  # pictures of people met twice
SCALED = 4000  # pictures that the scale of action units is taken from
EMOTIONS = ("happiness", "surprise", "anger", "sadness")


def learn(
    shards: Shards, poses: tuple[NDArray[np.int64], Floats], count: int = AXES
) -> ActionUnits:
    """Return the reader of action units, which holds that of expressions."""
    allowed = ~shards.testing()
    people = np.char.add(np.char.add(shards.sources, "/"), shards.people)
    _, index, counts = np.unique(people, return_inverse=True, return_counts=True)
    several = allowed & (counts[index] > 1) & ~_serial(shards)
    if several.sum() < LEAST:
        raise SettingsError(
            f"Only {several.sum()} pictures show people of whom there are several;"
            f" {LEAST} are needed. Add a source such as LFW with a table of people."
        )
    kept = allowed & ~_serial(shards)
    at = np.flatnonzero(kept)
    place = np.full(len(kept), -1)
    place[at] = np.arange(len(at))
    known = kept[poses[0]]
    posed = place[poses[0][known]], poses[1][known]
    expressions = fit(shards.landmarks[at], people[at], posed, count)
    return _scaled(shards, expressions, np.flatnonzero(several))


def _serial(shards: Shards) -> NDArray[np.bool_]:
    """Say which crops were edited by a network: those show no own expression."""
    shares = shards.contents.sources.items()
    return np.isin(shards.sources, [name for name, share in shares if share.series])


def _scaled(shards: Shards, expressions: Expressions, at: NDArray[Any]) -> ActionUnits:
    at = at[np.linspace(0, len(at) - 1, min(len(at), SCALED)).astype(int)]
    neutral = emotion(shards, "neutral")[at]
    if not neutral.any():
        neutral[:] = True
    images = as_images(shards.images[at])
    return calibrated(expressions, images, shards.landmarks[at], neutral)


def emotion(shards: Shards, name: str) -> NDArray[np.bool_]:
    """Say which crops are labelled with an expression."""
    trait = f"expression={name}"
    if trait not in shards.traits:
        return np.zeros(len(shards.names), bool)
    return shards.labels[:, shards.traits.index(trait)] == 1


def skill(shards: Shards, units: ActionUnits) -> dict[str, dict[str, float]]:
    """Return how well units part emotions from neutral faces of held-out people.

    The figure is the chance that a face with the emotion shows more of the unit.
    """
    testing, table = shards.testing(), {}
    none = np.flatnonzero(testing & emotion(shards, "neutral"))
    scores = _read(shards, units, none)
    for name in EMOTIONS:
        some = np.flatnonzero(testing & emotion(shards, name))
        if len(some) < 3 or len(none) < 3:
            continue
        more = _read(shards, units, some)[:, None] - scores[None]
        chance = (more > 0).mean((0, 1)) + (more == 0).mean((0, 1)) / 2
        pairs = zip(NAMES, chance, strict=True)
        table[name] = {unit: round(float(value), 2) for unit, value in pairs}
    return table


def _read(shards: Shards, units: ActionUnits, at: NDArray[Any]) -> Floats:
    return units.score(as_images(shards.images[at]), shards.landmarks[at])


def poses_of(
    shards: Shards, source: str, path: Path
) -> tuple[NDArray[np.int64], Floats]:
    """Return which crops of a source have measured poses, and these."""
    rows = {Path(row["file"]).stem: row for row in rows_of(path, "yaw", "pitch")}
    stems = [Path(str(name)).stem for name in shards.names]
    index = [
        i for i, s in enumerate(stems) if shards.sources[i] == source and s in rows
    ]
    table = [[float(rows[stems[i]][key]) for key in ("yaw", "pitch")] for i in index]
    return np.array(index, np.int64), np.array(table, np.float32).reshape(-1, 2)


def keep(units: ActionUnits, out: Path, licence: str) -> None:
    """Write the reader with its row."""
    parts = [(f.name, getattr(units, f.name)) for f in fields(units)]
    parts += [(f.name, getattr(units.expressions, f.name)) for f in fields(Expressions)]
    arrays = {name: value for name, value in parts if isinstance(value, np.ndarray)}
    arrays["unit_spread"] = units.spread
    arrays["spread"] = units.expressions.spread
    terms: dict[str, Any] = {"licence": licence, "crop": "tight", "half": False}
    files.keep(out, "expression", "scorer", "expression", arrays, **terms)


def main(
    data: Path, out: Path, poses: tuple[str, Path], licence: str
) -> dict[str, Any]:
    """Fit, keep, and return what the action units tell of held-out people."""
    shards = Shards.read(data)
    units = learn(shards, poses_of(shards, *poses))
    keep(units, out, licence)
    return skill(shards, units)
