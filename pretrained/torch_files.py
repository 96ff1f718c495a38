"""Files of torch.save, zip or legacy, read into arrays without torch.

Tensors become read-only views of the file's bytes: nothing is copied, whatever the
file declares, and each view is checked to lie within its storage.
"""

import math
import mmap
import struct
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import as_strided

from pretrained.admitted import NETWORKS, NUMPY, PLAIN, sizes
from pretrained.archives import Member, members
from pretrained.pickles import Budget, Name, Names, interpret, plain
from retouch.errors import WeightsError

MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of a legacy file
PROTOCOL = 1001  # the second
Bytes = bytes | mmap.mmap
Order = Literal["<", ">"]
REPEATED = 2**16  # numbers that a tensor may have beyond its storage's, by stride 0

STORAGES = {
    "torch.BoolStorage": "b1",
    "torch.ByteStorage": "u1",
    "torch.CharStorage": "i1",
    "torch.ShortStorage": "i2",
    "torch.IntStorage": "i4",
    "torch.LongStorage": "i8",
    "torch.HalfStorage": "f2",
    "torch.BFloat16Storage": "u2",  # the upper half of a float32
    "torch.FloatStorage": "f4",
    "torch.DoubleStorage": "f8",
}


# --- storages and tensors -----------------------------------------------------


@dataclass
class Storage:
    """A flat run of numbers; in legacy files its bytes come after the tensors."""

    kind: str
    count: int
    numbers: np.ndarray | None = None

    @property
    def bytes(self) -> int:
        return self.count * self.item.itemsize

    @property
    def item(self) -> np.dtype:
        return np.dtype(STORAGES[self.kind])

    def fill(self, data: memoryview, order: Order = "<") -> None:
        if len(data) != self.bytes:
            raise WeightsError(
                f"it declares {self.count} numbers of {self.kind}"
                f" and holds {len(data)} bytes of them."
            )
        self.numbers = np.frombuffer(data, self.item.newbyteorder(order))
        if self.kind == "torch.BFloat16Storage":
            self.numbers = (self.numbers.astype("<u4") << 16).view("<f4")

    def finish(self) -> np.ndarray:
        if self.numbers is None:
            raise WeightsError("a storage of its tensors is missing.")
        return self.numbers


@dataclass(frozen=True)
class Part:
    """A stretch of a storage that an old file treats as a storage of its own."""

    storage: Storage
    offset: int
    count: int


