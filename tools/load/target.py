"""What is put under load: anything that answers one request at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from knowledge.errors import ProviderError
from knowledge.wording import Text


class Target(Protocol):
    """An endpoint, or a candidate that runs here. Used within one event loop, by many tasks at once.

    Attributes:
        name: how reports call it; without credentials.
    """

    name: str

    async def ask(self, text: str) -> Mapping[str, float]:
        """Do one request to its end.

        Returns:
            milliseconds of its known parts by name (tokenise, queue, forward, ...); empty for a black box.

        Raises:
            AdvisorError, TimeoutError: there was no answer; a `RequestFailed` says of which kind that is.
        """
        ...

    async def close(self) -> None:
        """Let go of connections, threads and memory; called once, in the event loop that asked."""
        ...


class RequestFailed(ProviderError):
    """One request had no usable answer.

    Args:
        kind: short, the same for all of its kind, such as ``HTTP 429``: failures are counted by it.
    """

    def __init__(self, kind: str, cause: Text, next_step: Text) -> None:
        super().__init__(cause, next_step)
        self.kind = kind
