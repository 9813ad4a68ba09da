"""What a free text was understood as, shown so that nothing is lost silently."""

from __future__ import annotations

import sys

from agent import events
from agent.asking import read_needs
from agent.descriptions import describe_change
from agent.understanding.choice import choose_understanding
from app.cli.settings import read_settings
from app.cli.terminal import follow, language, shown
from app.wording import as_text, noted_lines
from knowledge.requirements import Requirements


def understood(words: str, *, quiet: bool) -> Requirements:
    """The requirements in a free text; what was understood of it and what was not goes to standard error.

    Raises:
        RequirementsError: nothing of it was understood.
    """
    follow(words)
    found = read_needs(words, choose_understanding(read_settings()))
    if found.note is not None and not quiet:
        sys.stderr.write(shown(found.note) + "\n\n")
    changes = tuple(describe_change(change, found.requirements) for change in found.changes)
    noted = events.Noted(requirements=found.requirements, changes=changes, ignored=found.ignored)
    if not quiet:
        sys.stderr.write(as_text(noted_lines(noted, language())) + "\n\n")
    return found.requirements
