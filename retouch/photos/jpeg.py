"""A JPEG whose unchanged blocks are the input's, to the last coefficient.

A JPEG stores squares of 8 x 8 samples, each compressed alone. Compressing a photo anew
moves nearly all of them a little. Here those without a changed pixel keep what the
input stored, and only the others are compressed.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retouch.photos.stored import Samples

BLOCK = 8
COMPONENTS = ("Y", "Cb", "Cr")
MARKER, START, SCAN, COMMENT = 0xFF, b"\xff\xd8", 0xDA, 0xFE
NOTES = {*range(0xE0, 0xF0), COMMENT}  # segments of metadata


def spliced(written: bytes, came: bytes, changed: NDArray[np.bool_]) -> bytes:
    """Return a written JPEG with the blocks of the one that came, where none changed.

    Where their blocks are not alike, as in a file that is damaged, it stays as it is.

    Args:
        changed: (H, W), the pixels that are not as they came.
    """
    try:
        import jpeglib  # here, since no other format needs it
    except ImportError:  # there is none for some systems
        return written
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("new.jpg", "old.jpg", "both.jpg")]
        for path, data in zip(paths, (written, came), strict=False):
            path.write_bytes(data)
        try:
            new, old = (jpeglib.read_dct(str(path)) for path in paths[:2])
        except OSError:
            return written
        if not _alike(new, old):
            return written
        _take(new, old, changed)
        new.write_dct(str(paths[2]))
        return _with_notes(paths[2].read_bytes(), written)


def changes(pixels: Samples, came: Samples) -> NDArray[np.bool_]:
    """Return (H, W) with the pixels that are not as they came."""
    differs = np.not_equal(pixels, came)
    return np.asarray(differs if differs.ndim == 2 else differs.any(-1))


def _alike(new: Any, old: Any) -> bool:
    """Tell whether blocks of one stand for the same in the other."""
    pairs = [
        (_steps(new), _steps(old)),
        *zip(_described(new), _described(old), strict=False),
    ]
    same = all(np.array_equal(*pair) for pair in pairs)
    return same and new.num_components == old.num_components


def _steps(image: Any) -> NDArray[Any]:
    """Return the rows and columns of pixels that a block of each component covers."""
    factors = np.array(image.samp_factor)
    return BLOCK * factors.max(0) // factors


def _described(image: Any) -> Iterator[Any]:
    """Yield how many blocks each component has, and how they are quantised."""
    for number, plane in _planes(image):
        yield plane.shape
        yield image.get_component_qt(number)


def _planes(image: Any) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the number and the coefficients (rows, columns, 8, 8) of each component."""
    for number, name in enumerate(COMPONENTS[: image.num_components]):
        yield number, getattr(image, name)


def _take(new: Any, old: Any, changed: NDArray[np.bool_]) -> None:
    """Take over the blocks in which no pixel changed."""
    steps = _steps(new)
    for (number, plane), (_, came) in zip(_planes(new), _planes(old), strict=True):
        touched = _touched(changed, steps[number], plane.shape[:2])
        plane[~touched] = came[~touched]


def _touched(
    changed: NDArray[np.bool_], steps: NDArray[Any], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Return which blocks of so many pixels have a changed one."""
    rows, columns = (int(step) for step in steps)
    whole = np.zeros((shape[0] * rows, shape[1] * columns), bool)
    part = changed[: whole.shape[0], : whole.shape[1]]
    whole[: part.shape[0], : part.shape[1]] = part
    squares = whole.reshape(shape[0], rows, shape[1], columns)
    return np.asarray(squares.any((1, 3)))


def _with_notes(picture: bytes, notes: bytes) -> bytes:
    """Return a JPEG with the metadata of another."""
    kept = [s for s in _segments(notes) if s[1] in NOTES]
    own = [s for s in _segments(picture) if s[1] not in NOTES]
    return START + b"".join(kept + own)


def _segments(data: bytes) -> Iterator[bytes]:
    """Yield the segments of a JPEG; the last holds its first scan and all behind."""
    at = len(START)
    while data[at + 1] != SCAN:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield data[at:end]
        at = end
    yield data[at:]
