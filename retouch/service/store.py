"""What is kept between requests: inverted faces under opaque names, for a time."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from retouch.service.limits import Limits
from retouch.service.refusals import Refused

GONE = (
    "There are no inverted faces of that id, or their time is over; send the photo to"
    " /v1/invert again."
)


@dataclass(frozen=True, eq=False)
class Held:
    """A photo as it was sent, and its inverted faces as a worker packed them."""

    photo: bytes
    state: bytes
    used: float

    @property
    def size(self) -> int:
        return len(self.photo) + len(self.state)


class Store:
    """Holds a bounded number of bytes in memory; the longest unused goes first."""

    def __init__(
        self,
        limits: Limits,
        on_drop: Callable[[str], None] = lambda name: None,
        now: Callable[[], float] = time.monotonic,
    ):
        self.limits, self.on_drop, self.now = limits, on_drop, now
        self._held: OrderedDict[str, Held] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    @property
    def size(self) -> int:
        """The bytes that are held."""
        return sum(held.size for held in self._held.values())

    @staticmethod
    def name() -> str:
        """Return a name that nobody can guess."""
        return secrets.token_urlsafe(16)

    def put(self, name: str, photo: bytes, state: bytes) -> None:
        """Hold a photo and its inverted faces."""
        self._held[name] = Held(photo, state, self.now())
        limits = self.limits
        while len(self) > limits.keep_count or self.size > limits.keep_bytes:
            self.drop(next(iter(self._held)))

    def get(self, name: str) -> Held:
        """Return what is held, whose time then begins anew."""
        self.sweep()
        held = self._held.get(name)
        if held is None:
            raise Refused(404, GONE)
        self._held[name] = Held(held.photo, held.state, self.now())
        self._held.move_to_end(name)
        return held

    def drop(self, name: str) -> None:
        """Let go of what is held under a name."""
        if self._held.pop(name, None) is None:
            raise Refused(404, GONE)
        self.on_drop(name)

    def sweep(self) -> None:
        """Let go of all whose time is over."""
        oldest = self.now() - self.limits.keep_seconds
        for name in [n for n, held in self._held.items() if held.used < oldest]:
            self.drop(name)
