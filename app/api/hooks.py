"""Webhooks: the end of a job, told to an address of its owner's, signed, until it is heard or given up.

Signed as Standard Webhooks has it: ``webhook-signature: v1,BASE64(HMAC-SHA256(secret, "ID.TIME.BODY"))``. A job's end
may be told twice where an answer was lost; `webhook-id` is the same then. An address is looked up once and that very
machine is called, so that a name cannot change between the check and the call; redirects are not followed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import json
import logging
import socket
import ssl
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any
from urllib.parse import SplitResult, urlsplit

from app.api.metrics import Metrics
from app.api.problems import ProblemError
from app.api.records import HookIn
from app.serving import is_loopback
from knowledge.errors import AdvisorError
from knowledge.wording import Text, say
from tools.job_store import Job, JobStore

LOG = logging.getLogger(__name__)
#: seconds to wait before each further try
PAUSES = (1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 6 * 3600.0)
#: seconds that an address may take
PATIENCE = 10.0
LOOK_EVERY = 1.0


class HookRefusedError(Exception):
    """An address that is not called; `why` is the end of a sentence."""

    def __init__(self, why: Text) -> None:
        super().__init__(why)
        self.why = why


def check_hook(hook: HookIn | None, local: bool) -> dict[str, str] | None:
    """A webhook as it is kept; a problem where its address is none that is called.

    Args:
        hook: as it was sent.
        local: whether only this machine reaches the server; then addresses of this machine are called too.
    """
    if hook is None:
        return None
    try:
        _checked(hook.url, local)
    except HookRefusedError as error:
        raise ProblemError(
            "invalid-request",
            say("The webhook's address is not called: {why}.", why=error.why),
            say("Give an https address that is reachable from everywhere, without user name and password."),
        ) from error
    return {"url": hook.url, "secret": hook.secret}


def _checked(url: str, local: bool) -> SplitResult:
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


class Hooks:
    """Tells the ends of jobs, in a thread of its own.

    Args:
        store: the jobs.
        body_of: what is told of a job.
        local: whether addresses of this machine are called too.
    """

    def __init__(self, store: JobStore, body_of: Callable[[Job], Any], metrics: Metrics, local: bool) -> None:
        self._store, self._body_of, self._metrics, self._local = store, body_of, metrics, local
        self._news, self._closing = Event(), Event()
        self._thread = Thread(target=self._serve, name="webhooks", daemon=True)

    def start(self) -> None:
        """Begin to tell."""
        self._thread.start()

    def close(self) -> None:
        """Tell no more; what is owed is told by whoever starts next."""
        self._closing.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join(PATIENCE + 1)

    def look(self) -> None:
        """There may be something to tell."""
        self._news.set()

    def _serve(self) -> None:
        while not self._closing.is_set():
            self._news.wait(LOOK_EVERY)
            self._news.clear()
            try:
                for job in self._store.owed(time.time()):
                    if self._closing.is_set():
                        return
                    self._tell(job)
            except AdvisorError as error:  # the disk is full: look again later
                LOG.error("%s", error)

    def _tell(self, job: Job) -> None:
        assert job.hook
        try:
            status = _post(job.hook["url"], self._signed(job), self._local)
            outcome = str(status)
            heard = 200 <= status < 300
        except HookRefusedError as error:
            outcome, heard = f"not called: {error.why}", False
        except (OSError, http.client.HTTPException) as error:
            outcome, heard = f"failed: {type(error).__name__}", False
        last = job.hook_tries >= len(PAUSES)
        due = None if heard or last else time.time() + PAUSES[job.hook_tries]
        self._store.tried(job.id, due=due, outcome=outcome)
        self._metrics.hook("heard" if heard else "given_up" if last else "failed")

    def _signed(self, job: Job) -> tuple[bytes, dict[str, str]]:
        assert job.hook
        body = json.dumps({"type": f"job.{job.state}", "data": self._body_of(job)}, ensure_ascii=False).encode()
        now = str(int(time.time()))
        return body, {
            "Content-Type": "application/json",
            "webhook-id": job.id,
            "webhook-timestamp": now,
            "webhook-signature": f"v1,{signature(job.hook['secret'], job.id, now, body)}",
        }


def signature(secret: str, number: str, when: str, body: bytes) -> str:
    """What proves that a body is ours."""
    signed = hmac.new(secret.encode(), f"{number}.{when}.".encode() + body, hashlib.sha256).digest()
    return base64.b64encode(signed).decode()


def _post(url: str, signed: tuple[bytes, dict[str, str]], local: bool) -> int:
    """Send it; returns the status, whatever it is."""
    parts = _checked(url, local)
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
        body, headers = signed
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
