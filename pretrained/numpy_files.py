"""NumPy's own files, .npy and .npz: plain numbers only, sizes checked first."""

import math
import re
import struct

import numpy as np

from pretrained.admitted import NUMBERS, sizes
from pretrained.archives import members
from retouch.errors import WeightsError

SIZES = {b"\1\0": struct.Struct("<H"), b"\2\0": struct.Struct("<I")}
HEADER = re.compile(
    r"\{'descr': '([<>|][a-z]\d)', 'fortran_order': (True|False),"
    r" 'shape': \(([\dL, ]*)\),? \}\s*"
)
INFLATED = 2**28  # bytes of all compressed arrays of a file


def read_npy(content: memoryview) -> np.ndarray:
    """Return the array of a .npy file."""
    kind, columns_first, shape, data = _header(content)
    if kind.str[1:] not in NUMBERS:
        raise WeightsError("it holds something that is no plain number.")
    if not sizes(shape) or math.prod(shape) * kind.itemsize != len(data):
        raise WeightsError(f"it declares the shape {shape} for {len(data)} bytes.")
    flat = np.frombuffer(data, kind)
    return flat.reshape(shape[::-1]).T if columns_first else flat.reshape(shape)


def _header(
    content: memoryview,
) -> tuple[np.dtype, bool, tuple[int, ...], memoryview]:
    version = bytes(content[6:8])
    if version not in SIZES:
        raise WeightsError(f"its version {version!r} of the .npy format is unknown.")
    (size,) = SIZES[version].unpack_from(content, 8)
    start = 8 + SIZES[version].size
    text = bytes(content[start : start + min(size, 4096)]).decode("latin1")
    found = HEADER.fullmatch(text)
    if found is None:
        raise WeightsError("it holds something that is no plain array of numbers.")
    shape = tuple(int(word) for word in re.findall(r"\d+", found[3]))
    return np.dtype(found[1]), found[2] == "True", shape, content[start + size :]


def arrays_in(archive: memoryview) -> dict[str, np.ndarray] | None:
    """Return the arrays of a .npz file by name, or None if it is none."""
    found = members(archive)
    if not found or not all(name.endswith(".npy") for name in found):
        return None
    left, result = INFLATED, {}
    for name, member in found.items():
        result[name.removesuffix(".npy")] = read_npy(member.read(left))
        left -= member.size if member.compressed else 0
    return result
