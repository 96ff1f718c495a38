"""Who is let in, before any route is reached."""

import asyncio
import json

import pytest

from retouch.errors import SettingsError
from retouch.service.guard import Guard, Rates, is_loopback
from retouch.service.refusals import Refused

TOKEN = "0123456789abcdef"


def asked(guard, path="/v1/models", client="10.0.0.1", **headers):
    """Return the status, the headers and the body of one request."""
    names = {"host": "localhost:8000", **headers}
    pairs = [(k.encode(), v.encode("latin-1")) for k, v in names.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": pairs}
    scope["client"] = (client, 1)
    said = []

    async def send(message):
        said.append(message)

    asyncio.run(guard(scope, None, send))
    body = b"".join(message.get("body", b"") for message in said)
    return said[0]["status"], dict(said[0]["headers"]), body


async def inside(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"in"})


def guard(rate=0, **options):
    return Guard(inside, Rates(rate), **options)


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "ü"]
)
def test_without_the_right_token_there_is_401_and_nothing_else(header):
    status, headers, body = asked(guard(token=TOKEN), authorization=header)
    assert status == 401 and headers[b"www-authenticate"].startswith(b"Bearer")
    assert "token" in json.loads(body)["error"]


def test_with_no_token_header_at_all_there_is_401():
    assert asked(guard(token=TOKEN))[0] == 401


def test_the_right_token_lets_in():
    assert asked(guard(token=TOKEN), authorization=f"bearer {TOKEN}")[2] == b"in"


def test_the_page_itself_and_the_health_need_no_token():
    for path in ("/", "/page.js", "/healthz"):
        assert asked(guard(token=TOKEN), path)[0] == 200
    for path in ("/metrics", "/openapi.json", "/v1/models", "/page.js/../v1/models"):
        assert asked(guard(token=TOKEN), path)[0] == 401


def test_another_host_name_is_refused_as_a_rebound_one_would_be():
    assert asked(guard(), host="evil.example")[0] == 421
    assert asked(guard(), host="")[0] == 421
    for host in ("localhost", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST:1"):
        assert asked(guard(), host=host)[0] == 200
    assert asked(guard(hosts=()), host="photos.example")[0] == 200


def test_pages_of_other_sites_are_refused():
    assert asked(guard(), origin="https://evil.example")[0] == 403
    assert asked(guard(), origin="null")[0] == 403
    assert asked(guard(), origin="http://[::1")[0] == 403
    assert asked(guard(), origin="http://localhost:8000")[0] == 200


def test_every_answer_has_the_security_headers():
    for answer in (asked(guard()), asked(guard(token=TOKEN)), asked(guard(), host="x")):
        headers = answer[1]
        assert b"default-src 'none'" in headers[b"content-security-policy"]
        assert b"unsafe" not in headers[b"content-security-policy"]
        assert headers[b"x-content-type-options"] == b"nosniff"
        assert headers[b"x-frame-options"] == b"DENY"
        assert b"access-control-allow-origin" not in headers


def test_an_address_that_asks_too_often_waits_and_others_do_not():
    now = [0.0]
    rates = Rates(60, now=lambda: now[0])
    for _ in range(15):
        rates.take("10.0.0.1")
    with pytest.raises(Refused, match="60 requests a minute") as refused:
        rates.take("10.0.0.1")
    assert refused.value.status == 429 and refused.value.retry_after == 1
    rates.take("10.0.0.2")
    now[0] = 1.5
    rates.take("10.0.0.1")


def test_an_ipv6_customer_has_one_rate_for_all_addresses():
    rates = Rates(4, now=lambda: 0.0)
    rates.take("2001:db8::1")
    with pytest.raises(Refused):
        rates.take("2001:db8::2")


def test_the_addresses_remembered_are_bounded():
    rates = Rates(4, now=lambda: 0.0)
    for number in range(10_100):
        rates.take(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert len(rates._left) == 10_000


@pytest.mark.parametrize(
    ("host", "is_so"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("127.8.8.8", True),
        ("0.0.0.0", False),
        ("192.168.1.4", False),
        ("::", False),
        ("localhost.example", False),
    ],
)
def test_only_loopback_is_loopback(host, is_so):
    assert is_loopback(host) == is_so


def test_any_other_host_needs_a_token_of_some_length(tmp_path):
    from retouch.service.run import token_of

    assert token_of(None, "127.0.0.1") is None
    with pytest.raises(SettingsError, match="--token-file"):
        token_of(None, "0.0.0.0")
    file = tmp_path / "token"
    with pytest.raises(SettingsError, match="cannot be read"):
        token_of(file, "0.0.0.0")
    file.write_text("short\n")
    with pytest.raises(SettingsError, match="has 5"):
        token_of(file, "0.0.0.0")
    file.write_text(f"{TOKEN}\n")
    assert token_of(file, "0.0.0.0") == TOKEN == token_of(file, "127.0.0.1")


def test_a_token_that_everybody_can_read_is_told(tmp_path, caplog):
    from retouch.service.run import token_of

    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o600)
    token_of(file, "127.0.0.1")
    assert not caplog.messages
    file.chmod(0o644)
    assert token_of(file, "127.0.0.1") == TOKEN
    assert f"chmod 600 {file}" in caplog.text
