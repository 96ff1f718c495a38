"""The manifest: what weights there are, where they lie, and what is known of them.

Weights that ship lie beside this file; the user's own lie in the user's data folder,
or in RETOUCH_HOME. Each folder has a manifest of its own, one row a file.
"""

import dataclasses
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import platformdirs
import safetensors
from safetensors.numpy import load_file, save_file

from pretrained.directions import NamedDirection
from pretrained.files import digest
from retouch.errors import SettingsError, WeightsError

KINDS = ("generator", "encoder", "scorer", "detector", "directions", "finisher")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
VERSION = 1


@dataclass(frozen=True)
class Row:
    """What is known of one file of weights."""

    name: str
    kind: str
    file: str
    sha256: str = ""
    size: int = 0  # bytes
    architecture: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    licence: str = "unknown"
    source: str = ""
    source_sha256: str = ""
    family: str = ""  # the latent space: directions of it fit the network
    resolution: int = 0
    crop: str = ""
    input_range: tuple[float, float] = (-1.0, 1.0)

    def __post_init__(self):
        check_name(self.name)
        if self.kind not in KINDS:
            raise WeightsError(f"'{self.kind}' is no kind of network: {KINDS}.")
        if not NAME.fullmatch(self.file) or not self.file.endswith(".safetensors"):
            raise WeightsError(f"'{self.file}' is no name of a safetensors file.")

    @classmethod
    def parse(cls, values: dict[str, Any]) -> Self:
        known = {entry.name for entry in dataclasses.fields(cls)}
        row = {name: value for name, value in values.items() if name in known}
        if "input_range" in row:
            row["input_range"] = tuple(row["input_range"])
        return cls(**row)


@dataclass(frozen=True)
class Shelf:
    """A folder of weights with its manifest."""

    folder: Path

    @property
    def manifest(self) -> Path:
        return self.folder / "manifest.json"

    def rows(self) -> list[Row]:
        """Return what the manifest lists."""
        if not self.manifest.exists():
            return []
        try:
            content = json.loads(self.manifest.read_text("utf-8"))
            return [Row.parse(values) for values in content["networks"]]
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise WeightsError(
                f"{self.manifest} is damaged ({error}). Restore it, or remove it and"
                " import your networks again."
            ) from None

    def add(self, row: Row, weights: Mapping[str, np.ndarray], *, half: bool) -> Row:
        """Write the weights and the row; return it with size and hash.

        Args:
            half: keep float16, which halves the file and rounds the weights.
        """
        kind = np.float16 if half else np.float32
        arrays = {name: np.ascontiguousarray(w, kind) for name, w in weights.items()}
        path = self.folder / row.file
        with self._writing(path) as unfinished:
            save_file(arrays, unfinished)
            unfinished.chmod(0o644)  # what safetensors writes, only its owner may read
        size, sha256 = path.stat().st_size, digest(path)
        row = dataclasses.replace(row, size=size, sha256=sha256)
        self._write([*(other for other in self.rows() if other.name != row.name), row])
        return row

    def remove(self, row: Row) -> None:
        """Delete the row, then its file."""
        self._write([other for other in self.rows() if other.name != row.name])
        (self.folder / row.file).unlink(missing_ok=True)

    @contextmanager
    def _writing(self, path: Path) -> Iterator[Path]:
        """Give a file to write that takes the path's place once it is whole."""
        unfinished = path.with_suffix(".unfinished")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            yield unfinished
            os.replace(unfinished, path)
        except (OSError, safetensors.SafetensorError) as error:
            raise WeightsError(
                f"Writing {path} failed ({error}). Free some space there, or name"
                " another folder in RETOUCH_HOME."
            ) from None
        finally:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def _write(self, rows: list[Row]) -> None:
        ordered = sorted(rows, key=lambda row: row.name)
        networks = [dataclasses.asdict(row) for row in ordered]
        content = {"version": VERSION, "networks": networks}
        with self._writing(self.manifest) as unfinished:
            unfinished.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


