"""The HTTP API: the engine for other programs, under ``/v1``, in the web chat's process or alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.advisor import Advisor
    from agent.settings import Settings
    from app.api.application import Api


def make_api(advisor: Advisor, settings: Settings, *, local: bool) -> Api:
    """The API over an engine; its caller starts and closes it."""
    from app.api.application import Api

    return Api(advisor, settings, local=local)


def is_ours(path: str) -> bool:
    """Whether a path is one of the API's."""
    from app.api.application import PATHS

    return bool(PATHS.match(path))


def main(settings: Settings, *, host: str, port: int, announce: Callable[[str], None] | None = None) -> None:
    """Serve the API alone, until interrupted."""
    from app.api.alone import serve

    serve(settings, host, port, announce)
