"""The web server: two pages (English, Chinese), the reports, and the guard before them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.advisor import Advisor
from agent.settings import Settings
from app.chat.guard import Guard
from app.conversations import Conversations
from app.doors import door
from app.serving import KEEP_ALIVE, address_of, is_loopback, listen
from app.uploads import Uploads
from knowledge.errors import UserError
from knowledge.wording import Language, say

if TYPE_CHECKING:
    from fastapi import FastAPI

LANGUAGES: tuple[Language, ...] = ("en", "zh")
#: seconds that open pages get to let go when the server is stopped; they never do by themselves
GRACE = 2


def serve(settings: Settings, host: str, port: int, announce: Callable[[str], None] | None = None) -> None:
    """Listen, and serve until interrupted; `announce` tells the address, in place of our own line."""
    local = is_loopback(host)
    if not local and settings.password is None:
        raise UserError(
            say("Listening on {host} lets other machines in, and no password is set.", host=host),
            say("Set ADVISOR_PASSWORD (the user name is “advisor”), or listen on 127.0.0.1."),
        )
    listener = listen(host, port)
    app = make_app(settings, local=local)
    import uvicorn

    address = address_of(host, listener)
    if announce:
        announce(address)
    else:
        where = say("The web chat is at {url} (Ctrl-C ends it).", url=address)
        sys.stdout.write(where.render(settings.language or "en") + "\n")
        sys.stdout.flush()
    config = uvicorn.Config(
        app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE, timeout_keep_alive=KEEP_ALIVE
    )
    app.state.api.start()
    try:
        uvicorn.Server(config).run(sockets=[listener])
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
    uploads = Uploads(home / "uploads")
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
