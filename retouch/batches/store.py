"""The folder of results: held by one program, with whole files and a report in it.

`report.jsonl` has one line a picture. A line is appended once the picture's files
are in place, so that whatever is interrupted is done again. Files and the report
are written in a folder beside them and moved in one step; when the program is
killed, that folder is all that is left, and the next run clears it.
"""

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from retouch.batches.job import Done
from retouch.errors import DependencyError, PhotoError
from retouch.photos.disk import refusing

REPORT = "report.jsonl"
UNFINISHED = ".retouch-unfinished"
TAKEN = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES}
Row = Mapping[str, Any]


class Store:
    """A folder of results; leave it by `with`, so that the next one may enter."""

    def __init__(self, folder: Path, *, force: bool = False):
        self.folder = folder
        self.report, self.unfinished = folder / REPORT, folder / UNFINISHED
        self._lines = 0
        self._last: dict[str, int] = {}  # the number of each picture's last line
        with refusing(f"'{folder}'"):
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(folder)
            try:
                self._file = self._opened(force)
            except BaseException:
                os.close(self._lock)
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        if self._lines > len(self._last):
            self._compact()
        shutil.rmtree(self.unfinished, ignore_errors=True)
        os.close(self._lock)

    def rows(self) -> Iterator[Row]:
        """Yield each picture's row."""
        for number, row, _ in self._read():
            if self._last[row["picture"]] == number:
                yield row

    def holds(self, row: Row) -> bool:
        """Tell whether the files that a row speaks of are there."""
        return all((self.folder / name).is_file() for name in row.get("out", ()))

    def keep(self, done: Done) -> None:
        """Put a picture's files in place, then its row into the report."""
        for name, data in done.files.items():
            self._put(self.folder / name, data)
        with refusing(f"'{self.report}'"):
            self._file.write(_line(done.row))
            self._file.flush()
        self._last[done.name] = self._lines
        self._lines += 1

    def _opened(self, force: bool) -> BinaryIO:
        """Return the report, to be gone on with."""
        self._check(force)
        shutil.rmtree(self.unfinished, ignore_errors=True)
        self._compact()
        return self.report.open("ab")

    def _put(self, path: Path, data: bytes) -> None:
        with refusing(f"'{path}'"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write(path, lambda file: file.write(data))

    def _write(self, path: Path, write: Callable[[Any], Any]) -> None:
        self.unfinished.mkdir(exist_ok=True)
        temporary = self.unfinished / "file"
        with temporary.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)

    def _compact(self) -> None:
        """Leave the last row of each picture, and no line that was cut off."""
        torn = False
        self._last, self._lines = {}, 0
        for number, row, whole in self._read():
            self._last[row["picture"]] = number
            self._lines = number + 1
            torn |= not whole
        torn |= self.report.exists() and not _ends_well(self.report)
        if self._lines == len(self._last) and not torn:
            return
        kept = [row for row in self.rows()]
        with refusing(f"'{self.report}'"):
            self._write(self.report, lambda file: file.writelines(map(_line, kept)))
        self._last = {row["picture"]: i for i, row in enumerate(kept)}
        self._lines = len(kept)

    def _read(self) -> Iterator[tuple[int, Row, bool]]:
        """Yield lines that hold a row, with their numbers among all lines."""
        if not self.report.exists():
            return
        with self.report.open("rb") as file:
            for number, line in enumerate(file):
                row = _parsed(line)
                if row is not None:
                    yield number, row, line.endswith(b"\n")
                elif line.endswith(b"\n"):
                    raise PhotoError(
                        f"Line {number + 1} of '{self.report}' is damaged; mend or"
                        " remove it, and its picture will be done again."
                    )

    def _check(self, force: bool) -> None:
        names = {entry.name for entry in os.scandir(self.folder)} - {UNFINISHED}
        if names and REPORT not in names and not force:
            raise PhotoError(
                f"'{self.folder}' has files and no {REPORT}: results could replace"
                " them. Name another folder, or allow it with --force."
            )


def _locked(folder: Path) -> int:
    """Return the folder as a handle that is let go when the process ends, however."""
    try:
        import fcntl
    except ImportError:
        raise DependencyError(
            "A batch locks its folder as Unix does, which this system cannot. Run it"
            " on Linux, macOS or in WSL."
        ) from None
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if error.errno in TAKEN:
            raise PhotoError(
                f"Another batch is writing to '{folder}'. Wait until it has ended, or"
                " name another folder."
            ) from None
        raise PhotoError(
            f"'{folder}' cannot be locked ({error.strerror}); name a folder on a disk"
            " of this machine."
        ) from error
    return handle


def _line(row: Row) -> bytes:
    """Return a row as JSON; what is no UTF-8 in a name becomes an escape of JSON's."""
    return f"{json.dumps(row, ensure_ascii=False)}\n".encode(errors="backslashreplace")


def _parsed(line: bytes) -> Row | None:
    with contextlib.suppress(ValueError):
        row = json.loads(line)
        if isinstance(row, dict) and isinstance(row.get("picture"), str):
            return row
    return None


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
