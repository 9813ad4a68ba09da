"""Answers to follow-up questions, from what was found and measured; nothing is made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.note_answers import from_notes, not_known
from agent.understanding.base import Question, Understood
from agent.understanding.language import detect_language
from knowledge.errors import NothingLeftError, UnknownModelError
from knowledge.guidance import load_notes
from knowledge.model_card import ModelCard
from knowledge.results import Plan, Recommendation, Row, Shortlist
from knowledge.wording import Text, join, say
from tools.guidance import without_asking
from tools.recommend import p_text
from tools.shortlist import shortlist

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State
    from tools.guidance import LookUp

LINES = Text(template="\n")
#: fewer characters than this without a space are one word
_ONE_WORD, _ONE_WORD_ZH = 20, 5


def answer(understood: Understood, state: State, context: Context) -> Text:
    """The answer to a question."""
    question = understood.question
    kind = question.kind if question else "other"
    models = question.models if question else ()
    if kind == "what_if":
        return _what_if(understood, state, context)
    if kind in ("why_not", "show_model", "compare") and models:
        return join([_about(name, kind, state, context) for name in models], LINES)
    if kind == "why" and (state.get("recommendation") or not _known(question, context)):
        return _why(state.get("recommendation"))
    return _of_knowledge(question.words if question else "", state, context)


def as_question_of_knowledge(understood: Understood, text: str, context: Context) -> Understood:
    """A message that says nothing else, such as "ColBERT" or "ndcg 怎么看", as a question where the notes have it."""
    if understood.intent != "unknown" or understood.answered or understood.changes:
        return understood
    words = without_asking(text)
    # "test" or "数据" alone may mean anything; "MRR" and "切块" are what notes are called
    one_word = len(words.split()) == 1 and len(words) < (_ONE_WORD_ZH if detect_language(words) == "zh" else _ONE_WORD)
    question = Question(kind="other", words=text)
    if not words or not (_names_a_note(words) if one_word else _known(question, context)):
        return understood
    return understood.model_copy(update={"intent": "question", "question": question})


def _names_a_note(word: str) -> bool:
    return any(word.casefold() == name.casefold() for note in load_notes().values() for name in note.names)


def _known(question: Question | None, context: Context) -> bool:
    return question is not None and context.guidance.look_up(question.words, 1).known


def _of_knowledge(words: str, state: State, context: Context) -> Text:
    found = context.guidance.look_up(words)
    if found.known:
        return from_notes(found, state)
    hint = say("I answer “why?”, “why not MODEL?”, “what if …?”, “compare A and B” and “tell me about MODEL”.")
    return join([not_known(found, state), hint]) if words else hint


def _why(recommendation: Recommendation | None) -> Text:
    if recommendation is None:
        return say("Nothing is decided yet.")
    return join([recommendation.headline, *recommendation.reasons, recommendation.confidence], LINES)


def _about(name: str, kind: str, state: State, context: Context) -> Text:
    measured = _row(name, state.get("recommendation"))
    try:
        card = context.catalog.card(name)
    except UnknownModelError as error:
        if measured:
            return _measured(measured)
        found = context.guidance.look_up(name)
        return from_notes(found, state) if _is_named(name, found) else join([error.cause, error.next_step])
    if kind == "show_model" and measured is None and _is_named(name, found := context.guidance.look_up(name)):
        return from_notes(found, state)
    parts = [facts(card)] if kind != "why_not" else []
    standing = _standing(card.model, state.get("shortlist") or _shortlist_so_far(state, context))
    if measured:
        parts.append(_measured(measured))
    elif standing:
        parts.append(standing)
        parts += _obstacle(card.model, state.get("plan"))
    if not parts:
        parts = [facts(card)]
    return join(parts)


def _is_named(name: str, found: LookUp) -> bool:
    """Whether the first note is about what is called so: BM25 and CLIP are kinds of models before they are models."""
    return bool(found.hits) and name.casefold() in {known.casefold() for known in found.hits[0].note.names}


def _obstacle(model: str, plan: Plan | None) -> list[Text]:
    blocked = (p for p in (plan.not_measured if plan else ()) if p.model == model and p.obstacle)
    return [say("It cannot be measured here: {reason}", reason=p.obstacle) for p in blocked if p.obstacle]


def _shortlist_so_far(state: State, context: Context) -> Shortlist | None:
    """The list as it would be with what is known now, for questions in the middle of the interview."""
    try:
        return shortlist(state["requirements"], context.catalog, context.scores)
    except NothingLeftError:
        return None


def _row(name: str, recommendation: Recommendation | None) -> Row | None:
    rows = recommendation.rows if recommendation else ()
    wanted = name.lower()
    exact = [row for row in rows if row.spec.lower() == wanted]
    # of several set-ups with this model, the plainest: the model alone before its fusions and variants
    return next(iter(exact), None) or min(
        (row for row in rows if wanted in row.spec.lower()), key=lambda row: len(row.spec), default=None
    )


def _measured(row: Row) -> Text:
    parts = [
        say(
            "{spec}: measured {value:.3f} ({low:.3f} to {high:.3f}).",
            spec=row.spec,
            value=row.quality.mean,
            low=row.quality.low,
            high=row.quality.high,
        )
    ]
    if row.excluded_by:
        parts.append(say("It is excluded: {reason}.", reason=row.excluded_by))
    elif row.standing == "winner":
        parts.append(say("It is the recommendation."))
    elif row.difference and row.standing == "worse":
        parts.append(
            say(
                "It is measurably worse than the best, by {difference:.3f} (p {p}).",
                difference=-row.difference.mean,
                p=p_text(row.p_different or 0.0),
            )
        )
    elif row.standing == "tied":
        parts.append(say("It is no worse by more than your margin, but not cheaper."))
    else:
        parts.append(say("The sample is too small to tell it from the best."))
    return join(parts)


def _standing(model: str, found: Shortlist | None) -> Text | None:
    if found is None:
        return None
    for place, pick in enumerate(found.kept, start=1):
        if pick.model == model:
            return say(
                "{model} is number {place} on the shortlist, predicted {mean:.3f} ({low:.3f} to {high:.3f}).",
                model=model,
                place=place,
                mean=pick.predicted.mean,
                low=pick.predicted.low,
                high=pick.predicted.high,
            )
    for pick in found.beside:
        if pick.model == model:
            return say(
                "{model} is measured beside the shortlist, predicted {mean:.3f} ({low:.3f} to {high:.3f}). {reason}",
                model=model,
                mean=pick.predicted.mean,
                low=pick.predicted.low,
                high=pick.predicted.high,
                reason=pick.reasons[0] if pick.reasons else "",
            )
    for rejection in found.rejected:
        if rejection.model == model:
            return say(
                "{model} is not on the shortlist ({constraint}): {reason}.",
                model=model,
                constraint=rejection.constraint,
                reason=rejection.reason,
            )
    return None


def facts(card: ModelCard) -> Text:
    """What the catalog knows of a model, in one line."""
    parts: list[Text] = []
    if card.parameters:
        parts.append(say("{count:.0f} M parameters", count=card.parameters / 1e6))
    if card.dimension:
        parts.append(say("{count} dimensions", count=card.dimension))
    if card.max_tokens:
        parts.append(say("{count} tokens", count=card.max_tokens))
    parts.append(say("licence {license}", license=card.license or "?"))
    if card.languages:
        parts.append(say("{count} languages", count=len(card.languages)))
    if card.superseded_by:
        parts.append(say("superseded by {model}", model=card.superseded_by))
    return say("{model}: {facts}.", model=card.model, facts=join(parts, Text(template=", ")))


def _what_if(understood: Understood, state: State, context: Context) -> Text:
    """The shortlist as it would be, against the one there is; what was measured stays measured."""
    if not understood.changes:
        return say("I did not understand what would be different. Say it like “what if 50 ms were enough?”.")
    try:
        after = shortlist(understood.requirements, context.catalog, context.scores)
    except NothingLeftError as error:
        return join([error.cause, error.next_step])
    before = state.get("shortlist") or shortlist(state["requirements"], context.catalog, context.scores)
    now, then = [p.model for p in before.kept], [p.model for p in after.kept]
    added, gone = [m for m in then if m not in now], [m for m in now if m not in then]
    if not added and not gone:
        return say("The shortlist would stay the same.")
    parts = [say("The shortlist would be: {models}.", models=", ".join(then))]
    if added:
        parts.append(say("New: {models}.", models=", ".join(added)))
    if gone:
        parts.append(say("Gone: {models}.", models=", ".join(gone)))
    parts.append(say("Say it without “what if” and I work with it."))
    return join(parts)
