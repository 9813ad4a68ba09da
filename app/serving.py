"""Listening: what every door that serves HTTP has in common."""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import socket
import sys
from collections.abc import Callable
from typing import Any, TextIO

from knowledge.errors import UserError
from knowledge.wording import Language, Text, say

#: seconds that an idle connection is kept: longer than clients and proxies keep theirs, so that none is closed under a
#: request that is on its way
KEEP_ALIVE = 75
#: glibc's number of the setting for how many heaps there are
_M_ARENA_MAX = -8
#: seconds that open pages and streams get to let go when the server is stopped; pages never do by themselves
GRACE = 2
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def is_local_name(host: str) -> bool:
    """Whether a Host header names this machine as itself; the port does not matter.

    A page from elsewhere could point its own name at this machine (DNS rebinding).
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return name.lower() in LOCAL_NAMES


def accepted(header: str | None) -> Language:
    """The first of our languages in an Accept-Language header; English where there is none."""
    weighted = []
    for position, part in enumerate((header or "").split(",")):
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighted.append((-float(weight or 1), position, tag.lower()))
        except ValueError:
            continue
    found = (tag[:2] for _, _, tag in sorted(weighted))
    return next(("zh" if tag == "zh" else "en" for tag in found if tag in ("en", "zh")), "en")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one.

    It says that it speaks TCP, and so do the connections it accepts: asyncio sends small packets at once only on such,
    and an answer's body would wait some 40 ms for the client to acknowledge its head.

    Raises:
        UserError: the address cannot be listened on.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host.strip("[]"), port), family=family, backlog=1024)
        return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listener.detach())
    except OSError as error:
        raise UserError(
            say("Cannot listen on {host}, port {port}: {why}.", host=host, port=port, why=str(error.strerror or error)),
            say("Choose another with --host and --port; --port 0 takes a free one."),
        ) from error


def keep_memory_together() -> None:
    """Have all threads share two heaps, where the C library is glibc.

    It would give each of many short-lived threads, one a message, a heap out of up to eight a core, and what is freed
    in one is no use to the others: a server grew to twice its size within minutes.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


def serve_at(
    host: str,
    listener: socket.socket,
    app: Any,
    line: Callable[[str], Text],
    language: Language,
    announce: Callable[[str], None] | None = None,
    stream: TextIO | None = None,
) -> None:
    """Tell the address, by `announce` or in a `line` of our own on a stream, and serve until interrupted."""
    import uvicorn

    address = address_of(host, listener)
    if announce:
        announce(address)
    else:
        stream = stream or sys.stdout
        stream.write(line(address).render(language) + "\n")
        stream.flush()
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE, timeout_keep_alive=KEEP_ALIVE
    )
    uvicorn.Server(config).run(sockets=[listener])


def address_of(host: str, listener: socket.socket) -> str:
    """The address to open."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"
