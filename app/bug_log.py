"""What nobody foresaw: kept in a log file, and told in one line by whichever door was open."""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
import traceback
from pathlib import Path


def write_bug_log(error: BaseException, home: Path) -> Path | None:
    """Keep the traceback under ``home/logs``; None where that cannot be written."""
    log = home.expanduser() / "logs" / f"bug-{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}.log"
    with contextlib.suppress(OSError):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("".join(traceback.format_exception(error)), "utf-8")
        return log
    return None
