"""Errands that send texts to the user's language model: asked for, and done after a yes to its host."""

from __future__ import annotations

import re
from typing import Literal

from agent import interview
from agent.judging import read_reply
from agent.state import State
from agent.understanding.base import Asked
from knowledge.constraints import Answer
from knowledge.wording import Text, say

Wish = Literal["ask", "yes", "no"]
#: characters of a message that asks for an errand
_SHORT = 100


def wish_for(about: str, asks: re.Pattern[str], text: str, state: State) -> Wish | None:
    """What a message says of an errand: that it be done, or yes or no to the question; None: something else.

    Args:
        about: what the question for consent is about.
        asks: words that ask for the errand.
        text: the message.
        state: has the open question.
    """
    asked = state.get("asked")
    if asked is not None and asked.about == about:
        picked, reply = interview.picked(text, asked), read_reply(text)
        if picked is not None:
            return "yes" if picked.parameters else "no"
        if reply in ("yes", "no", "stop"):
            return "yes" if reply == "yes" else "no"
    return "ask" if len(text) <= _SHORT and asks.search(text) else None


def question_for(about: str, sending: Text) -> Asked:
    """Asks for consent; `sending` names the model, its host and how much it would get."""
    return Asked(
        about=about,
        answers=(
            Answer(label=say("Yes, send them"), parameters={"value": "yes"}),
            Answer(label=say("No, send nothing"), parameters=None),
        ),
        words=say("{sending} Shall I send them?", sending=sending),
    )
