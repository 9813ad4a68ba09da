"""The address of an embedding server, as a user writes it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from knowledge.errors import UserError
from knowledge.wording import say


@dataclass(frozen=True)
class Address:
    """An http or https address without credentials, query or fragment.

    Attributes:
        root: scheme, host and port.
        path: what follows, without a slash at its end.
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
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as error:
            raise _wrong(url) from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise _wrong(url)
        if parts.username is not None or parts.password is not None:
            raise UserError(
                say("The address of an endpoint holds no user name or password."),
                say("Put the key into ADVISOR_ENDPOINT_API_KEY, and leave it out of the address."),
            )
        named = parts.netloc.lower()
        return cls(root=f"{parts.scheme}://{named}", path=parts.path.rstrip("/"), host=parts.hostname, port=port)

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
