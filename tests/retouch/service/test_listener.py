"""The socket that the service listens on."""

import asyncio
import socket

import pytest

from retouch.errors import SettingsError
from retouch.service.run import _listener


def test_an_answer_waits_for_no_sign_that_its_head_has_arrived():
    async def accepted():
        taken = asyncio.Queue()
        with _listener("127.0.0.1", 0) as listener:
            server = await asyncio.start_server(
                lambda reader, writer: taken.put_nowait(writer), sock=listener
            )
            async with server:
                _, caller = await asyncio.open_connection(*listener.getsockname())
                answer = await taken.get()
                connection = answer.get_extra_info("socket")
                told = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
                for writer in (caller, answer):
                    writer.close()
                    await writer.wait_closed()
                return told

    assert asyncio.run(accepted())


def test_a_port_that_is_taken_is_a_sentence():
    with _listener("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port} .* choose another"):
            _listener("127.0.0.1", port)
