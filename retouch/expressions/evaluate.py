"""Folders of edited faces measured: tables, a row a picture, and their means.

A folder of transfers is one that `retouch transfer --range` wrote; a folder of edits or
inversions holds the pictures before in `before/` and those after, under the same names,
in `after/`.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from retouch.errors import PhotoError, SettingsError
from retouch.expressions.assess import Assessor, Measures
from retouch.photos.photo import read
from retouch.photos.stored import Samples

# --- what is measured ---------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Tables of what was measured, ready to be written."""

    rows: Sequence[Mapping[str, Any]]  # one an output
    units: Sequence[tuple[str, Mapping[str, float]]]  # one a picture
    distances: Sequence[Mapping[str, Any]] = ()  # two a series of transfers


def transfers(assessor: Assessor, folder: Path) -> Evaluation:
    """Measure every series of transfers in a folder and in those within it."""
    lists = sorted(existing(folder).rglob("transfer.json"))
    series = [_series(assessor, path) for path in lists]
    if not any(one.rows for one in series):
        raise SettingsError(
            f"'{folder}' holds no transfers. Make some: retouch transfer SOURCE TARGET"
            f" --range alpha=0.3:0.5:11 --out {folder}"
        )
    parts = ((one.rows, one.units, one.distances) for one in series)
    return Evaluation(*(list(chain(*part)) for part in zip(*parts, strict=True)))


def _series(assessor: Assessor, path: Path) -> Evaluation:
    """Measure the transfers of a list against their target and their source."""
    record = _record(path)
    names = {part: path.parent / record[part] for part in ("source", "target")}
    photos = {part: read(name) for part, name in names.items()}
    faces = {
        part: assessor.face(photo, str(names[part]), record[f"{part}_face"])
        for part, photo in photos.items()
    }
    ends = {part: assessor.see(photos[part], faces[part]) for part in photos}
    name, rows, units = f"{names['source'].stem}_{names['target'].stem}", [], []
    lines: dict[str, dict[str, Any]] = {
        part: {"output_images": f"{name}_{part}"} for part in ends
    }
    for made in record["outputs"]:
        seen = assessor.see(read(path.parent / made["file"]), faces["target"])
        rows.append(
            {"file": made["file"], "series": name, "alpha": made["alpha"]}
            | {"model": record["model"], "method": record["method"]}
            | _against(seen, ends["target"], "target")
            | _against(seen, ends["source"], "source")
            | _gone(seen, ends["target"], ends["source"])
            | {"happier": round(seen.happy - ends["target"].happy, 4)}
        )
        units.append((made["file"], seen.units))
        for part, end in ends.items():
            lines[part][f"{made['alpha']:g}"] = seen.distance(end)
    for part, line in lines.items():
        line |= {other: ends[part].distance(end) for other, end in ends.items()}
        units.append((names[part].name, ends[part].units))
    return Evaluation(rows, units, list(lines.values()))


def pairs(assessor: Assessor, folder: Path) -> Evaluation:
    """Measure pictures in `after` against those of the same name in `before`."""
    before, after = existing(folder) / "before", folder / "after"
    found = {p.stem: p for p in before.glob("*") if p.is_file()}
    made = sorted(p for p in after.glob("*") if p.is_file() and p.stem in found)
    if not made:
        raise SettingsError(
            f"'{folder}' holds no pairs. Put pictures in '{before}' and what was made"
            f" of them, under the same names, in '{after}'."
        )
    rows, units = [], []
    for path in made:
        old, new = read(found[path.stem]), read(path)
        if old.pixels.shape[:2] != new.pixels.shape[:2]:
            raise PhotoError(
                f"'{path}' is not of the size of '{found[path.stem]}'; the two cannot"
                " be compared."
            )
        face = assessor.face(old, str(found[path.stem]))
        was, seen = assessor.see(old, face), assessor.see(new, face)
        rows.append(
            {"file": path.name}
            | _against(seen, was, "target")
            | {"happier": round(seen.happy - was.happy, 4)}
            | {"psnr": round(_fidelity(old.pixels, new.pixels), 2)}
        )
        units += [
            (f"before/{path.name}", was.units),
            (f"after/{path.name}", seen.units),
        ]
    return Evaluation(rows, units)


def _fidelity(old: Samples, new: Samples) -> float:
    """Return the peak signal-to-noise ratio of a picture, in decibels."""
    error = (old.astype(np.float64) - new) / np.iinfo(old.dtype).max
    return -10 * float(np.log10(max((error**2).mean(), 1e-10)))


def existing(folder: Path) -> Path:
    """Return the folder if there is one."""
    if not folder.is_dir():
        raise SettingsError(f"There is no folder '{folder}'; check the name.")
    return folder


def _record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text("utf-8"))
        wanted = "source", "target", "source_face", "target_face", "outputs", "model"
        if missing := [key for key in (*wanted, "method") if key not in record]:
            raise ValueError(f"it lacks {missing[0]}")
    except (ValueError, TypeError) as error:
        raise SettingsError(
            f"'{path}' is no list of transfers ({error}). Make it anew: retouch"
            " transfer --range"
        ) from None
    return record


def _against(seen: Measures, other: Measures, name: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        f"identity_{name}": round(seen.distance(other), 4),
        f"agreement_{name}": round(seen.agreement(other), 4),
        f"turned_{name}": round(seen.turned(other), 2),
    }
    if name == "target":  # another photo is sharper or softer for reasons of its own
        row["sharpness_target"] = round(seen.sharpness / (other.sharpness + 1e-6), 3)
    if (far := seen.facenet_distance(other)) is not None:
        row[f"facenet_{name}"] = round(far, 4)
    return row


def _gone(seen: Measures, target: Measures, source: Measures) -> dict[str, float]:
    """Return the part of the way to the source's expression, if there is a way."""
    part = seen.gone(target, source)
    return {} if part is None else {"gone": round(part, 4)}


# --- tables -------------------------------------------------------------------


def table(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows as a CSV; its columns are all that any row has."""
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def unit_table(found: Evaluation) -> bytes:
    """Return the action units as OpenFace names and rounds them."""
    rows = [
        {"filename": name} | {f"{k}_r": f"{v:.2f}" for k, v in units.items()}
        for name, units in found.units
    ]
    return table(rows)


def summary(found: Evaluation) -> dict[str, Any]:
    """Return the means of all numbers; of transfers also those at each alpha."""
    whole: dict[str, Any] = {"outputs": len(found.rows), "mean": _means(found.rows)}
    if values := sorted({row["alpha"] for row in found.rows if "alpha" in row}):
        whole["alphas"] = [
            {"alpha": v} | _means([row for row in found.rows if row["alpha"] == v])
            for v in values
        ]
    return whole


def _means(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the mean of each number over the rows that have it."""
    known = dict.fromkeys(
        k for row in rows for k, v in row.items() if isinstance(v, float)
    )
    return {
        k: round(float(np.mean([row[k] for row in rows if k in row])), 4)
        for k in known
        if k != "alpha"
    }
