"""Which sentences ask, and what: "why not bge-m3?", "如果有 GPU 呢？"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.understanding.base import Question, QuestionKind
from agent.understanding.names import Names
from agent.understanding.utterance import Hit, Utterance

_MARKS = frozenset("?吗")
#: what "explain" may go on with when it asks for the reasons of a decision, and not for a term
_OF_THE_DECISION = re.compile("why|this|that|it|them|cho[io].*|decide.*|decision|recommend.*|result.*|rank.*|reason.*")
#: what asks which of two named models to take
_WEIGHS = re.compile(
    r"\b(?:better|worse|best|faster|cheaper|smaller|stronger|prefer|choose|pick|or)\b|哪个|哪一个|还是|更"
)
#: what a question begins with even where its mark is missing
_OPENINGS = frozenset(
    ("how", "who", "what is", "what's", "tell me about", "tell me more about", "explain", "describe")
) | {
    "difference between",
    "differences between",
    "什么是",
    "怎么",
    "如何",
    "介绍",
    "介绍一下",
}
#: what a Chinese question ends with
_ENDINGS = frozenset(("是什么", "区别", "差别"))

#: what is found out of texts, and the tokens that a question needs which tells so; what one about the advice speaks of
_WHOLE_QUESTIONS = {"classification": 7, "deduplication": 8, "similarity": 9}
_OF_THIS_ADVICE = frozenset(("you", "your", "they", "them", "list", "模型", "你"))
#: what says in Chinese what is to be done where something holds
_THEN = frozenset("就则那便请")


@dataclass(frozen=True)
class Sentence:
    """A sentence by its tokens and what it asks; `kind` is None where it states something or asks for a model."""

    start: int
    end: int
    kind: QuestionKind | None


def read_sentences(utterance: Utterance, names: Names) -> list[Sentence]:
    """The sentences of a message with what they ask."""
    found: list[Sentence] = []
    start = 0
    for i in range(1, len(utterance.tokens) + 1):
        if i == len(utterance.tokens) or utterance.sentences[i] != utterance.sentences[start]:
            found.append(Sentence(start, i, _kind(utterance, names, start, i)))
            start = i
    return found


def as_question(utterance: Utterance, names: Names, sentences: list[Sentence]) -> Question | None:
    """The first thing asked, with the models named in the sentences that ask."""
    asking = [s for s in sentences if s.kind]
    if not asking:
        return None
    telling = next((s for s in asking if s.kind != "other"), asking[0])
    models = dict.fromkeys(m for s in asking for m in _models(utterance, names, s.start, s.end))
    return Question(
        kind=telling.kind or "other", models=tuple(models), words=utterance.words(telling.start, telling.end)
    )


def _models(utterance: Utterance, names: Names, start: int, end: int) -> list[str]:
    first, last = utterance.span(start, end)
    return [n.text for n in names.models if first <= n.start < last]


def _kind(utterance: Utterance, names: Names, start: int, end: int) -> QuestionKind | None:
    hits = [h for i in range(start, end) for h in utterance.starting(i)]
    said = {h.category for h in hits}
    asks = any(utterance.tokens[i].text in _MARKS and i not in utterance.quoted for i in range(start, end))
    wonders = any(utterance.tokens[i].text == "呢" for i in range(max(start, end - 2), end))
    asks |= wonders
    models = _models(utterance, names, start, end)
    supposing = next((h for h in hits if h.category == "what_if"), None)
    leaves_open = supposing is not None and _leaves_open(utterance, supposing, said)
    if supposing is not None and _supposes(supposing.term, said, asks or leaves_open):
        return "what_if"
    if wonders and "correction" in said and "reconsider" not in said:  # 换成英文呢
        return "what_if"
    opening = min((h.start for h in hits if h.category in ("why", "why_not")), default=None)
    if opening is not None and not _explains_a_term(utterance, hits, models, start, end):
        return _why(said, asks, bool(models), opening == start or asks)
    opens = bool(utterance.starting(start, "compare"))
    if "compare" in said and models and (len(models) > 1 or asks or opens):
        return "compare"
    if len(models) > 1 and asks and _WEIGHS.search(utterance.words(start, end).casefold()):
        return "compare"
    if "show_model" in said and models:
        return "show_model"
    return _other(utterance, said, asks, start, end, tells=not models)


def _explains_a_term(utterance: Utterance, hits: list[Hit], models: list[str], start: int, end: int) -> bool:
    """Whether a sentence wants a term explained ("explain RRF"), not a decision ("explain", "explain the choice")."""
    if not any(hit.term == "explain" and hit.start == start for hit in hits):
        return False
    rest = {token.text for token in utterance.tokens[start + 1 : end] if token.text[0].isalnum()}
    return bool(rest or models) and not any(_OF_THE_DECISION.fullmatch(word) for word in rest)


def _supposes(term: str, said: set[str], asks: bool) -> bool:
    """Whether it is a what-if: a plain "if" also takes a question mark, and 如果 takes 呢 or 会怎样."""
    if term in ("assume", "assuming", "imagine"):
        return asks
    if term.isascii():
        return asks or term.startswith(("what", "suppos"))
    return asks or "hypothetical_end" in said


def _leaves_open(utterance: Utterance, supposing: Hit, said: set[str]) -> bool:
    """Whether a message is a Chinese "if" and no more, so that what follows is asked: 如果容差是 10 个点."""
    if supposing.term.isascii() or supposing.start or said & {"soft", "acceptable", "indifferent", "decide"}:
        return False
    spoken = [i for i, token in enumerate(utterance.tokens) if token.text[0].isalnum()]
    in_one = utterance.clauses[spoken[0]] == utterance.clauses[spoken[-1]]
    return in_one and not any(utterance.tokens[i].text in _THEN for i in spoken)


def _why(said: set[str], asks: bool, models: bool, opens: bool) -> QuestionKind | None:
    if "why_not" in said and (models or asks or opens):
        return "why_not"
    return "why" if "why" in said and opens else None


def _other(
    utterance: Utterance, said: set[str], asks: bool, start: int, end: int, *, tells: bool
) -> QuestionKind | None:
    if said & {"request", "reconsider", "decide"}:
        return None
    tasks = [hit for hit in utterance.starting(start) if hit.shaped and hit.category == "task"]
    if tasks and (not asks or (tells and _is_what_to_find_out(utterance, tasks, start, end))):
        return None  # "describe a motif -> matching sketches"
    opening = utterance.starting(start, "interrogative", "show_model", "why", "compare")
    return "other" if asks or any(h.term in _OPENINGS for h in opening) or _asks_at_its_end(utterance, end) else None


def _is_what_to_find_out(utterance: Utterance, tasks: list[Hit], start: int, end: int) -> bool:
    """Whether it asks what a model is to find out of each text: "is this comment toxic or fine?"."""
    ours = any(utterance.tokens[i].text in _OF_THIS_ADVICE for i in range(start, end))
    return not ours and any(end - start >= _WHOLE_QUESTIONS.get(hit.value, end) for hit in tasks)


def _asks_at_its_end(utterance: Utterance, end: int) -> bool:
    """Whether it ends as a Chinese question does: HNSW 是什么, 余弦和内积的区别."""
    return any(hit.term in _ENDINGS for hit in utterance.ending(end, "show_model", "compare"))
