"""One question with its answer and what the answer rests on, for doors that ask outside a conversation."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from agent.answers import answer
from agent.note_answers import says_not_known
from agent.state import State
from agent.understanding.base import Question, QuestionKind, Understanding, Understood
from agent.understanding.rules import RuleUnderstanding
from knowledge.errors import RequirementsError, UserError
from knowledge.requirements import Requirements
from knowledge.results import Record
from knowledge.wording import Language, Text, say

if TYPE_CHECKING:
    from agent.context import Context


class CitedFigure(Record):
    """A statement with figures in it, and where they come from."""

    says: str
    title: str
    url: str | None
    date: dt.date


class CitedNote(Record):
    """A note that may answer, its score among the others, and the figures it uses."""

    id: str
    title: str
    score: float
    figures: tuple[CitedFigure, ...]


class Answered(Record):
    """A question and its answer; `known` says whether our notes, or what was found before, have what was asked."""

    question: str
    answer: str
    known: bool
    notes: tuple[CitedNote, ...]


def ask(words: str, known: State, context: Context, language: Language) -> Answered:
    """The answer to a question, from what a conversation found (`known`) and from our notes; nothing is kept.

    Raises:
        UserError: there is no question.
    """
    if not words.strip():
        raise UserError(say("There is no question."), say("Write it behind the command: advisor ask “what is nDCG?”"))
    state = State(requirements=Requirements()) | known | State(language=language)
    told = answer(_question(words, state["requirements"]), state, context)
    found = context.guidance.look_up(words)
    notes = tuple(
        CitedNote(
            id=hit.note.id,
            title=hit.note.title.in_language(language),
            score=hit.score,
            figures=tuple(CitedFigure(says=f.says, **f.source.model_dump()) for f in hit.note.figures),
        )
        for hit in found.hits
    )
    here = known.get("recommendation") is not None and not says_not_known(told)
    return Answered(question=words, answer=told.render(language), known=found.known or here, notes=notes)


def answer_about(kind: QuestionKind, state: State, context: Context, *models: str, words: str = "") -> Text:
    """The answer to a question of a known kind, in a state that has its requirements."""
    question = Question(kind=kind, models=models, words=words)
    understood = Understood(requirements=state["requirements"], intent="question", question=question)
    return answer(understood, state, context)


def read_needs(words: str, understanding: Understanding, before: Requirements | None = None) -> Understood:
    """The requirements in a free text, or those from before as it changes them.

    Raises:
        RequirementsError: nothing of it was understood, and there were none before.
    """
    found = understanding.understand(words, before or Requirements(summary=words[:500]), None)
    if before is None and not found.changes:
        raise RequirementsError(
            say("I understood no demand in “{words}”.", words=words.strip()[:80]),
            say("Name the task, languages, licence, size, latency or hosting, for example: German search, commercial."),
        )
    return found


def check_needs(words: str, understanding: Understanding) -> None:
    """Refuse a text in which no demand is understood, before work is begun for it; as `read_needs`, and cheaper.

    A language model is asked only where the rules understand nothing.
    """
    if not RuleUnderstanding().understand(words, Requirements(), None).changes:
        read_needs(words, understanding)


def _question(words: str, requirements: Requirements) -> Understood:
    """The words as a question, whatever else they could be."""
    understood = RuleUnderstanding().understand(words, requirements, None)
    if understood.question and understood.question.kind != "other":
        return understood
    return understood.model_copy(update={"intent": "question", "question": Question(kind="other", words=words)})
