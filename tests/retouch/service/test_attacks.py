"""What strangers may try without a token, against a real service on this machine."""

import contextlib
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

from tests.retouch.service.serving import PATIENT, start, stop

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
CONNECTIONS, SECONDS, RATE = 24, 1.0, 240
HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    return tmp_path_factory.mktemp("attacked") / "log"


@pytest.fixture(scope="module")
def attacked(log):
    """The address of a service with room for few connections, and little patience."""
    words = "--connections", CONNECTIONS, "--header-seconds", SECONDS, "--rate", RATE
    process, where = start(*words, log=log)
    yield where
    assert stop(process) == 0
    assert "Traceback" not in log.read_text()


def connected(stack, address):
    parts = urlsplit(address)
    place = parts.hostname, parts.port
    found = stack.enter_context(socket.create_connection(place, PATIENT))
    found.sendall(HALF)
    return found


def ended(connection) -> bool:
    """Tell whether the other side has closed the connection; wait until it does."""
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def test_half_open_connections_are_few_and_end(attacked, log):
    before = log.stat().st_size
    with contextlib.ExitStack() as stack:
        many = [connected(stack, attacked) for _ in range(6 * CONNECTIONS)]
        start = time.monotonic()
        assert all(map(ended, reversed(many)))
        assert time.monotonic() - start < 60
    assert httpx.get(f"{attacked}/healthz", timeout=PATIENT).status_code == 200
    assert log.stat().st_size - before < 4096


def test_headers_that_trickle_in_are_not_waited_for(attacked):
    with contextlib.ExitStack() as stack:
        slow = connected(stack, attacked)
        slow.settimeout(0.1)
        for _ in range(600):
            try:
                slow.sendall(b"x")
                if slow.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            pytest.fail("the connection was kept for a minute")


def test_a_request_after_an_answered_one_is_not_waited_for_either(attacked):
    with contextlib.ExitStack() as stack:
        kept = connected(stack, attacked)
        kept.sendall(b"no\r\n\r\n")
        assert b"200 OK" in kept.recv(4096)
        kept.sendall(HALF)
        while kept.recv(4096):  # what was left of the answer, then the end
            pass


def test_an_origin_that_is_no_address_is_403(attacked):
    answer = httpx.get(f"{attacked}/healthz", headers={"Origin": "http://[::1"})
    assert answer.status_code == 403


def test_an_invented_address_does_not_evade_the_rate(attacked):
    with httpx.Client(base_url=attacked, timeout=PATIENT) as client:
        statuses = [
            client.get("/metrics", headers={"X-Forwarded-For": f"10.0.0.{i}"})
            for i in range(RATE // 2)
        ]
    assert 429 in [answer.status_code for answer in statuses]


def gone_away(address, portrait) -> bool:
    """Ask for hours of work and go away; wait first while the rate is used up."""
    form, start = {"settings": '{"steps": 5000}'}, time.monotonic()
    while time.monotonic() - start < 120:
        try:
            files = {"photo": portrait}
            answer = httpx.post(address, files=files, data=form, timeout=3.0)
        except httpx.ReadTimeout:
            return True
        assert answer.status_code == 429
        time.sleep(float(answer.headers["Retry-After"]))
    return False


def test_work_that_nobody_waits_for_is_stopped(attacked, portrait):
    assert gone_away(f"{attacked}/v1/invert", portrait)
    start, told = time.monotonic(), ""
    while "retouch_requests_admitted 0" not in told:
        assert time.monotonic() - start < 60
        time.sleep(1)
        told = httpx.get(f"{attacked}/metrics", timeout=PATIENT).text
    assert "retouch_workers_lost_total 0" in told  # it was not killed for that
