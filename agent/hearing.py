"""What a message means for the conversation as it stands: for the open question, the plan and the data."""

from __future__ import annotations

import re

from agent import interview
from agent.judging import is_pair
from agent.state import State
from agent.understanding.base import Asked, Understood
from tools.data_source import STDLIB, DataSource, exists

#: a question is put so often at most: to who greets, and to who answers it with questions
_AFTER_GREETINGS, _AFTER_QUESTIONS = 2, 8
#: what is kept of what the user wrote: characters of a message, and messages
_HEARD, _MOST_HEARD = 500, 12
#: markup, and not "fewer than": p95 <100 ms
_TAG = re.compile(r"<[^<>\s\d=][^<>]*>")


def asked_of(state: State) -> Asked | None:
    """What the message answers: the open question, or the requirement that the user's door says it is about."""
    about = state.get("about")
    return interview.asked_about(about) if about else state.get("asked")


def read_choice(found: Understood, text: str, asked: Asked | None, *, stopped: bool) -> Understood:
    """What was understood; of an answer about the plan or the data, picked by number or label, its meaning."""
    if stopped and found.intent == "decide":  # as to the plan: an answer without measuring
        return found.model_copy(update={"intent": "decline"})
    if asked is None or asked.about not in ("plan", "data") or found.intent == "question":
        return found
    choice = interview.picked(text, asked)
    if asked.about == "data":
        declines = choice is not None or found.intent in ("decline", "decide")
        return found.model_copy(update={"answered": True}) if declines else found
    if choice and choice.parameters:
        return found.model_copy(update={"intent": choice.parameters["value"]})
    # "just decide", said to the plan, asks for an answer without measuring
    return found.model_copy(update={"intent": "decline"}) if found.intent == "decide" else found


def without_markup_paths(found: Understood, text: str) -> Understood:
    """What was understood, without a path that is only part of a tag: ``</script>`` names no data."""
    path = found.data_path
    if path is None or path not in text or path in _TAG.sub(" ", text):
        return found
    said_more = found.changes or found.answered or found.indifferent_to
    unknown = found.intent == "inform" and not said_more
    return found.model_copy(update={"data_path": None, "intent": "unknown" if unknown else found.intent})


def supposes(found: Understood) -> bool:
    """Whether it asks what would be, and so changes nothing."""
    return found.question is not None and found.question.kind == "what_if"


def noticed(found: Understood, state: State) -> State:
    """What a message says of the conversation itself: what stays open, does not matter, or is over."""
    update = State(asked=still_open(found, state), heard=_heard(found, state))
    if found.indifferent_to and not supposes(found):
        update |= State(settled=sorted({*(state.get("settled") or ()), *found.indifferent_to}))
    if found.intent == "decide":
        update |= State(decided=True)
    elif found.intent == "decline" and state.get("status") == "stopped":
        update |= State(reading=None)  # nor is data read that a stop kept from being read
    if found.intent != "question":
        update |= State(more=None)  # it was about what is changed now, or answered long ago
    return update


def _heard(found: Understood, state: State) -> list[str]:
    """The latest messages that say something, with this one."""
    heard, text = state.get("heard") or [], (state.get("message") or "").strip()[:_HEARD]
    return heard if found.intent == "question" or not text else [*heard, text][-_MOST_HEARD:]


def still_open(found: Understood, state: State) -> Asked | None:
    """The question that still waits for its answer: after a question back or a greeting, and not for ever."""
    asked = state.get("asked")
    if asked is not None and state.get("about") not in (None, asked.about):
        return asked  # it was said beside the question
    if asked is None or found.answered or (found.changes and not supposes(found)):
        return None
    put = (state.get("asked_before") or []).count(asked.about)
    if found.intent == "question" and (put < _AFTER_QUESTIONS or asked.about in interview.CONSENTS):
        return asked
    if asked.about in interview.CONSENTS or is_pair(asked.about):
        return None if found.intent in ("confirm", "decline", "stop") else asked
    # What could not be read is not asked for again: it is assumed, and said to be.
    return asked if found.intent == "greeting" and put < _AFTER_GREETINGS else None


def named_data(found: Understood, asked: Asked | None, text: str) -> DataSource | None:
    """The dataset a message names: a path anywhere, or an answer to the question for it."""
    if asked and asked.about == "data":
        choice = interview.picked(text, asked)
        if text.strip().lower() == STDLIB or (choice and choice.parameters):
            return DataSource(path=STDLIB, documents=1500, queries=300)
        if not found.data_path and not found.answered and exists(text.strip()):
            return DataSource(path=text.strip())
    return DataSource(path=found.data_path) if found.data_path else None
