"""What was found out about faces, kept while their photos are in use."""

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

from retouch.geometry import Face

KEPT = 32  # faces
T = TypeVar("T")


class Memory(Generic[T]):
    """Finds something out about a face of a photo; once, if it is asked for again."""

    def __init__(self, find: Callable[[NDArray[Any], Face], T]) -> None:
        self._find = find
        self._known: OrderedDict[tuple[int, bytes], tuple[Any, T]] = OrderedDict()

    def __call__(self, pixels: NDArray[Any], face: Face) -> T:
        """Return what is found; pixels that may yet be written to are not known."""
        if pixels.flags.writeable:
            return self._find(pixels, face)
        key = id(pixels), face.landmarks.tobytes()
        known = self._known.get(key)
        if known is None or known[0]() is not pixels:  # its place was taken by another
            known = weakref.ref(pixels), self._find(pixels, face)
        self._keep(key, known)
        return known[1]

    def share(self, pixels: NDArray[Any], face: Face, other: Face) -> None:
        """Take what is known of a face for another, which is the same by and large."""
        known = self._known.get((id(pixels), face.landmarks.tobytes()))
        if known is not None and known[0]() is pixels:
            self._keep((id(pixels), other.landmarks.tobytes()), known)

    def _keep(self, key: tuple[int, bytes], known: tuple[Any, T]) -> None:
        self._known[key] = known
        self._known.move_to_end(key)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
