"""`advisor ask`: one question, one answer, with its sources."""

from __future__ import annotations

import json
import sys

from agent.advisor import Advisor
from agent.answers import answer as answer_of
from agent.context import Context
from agent.graph import make_context
from agent.settings import Settings
from agent.state import State
from agent.understanding.base import Question, Understood
from agent.understanding.rules import RuleUnderstanding
from app.cli.terminal import follow, language, shown
from knowledge.errors import UserError
from knowledge.requirements import Requirements
from knowledge.wording import Text, say
from tools.guidance import LookUp


def answer(settings: Settings, words: str, thread: str | None, *, as_json: bool) -> None:
    """Print the answer; nothing of it is kept.

    Raises:
        UserError: there is no question, or no conversation of that name.
    """
    if not words.strip():
        raise UserError(say("There is no question."), say("Write it behind the command: advisor ask “what is nDCG?”"))
    follow(words)
    if thread is None:  # nothing of a conversation is needed, so the user's folder need not be writable
        context = make_context(settings)
        try:
            _answer(words, State(), context, as_json=as_json)
        finally:
            context.guidance.close()
        return
    with Advisor(settings) as advisor:
        state = advisor.state(thread)
        if not state:
            raise UserError(
                say("There is no conversation called “{name}”.", name=thread[:100]),
                say("Leave --thread out, or start it with: advisor chat --thread NAME."),
            )
        _answer(words, state, advisor.context, as_json=as_json)


def _answer(words: str, known: State, context: Context, *, as_json: bool) -> None:
    state = State(requirements=Requirements()) | known | State(language=language())
    understood = _question(words, state["requirements"])
    told = answer_of(understood, state, context)
    if as_json:
        _print_json(words, told, context.guidance.look_up(words))
    else:
        sys.stdout.write(shown(told) + "\n")


def _question(words: str, requirements: Requirements) -> Understood:
    """The words as a question, whatever else they could be."""
    understood = RuleUnderstanding().understand(words, requirements, None)
    if understood.question and understood.question.kind != "other":
        return understood
    return understood.model_copy(update={"intent": "question", "question": Question(kind="other", words=words)})


def _print_json(words: str, told: Text, found: LookUp) -> None:
    notes = [
        {
            "id": hit.note.id,
            "title": hit.note.title.in_language(language()),
            "score": hit.score,
            "figures": [{"says": figure.says, **figure.source.model_dump(mode="json")} for figure in hit.note.figures],
        }
        for hit in found.hits
    ]
    printed = {"question": words, "answer": shown(told), "known": found.known, "notes": notes}
    sys.stdout.write(json.dumps(printed, ensure_ascii=False, indent=2) + "\n")
