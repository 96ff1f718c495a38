"""Who is let in: hosts, origins, addresses that ask too often, and the token.

It stands before the application as ASGI, so that no route can be reached around it,
and puts the security headers on every answer.
"""

import hmac
import ipaddress
import json
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from retouch.service.refusals import Refused

Scope = Mapping[str, Any]

FILES = sorted(file.name for file in (Path(__file__).parent / "page").iterdir())
PAGE = {"/": "index.html", **{f"/{name}": name for name in FILES}}
OPEN = {"/healthz", *PAGE}  # what holds nothing to protect
ADDRESSES = 10_000  # whose rates are remembered
BURST = 0.25  # of a minute's requests may come at once
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
        " img-src 'self' blob: data:; media-src 'self' blob:; form-action 'none';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a service bound to the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Rates:
    """Lets each address make so many requests a minute, a quarter of them at once."""

    def __init__(self, rate: int, now: Callable[[], float] = time.monotonic):
        self.rate, self.now = rate, now
        self.burst = max(1.0, rate * BURST)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> None:
        """Count one request; raise Refused if there were too many."""
        if self.rate == 0:
            return
        key, now = _network(address), self.now()
        left, since = self._left.pop(key, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.rate / 60)
        self._left[key] = (max(0.0, left - 1), now)
        while len(self._left) > ADDRESSES:
            self._left.popitem(last=False)
        if left < 1:
            wait = max(1, math.ceil((1 - left) * 60 / self.rate))
            sentence = f"More than {self.rate} requests a minute came from your address"
            raise Refused(429, f"{sentence}; try again in {wait} s.", retry_after=wait)


def _network(address: str) -> str:
    """Return the address, or of IPv6 the network that one customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


@dataclass(frozen=True, eq=False)
class Guard:
    """The application, behind the checks; without a token everybody may ask.

    Args:
        hosts: the names under which browsers may ask; none means all. It keeps
            other sites from reaching a loopback service by a name of their own.
    """

    app: Callable[..., Any]
    rates: Rates
    token: str | None = None
    hosts: Iterable[str] = LOOPBACK

    async def __call__(
        self, scope: Any, receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # there are no web sockets here

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                had = {name for name, _ in message["headers"]}
                more = ((k.lower().encode(), v.encode()) for k, v in SECURITY.items())
                message["headers"] += [pair for pair in more if pair[0] not in had]
            await send(message)

        try:
            self._check(scope)
        except Refused as error:
            await answer(error, guarded)
        else:
            await self.app(scope, receive, guarded)

    def _check(self, scope: Scope) -> None:
        headers = {
            k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]
        }
        host = headers.get("host", "")
        if self.hosts and _name(host) not in self.hosts:
            raise Refused(421, f"This service does not answer as '{host[:80]}'.")
        origin = headers.get("origin")
        if origin is not None and _place(origin) != host.lower():
            raise Refused(403, "Pages of other sites may not use this service.")
        self.rates.take((scope["client"] or ("",))[0])
        if self.token is not None and scope["path"] not in OPEN:
            self._check_token(headers.get("authorization", ""))

    def _check_token(self, header: str) -> None:
        assert self.token is not None
        kind, _, given = header.partition(" ")
        # Digests are as long as each other, so that not even the length shows.
        both = (sha256(text.encode()).digest() for text in (given.strip(), self.token))
        right = hmac.compare_digest(*both)
        if kind.lower() != "bearer" or not right:
            raise Refused(401, "Send the service's token: Authorization: Bearer TOKEN.")


def _place(origin: str) -> str | None:
    """Return the host and port of an origin, if it is one."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def _name(host: str) -> str:
    """Return the host without its port."""
    end = host.find("]") + 1 if host.startswith("[") else host.find(":")
    return (host if end <= 0 else host[:end]).lower()


async def answer(error: Refused, send: Callable[..., Any]) -> None:
    """Answer with the error's sentence."""
    body = json.dumps({"error": error.sentence}).encode()
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        **{name.lower(): value for name, value in error.headers.items()},
    }
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    start = {"type": "http.response.start", "status": error.status, "headers": pairs}
    await send(start)
    await send({"type": "http.response.body", "body": body})
