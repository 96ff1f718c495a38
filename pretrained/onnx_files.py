"""ONNX models as bytes: as much of the format as our graphs take, written by itself.

A model is a message of Protocol Buffers: fields, each a number, a kind, and its bytes.
The package `onnx` writes them, too, and takes longer to load than our networks do.
"""

import struct
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

FLOAT, INT64 = 1, 7  # kinds of a tensor's numbers
KINDS = {"float32": FLOAT, "int64": INT64}
IS_FLOAT, IS_INT, IS_STRING, IS_INTS = 1, 2, 3, 7  # kinds of an attribute
VARINT, BYTES, FIXED = 0, 2, 5  # kinds of a field's bytes
EXTERNAL = 1
Attribute = int | float | str | Sequence[int]


def model(graph: bytes, opset: int, version: int, producer: str = "retouch") -> bytes:
    """Return a model of a graph.

    Args:
        opset: the version of the operations,
        version: and that of the format.
    """
    told = _number(1, version) + _text(2, producer)
    return told + _field(7, graph) + _field(8, _number(2, opset))


def graph(
    name: str,
    nodes: Iterable[bytes],
    kept: Iterable[bytes],
    taken: Iterable[bytes],
    given: Iterable[bytes],
) -> bytes:
    """Return a graph of nodes around tensors, that takes values and gives some."""
    parts = [_field(1, each) for each in nodes]
    parts += [_text(2, name), *(_field(5, each) for each in kept)]
    parts += [*(_field(11, each) for each in taken), *(_field(12, x) for x in given)]
    return b"".join(parts)


def node(
    kind: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    attributes: Mapping[str, Attribute],
) -> bytes:
    """Return an operation; an input without a name is left out."""
    parts = [
        *(_text(1, each) for each in inputs),
        *(_text(2, each) for each in outputs),
    ]
    parts.append(_text(4, kind))
    parts += [_field(5, _attribute(*each)) for each in attributes.items()]
    return b"".join(parts)


def value(name: str, lengths: Sequence[str] | None) -> bytes:
    """Return what is said of a value of floats: its name, and those of its lengths."""
    kind = _number(1, FLOAT)
    if lengths is not None:
        kind += _field(2, b"".join(_field(1, _text(2, each)) for each in lengths))
    return _text(1, name) + _field(2, _field(1, kind))


def tensor(name: str, array: NDArray, *, apart: bool = False) -> bytes:
    """Return a tensor.

    Args:
        apart: its numbers are given beside the model.
    """
    parts = [_number(1, length) for length in array.shape]
    parts += [_number(2, KINDS[array.dtype.name]), _text(8, name)]
    if not apart:
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        return b"".join([*parts, _field(9, np.ascontiguousarray(little).tobytes())])
    place = _text(1, "location") + _text(2, "memory")
    return b"".join([*parts, _field(13, place), _number(14, EXTERNAL)])


def _attribute(name: str, given: Attribute) -> bytes:
    if isinstance(given, str):
        told, kind = _text(4, given), IS_STRING
    elif isinstance(given, float):
        told, kind = _key(2, FIXED) + struct.pack("<f", given), IS_FLOAT
    elif isinstance(given, int | np.integer):
        told, kind = _number(3, int(given)), IS_INT
    else:
        told, kind = b"".join(_number(8, int(each)) for each in given), IS_INTS
    return _text(1, name) + told + _number(20, kind)


def _text(place: int, text: str) -> bytes:
    return _field(place, text.encode())


def _field(place: int, data: bytes) -> bytes:
    return _key(place, BYTES) + _varint(len(data)) + data


def _number(place: int, number: int) -> bytes:
    return _key(place, VARINT) + _varint(number)


def _key(place: int, kind: int) -> bytes:
    return _varint(place << 3 | kind)


def _varint(number: int) -> bytes:
    """Return a number in sevens of bits, the lowest first; negative ones as of 64."""
    number &= 2**64 - 1
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])
