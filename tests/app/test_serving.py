"""Listening: what is common to all doors that serve HTTP."""

import asyncio
import contextlib
import socket

import pytest

from app.serving import listen
from knowledge.errors import UserError


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_what_is_answered_leaves_at_once(host):
    """A head and a body are two small packets; where the second waits, each answer takes 40 ms more."""
    try:
        listener = listen(host, 0)
    except UserError:
        pytest.skip(f"nothing listens on {host} here")
    delayed = []

    async def answer(reader, writer):
        delayed.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0)
        writer.close()

    async def ask():
        server = await asyncio.start_server(answer, sock=listener)
        async with server:
            reader, writer = await asyncio.open_connection(host, listener.getsockname()[1])
            await reader.read()
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    asyncio.run(ask())
    assert delayed == [False]


def test_an_address_that_is_taken_is_named():
    with contextlib.closing(listen("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=str(port)):
            listen("127.0.0.1", port)
