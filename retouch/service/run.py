"""Running the service: the workers, the HTTP server, and an end in good order."""

import asyncio
import functools
import logging
import math
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import uvicorn

from retouch.errors import SettingsError
from retouch.service.api import Service
from retouch.service.connections import ACCEPTED, Connection, make_room
from retouch.service.forms import UPLOADING
from retouch.service.guard import LOOPBACK, is_loopback
from retouch.service.limits import Limits
from retouch.service.logs import Bounded
from retouch.service.worker_pool import GRACE, WorkerPool

SHORTEST = 16  # characters of a token
LINES = 1200  # of the log a minute: twice the requests that one address may make
log = logging.getLogger("retouch.service")


def write_log(level: int) -> None:
    """Write what is told from this level on to standard error, a bounded part of it."""
    handler = logging.StreamHandler()
    handler.addFilter(Bounded(LINES))
    logging.basicConfig(level=level, format="retouch: %(message)s", handlers=[handler])


def token_of(file: Path | None, host: str) -> str | None:
    """Return the token that the file holds; without one only loopback is served."""
    if file is None:
        if not is_loopback(host):
            raise SettingsError(
                f"A service that others can reach (--host {host}) needs a token. Write"
                f" {SHORTEST} characters or more to a file and name it: --token-file."
            )
        return None
    try:
        token = file.read_text("utf-8").strip()
        mode = file.stat().st_mode
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"The token file '{file}' cannot be read; it must be a text file."
        ) from error
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable():
        raise SettingsError(
            f"The token in '{file}' must be {SHORTEST} or more ASCII characters in one"
            f" line; it has {len(token)}. One is made by: openssl rand -hex 32."
        )
    if mode & stat.S_IROTH:
        log.warning("everybody on this machine can read the token; chmod 600 %s", file)
    return token


def serve(
    model: str,
    host: str,
    port: int,
    *,
    workers: int,
    token: str | None,
    limits: Limits,
    on_address: Callable[[str], object] = lambda address: None,
) -> None:
    """Serve until SIGINT or SIGTERM; what runs by then is finished.

    Args:
        on_address: is called with the address as soon as it answers.
    """
    make_room(limits)
    listener = _listener(host, port)
    with listener:
        pool = WorkerPool(model, workers, limits)
        asyncio.run(_serve(pool, listener, host, token, on_address))


async def _serve(
    pool: WorkerPool,
    listener: socket.socket,
    host: str,
    token: str | None,
    on_address: Callable[[str], object],
) -> None:
    sweeping = None
    try:
        await pool.start()
        hosts = (*LOOPBACK, host.lower()) if is_loopback(host) else ()
        service = Service(pool, pool.limits, token, hosts)
        sweeping = asyncio.create_task(service.sweep())
        address, port = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        log.info("serving on http://%s:%d", shown, port)
        server = uvicorn.Server(_config(service))
        _end_by_signals(server)
        on_address(f"http://{shown}:{port}")
        await server.serve(sockets=[listener])
    finally:
        if sweeping is not None:
            sweeping.cancel()
        await pool.close()
        log.info("stopped")


def _config(service: Service) -> uvicorn.Config:
    limits = service.limits
    # An upload, the work, and what a worker may take to see that the time is over.
    longest = UPLOADING + limits.seconds + GRACE
    return uvicorn.Config(
        service,
        http=functools.partial(Connection, limits),  # type: ignore[arg-type]
        proxy_headers=False,  # or whoever is on this machine could name any address
        backlog=ACCEPTED,
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,  # our own says less: no address, no query
        server_header=False,
        timeout_graceful_shutdown=math.ceil(longest) + 1,
        h11_max_incomplete_event_size=64 * 2**10,
    )


def _listener(host: str, port: int) -> socket.socket:
    """Return a socket that listens, or a sentence that says why there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Of this protocol alone asyncio lets answers go at once, not 40 ms later.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(ACCEPTED)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"Port {port} of '{host}' cannot be used ({error.strerror or error});"
            " choose another: --port."
        ) from error
    return listener


def _end_by_signals(server: uvicorn.Server) -> None:
    """Let signals end a server, also those that come before it minds them itself.

    As it ends it raises again what it caught: that changes nothing any more.
    """

    def end(number: int, frame: object) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
