"""What is wrong with a mistyped command line, in Chinese: Typer says it in English only."""

from __future__ import annotations

import re
from collections.abc import Callable

import typer

from app.cli.terminal import shown
from knowledge.wording import Text, say

#: what Typer (0.29) writes, and how it is said here
_FORMS: tuple[tuple[str, Callable[[re.Match[str]], Text]], ...] = (
    (r"No such option: (\S+).*", lambda m: say("there is no option {name}", name=m[1])),
    (r"No such command '(.+?)'.*", lambda m: say("there is no command {name}", name=m[1])),
    (r"Missing \w+ '(.+?)'.*", lambda m: say("{name} is missing", name=m[1])),
    (r"Option '(.+?)' requires an argument.*", lambda m: say("{name} needs a value", name=m[1])),
    (
        r".* for '(.+?)'.*: Input should be greater than or equal to (\S+)",
        lambda m: say("{name} has to be at least {least}", name=m[1], least=m[2]),
    ),
    (
        r".* for '(.+?)'.*: Input should be less than or equal to (\S+)",
        lambda m: say("{name} can be at most {most}", name=m[1], most=m[2]),
    ),
    (r"Invalid value: (.+)", lambda m: Text.model_validate(m[1])),
)


def mistyped(message: str) -> Text:
    """The sentence for a message of Typer's; the message itself where it has none."""
    for form, words in _FORMS:
        found = re.fullmatch(form, message, re.DOTALL)
        if found:
            return words(found)
    return Text.model_validate(message)


def usage_error(what: Text) -> typer.BadParameter:
    """A mistake in the command line that Typer cannot see by itself."""
    return typer.BadParameter(shown(what))
