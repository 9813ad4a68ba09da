"""Answers to follow-up questions, from what was found and measured; nothing is made up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from agent.answering.asked_here import UNDECIDED, asked_here, variants
from agent.answering.brief import LINES, background, sentences_of
from agent.answering.comparison import compare_models
from agent.answering.deployment import deployment, has_encoder, on_fine_tuning
from agent.answering.measured import named, row_of
from agent.answering.migration import on_migration
from agent.answering.models import about
from agent.answering.subjects import NEEDS_ASKING, OF_VOLUME, subject_of
from agent.answering.what_if import what_if
from agent.answering.worth import worth
from agent.note_answers import from_notes, not_known
from agent.redo import asks_to_redo
from agent.understanding.base import Question, Understood
from agent.understanding.language import detect_language
from knowledge.guidance import load_notes
from knowledge.requirements import Requirements
from knowledge.results import Recommendation
from knowledge.wording import Text, join, say
from tools.guidance import without_asking

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State
    from tools.guidance import LookUp

#: fewer characters than this without a space are one word
_ONE_WORD, _ONE_WORD_ZH = 20, 5
#: what a question about cost may suppose: its answer says what it makes of it
VOLUME = frozenset({"documents", "queries_per_second", "machine_usd_per_hour"})
#: characters of a message that is one question
_SHORT = 60
#: what asks in the middle of a Chinese sentence; a long reply to a question without it is a reply
_ASKS = re.compile("怎么|如何|怎样|什么|为何|哪")
#: and what asks for a number, or for a yes
_ASKS_HERE = re.compile(
    "怎么|如何|怎样|什么|为何|哪|几|多(?:少|久|大|长|确定|有)|[吗么呢]|[?？]|能不能|可不可以|行不行|够不够|贵不贵|准不准|有没有|[给写来要].{0,3}[个段份点些]"
    r"|^\W*(?:how|what|which|when|where|who|can|could|may|is|are|do|does|will|would|should|any|show|give)\b"
    r"|^\W*(?:错别字|否定|typos?|negations?)\W*$",
    re.IGNORECASE,
)


def answer(understood: Understood, state: State, context: Context) -> Text:
    """The answer to a question."""
    question = understood.question
    kind = question.kind if question else "other"
    words = question.words if question else ""
    # "what if I sell it?" and "what about a faster one?" ask of the result, with a demand or a model they do not
    names = question is not None and kind in ("compare", "why_not") and bool(question.models)
    changed = {change.slot for change in understood.changes}
    supposes = kind == "what_if" and bool(changed) and not (subject_of(words) in OF_VOLUME and changed <= VOLUME)
    is_other = (names or supposes) and subject_of(words) in NEEDS_ASKING
    here = asked_here(question, state, context) if question and not is_other else None
    if here is not None:
        return here
    if kind == "what_if":
        return what_if(understood, state, context)
    models = named(words, question.models if question else (), state.get("recommendation"))
    if kind == "compare" and models:
        return compare_models(_with_the_recommended(models, state), words, state, context)
    if kind == "why_not" and (rows := variants(words, models, state.get("recommendation"))):
        return join([about(row.spec, kind, state, context) for row in rows], LINES)
    if kind == "why" and _lost(models, state):
        kind = "why_not"  # "why is wordllama not the winner?", "why did bm25 lose?"
    if kind in ("why_not", "show_model") and models:
        return join([about(name, kind, state, context) for name in models], LINES)
    if kind == "why" and (state.get("recommendation") or not _known(question, context)):
        return _why(state.get("recommendation"))
    return _of_knowledge(words, state, context)


def _lost(models: Sequence[str], state: State) -> bool:
    """Whether all models named are others than what is recommended."""
    recommendation = state.get("recommendation")
    won = row_of(recommendation.winner, recommendation) if recommendation and recommendation.winner else None
    return bool(won and models) and all(
        won is not row_of(name, recommendation) and name not in won.spec for name in models if won
    )


def _with_the_recommended(models: Sequence[str], state: State) -> Sequence[str]:
    """The models to compare; one alone is compared with the recommendation."""
    recommendation = state.get("recommendation")
    winner = recommendation.winner if recommendation else None
    return (*models, winner) if len(models) == 1 and winner else models


def as_question_of_knowledge(
    understood: Understood, text: str, context: Context, before: Requirements | None = None
) -> Understood:
    """A message that says nothing else, such as "ColBERT" or "ndcg 怎么看", as a question where the notes have it.

    Args:
        understood: the message as the rules or a model read it.
        text: the message.
        context: the notes.
        before: the requirements before it, once there is a decision: “give me some code” is about that then, and
            demands nothing.
    """
    if before is not None and _asks_of_the_decision(understood, text):
        question = Question(kind="other", words=text)
        asks = {"intent": "question", "answered": False, "question": question, "changes": (), "requirements": before}
        return understood.model_copy(update=asks)
    asked = understood.question
    if asked is not None and asked.kind == "other" and subject_of(asked.words) is None and subject_of(text):
        return understood.model_copy(update={"question": asked.model_copy(update={"words": text})})
    if understood.note is not None and understood.intent == "unknown":
        return understood  # all that it says are orders, which are no question either
    if _asks_of_the_conversation(understood, text):
        return understood.model_copy(
            update={"intent": "question", "answered": False, "question": Question(kind="other", words=text)}
        )
    unread = understood.intent == "unknown" or (understood.intent == "inform" and bool(_ASKS.search(text)))
    if not unread or understood.answered or understood.changes or understood.data_path or asks_to_redo(text):
        return understood
    if understood.intent == "unknown" and _ASKS.search(text):
        return understood.model_copy(update={"intent": "question", "question": Question(kind="other", words=text)})
    words = without_asking(text)
    # "test" or "数据" alone may mean anything; "MRR" and "切块" are what notes are called
    one_word = len(words.split()) == 1 and len(words) < (_ONE_WORD_ZH if detect_language(words) == "zh" else _ONE_WORD)
    question = Question(kind="other", words=text)
    if not words or not (_names_a_note(words) if one_word else _known(question, context)):
        return understood
    return understood.model_copy(update={"intent": "question", "question": question})


def asks_for_more(understood: Understood) -> bool:
    """Whether a question asks for what was left out of the last answer."""
    return understood.question is not None and subject_of(understood.question.words) == "more"


def _asks_of_the_conversation(understood: Understood, text: str) -> bool:
    """Whether the message asks about the conversation itself, such as “有多大把握”, and was read as something else."""
    if understood.changes or understood.data_path or asks_to_redo(text):
        return False
    subject = subject_of(text)
    # “the recommended one” may also pick an answer
    picks = understood.answered or understood.intent == "confirm"
    is_reply = understood.intent in ("unknown", "inform", "confirm") and not (picks and subject == "winner")
    if subject in NEEDS_ASKING and (understood.answered or not _ASKS_HERE.search(text)):
        return False
    return subject is not None and is_reply


def _asks_of_the_decision(understood: Understood, text: str) -> bool:
    """Whether a short message that was read as a demand rather asks of the decision: “show me some code”."""
    demands = bool(understood.changes) and understood.question is None and understood.data_path is None
    asks = len(text) <= _SHORT and bool(_ASKS_HERE.search(text)) and subject_of(text) in NEEDS_ASKING
    return demands and asks and not understood.answered


def _names_a_note(word: str) -> bool:
    return any(word.casefold() == name.casefold() for note in load_notes().values() for name in note.names)


def _known(question: Question | None, context: Context) -> bool:
    return question is not None and context.guidance.look_up(question.words, 1).known


def _of_knowledge(words: str, state: State, context: Context) -> Text:
    found = context.guidance.look_up(words)
    if found.known:
        found_here = _found_here(found, state, context)
        recommendation = state.get("recommendation")
        if (
            found_here
            and found.hits[0].note.evidence == "deploy"
            and recommendation
            and not has_encoder(recommendation)
        ):
            return join([found_here, background("deployment", state)], LINES)  # what the note says is about vectors
        note = from_notes(found, state)
        return join([found_here, note], LINES) if found_here else note
    if asks_to_redo(words):
        return say("A question measures nothing. Hand the data over in the conversation, and I measure on it.")
    hint = say("I answer “why?”, “why not MODEL?”, “what if …?”, “compare A and B” and “tell me about MODEL”.")
    return join([not_known(found, state), hint]) if words else hint


def _found_here(found: LookUp, state: State, context: Context) -> Text | None:
    """What this conversation's own figures answer, before the note says it in general."""
    of = found.hits[0].note.evidence
    if of == "worth":
        return worth(state, context)
    answers = {"deploy": deployment, "fine-tune": on_fine_tuning, "migrate": on_migration}
    return answers[of](state, context) if of in answers else None


def _why(recommendation: Recommendation | None) -> Text:
    if recommendation is None:
        return UNDECIDED
    sure = sentences_of(recommendation.confidence)
    first, others = recommendation.reasons[:2], recommendation.reasons[2:]
    return join([recommendation.headline, *first, *sure[:2], *others, *sure[2:]], LINES)
