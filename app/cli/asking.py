"""`advisor ask`: one question, one answer, with its sources."""

from __future__ import annotations

from agent.advisor import Advisor
from agent.asking import ask
from agent.context import Context
from agent.graph import make_context
from agent.settings import Settings
from agent.state import State
from app.cli.printed import print_json
from app.cli.terminal import follow, language, put
from knowledge.errors import UserError
from knowledge.wording import say


def answer(settings: Settings, words: str, thread: str | None, *, as_json: bool) -> None:
    """Print the answer; nothing of it is kept.

    Raises:
        UserError: there is no question, or no conversation of that name.
    """
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
    told = ask(words, known, context, language())
    if as_json:
        print_json(told)
    else:
        put(told.answer)