@dataclass(frozen=True)
class Tensor:
    """A view of a storage."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def finish(self) -> np.ndarray:
        numbers = self.storage.finish()[self.offset :]
        strides = [stride * numbers.itemsize for stride in self.strides]
        return as_strided(numbers, self.shape, strides, writeable=False)


def tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    """Stand for torch._utils._rebuild_tensor_v2."""
    first = 0
    if isinstance(storage, Part):
        first, count, storage = storage.offset, storage.count, storage.storage
    elif isinstance(storage, Storage):
        count = storage.count
    else:
        raise WeightsError("its pickle is damaged: a tensor has no storage.")
    fits = sizes(shape) and sizes(strides) and sizes((offset,))
    if not fits or len(shape) != len(strides):
        raise WeightsError("its pickle is damaged: a tensor's shape is malformed.")
    _check_within(offset, shape, strides, count)
    return Tensor(storage, first + offset, shape, strides)


def parameter(data: Any, *_: Any) -> Any:
    """Stand for torch._utils._rebuild_parameter."""
    return data


def _check_within(
    offset: int, shape: tuple[int, ...], strides: tuple[int, ...], count: int
) -> None:
    pairs = list(zip(shape, strides, strict=True))
    empty = 0 in shape
    last = offset if empty else offset + sum((n - 1) * s for n, s in pairs)
    if last > count or (last == count and not empty):
        raise WeightsError(f"a tensor of the shape {shape} reaches beyond its storage.")
    if not empty and (_overlaps(pairs) or math.prod(shape) > count + REPEATED):
        raise WeightsError(f"a tensor of the shape {shape} uses numbers many times.")


def _overlaps(pairs: list[tuple[int, int]]) -> bool:
    """Say whether two places of a view are one number, other than by stride 0."""
    reach = 0
    for stride, size in sorted((s, n) for n, s in pairs if n > 1 and s):
        if stride <= reach:
            return True
        reach += stride * (size - 1)
    return False


class Storages:
    """The storages of one file by key, as its persistent ids speak of them."""

    def __init__(self):
        self.found: dict[str, Storage] = {}

    def __call__(self, identity: Any) -> Storage | Part:
        if not isinstance(identity, tuple) or len(identity) not in (5, 6):
            raise WeightsError("its pickle refers to something that is no storage.")
        word, kind, key, place, count = identity[:5]
        if word != "storage" or not isinstance(kind, Name) or kind.name not in STORAGES:
            raise WeightsError("its pickle refers to something that is no storage.")
        words = isinstance(key, str) and isinstance(place, str)
        if not words or not sizes((count,)):
            raise WeightsError("its pickle is damaged: a storage is malformed.")
        storage = self.found.setdefault(key, Storage(kind.name, count))
        if (storage.kind, storage.count) != (kind.name, count):
            raise WeightsError(f"its pickle describes the storage {key[:40]!r} twice.")
        return _part(storage, identity[5]) if identity[5:] else storage


def _part(storage: Storage, view: Any) -> Storage | Part:
    if view is None:
        return storage
    if not isinstance(view, tuple) or len(view) != 3 or not sizes(view[1:]):
        raise WeightsError("its pickle is damaged: a storage is malformed.")
    _, offset, count = view
    if offset + count > storage.count:
        raise WeightsError("a part of a storage reaches beyond it.")
    return Part(storage, offset, count)


# --- files --------------------------------------------------------------------

TENSORS: Names = {
    **dict.fromkeys(STORAGES),
    "torch._utils._rebuild_tensor_v2": tensor,
    "torch._utils._rebuild_parameter": parameter,
}
NAMES: Names = {**PLAIN, **NUMPY, **TENSORS}


def read_zip(archive: memoryview, budget: Budget) -> Any:
    """Return what the zip file that torch.save wrote holds."""
    found = members(archive)
    roots = [name for name in found if name.endswith("/data.pkl")]
    if len(roots) != 1:
        raise WeightsError("it is a zip archive, but none of torch.save's.")
    folder = roots[0].removesuffix("data.pkl")
    storages = Storages()
    stream = BytesIO(found[roots[0]].read())
    graph = interpret(stream, NAMES, budget, storages)
    order = _byte_order(found.get(folder + "byteorder"))
    for key, storage in storages.found.items():
        name = f"{folder}data/{key}"
        if name not in found:
            raise WeightsError(f"its member {name[:80]!r} is missing.")
        storage.fill(found[name].read(), order)
    return plain(graph)


def _byte_order(member: Member | None) -> Order:
    orders: dict[bytes, Order] = {b"little": "<", b"big": ">"}
    word = b"little" if member is None else bytes(member.read())
    if word not in orders:
        raise WeightsError(f"its byte order {word[:20]!r} is unknown.")
    return orders[word]


def read_pickle(file: Bytes, budget: Budget) -> Any:
    """Return what a pickle holds, or what torch's old format keeps behind pickles."""

    read: dict[int, tuple[bytes, Storage | Part]] = {}  # keeps the bytes, so their id

    def nested(data: Any) -> Storage | Part:
        if not isinstance(data, bytes):
            raise WeightsError("its pickle is damaged: a storage is no bytes.")
        if id(data) not in read:
            storage = _legacy(data, budget, TENSORS)
            if not isinstance(storage, Storage | Part):
                raise WeightsError("its pickle nests another that is no storage.")
            read[id(data)] = data, storage
        return read[id(data)][1]

    names = {**NAMES, **NETWORKS, "torch.storage._load_from_bytes": nested}
    graph = interpret(_stream(file), names, budget)
    return plain(_legacy(file, budget, NAMES) if graph == MAGIC else graph)


def _legacy(file: Bytes, budget: Budget, names: Names) -> Any:
    stream, storages = _stream(file), Storages()
    head = [plain(interpret(stream, PLAIN, budget)) for _ in range(3)]
    if head[:2] != [MAGIC, PROTOCOL] or not isinstance(head[2], dict):
        raise WeightsError("it is none of torch.save's files.")
    order: Order = "<" if head[2].get("little_endian", True) else ">"
    graph = interpret(stream, names, budget, storages)
    keys = plain(interpret(stream, PLAIN, budget))
    words = isinstance(keys, list) and all(isinstance(key, str) for key in keys)
    if not words or sorted(keys) != sorted(storages.found):
        raise WeightsError("its storages are not those that its tensors need.")
    place = stream.tell()
    for key in keys:
        place = _fill(storages.found[key], memoryview(file), place, order)
    return graph


def _fill(storage: Storage, file: memoryview, place: int, order: Order) -> int:
    """Fill the storage with the bytes at the place; return where they end."""
    (count,) = struct.unpack_from(f"{order}q", file, place)
    if count != storage.count:
        raise WeightsError("a storage has another size than its tensors were told.")
    start = place + 8
    end = start + storage.bytes
    storage.fill(file[start:end], order)
    return end


def _stream(file: Bytes) -> Any:
    if isinstance(file, bytes):
        return BytesIO(file)
    file.seek(0)
    return file
