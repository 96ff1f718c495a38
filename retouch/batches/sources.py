"""Where photos come from: a folder, a pattern, a list, one file, here or far away.

Addresses such as s3://bucket/folder are opened by fsspec, which finds its own keys.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec
from fsspec.implementations.local import make_path_posix

from retouch.batches.job import Picture
from retouch.errors import DependencyError, PhotoError, SettingsError
from retouch.photos.formats import SUFFIXES

LISTS = (".txt", ".list", ".lst")
WILD = "*?["
Info = dict[str, Any]


@dataclass(frozen=True)
class Found:
    """The photos of a source in the order of their names."""

    pictures: tuple[Picture, ...]
    ignored: int = 0  # files whose names are not those of pictures

    def shuffled(self, seed: int) -> "Found":
        """Return the same in an order that the seed tells."""
        mixed = list(self.pictures)
        random.Random(seed).shuffle(mixed)
        return Found(tuple(mixed), self.ignored)


def find(source: str, out: Path) -> Found:
    """Return the photos of a source; what lies in the folder of results is none."""
    if Path(source).suffix.lower() in LISTS and Path(source).is_file():
        return _unique([_listed(line) for line in _lines(Path(source))], 0)
    system, path = opened(source)
    with _explained(source):
        root, files = _files(system, path)
    local = _is_local(system)
    own = os.path.realpath(out)
    pictures, ignored = [], 0
    for name, info in sorted(files.items()):
        if local and Path(own) in Path(os.path.realpath(name)).parents:
            continue
        if PurePosixPath(name).suffix.lower() not in SUFFIXES and len(files) > 1:
            ignored += 1
            continue
        address = name if local else system.unstrip_protocol(name)
        below = name[len(root) :].lstrip("/") or _last(name)
        pictures.append(Picture(below, address, _stamp(info)))
    if not pictures:
        raise PhotoError(
            f"'{source}' has no pictures ({ignored} other files); name a folder, a"
            " pattern such as 'photos/*.jpg', or a list of them in a .txt file."
        )
    return _unique(pictures, ignored)


def read(address: str) -> bytes:
    """Return what lies at an address."""
    system, path = opened(address)
    with _explained(address):
        return system.cat_file(path)


def is_local(address: str) -> bool:
    return "://" not in address


def opened(address: str) -> tuple[Any, str]:
    """Return the file system of an address, and the path in it."""
    if is_local(address):  # where "::" is part of a name, and no chain
        return fsspec.filesystem("file"), make_path_posix(address)
    try:
        return fsspec.core.url_to_fs(address)
    except ImportError as error:
        raise DependencyError(f"'{address}' needs another package: {error}.") from None
    except ValueError as error:
        raise SettingsError(f"'{address}' is no address: {error}.") from None


class _explained:
    """Turns what a file system says into a sentence."""

    def __init__(self, address: str):
        self.address = address

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if isinstance(error, FileNotFoundError):
            raise PhotoError(f"There is nothing at '{self.address}'; check the name.")
        # Every file system has its own errors, most of them of no common kind.
        if isinstance(error, Exception) and not isinstance(error, PhotoError):
            said = " ".join(str(error).split()) or type(error).__name__
            raise PhotoError(
                f"'{self.address}' cannot be read ({said}); check that you may."
            ) from error


def _files(system: Any, path: str) -> tuple[str, dict[str, Info]]:
    """Return the folder that names are told from, and the files with their infos."""
    if any(sign in path for sign in WILD) and not system.exists(path):
        fixed = path[: min(path.find(s) for s in WILD if s in path)]
        found = system.glob(path, detail=True)
        files = {n: i for n, i in found.items() if i["type"] == "file"}
        return fixed.rpartition("/")[0], files
    # A web server tells folders from files by nothing but the slash at their end.
    if not path.endswith("/") and system.isfile(path):
        return path, {path: system.info(path)}
    if not system.exists(path):
        raise FileNotFoundError(path)
    return path.rstrip("/"), system.find(path, detail=True)


def _lines(path: Path) -> Iterator[str]:
    try:
        text = path.read_text("utf-8-sig", "surrogateescape")  # as names are
    except OSError as error:
        raise PhotoError(f"The list '{path}' cannot be read ({error}).") from None
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _listed(line: str) -> Picture:
    """Return the picture of a line; its name is its path without what leads out."""
    local = is_local(line)
    path = line if local else line.partition("://")[2].partition("?")[0]
    parts = [part for part in PurePosixPath(path.replace("\\", "/")).parts if part]
    kept = [part for part in parts if part not in ("/", "..", ".")]
    try:
        stamp = _stamp(os.stat(line)) if local else ""
    except OSError:
        stamp = ""  # what is wrong with it will stand in its row
    return Picture("/".join(kept), line, stamp)


def _last(name: str) -> str:
    """Return a file's own name; what a web address asks for beside is no part of it."""
    asked = name.partition("?")[0] if "://" in name else name
    return PurePosixPath(asked).name


def _stamp(info: Any) -> str:
    if isinstance(info, os.stat_result):
        return f"{info.st_size} {info.st_mtime}"
    changed = (info.get(key) for key in ("mtime", "ETag", "etag", "LastModified"))
    return f"{info.get('size', '')} {next((c for c in changed if c), '')}"


def _unique(pictures: list[Picture], ignored: int) -> Found:
    """Refuse two pictures whose results would be the same file."""
    named: dict[str, Picture] = {}
    for picture in pictures:
        other = named.setdefault(picture.name.casefold(), picture)
        if other.source != picture.source:
            raise SettingsError(
                f"'{other.source}' and '{picture.source}' would both become"
                f" '{picture.name}'. Run them into folders of their own."
            )
    return Found(tuple(named.values()), ignored)


def _is_local(system: Any) -> bool:
    kind = system.protocol
    return "file" in ((kind,) if isinstance(kind, str) else kind)
