"""A JPEG whose unchanged blocks are the input's, to the last coefficient.

A JPEG stores squares of 8 x 8 samples, each compressed alone. Compressing a photo anew
moves nearly all of them a little. Here those without a changed pixel keep what the
input stored, and only a box around the others is compressed.
"""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from retouch.photos.levels import differing
from retouch.photos.stored import Samples

BLOCK = 8
COMPONENTS = ("Y", "Cb", "Cr")
MARKER, START, SCAN, COMMENT = 0xFF, b"\xff\xd8", 0xDA, 0xFE
NOTES = {*range(0xE0, 0xF0), COMMENT}  # segments of metadata


class Came(NamedTuple):
    """A JPEG as it came."""

    file: bytes
    samples: Samples  # that it shows


def spliced(
    samples: Samples, came: Came, written: Callable[[Samples], bytes]
) -> bytes | None:
    """Return samples as a JPEG with the blocks of the one that came where none changed.

    None where the two are not of one size, or blocks of them would not be alike.

    Args:
        written: compresses samples, with the metadata that the whole shall have.
    """
    try:
        import jpeglib  # here, since no other format needs it
    except ImportError:  # there is none for some systems
        return None
    if samples.shape != came.samples.shape:
        return None
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as thread:
        old_path, new_path = Path(folder) / "old.jpg", Path(folder) / "new.jpg"
        old_path.write_bytes(came.file)
        try:
            old = jpeglib.read_dct(str(old_path))
            reading = thread.submit(old.load)
            changed = differing(samples, came.samples)
            if changed.any():
                box = _box(changed, _steps(old).max(0))
                new_path.write_bytes(written(samples[box]))
                new = jpeglib.read_dct(str(new_path))
                reading.result()
                if not _laid(new, old, changed, box):
                    return None
            reading.result()
        except OSError:
            return None
        old.write_dct(str(new_path))
        return _with_notes(new_path.read_bytes(), written(samples[:BLOCK, :BLOCK]))


def _box(changed: NDArray[np.bool_], unit: NDArray[Any]) -> tuple[slice, slice]:
    """Return the rectangle of whole units of blocks that holds what changed."""
    return tuple(  # type: ignore[return-value]
        slice(ends[0] // step * step, min(-(-(ends[-1] + 1) // step) * step, length))
        for ends, step, length in zip(
            (np.flatnonzero(changed.any(axis)) for axis in (1, 0)),
            unit.tolist(),
            changed.shape,
            strict=True,
        )
    )


def _laid(
    new: Any, old: Any, changed: NDArray[np.bool_], box: tuple[slice, slice]
) -> bool:
    """Lay changed blocks of a compressed box into the whole, if they are alike."""
    steps = _steps(old)
    if not np.array_equal(_steps(new), steps):
        return False
    for (number, own), (_, plane) in zip(_planes(new), _planes(old), strict=True):
        rows, columns = (
            slice(part.start // step, part.start // step + length)
            for part, step, length in zip(box, steps[number], own.shape, strict=False)
        )
        place = plane[rows, columns]
        tables = (image.get_component_qt(number) for image in (new, old))
        if place.shape != own.shape or not np.array_equal(*tables):
            return False
        touched = _touched(changed[box], steps[number], own.shape[:2])
        place[touched] = own[touched]
    return True


def _steps(image: Any) -> NDArray[Any]:
    """Return the rows and columns of pixels that a block of each component covers."""
    factors = np.array(image.samp_factor)
    return BLOCK * factors.max(0) // factors


def _planes(image: Any) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield the number and the coefficients (rows, columns, 8, 8) of each component."""
    for number, name in enumerate(COMPONENTS[: image.num_components]):
        yield number, getattr(image, name)


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
