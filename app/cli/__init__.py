"""The command line: data on standard output, progress on standard error, documented exit codes."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of the `advisor` command."""
    from app.cli.commands import make_app
    from app.cli.failures import run_to_exit_code

    sys.exit(run_to_exit_code(make_app()))
