"""Which question to ask next: the one whose answer could change the shortlist most, or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from agent.understanding.base import Asked
from agent.understanding.findings import SLOTS, Finding, apply
from agent.understanding.half_read import half_read
from knowledge.catalog import Catalog
from knowledge.constraints import CONSTRAINTS, Answer, make_constraint
from knowledge.constraints.hosting import HostingConstraint
from knowledge.errors import UserError
from knowledge.requirements import Requirements
from knowledge.scores import Scores
from knowledge.wording import Text, say
from tools.report.background import TASKS
from tools.shortlist import names

#: at most this many questions about the requirements, besides the one for data; then the rest is assumed and said
MOST_QUESTIONS = 4
#: an answer that moves less than this share of the list is not worth a question
WORTH_ASKING = 0.12
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

#: how large a model may be: who has named a machine or one limit has said it
_SIZE = frozenset({"hardware", "memory", "parameters"})
#: what is settled by the task: nobody waits for a query where all is compared with all
_BY_TASK = {
    "cross_modal": frozenset({"modality"}),
    "clustering": frozenset({"latency"}),
    "deduplication": frozenset({"latency"}),
}
#: from so many vectors on, storage is what an index costs, and a limit to their length is as likely as none
_MANY_VECTORS = 10_000_000
#: what is settled by where the model runs: no price and no closed weights there, or no machine of one's own
_WHERE_IT_RUNS = {
    "self_hosted": frozenset({"cost", "open_weights"}),
    "api": frozenset({"open_weights", *_SIZE}),
}

#: asks where the data is, after the questions about the requirements
DATA = Asked(
    about="data",
    answers=(
        Answer(label=say("I have none yet"), parameters=None),
        Answer(label=say("Try it with a sample (Python's documentation)"), parameters={"value": "stdlib"}),
    ),
)
#: what questions for a consent are about: they wait until they are answered
CONSENTS = frozenset({"plan", "write-queries", "judge-answers"})
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
            "Where is your data? A folder or file with documents, and with queries and judgments if you have them; to "
            "classify or cluster, texts with their classes; for likeness, duplicates or translations, pairs of texts."
        )
    if about == "plan":
        return say("Shall I measure them now?")
    return SLOT_QUESTIONS[about][0] if about in SLOT_QUESTIONS else CONSTRAINTS[about].question


def asked_about(about: str) -> Asked:
    """The question about a field or a demand that the user wants to speak of without being asked.

    Raises:
        UserError: there is none of this name.
    """
    if about not in SLOTS and about not in CONSTRAINTS:
        raise UserError(
            say("There is no requirement called {name}.", name=about[:100]),
            say("Take one of: {names}.", names=", ".join([*SLOTS, *CONSTRAINTS])),
        )
    if about in SLOT_QUESTIONS:
        return Asked(about=about, answers=SLOT_QUESTIONS[about][1])
    return Asked(about=about, answers=CONSTRAINTS[about].answers if about in CONSTRAINTS else ())


def asking(asked: Asked) -> Text:
    """The words that put a question: what was not understood of it is named."""
    question = asked.words or question_text(asked.about)
    if not asked.half_read:
        return question
    if asked.likely is not None:
        return say(
            "You wrote “{words}”. I take that to mean: {likely}. Is that right? {question}",
            words=asked.half_read,
            likely=asked.likely.label,
            question=question,
        )
    return say("You wrote “{words}”, which is not enough for me. {question}", words=asked.half_read, question=question)


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
    requirements: Requirements,
    asked_before: Iterable[str],
    has_data: bool,
    catalog: Catalog,
    scores: Scores,
    *,
    settled: Iterable[str] = (),
    heard: Iterable[str] = (),
) -> Asked | None:
    """The question worth most now, or None when no open answer would change the outcome.

    Args:
        requirements: what is known.
        asked_before: what was asked already; nothing is asked twice.
        has_data: whether a dataset was given; without one, the last question asks for it, and none comes after.
        catalog: where the shortlists come from.
        scores: what they are predicted from.
        settled: what the user said does not matter.
        heard: what the user has written so far.
    """
    asked = set(asked_before)
    lists = _lists_of(catalog, scores)
    if not lists.models(requirements):
        return None  # the demands clash, and no answer to anything else would help
    if "data" not in asked and len(asked - {"plan"}) < MOST_QUESTIONS:
        worth = [
            (_expected_change(requirements, about, answers, lists), about, answers)
            for about, answers in _open(requirements, asked | set(settled))
        ]
        # Of two worth the same, the one that everybody can answer: all texts are in a language.
        best = max(worth, key=lambda entry: (round(entry[0], 6), entry[1] == "languages"), default=None)
        if best and best[0] >= WORTH_ASKING:
            return _naming_what_was_said(best[1], best[2], heard, requirements.task.value)
    return None if has_data or "data" in asked else DATA


def _naming_what_was_said(about: str, answers: tuple[Answer, ...], heard: Iterable[str], task: str) -> Asked:
    """The question with the words that speak of it already; what they probably mean is its first answer."""
    words = CONSTRAINTS[about].questions.get(task) if about in CONSTRAINTS else None
    half = half_read(heard, about)
    likely = None if half.likely is None else _as_answer(half.likely)
    if likely is not None:
        answers = (likely, *(answer for answer in answers if answer.parameters != likely.parameters))
    return Asked(about=about, answers=answers, half_read=half.words, likely=likely, words=words)


def _as_answer(finding: Finding) -> Answer | None:
    """A finding as an answer to choose; None where it is no whole demand."""
    if finding.about in SLOTS:
        return Answer(label=TASKS[finding.value], parameters={"value": finding.value})
    demand = apply(Requirements(), [finding])[0].constraint(CONSTRAINTS[finding.about])
    return None if demand is None else Answer(label=demand.describe(), parameters=dict(finding.value))


def _open(requirements: Requirements, asked: set[str]) -> Iterable[tuple[str, tuple[Answer, ...]]]:
    known = {constraint.kind for constraint in requirements.constraints if constraint.origin != "assumed"}
    slots = (
        (name, answers)
        for name, (_, answers) in SLOT_QUESTIONS.items()
        if getattr(requirements, name) is None or getattr(requirements, name).origin == "assumed"
        if not (name == "task" and _is_searched(requirements))
    )
    # who was asked for the machine is not asked in other words how large a model may be
    settled = known | asked | _moot(requirements) | (_SIZE if asked & _SIZE else frozenset())
    constraints = (
        (kind, tuple(answer for answer in made.answers if not _is_contradicted(answer, requirements)))
        for kind, made in CONSTRAINTS.items()
        if kind not in settled
    )
    return [(about, answers) for about, answers in chain(slots, constraints) if answers and about not in asked]


def _is_searched(requirements: Requirements) -> bool:
    """Whether it needs no saying that texts are searched: words are to be found exactly as they are written."""
    return requirements.keyword_match is not None and requirements.keyword_match.value


def _moot(requirements: Requirements) -> frozenset[str]:
    """The kinds of demands that need no question, because what is known settles them."""
    hard = {constraint.kind for constraint in requirements.constraints if constraint.hard}
    moot: set[str] = set()
    hosting = requirements.constraint(HostingConstraint)
    if hosting is not None and hosting.hard:
        moot |= _WHERE_IT_RUNS[hosting.hosting]
    if "open_weights" in hard:
        moot |= {"cost"}  # nobody asks a price for what is downloaded
    if requirements.gpu is not None and not requirements.gpu.value:
        moot |= _SIZE
    if hard & {"hardware", "memory", "parameters"}:
        moot |= _SIZE
    if requirements.task.origin != "assumed":
        moot |= _BY_TASK.get(requirements.task.value, frozenset())
    return frozenset(moot)


def _is_contradicted(answer: Answer, requirements: Requirements) -> bool:
    """Whether a suggested answer names a GPU where none is, or a machine without one where there is one."""
    if requirements.gpu is None or not answer.parameters or not {"gpu_gb", "ram_gb"} & set(answer.parameters):
        return False
    return requirements.gpu.value != ("gpu_gb" in answer.parameters)


#: shortlists remembered from turn to turn; one takes about a kilobyte
_MOST_LISTS = 2000
#: what the user's words were changes no list
_WORDS: Any = {
    "summary": True,
    "constraints": {"__all__": {"because"}},
    **{name: {"because"} for name in SLOTS},
}


class _Lists:
    """Shortlists by requirements, each made once: many answers lead to the same one, and so do many turns."""

    def __init__(self, catalog: Catalog, scores: Scores) -> None:
        self._catalog, self._scores = catalog, scores
        self._made: dict[str, frozenset[str]] = {}

    def are_of(self, catalog: Catalog, scores: Scores) -> bool:
        """Whether they come from these very objects."""
        return self._catalog is catalog and self._scores is scores

    def models(self, requirements: Requirements) -> frozenset[str]:
        """The models of the shortlist; empty where none is left."""
        key = requirements.model_dump_json(exclude=_WORDS)
        known = self._made.get(key)
        if known is None:
            known = frozenset(names(requirements, self._catalog, self._scores, LIST_LENGTH))
            if len(self._made) >= _MOST_LISTS:
                self._made.clear()
            self._made[key] = known
        return known


_latest: list[_Lists] = []


def _lists_of(catalog: Catalog, scores: Scores) -> _Lists:
    """The lists made so far from these, or none yet; those from an older catalog are given up."""
    latest = next(iter(_latest), None)
    if latest is None or not latest.are_of(catalog, scores):
        latest = _Lists(catalog, scores)
        _latest[:] = [latest]
    return latest


def _expected_change(requirements: Requirements, about: str, answers: Sequence[Answer], lists: _Lists) -> float:
    """Expected share of the shortlist that an answer would replace.

    "No demand" is taken to be as likely as all demands together, times its own likelihood: most people have few.
    """
    today = lists.models(requirements)
    demands = sum(answer.likelihood for answer in answers if answer.parameters is not None)
    expected = total = 0.0
    for answer in answers:
        weight = answer.likelihood if answer.parameters is not None else demands * _silence(answer, about, requirements)
        after = lists.models(_answered(requirements, about, answer))
        expected += weight * (1 - len(today & after) / max(len(today), len(after), 1))
        total += weight
    return expected / total


def _silence(answer: Answer, about: str, requirements: Requirements) -> float:
    """How many times likelier than any demand it is that there is none."""
    many = requirements.documents is not None and requirements.documents.value >= _MANY_VECTORS
    return min(answer.likelihood, 1.0) if about == "dimension" and many else answer.likelihood


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
    # a machine with a GPU also changes what a latency demand means
    return apply(requirements.with_constraint(make_constraint(about, **answer.parameters)), ())[0]
