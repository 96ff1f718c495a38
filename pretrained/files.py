"""Opening a file of weights of any known kind, to plain data, running nothing of it."""

import hashlib
import mmap
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pretrained import numpy_files, torch_files
from pretrained.pickles import Budget
from retouch.errors import WeightsError

DAMAGE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    MemoryError,
    RecursionError,
    struct.error,
)
REMEDY = "Get the file anew from those who published it."


def read(path: str | Path) -> Any:
    """Return the dicts, lists, strings, numbers and arrays that a file holds.

    Reads NumPy's .npy and .npz, torch.save's zip and legacy files, and the pickles
    of StyleGAN2 networks. Arrays may be read-only views of the file.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise WeightsError(f"There is no file {path}.") from None
    except (OSError, ValueError):
        raise WeightsError(f"{path} cannot be read, or is empty.") from None
    try:
        return reader(content[:16])(content)
    except WeightsError as error:
        raise WeightsError(f"{path} was refused: {error} {REMEDY}") from None
    except DAMAGE:
        damage = f"{path} is damaged, or no file of weights."
        raise WeightsError(f"{damage} {REMEDY}") from None


def reader(start: bytes) -> Callable[[mmap.mmap], Any]:
    """Return the function that reads files which begin like this."""
    if start.startswith(b"PK"):
        return _archive
    if start.startswith(b"\x93NUMPY"):
        return lambda content: numpy_files.read_npy(memoryview(content))
    return lambda content: torch_files.read_pickle(content, Budget())


def _archive(content: mmap.mmap) -> Any:
    archive = memoryview(content)
    found = numpy_files.arrays_in(archive)
    return torch_files.read_zip(archive, Budget()) if found is None else found


def digest(path: Path) -> str:
    """Return the file's sha256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
