"""Labels of pictures from a CSV table with a column "file" and one a trait."""

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from retouch.errors import SettingsError
from retouch.photos.disk import AS_NAMES

Known = TypeVar("Known")

CLASSES = 24  # different texts that a column may hold


@dataclass(frozen=True)
class Table:
    """What is known of pictures by their names."""

    traits: tuple[str, ...] = ()
    labels: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Table":
        """Read a table; a column of texts becomes one of 0 and 1 for each text.

        A column "person" says whom a picture shows, so that no person is both
        learnt from and tested on.
        """
        rows = rows_of(path)
        names = [row["file"] for row in rows]
        columns: dict[str, list[float]] = {}
        for title in rows[0].keys() - {"file", "person"}:
            columns |= _numbers(title, [row[title] or "" for row in rows], path)
        traits = tuple(sorted(columns))
        values = zip(*(columns[trait] for trait in traits), strict=True)
        labels = dict(zip(names, values, strict=True)) if traits else {}
        return cls(traits, labels, {row["file"]: row.get("person", "") for row in rows})

    def select(self, names: Iterable[str]) -> NDArray[np.float32]:
        """Return the labels of pictures (N, traits), NaN where the table is silent."""
        unknown = (math.nan,) * len(self.traits)
        found = [_of(self.labels, name) or unknown for name in names]
        return np.array(found, np.float32).reshape(len(found), len(self.traits))

    def person(self, name: str) -> str:
        """Return whom a picture shows: without a word on it, somebody of its own."""
        return _of(self.people, name) or name.rsplit(".", 1)[0]

    def knows(self, name: str) -> bool:
        return _of(self.people, name) is not None


def _of(mapping: Mapping[str, Known], name: str) -> Known | None:
    """Look a picture up by its path in the folder, or by its name alone."""
    return mapping.get(name, mapping.get(PurePosixPath(name).name))


def rows_of(path: Path, *columns: str) -> list[dict[str, str]]:
    """Return the rows of a table that has a column "file", and the others asked for."""
    try:
        with open(path, newline="", encoding="utf-8-sig", errors=AS_NAMES) as file:
            rows = list(csv.DictReader(file))
    except (OSError, csv.Error) as error:
        raise SettingsError(f"{path} is no table that can be read ({error}).") from None
    if not rows or "file" not in rows[0]:
        raise SettingsError(
            f"{path} has no rows, or no column called 'file'. Its first line must"
            " name the columns: file, then the traits."
        )
    if missing := [column for column in columns if column not in rows[0]]:
        raise SettingsError(
            f"{path} has no column '{missing[0]}'; it needs file, {', '.join(columns)}."
        )
    if any(None in row or None in row.values() for row in rows):
        raise SettingsError(f"The rows of {path} differ in their number of columns.")
    return rows


def _numbers(title: str, cells: list[str], path: Path) -> dict[str, list[float]]:
    try:
        return {title: [float(cell) if cell.strip() else math.nan for cell in cells]}
    except ValueError:
        texts = sorted({cell for cell in cells if cell.strip()})
    if len(texts) > CLASSES:
        raise SettingsError(
            f"The column '{title}' of {path} holds {len(texts)} different texts:"
            f" neither numbers nor up to {CLASSES} classes. Take it out."
        )
    return {
        f"{title}={text}": [float(c == text) if c.strip() else math.nan for c in cells]
        for text in texts
    }
