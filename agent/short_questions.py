"""Short questions that open a conversation, such as “which model for Chinese legal search on CPU?”."""

from __future__ import annotations

import re

from agent.state import State
from agent.understanding.base import Understood

#: characters of a short question
LONGEST = 300
#: what asks for a model even where the question mark is missing; “we need …” begins a description
_ASKS = re.compile(r"[?？]|^\W*(?:which|what|best)\b|哪[个款种]|什么模型|推荐", re.IGNORECASE)


def has_only_asked(state: State) -> bool:
    """Whether a conversation in which short questions are answered at once has had nothing else yet."""
    begun = state.get("asked") or state.get("asked_before") or state.get("data")
    return bool(state.get("briefly")) and not begun


def is_short_question(found: Understood, text: str, state: State) -> bool:
    """Whether a message asks something that is answered at once, where the user's door would have it so.

    A question about a term, a model or a price does; and one for a model, if it says anything of what the model is to
    do. Once the interview has begun or data was named, all belongs to that.
    """
    if not has_only_asked(state) or state.get("handed") or found.data_path or len(text) > LONGEST:
        return False
    if found.intent == "question":
        supposes = found.question is not None and found.question.kind == "what_if"
        return supposes or not found.changes  # a description with a question in it is a description
    return bool(found.changes) and _ASKS.search(text) is not None
