"""What messages say of a requirement without saying it: "latency matters", 关于部署方式还要再看.

Whoever is asked for it then is told which words were not enough, instead of being asked as if they had said nothing.
Where those words, read as an answer to the question, would say something, that is offered to be confirmed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.understanding.findings import Finding
from agent.understanding.rules import RuleUnderstanding
from agent.understanding.utterance import Hit, Utterance

#: the categories of words that speak of a requirement besides the nouns that name it
_SPEAKING: dict[str, frozenset[str]] = {
    "hosting": frozenset({"outside", "leave", "secluded"}),
    "license": frozenset({"business", "license"}),
    "hardware": frozenset({"gpu", "edge"}),
    "cost": frozenset({"frugal", "free"}),
    "languages": frozenset({"place", "cross_lingual"}),
    "max_tokens": frozenset({"long_text", "unsplit"}),
    "task": frozenset({"hint"}),
}
#: words that name a requirement in one sense of several: they speak of it where a reading bears it out
_AMBIGUOUS = frozenset(
    {"size", "体积", "money", "钱", "花", "bill", "context", "返回", "fast", "vectors", "向量", "a query"}
)
#: of these, words alone are no more than a mention: they take a reading, too
_ONLY_WITH_A_READING = frozenset({"task"})
_LONGEST = 60
_RULES = RuleUnderstanding()


@dataclass(frozen=True)
class HalfRead:
    """Words that speak of a requirement, and what they would say as an answer; empty where there are none."""

    words: str = ""
    likely: Finding | None = None


def half_read(texts: Iterable[str], about: str) -> HalfRead:
    """What speaks of it in the user's messages: the latest words that have a reading, else the first that have none."""
    found = [half for text in texts for half in _half_read(text, about)]
    surest = next((half for half in reversed(found) if half.likely), None)
    return surest or next(iter(found), HalfRead())


def _half_read(text: str, about: str) -> Iterator[HalfRead]:
    utterance = _RULES.stated(text)
    seen: set[int] = set()
    for hit in utterance.hits:
        clause = utterance.clauses[hit.start]
        if clause in seen or not _speaks_of(hit, about):
            continue
        seen.add(clause)
        words = _clause(utterance, clause)
        likely = _RULES.as_answer(words, about) if words else None
        if likely is None and (hit.term in _AMBIGUOUS or about in _ONLY_WITH_A_READING):
            continue
        words = words if len(words) <= _LONGEST else utterance.words(hit.start, hit.end)
        if words:
            yield HalfRead(words, likely)


def _clause(utterance: Utterance, clause: int) -> str:
    """A clause without the signs at its end."""
    own = [i for i, number in enumerate(utterance.clauses) if number == clause]
    while own and not utterance.tokens[own[-1]].text[-1].isalnum():
        own.pop()
    return " ".join(utterance.words(own[0], own[-1] + 1).split()) if own else ""


def _speaks_of(hit: Hit, about: str) -> bool:
    if hit.category == "noun":
        return hit.value == about
    return not hit.shaped and hit.category in _SPEAKING.get(about, ())
