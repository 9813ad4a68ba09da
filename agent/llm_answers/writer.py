"""An answer in a language model's words: bounded in turns, tokens and time, and shown only where the check lets it.

The templated answer is made first. It is what the model starts from, and what goes out whenever the model fails, takes
too long, costs too much, or writes something that the evidence does not have.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from agent.answering.brief import LINES
from agent.llm_answers.check import HIDDEN, Evidence, objection
from agent.llm_answers.names import Names
from agent.llm_answers.prompt import as_data, as_mistake, as_result, instructions
from agent.llm_answers.sources import sources_of
from agent.llm_answers.toolbox import Toolbox, ToolMistakeError
from agent.llm_answers.worded import Worded
from agent.understanding.addressed import addressed_from
from agent.understanding.base import Understood
from agent.understanding.lexicon import load_lexicon
from agent.understanding.llm_model import LanguageModel
from agent.understanding.utterance import readable
from knowledge.errors import AdvisorError
from knowledge.wording import Language, Text, join, say

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

LOG = logging.getLogger(__name__)
#: turns of one answer: tools may be called in all but the last
TURNS = 5
#: tools called in one turn; more are not run
CALLS = 4
#: bytes a token has at least, on average: what is counted where the provider does not say more
_BYTES = 3
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)


class _GivenUpError(Exception):
    """The model has had its turns, or its tokens; says which."""


class AnswerWriter:
    """Words answers with a language model; threads may share it.

    Args:
        most_tokens: of one answer, read and written, all turns together; the turn that goes beyond it is the last.
        clock: seconds, for the deadline of one answer, which is the model's own.
    """

    def __init__(self, model: LanguageModel, *, most_tokens: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._model, self._most_tokens, self._clock = model, most_tokens, clock
        self._names: Names | None = None

    def word(self, understood: Understood, draft: Text, state: State, context: Context) -> Worded:
        """Word the answer to a question, whose templated answer is `draft`.

        A question that was read with a note (it gives orders, or the model just failed) is not sent.
        """
        question = understood.question
        if question is None or not question.words.strip() or understood.note is not None:
            return Worded()
        names = self._names = self._names or Names(context.catalog)
        language: Language = state.get("language", "en")
        evidence = Evidence(names)
        toolbox = Toolbox(state, context, evidence)
        writing = _Writing(self, evidence, toolbox, language)
        try:
            reply = writing.reply(_shown(question.words, names), _shown(draft.render(language), names))
        except AdvisorError as error:
            note = say("This answer is in my own words. {cause} {next}", cause=error.cause, next=error.next_step)
            return Worded(None, note, writing.turns, writing.tokens)
        except _GivenUpError as error:
            LOG.debug("no worded answer: %s", error)
            note = say("This answer is in my own words: the language model came to no end.")
            return Worded(None, note, writing.turns, writing.tokens)
        against = objection(reply, evidence, language=language, chosen=_chosen(state))
        LOG.debug("worded answer: %d turns, %d tokens, objection: %r", writing.turns, writing.tokens, against)
        if against is not None:
            note = say("This answer is in my own words: the language model's did not stand up to the evidence.")
            return Worded(None, note, writing.turns, writing.tokens)
        cited = dict.fromkeys([*sources_of(draft), *toolbox.sources])
        missing = [source for source in cited if source.render(language) not in reply]
        worded = join([Text.model_validate(reply), *missing], LINES)
        return Worded(worded, None, writing.turns, writing.tokens)


class _Writing:
    """The turns of one answer."""

    def __init__(self, writer: AnswerWriter, evidence: Evidence, toolbox: Toolbox, language: Language) -> None:
        self._writer, self._evidence, self._toolbox, self._language = writer, evidence, toolbox, language
        self._until = writer._clock() + writer._model.timeout_s
        self.turns = self.tokens = 0

    def reply(self, question: str, draft: str) -> str:
        """What the model says in the end, not yet checked."""
        self._evidence.add(question)
        self._evidence.add(draft)
        schemas = self._toolbox.schemas()
        messages: list[Any] = [("system", instructions(self._language)), ("human", as_data(question, draft))]
        read = _size(instructions(self._language) + str(schemas) + messages[1][1])
        while self.turns < TURNS:
            left = self._until - self._writer._clock()
            if self.tokens + read / _BYTES > self._writer._most_tokens or left <= 0:
                raise _GivenUpError(f"{self.tokens} tokens, {left:.1f} s left")
            self.turns += 1
            message = self._writer._model.turn(messages, schemas, seconds=left)
            written = str(message.text)
            usage = message.usage_metadata or {}
            arguments = str([*message.tool_calls, *message.invalid_tool_calls])
            estimate = (read + _size(written + arguments)) // _BYTES
            self.tokens += max(usage.get("total_tokens", 0), estimate)  # some clients leave out what was read
            if not message.tool_calls and not message.invalid_tool_calls:
                return _tidy(written)
            answers = self._called(message)
            messages += [message, *answers]
            read += _size(written + arguments + "".join(answer["content"] for answer in answers))
        raise _GivenUpError(f"{self.turns} turns")

    def _called(self, message: Any) -> list[dict[str, str]]:
        """One answer a call, mistakes included: a provider wants each answered."""
        answers = []
        for number, call in enumerate([*message.tool_calls, *message.invalid_tool_calls]):
            try:
                if number >= CALLS:
                    raise ToolMistakeError(f"only {CALLS} calls a turn are run")
                found = _shown(self._toolbox.call(str(call["name"]), call["args"]), self._evidence.names)
                self._evidence.add(found)
                told = as_result(found)
            except ToolMistakeError as error:
                told = as_mistake(str(error))
            answers.append({"role": "tool", "tool_call_id": str(call["id"]), "content": told})
        return answers


def _chosen(state: State) -> list[str]:
    """What may be recommended: what was decided for, else what is left to choose from."""
    recommendation, found = state.get("recommendation"), state.get("shortlist")
    if recommendation is not None:
        return [spec for spec in (recommendation.winner, recommendation.best, *recommendation.tied) if spec]
    return [pick.model for pick in found.kept] if found else []


def _shown(text: str, names: Names) -> str:
    """The text without paths and addresses, and without the rest of a line that gives a language model orders."""
    lines = []
    for line in text.splitlines():
        order = addressed_from(line, load_lexicon())
        characters = list(line if order is None else line[:order] + HIDDEN)
        for start, end in names.outside(line[:order]):
            characters[start:end] = [HIDDEN, *[""] * (end - start - 1)]
        lines.append("".join(characters))
    return "\n".join(lines)


def _size(text: str) -> int:
    """Bytes; a model may have written half a surrogate pair, which has none."""
    return len(text.encode("utf-8", "replace"))


def _tidy(written: str) -> str:
    """The reply as it would be shown: without a thought before it, control and direction characters."""
    return "\n".join(readable(line) for line in _THOUGHT.sub("", written).strip().splitlines())
