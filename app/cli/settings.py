"""The settings as the command line reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.settings import Settings


def read_settings() -> Settings:
    """The settings; a wrong one is the user's to correct."""
    from pydantic import ValidationError

    from agent.settings import Settings as Made
    from app.cli.terminal import chosen_language
    from knowledge.errors import UserError
    from knowledge.wording import say

    try:
        made = Made()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UserError(
            say("The setting {name} is wrong: {why}.", name=str(first["loc"][0]), why=first["msg"]),
            say("Correct the environment variable, or unset it."),
        ) from error
    wanted = chosen_language()
    return made.model_copy(update={"language": wanted}) if wanted else made
