"""Listening: what every door that serves HTTP has in common."""

from __future__ import annotations

import ipaddress
import socket

from knowledge.errors import UserError
from knowledge.wording import Language, say

#: seconds that an idle connection is kept: longer than clients and proxies keep theirs, so that none is closed under a
#: request that is on its way
KEEP_ALIVE = 75
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

    Raises:
        UserError: the address cannot be listened on.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host.strip("[]"), port), family=family, backlog=1024)
    except OSError as error:
        raise UserError(
            say("Cannot listen on {host}, port {port}: {why}.", host=host, port=port, why=str(error.strerror or error)),
            say("Choose another with --host and --port; --port 0 takes a free one."),
        ) from error


def address_of(host: str, listener: socket.socket) -> str:
    """The address to open."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"
