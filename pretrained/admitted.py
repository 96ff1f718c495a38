"""The names a pickle may mention, and the plain data that each of them builds.

The list is what the published files of StyleGAN2 and its encoders need, no more.
"""

import math
from typing import Any

import numpy as np

from pretrained.pickles import Builder, Name, Names
from retouch.errors import WeightsError

NUMBERS = {"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"}


# --- containers ---------------------------------------------------------------


def ordered_dict(*arguments: Any) -> dict:
    """Stand for collections.OrderedDict and for dicts with attributes."""
    if arguments not in ((), ([],), ({},)):
        raise WeightsError("its pickle makes a dict in a way no known file does.")
    return {}


def unordered(*arguments: Any) -> Any:
    """Stand for builtins.set, whose members no weight depends on."""
    if not arguments:
        return []
    (items,) = arguments
    if not isinstance(items, list | tuple):
        raise WeightsError("its pickle makes a set of something that is no list.")
    return items


class Record:
    """An object of another's class, of which only the state is kept."""

    def __init__(self):
        self.state: dict[str, Any] = {}

    def set_state(self, state: Any) -> None:
        if not isinstance(state, dict):
            raise WeightsError("its pickle is damaged: an object's state is no dict.")
        self.state = state

    def finish(self) -> dict[str, Any]:
        return self.state


def persistent_object(meta: Any) -> Record:
    """Stand for an object that carries its source code; the code is dropped."""
    if not isinstance(meta, dict) or not isinstance(meta.get("state"), dict):
        raise WeightsError("its pickle is damaged: an object has no state.")
    record = Record()
    record.set_state({"class_name": meta.get("class_name"), "state": meta["state"]})
    return record


# --- NumPy --------------------------------------------------------------------


class Kind:
    """A dtype: a plain kind of number in little-endian order."""

    def __init__(self, code: Any, *_: Any):
        if not isinstance(code, str) or code not in NUMBERS:
            raise WeightsError("its pickle holds an array of something but numbers.")
        self.code = np.dtype(f"<{code}")

    def set_state(self, state: Any) -> None:
        order = "|" if self.code.itemsize == 1 else "<"
        if not isinstance(state, tuple) or state[:5] != (3, order, None, None, None):
            raise WeightsError("its pickle holds an array of an unusual kind.")


class Array:
    """An array that is filled after it was made."""

    def __init__(self, kind: Any, *_: Any):
        if not isinstance(kind, Name) or kind.name != "numpy.ndarray":
            raise WeightsError("its pickle makes an array that is no numpy.ndarray.")
        self.array: np.ndarray | None = None

    def set_state(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5 or self.array is not None:
            raise WeightsError("its pickle is damaged: an array's state is malformed.")
        _, shape, kind, columns_first, data = state
        if not sizes(shape):
            raise WeightsError("its pickle is damaged: an array's shape is malformed.")
        flat = _numbers(kind, data)
        if math.prod(shape) != flat.size:
            raise WeightsError(
                f"its pickle declares an array of the shape {shape}"
                f" and gives {flat.size} numbers."
            )
        if columns_first:
            self.array = flat.reshape(shape[::-1]).T
        else:
            self.array = flat.reshape(shape)

    def finish(self) -> np.ndarray:
        if self.array is None:
            raise WeightsError("its pickle is damaged: an array was never filled.")
        return self.array


def scalar(kind: Any, data: Any) -> float | int | bool:
    """Stand for one number of NumPy's."""
    value = _numbers(kind, data)
    if value.size != 1:
        raise WeightsError("its pickle is damaged: a number has no or many values.")
    return value[0].item()


def sizes(shape: Any) -> bool:
    """Say whether a shape is a short tuple of whole numbers of at least 0."""
    return (
        isinstance(shape, tuple)
        and len(shape) <= 16
        and all(type(size) is int and 0 <= size < 2**48 for size in shape)
    )


def _numbers(kind: Any, data: Any) -> np.ndarray:
    if not isinstance(kind, Kind) or not isinstance(data, bytes):
        raise WeightsError("its pickle holds an array of something but numbers.")
    if len(data) % kind.code.itemsize:
        raise WeightsError("its pickle is damaged: an array ends within a number.")
    return np.frombuffer(data, kind.code)


# --- the list -----------------------------------------------------------------

PLAIN: Names = {
    "collections.OrderedDict": ordered_dict,
    "builtins.set": unordered,
    "__builtin__.set": unordered,
    "dnnlib.util.EasyDict": ordered_dict,
}
NUMPY: Names = {
    "numpy.ndarray": None,
    "numpy.dtype": Kind,
    "numpy.core.multiarray._reconstruct": Array,
    "numpy._core.multiarray._reconstruct": Array,
    "numpy.core.multiarray.scalar": scalar,
    "numpy._core.multiarray.scalar": scalar,
}
NETWORKS: dict[str, Builder | None] = {
    "dnnlib.tflib.network.Network": Record,
    "torch_utils.persistence._reconstruct_persistent_obj": persistent_object,
}
