"""Opening what is given and putting files in place: whole or not at all."""

import errno
import io
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from retouch.errors import PhotoError

AS_NAMES = "surrogateescape"  # in tables, what is no UTF-8 in a name stands as it is
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextmanager
def opened(source: Any) -> Iterator[tuple[BinaryIO, str]]:
    """Open a path, bytes or a stream so that it can seek; yield it and its name."""
    is_path = isinstance(source, str | os.PathLike)
    name = f"'{os.fspath(source)}'" if is_path else "The photo"
    try:
        file = _seekable(_file(source) if is_path else _stream(source))
    except FileNotFoundError as error:
        raise PhotoError(f"There is no file {name}; check the name.") from error
    except (OSError, ValueError) as error:
        if is_path and os.path.isdir(source):
            raise PhotoError(f"{name} is a folder; name a photo in it.") from error
        raise PhotoError(
            f"{name} cannot be read ({_reason(error)}); check that you may read it."
        ) from error
    with file:
        if not file.read(1):
            raise PhotoError(f"{name} is empty (0 bytes); copy or export it again.")
        file.seek(0)
        yield file, name


def check_path(path: Path, *, force: bool) -> None:
    """Raise PhotoError if a file may not be put there."""
    if path.is_dir():
        raise PhotoError(f"'{path}' is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise PhotoError(f"There is no folder '{path.parent}'; make it first.")
    if not path.is_file():
        return
    if not force:
        raise PhotoError(
            f"'{path}' exists already; choose another name, or allow it to be replaced"
            " with --force (in Python: force=True)."
        )
    # The mode's bits bind everybody here, even a user whom the system lets through.
    if not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK):
        raise PhotoError(
            f"'{path}' is read-only; choose another name or change its permissions."
        )


def put(path: Path, data: bytes) -> None:
    """Let a complete file take the path's place; a device or a pipe is written to."""
    with refusing(f"'{path}'"):
        path = Path(os.path.realpath(path))
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            _replace(path, data)


@contextmanager
def refusing(name: str) -> Iterator[None]:
    """Turn what the system says of a failed write into a PhotoError."""
    try:
        yield
    except OSError as error:
        raise _refusal(name, error) from error


def refusal(error: BaseException) -> PhotoError | None:
    """Return what a full or forbidden disk said as a sentence; of others nothing."""
    if not isinstance(error, OSError) or error.errno not in FULL | FORBIDDEN:
        return None
    name = "a file" if error.filename is None else f"'{os.fsdecode(error.filename)}'"
    return _refusal(name, error)


def _refusal(name: str, error: OSError) -> PhotoError:
    remedy = "choose another name or folder"
    if error.errno in FULL:
        remedy = "free some space on the disk, or choose another"
    if error.errno in FORBIDDEN:
        remedy = "choose another folder, or change its permissions"
    return PhotoError(f"Writing {name} failed ({_reason(error)}); {remedy}.")


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    file = temporary.open("xb")
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _file(path: str | os.PathLike[str]) -> BinaryIO:
    return open(path, "rb")


def _stream(source: Any) -> BinaryIO:
    data = source.read() if hasattr(source, "read") else source
    if isinstance(data, bytes | bytearray | memoryview):
        return io.BytesIO(data)
    raise PhotoError(
        "A photo is read from a path, bytes, a binary stream, a PIL image or an array; "
        f"got {type(source).__name__}."
    )


def _seekable(file: BinaryIO) -> BinaryIO:
    if file.seekable():
        return file
    with file:
        return io.BytesIO(file.read())


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or "unknown").lower()
