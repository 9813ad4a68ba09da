"""The web server: two pages (English, Chinese), the reports, and the guard before them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.advisor import Advisor
from agent.settings import Settings
from app.chat.guard import Guard
from app.conversations import Conversations
from app.doors import door
from app.serving import is_loopback, keep_memory_together, listen, serve_at
from app.uploads import Uploads
from knowledge.errors import UserError
from knowledge.wording import Language, say

if TYPE_CHECKING:
    from fastapi import FastAPI

LANGUAGES: tuple[Language, ...] = ("en", "zh")


def serve(settings: Settings, host: str, port: int, announce: Callable[[str], None] | None = None) -> None:
    """Listen, and serve until interrupted; `announce` tells the address, in place of our own line."""
    local = is_loopback(host)
    if not local and settings.password is None:
        raise UserError(
            say("Listening on {host} lets other machines in, and no password is set.", host=host),
            say("Set ADVISOR_PASSWORD (the user name is “advisor”), or listen on 127.0.0.1."),
        )
    keep_memory_together()
    listener = listen(host, port)
    app = make_app(settings, local=local)
    app.state.api.start()
    try:
        serve_at(
            host,
            listener,
            app,
            lambda url: say("The web chat is at {url} (Ctrl-C ends it).", url=url),
            settings.language or "en",
            announce,
        )
    finally:
        app.state.api.close()


def make_app(settings: Settings, *, local: bool) -> FastAPI:
    """The application: ``/en/`` and ``/zh/`` are the pages, ``/reports/RUN/`` the reports, ``/v1/`` the HTTP API.

    Args:
        settings: what the environment says.
        local: whether only this machine can reach it; then other host names are refused, because a page from
            elsewhere could point its own name at this machine (DNS rebinding).
    """
    home = settings.home.expanduser()
    # both are read when gradio is imported or first used
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(home / "uploads" / "incoming")
    import gradio
    from fastapi import FastAPI

    from app.chat import files, pulse
    from app.chat.controls import Controls
    from app.chat.page import STYLE, make_page, make_theme

    advisor = Advisor(settings, reads_paths=local)
    conversations = Conversations(advisor, home)
    uploads = Uploads(home / "uploads", settings.upload_mb * 2**20)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(files.make_router(advisor.context.reports))
    app.include_router(pulse.make_router(conversations))
    for language in LANGUAGES:
        gradio.mount_gradio_app(
            app,
            make_page(Controls(conversations, uploads, language)),
            path=f"/{language}",
            footer_links=[],
            run_history=False,
            show_error=False,
            allowed_paths=[],
            max_file_size=uploads.most_bytes,
            ssr_mode=False,
            theme=make_theme(),
            css_paths=STYLE,
        )
    password = settings.password.get_secret_value() if settings.password else None
    api = door("api", "make_api")(advisor, settings, local=local)
    app.state.api = api
    app.add_middleware(
        Guard,
        local=local,
        password=password,
        language=settings.language,
        api=api.app,
        is_api=door("api", "is_ours"),
    )
    return app
