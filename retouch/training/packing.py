"""Shards as they are made: runs of a source's files, kept while nothing changed."""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from retouch.errors import SettingsError
from retouch.training.options import Recipe
from retouch.training.shards import Share
from retouch.training.sifting import Crop, Reject
from retouch.training.tables import Table

SHARD_BYTES = 50 * 1024 * 1024
NAME = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Source:
    """A folder of pictures, searched with all that lies in it."""

    folder: Path
    table: Path | None = None  # CSV: file, then traits
    share: Share | None = None  # None keeps what data.json says


@dataclass(frozen=True)
class Shard:
    """A run of a source's files, and the shard they are packed in."""

    path: Path
    source: str
    folder: Path
    names: tuple[str, ...]  # paths within the folder
    copies: Mapping[str, str]  # names that equal another, and that one
    table: Table
    key: str = ""  # what the content follows from

    @property
    def done(self) -> bool:
        if not self.path.exists():
            return False
        with np.load(self.path) as shard:
            return str(shard["key"]) == self.key

    @property
    def wanted(self) -> list[Path]:
        """Return the files to examine."""
        return [self.folder / name for name in self.names if name not in self.copies]

    def with_key(self, recipe: Recipe) -> "Shard":
        """Return this shard with a key of all that its content follows from."""
        sizes = [(self.folder / name).stat().st_size for name in self.names]
        labels = self.table.select(self.names).tobytes().hex()
        people = [self.table.person(name) for name in self.names]
        record = [asdict(recipe), self.names, sizes, dict(self.copies)]
        text = json.dumps([*record, self.table.traits, labels, people])
        return replace(self, key=hashlib.sha256(text.encode()).hexdigest())

    def write(self, results: Iterator[Crop | Reject]) -> None:
        """Take the results of the wanted files and write the shard, whole or not."""
        crops: dict[str, Crop] = {}
        rejects = []
        for name in self.names:
            copied = self.copies.get(name)
            found = Reject("copy", f"of {copied}") if copied else next(results)
            if isinstance(found, Crop):
                crops[name] = found
            else:
                rejects.append((name, *found))
        partial = self.path.with_suffix(".partial")
        with partial.open("wb") as file:
            arrays, dropped = self._arrays(crops), np.array(json.dumps(rejects))
            np.savez(file, allow_pickle=False, **arrays, dropped=dropped)
        os.replace(partial, self.path)

    def _arrays(self, crops: Mapping[str, Crop]) -> dict[str, np.ndarray]:
        images = [crop.image for crop in crops.values()]
        landmarks = [crop.landmarks for crop in crops.values()]
        return {
            "images": np.array(images, np.uint8),
            "landmarks": np.array(landmarks, np.float32).reshape(-1, 68, 2),
            "names": np.array(list(crops), np.str_),
            "sources": np.array([self.source] * len(crops), np.str_),
            "people": np.array([self.table.person(name) for name in crops], np.str_),
            "labels": self.table.select(crops),
            "traits": np.array(self.table.traits, np.str_),
            "key": np.array(self.key),
        }


def shards_of(
    name: str, source: Source, out: Path, recipe: Recipe, shard_bytes: int
) -> list[Shard]:
    """Divide a source's files, in the order of their names, into shards."""
    names = _files(name, source.folder)
    table = _table(source, names)
    copies = copies_of(source.folder, names)
    crop_bytes = 3 * recipe.resolution**2 + 4 * (2 * 68 + len(table.traits))
    # Texts take four bytes a letter: name, person, source, and why it was dropped.
    texts = 16 * max(map(len, names)) + 4 * len(name) + 800
    count = max(1, shard_bytes // (crop_bytes + texts))
    runs = [names[i : i + count] for i in range(0, len(names), count)]
    shards = []
    for i, run in enumerate(runs):
        path = out / f"{name}-{i:04}.npz"
        own = {name: copies[name] for name in run if name in copies}
        shard = Shard(path, name, source.folder, tuple(run), own, table)
        shards.append(shard.with_key(recipe))
    return shards


def _files(name: str, folder: Path) -> list[str]:
    if not NAME.fullmatch(name):
        raise SettingsError(
            f"A source's name has letters, digits and underscores; got '{name}'."
        )
    if not folder.is_dir():
        raise SettingsError(f"There is no folder {folder}. Name one with pictures.")
    paths = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    shown = [path for path in paths if not any(p.startswith(".") for p in path.parts)]
    if not shown:
        raise SettingsError(f"{folder} holds no files. Name a folder with pictures.")
    return sorted(path.as_posix() for path in shown)


def _table(source: Source, names: list[str]) -> Table:
    if source.table is None:
        return Table()
    table = Table.read(source.table)
    if not any(table.knows(name) for name in names):
        raise SettingsError(
            f"{source.table} names no file of {source.folder}. Its column 'file' must"
            " hold their names."
        )
    return table


def copies_of(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the files that equal an earlier one byte for byte, and that one."""
    by_size: dict[int, list[str]] = {}
    for name in names:
        by_size.setdefault((folder / name).stat().st_size, []).append(name)
    first: dict[bytes, str] = {}
    copies = {}
    for group in by_size.values():
        for name in group if len(group) > 1 else ():
            mark = hashlib.sha256((folder / name).read_bytes()).digest()
            if first.setdefault(mark, name) != name:
                copies[name] = first[mark]
    return copies
