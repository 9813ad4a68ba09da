"""The address of an embedding server, as a user writes it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, urlsplit

from knowledge.errors import UserError
from knowledge.wording import say

_SCHEMES = {"http": 80, "https": 443}
#: what stands in a path as it is (RFC 3986, 3.3); a percent sign as well, as in what is quoted already
_PLAIN = "/%:@!$&'()*+,;=~"


@dataclass(frozen=True)
class Address:
    """An http or https address without credentials, query or fragment.

    Attributes:
        root: scheme, host and port.
        path: what follows, quoted as it is sent, without a slash at its end.
    """

    root: str
    path: str
    host: str
    port: int

    @classmethod
    def read(cls, url: str) -> Self:
        """Read it; raises UserError for anything else."""
        try:
            parts = urlsplit(url.strip())
            port = parts.port or _SCHEMES.get(parts.scheme, 0)
            (parts.hostname or "").encode("idna")  # no longer and no emptier part of a name than there can be
        except ValueError as error:
            raise _wrong(url) from error
        if parts.scheme not in _SCHEMES or not parts.hostname or parts.query or parts.fragment:
            raise _wrong(url)
        if not parts.netloc.isprintable() or " " in parts.netloc:
            raise _wrong(url)
        if parts.username is not None or parts.password is not None:
            raise UserError(
                say("The address of an endpoint holds no user name or password."),
                say("Put the key into ADVISOR_ENDPOINT_API_KEY, and leave it out of the address."),
            )
        named = parts.netloc.lower()
        path = quote(parts.path.rstrip("/"), safe=_PLAIN)
        return cls(root=f"{parts.scheme}://{named}", path=path, host=parts.hostname, port=port)

    @property
    def is_here(self) -> bool:
        """Whether it is this machine, so that no text leaves it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def is_tls(self) -> bool:
        """Whether it is asked over TLS."""
        return self.root.startswith("https:")

    @property
    def authority(self) -> str:
        """Host and port as a request names them: a host's name in ASCII, the port where it is not the usual one."""
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host.encode("idna").decode()
        usual = _SCHEMES[self.root.partition(":")[0]]
        return host if self.port == usual else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """All of it."""
        return self.root + self.path


def is_address(target: str) -> bool:
    """Whether a target is named by its address, and not by a candidate's spec."""
    return "://" in target


def _wrong(url: str) -> UserError:
    return UserError(
        say("“{url}” is not the address of an endpoint.", url=url[:200]),
        say("Give an address such as {example}.", example="http://localhost:8080"),
    )