@dataclass(frozen=True)
class Library:
    """All weights a user has: those that ship, and their own."""

    shipped: Shelf
    own: Shelf

    def rows(self) -> list[Row]:
        """Return every row, by name."""
        rows = self.shipped.rows() + self.own.rows()
        return sorted(rows, key=lambda row: row.name)

    def row(self, name: str, kind: str | None = None) -> Row:
        """Return the row of a name; of one kind only, if it is given."""
        rows = [row for row in self.rows() if kind in (None, row.kind)]
        for row in rows:
            if row.name == name:
                return row
        what = {"directions": "direction"}.get(kind or "", kind or "network")
        known = ", ".join(dict.fromkeys(row.name for row in rows)) or "none yet"
        raise WeightsError(f"No {what} is called '{name}'. Known: {known}.")

    def path(self, row: Row) -> Path:
        """Return where the file of a row lies."""
        shelf = self.own if row in self.own.rows() else self.shipped
        path = shelf.folder / row.file
        if not path.exists():
            own = "Import it again: retouch models import FILE --name " + row.name
            remedy = own if shelf is self.own else "Install retouch anew"
            raise WeightsError(
                f"The weights of '{row.name}' are missing: there is no file {path}."
                f" {remedy}."
            )
        return path

    def verify(self, name: str) -> Row:
        """Return the row after comparing its file with it."""
        row = self.row(name)
        path = self.path(row)
        found = digest(path)
        if found != row.sha256:
            raise WeightsError(
                f"The weights of '{name}' are damaged: {path} has the sha256 {found},"
                f" its row {row.sha256}. Remove it and import it again."
            )
        return row

    def weights(self, name: str, kind: str | None = None) -> dict[str, np.ndarray]:
        """Return the weights of a name in float32, after checking their hash."""
        row = self.row(name, kind)
        self.verify(name)
        try:
            arrays = load_file(self.path(row))
        except (safetensors.SafetensorError, OSError, ValueError) as error:
            raise WeightsError(
                f"The weights of '{name}' cannot be read ({error})."
                " Remove it and import it again."
            ) from None
        return {
            key: array.astype(np.float32, copy=False) for key, array in arrays.items()
        }

    def add(self, row: Row, weights: Mapping[str, np.ndarray], *, half=False) -> Row:
        """Keep weights of the user's under a new name."""
        self.check_free(row.name)
        return self.own.add(row, weights, half=half)

    def check_free(self, name: str, remedy: str = "Choose another name") -> None:
        """Raise if something has that name already."""
        if name in {row.name for row in self.shipped.rows()}:
            raise WeightsError(f"'{name}' ships with retouch, and stays. {remedy}.")
        if name in {row.name for row in self.own.rows()}:
            raise WeightsError(
                f"A network is already called '{name}'. {remedy}, or remove it first:"
                f" retouch models remove {name}."
            )

    def remove(self, name: str) -> list[Row]:
        """Delete weights of the user's, and with a generator what belongs to it."""
        row, own = self.row(name), self.own.rows()
        if row not in own:
            raise WeightsError(f"'{name}' ships with retouch and cannot be removed.")
        # Left behind, they would serve the next generator of that name.
        kinds = ("encoder", "traits", "moves") if row.kind == "generator" else ()
        parts = {f"{name}-{kind}" for kind in kinds}
        removed = [row, *(other for other in own if other.name in parts)]
        for one in removed:
            self.own.remove(one)
        return removed

    def direction(self, name: str) -> NamedDirection:
        """Return a direction: "age", or "components/pc3" of a set of several."""
        row = self.row(name.partition("/")[0], "directions")
        weights = self.weights(row.name)
        if name not in weights:
            known = ", ".join(sorted(weights)[:8])
            raise WeightsError(f"No direction is called '{name}'. Known: {known}.")
        return NamedDirection(name, row.family, weights[name])


def library() -> Library:
    """Return the library of this installation and user."""
    return Library(Shelf(Path(__file__).parent), Shelf(home() / "models"))


def home() -> Path:
    """Return the folder of the user's data: RETOUCH_HOME if it is set."""
    chosen = os.environ.get("RETOUCH_HOME")
    return Path(chosen or platformdirs.user_data_dir("retouch", appauthor=False))


def check_name(name: str) -> str:
    """Return the name if it can be one."""
    if not NAME.fullmatch(name):
        raise SettingsError(
            f"A name has up to 64 letters, digits, dots, dashes and underscores,"
            f" and begins with a letter or digit; got '{name[:80]}'."
        )
    return name
