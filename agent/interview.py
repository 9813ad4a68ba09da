"""Which question to ask next: the one whose answer could change the shortlist most, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from agent.understanding.base import Asked
from knowledge.catalog import Catalog
from knowledge.constraints import CONSTRAINTS, Answer, make_constraint
from knowledge.errors import NothingLeftError
from knowledge.requirements import Requirements
from knowledge.scores import Scores
from knowledge.wording import Text, say
from tools.shortlist import shortlist

#: at most this many questions about the requirements; after them the rest is assumed and said
MOST_QUESTIONS = 4
#: an answer that moves less than this share of the list is not worth a question
WORTH_ASKING = 0.15
LIST_LENGTH = 5

#: questions about the use case itself, which no constraint asks
SLOT_QUESTIONS: dict[str, tuple[Text, tuple[Answer, ...]]] = {
    "task": (
        say("What will the embeddings be used for?"),
        (
            Answer(label=say("Semantic search"), parameters={"value": "search"}),
            Answer(label=say("Question answering (RAG)"), parameters={"value": "rag"}),
            Answer(label=say("Classification"), parameters={"value": "classification"}),
            Answer(label=say("Clustering"), parameters={"value": "clustering"}),
            Answer(label=say("Recommendation"), parameters={"value": "recommendation"}),
        ),
    ),
}

#: asks where the data is, after the questions about the requirements
DATA = Asked(
    about="data",
    answers=(
        Answer(label=say("I have none yet"), parameters=None),
        Answer(label=say("Try it with a sample (Python's documentation)"), parameters={"value": "stdlib"}),
    ),
)
#: asks for consent to what the plan shows
PLAN = Asked(
    about="plan",
    answers=(
        Answer(label=say("Yes, measure"), parameters={"value": "confirm"}),
        Answer(label=say("No, decide without"), parameters={"value": "decline"}),
    ),
)


def question_text(about: str) -> Text:
    """The question about a field, a constraint's kind, the data or the plan."""
    if about == "data":
        return say(
            "Where is your data? A folder or file with documents, and with queries and judgments if you have them."
        )
    if about == "plan":
        return say("Shall I measure them now?")
    return SLOT_QUESTIONS[about][0] if about in SLOT_QUESTIONS else CONSTRAINTS[about].question


def picked(text: str, asked: Asked) -> Answer | None:
    """The suggested answer that a message picks by its number or by its label, in either language."""
    said = text.strip().casefold()
    number = said.rstrip(".。)）")
    if number.isdecimal() and len(number) < 3 and 1 <= int(number) <= len(asked.answers):
        return asked.answers[int(number) - 1]
    labels = (
        (answer, {answer.label.render(language).casefold() for language in ("en", "zh")}) for answer in asked.answers
    )
    return next((answer for answer, written in labels if said in written), None)


def next_question(
    requirements: Requirements, asked_before: Iterable[str], has_data: bool, catalog: Catalog, scores: Scores
) -> Asked | None:
    """The question worth most now, or None when no open answer would change the outcome.

    Args:
        requirements: what is known.
        asked_before: what was asked already; nothing is asked twice.
        has_data: whether a dataset was given; without one, the last question asks for it.
        catalog: where the shortlists come from.
        scores: what they are predicted from.
    """
    asked = set(asked_before)
    if len(asked - {"data"}) < MOST_QUESTIONS:
        lists = _Lists(catalog, scores)
        worth = [
            (_expected_change(requirements, about, answers, lists), about, answers)
            for about, answers in _open(requirements, asked)
        ]
        # Of two worth the same, the one that everybody can answer: all texts are in a language.
        best = max(worth, key=lambda entry: (round(entry[0], 6), entry[1] == "languages"), default=None)
        if best and best[0] >= WORTH_ASKING:
            return Asked(about=best[1], answers=best[2])
    return None if has_data or "data" in asked else DATA


def _open(requirements: Requirements, asked: set[str]) -> Iterable[tuple[str, tuple[Answer, ...]]]:
    known = {constraint.kind for constraint in requirements.constraints if constraint.origin != "assumed"}
    slots = (
        (name, answers)
        for name, (_, answers) in SLOT_QUESTIONS.items()
        if getattr(requirements, name) is None or getattr(requirements, name).origin == "assumed"
    )
    constraints = ((kind, made.answers) for kind, made in CONSTRAINTS.items() if kind not in known)
    return [(about, answers) for about, answers in chain(slots, constraints) if answers and about not in asked]


class _Lists:
    """Shortlists by requirements, each made once: many answers lead to the same one."""

    def __init__(self, catalog: Catalog, scores: Scores) -> None:
        self._catalog, self._scores = catalog, scores
        self._made: dict[str, frozenset[str]] = {}

    def models(self, requirements: Requirements) -> frozenset[str]:
        """The models of the shortlist; empty where none is left."""
        key = requirements.model_dump_json()
        if key not in self._made:
            try:
                found = shortlist(requirements, self._catalog, self._scores, LIST_LENGTH).kept
            except NothingLeftError:
                found = ()
            self._made[key] = frozenset(pick.model for pick in found)
        return self._made[key]


def _expected_change(requirements: Requirements, about: str, answers: Sequence[Answer], lists: _Lists) -> float:
    """Expected share of the shortlist that an answer would replace.

    "No demand" is taken to be as likely as all demands together: most people have few demands.
    """
    today = lists.models(requirements)
    demands = sum(answer.likelihood for answer in answers if answer.parameters is not None)
    expected = total = 0.0
    for answer in answers:
        weight = answer.likelihood if answer.parameters is not None else demands
        after = lists.models(_answered(requirements, about, answer))
        expected += weight * (1 - len(today & after) / max(len(today), len(after), 1))
        total += weight
    return expected / total


def _answered(requirements: Requirements, about: str, answer: Answer) -> Requirements:
    if about in SLOT_QUESTIONS:
        known = {name: getattr(requirements, name) for name in Requirements.model_fields}
        return (
            Requirements.model_validate(known | {about: answer.parameters["value"]})
            if answer.parameters
            else requirements
        )
    if answer.parameters is None:
        return requirements.without_constraint(about)
    return requirements.with_constraint(make_constraint(about, **answer.parameters))
