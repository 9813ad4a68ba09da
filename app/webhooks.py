"""Webhooks: one signed message to an address, by whichever door has something to tell.

Signed as Standard Webhooks has it: ``webhook-signature: v1,BASE64(HMAC-SHA256(key, "ID.TIME.BODY"))``. The key is what
follows ``whsec_`` in a secret, from base64, as that standard's libraries read it; another secret is the key as it
stands. An address is
looked up once and that very machine is called, so that a name cannot change between the check and the call; redirects
are not followed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import json
import socket
import ssl
import time
from typing import Any
from urllib.parse import SplitResult, urlsplit

from app.serving import is_loopback
from knowledge.errors import UserError
from knowledge.wording import Text, say

#: seconds that an address may take
PATIENCE = 10.0
_PREFIX = "whsec_"


class HookRefusedError(Exception):
    """An address that is not called; `why` is the end of a sentence."""

    def __init__(self, why: Text) -> None:
        super().__init__(why)
        self.why = why


def check_secret(secret: str) -> None:
    """Refuse a secret that nothing can be signed with; raises UserError."""
    try:
        _key(secret)
    except HookRefusedError as error:
        raise UserError(
            say("The webhook's secret cannot be used: {why}.", why=error.why),
            say(
                "Give it as the reader's program has it, whsec_ and base64; or any other words, which are taken as "
                "they stand."
            ),
        ) from error


def checked(url: str, local: bool) -> SplitResult:
    """The parts of an address, as far as its words tell; names are looked up when it is called."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise HookRefusedError(say("it cannot be read")) from error
    if not host or parts.username is not None or parts.password is not None:
        raise HookRefusedError(say("it has no host, or a user name"))
    own = is_loopback(host)
    if own and not local:
        raise HookRefusedError(say("it is the server's own machine"))
    if parts.scheme != "https" and not own:
        raise HookRefusedError(say("it is not https"))
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return parts
    if not own and not _is_public(literal):
        raise HookRefusedError(say("it is in a private range"))
    return parts


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    if mapped is not None:
        return _is_public(mapped)
    if address in _NAT64:
        return _is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def signed(kind: str, data: Any, number: str, secret: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers of a message.

    Args:
        kind: what it tells, such as ``job.done``.
        data: what is to be told, as JSON has it.
        number: the same whenever the same is told.
        secret: that its reader knows.
    """
    body = json.dumps({"type": kind, "data": data}, ensure_ascii=False).encode()
    now = str(int(time.time()))
    return body, {
        "Content-Type": "application/json",
        "webhook-id": number,
        "webhook-timestamp": now,
        "webhook-signature": f"v1,{signature(secret, number, now, body)}",
    }


def signature(secret: str, number: str, when: str, body: bytes) -> str:
    """What proves that a body is ours."""
    signed = hmac.new(_key(secret), f"{number}.{when}.".encode() + body, hashlib.sha256).digest()
    return base64.b64encode(signed).decode()


def _key(secret: str) -> bytes:
    """What is signed with; raises HookRefusedError."""
    encoded = secret.removeprefix(_PREFIX)
    if encoded == secret:
        return secret.encode()
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)  # padding may be left out
    except ValueError:
        key = b""
    if not key:
        raise HookRefusedError(say("what follows whsec_ in it is not base64"))
    return key


def post(url: str, message: tuple[bytes, dict[str, str]], local: bool) -> int:
    """Send it; returns the status, whatever it is."""
    parts = checked(url, local)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed_own = local and is_loopback(host)
    for *_, address in found:
        numbers = ipaddress.ip_address(str(address[0]).partition("%")[0])
        if not (_is_public(numbers) or (allowed_own and numbers.is_loopback)):
            raise HookRefusedError(say("its name leads into a private range"))
    connection = _Pinned(host, port, str(found[0][4][0]), secure=parts.scheme == "https")
    try:
        body, headers = message
        connection.request("POST", parts._replace(scheme="", netloc="", fragment="").geturl() or "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to a numeric address, under the name that was looked up."""

    def __init__(self, host: str, port: int, address: str, *, secure: bool) -> None:
        super().__init__(host, port, timeout=PATIENCE)
        self._address, self._secure = address, secure

    def connect(self) -> None:
        """Connect to the address that was checked."""
        self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
