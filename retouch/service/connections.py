"""Connections that hold nothing up: so many at once, their headers in time."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from retouch.errors import SettingsError
from retouch.service.limits import Limits

ACCEPTED = 64  # connections taken in one turn, before any can be turned away
FILES = 256  # that the service has open besides


def make_room(limits: Limits) -> None:
    """Let the process have as many files open as connections need, or say it cannot.

    Where files run out, asyncio writes a traceback for each connection it cannot take.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    wanted = limits.connections + ACCEPTED + FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SettingsError(
            f"{limits.connections} connections need {wanted} open files, of which this"
            f" system allows {hard}; say less (--connections) or raise it (ulimit -Hn)."
        )
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Connection(H11Protocol):
    """A connection that ends if a request's headers take too long to arrive."""

    def __init__(self, limits: Limits, **how: Any):
        super().__init__(**how)
        self.limits = limits
        self._overdue: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.abort()
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def _watch(self) -> None:
        """Start the time when headers are awaited, stop it when they are there."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._unwatch()
        elif self._overdue is None:
            seconds = self.limits.header_seconds
            self._overdue = self.loop.call_later(seconds, self.transport.abort)

    def _unwatch(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
