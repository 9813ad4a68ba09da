"""Which question to ask next: the one whose answer could change the shortlist most, or none."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from agent.understanding.base import Asked
from knowledge.catalog import Catalog
from knowledge.constraints import CONSTRAINTS, Answer, make_constraint
from knowledge.errors import NothingLeftError
from knowledge.requirements import Requirements, Slot
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


def question_text(about: str) -> Text:
    """The question about a slot or a constraint's kind."""
    if about == "data":
        return say(
            "Where is your data? A folder or file with documents, and with queries and judgments if you have them."
        )
    return SLOT_QUESTIONS[about][0] if about in SLOT_QUESTIONS else CONSTRAINTS[about].question


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
    worth = [
        (_change(requirements, about, answers, catalog, scores), about, answers)
        for about, answers in _open(requirements, asked)
    ]
    best = max(worth, key=lambda entry: entry[0], default=None)
    if best and best[0] >= WORTH_ASKING and len(asked - {"data"}) < MOST_QUESTIONS:
        return Asked(about=best[1], answers=best[2])
    if not has_data and "data" not in asked:
        return Asked(
            about="data",
            answers=(
                Answer(label=say("I have none yet"), parameters=None),
                Answer(label=say("Try it with a sample (Python's documentation)"), parameters={"value": "stdlib"}),
            ),
        )
    return None


def _open(requirements: Requirements, asked: set[str]) -> Iterable[tuple[str, tuple[Answer, ...]]]:
    known = {constraint.kind for constraint in requirements.constraints if constraint.origin != "assumed"}
    slots = (
        (name, answers)
        for name, (_, answers) in SLOT_QUESTIONS.items()
        if getattr(requirements, name) is None or getattr(requirements, name).origin == "assumed"
    )
    constraints = ((kind, made.answers) for kind, made in CONSTRAINTS.items() if kind not in known)
    return [(about, answers) for about, answers in chain(slots, constraints) if answers and about not in asked]


def _change(
    requirements: Requirements, about: str, answers: tuple[Answer, ...], catalog: Catalog, scores: Scores
) -> float:
    """Expected share of the shortlist that an answer would replace, all answers being equally likely."""
    today = _list(requirements, catalog, scores)
    changes = []
    for answer in answers:
        after = _list(_answered(requirements, about, answer), catalog, scores)
        changes.append(1 - len(today & after) / max(len(today), len(after), 1))
    return sum(changes) / len(changes)


def _answered(requirements: Requirements, about: str, answer: Answer) -> Requirements:
    if about in SLOT_QUESTIONS:
        value = answer.parameters["value"] if answer.parameters else None
        return requirements.model_copy(update={about: Slot(value=value)}) if value else requirements
    if answer.parameters is None:
        return requirements.without_constraint(about)
    return requirements.with_constraint(make_constraint(about, **answer.parameters))


def _list(requirements: Requirements, catalog: Catalog, scores: Scores) -> set[str]:
    try:
        return {pick.model for pick in shortlist(requirements, catalog, scores, LIST_LENGTH).kept}
    except NothingLeftError:
        return set()
