"""What a message says of a requirement without saying it: "latency matters", 关于部署方式还要再看.

Whoever is asked for it then is told which words were not enough, instead of being asked as if they had said nothing.
"""

from __future__ import annotations

from agent.understanding.lexicon import load_lexicon
from agent.understanding.utterance import Hit, Utterance, readable

#: the categories of words that speak of a requirement besides the nouns that name it
_SPEAKING: dict[str, frozenset[str]] = {
    "hosting": frozenset({"outside", "leave", "secluded"}),
    "license": frozenset({"business", "license"}),
    "hardware": frozenset({"gpu", "edge"}),
    "cost": frozenset({"frugal", "free"}),
    "languages": frozenset({"place", "cross_lingual"}),
    "max_tokens": frozenset({"long_text", "unsplit"}),
}
#: words that name a requirement in one sense of several
_AMBIGUOUS = frozenset(
    {"size", "体积", "money", "钱", "花", "bill", "context", "返回", "fast", "vectors", "向量", "a query"}
)
_LONGEST = 60


def half_read(text: str, about: str) -> str:
    """The clause that speaks of what is asked about, shortened; empty where none does."""
    utterance = Utterance(readable(text), load_lexicon())
    hit = next((h for h in utterance.hits if _speaks_of(h, about)), None)
    if hit is None:
        return ""
    own = [i for i, clause in enumerate(utterance.clauses) if clause == utterance.clauses[hit.start]]
    while own and not utterance.tokens[own[-1]].text[-1].isalnum():
        own.pop()
    words = " ".join(utterance.words(own[0], own[-1] + 1).split()) if own else ""
    return words if len(words) <= _LONGEST else utterance.words(hit.start, hit.end)


def _speaks_of(hit: Hit, about: str) -> bool:
    if hit.category == "noun":
        return hit.value == about and hit.term not in _AMBIGUOUS
    return not hit.shaped and hit.category in _SPEAKING.get(about, ())
