"""No, not, without; does not matter; ideally: what a clause does to the words in it."""

from __future__ import annotations

from agent.understanding.utterance import Hit, Utterance

_REACH = 7
_UNKNOWN_WORDS = 1
#: negations of what follows them, wherever something does
_GOVERNING = frozenset({"no", "without", "w/o", "except", "excluding", "rather than", "instead of", "lack", "lacks"})
#: how a clause begins that speaks of the one before it
_POINTING = frozenset({"this", "that", "it", "that's", "it's", "and", "这", "那", "此"})
_ARTICLES = frozenset({"a", "an", "the"})


def negated(utterance: Utterance, hit: Hit) -> bool:
    """Whether a term is said to be absent or unwanted: by a negation before it, or right after it."""
    return negated_before(utterance, hit) or negated_after(utterance, hit)


def negated_before(utterance: Utterance, hit: Hit) -> bool:
    """Whether a negation before a term reaches it: back over words that carry it on, and one that may not."""
    clause, at, unknown, joined = utterance.clauses[hit.start], hit.start, 0, False
    for _ in range(_REACH):
        if at == 0 or utterance.clauses[at - 1] != clause:
            return False
        ending = utterance.ending(at, "negation", "not_negation", hit.category)
        said = {e.category for e in ending}
        if said & {"negation", "not_negation"}:
            return "negation" in said and not _includes(utterance, ending[0])
        word = utterance.tokens[at - 1].text
        if ending and joined:
            at, joined = ending[0].start, False
        elif word in utterance.lexicon.list_joiners and _samenegated_before(utterance, at - 1, hit):
            at, joined = at - 1, True
        elif word in utterance.lexicon.fillers or utterance.tokens[at - 1].stem in utterance.lexicon.fillers:
            at -= 1
        elif unknown < _UNKNOWN_WORDS and utterance.tokens[at - 1].text.isalpha() and not _any_ending(utterance, at):
            at, unknown = at - 1, unknown + 1
        else:
            return False
    return False


def _includes(utterance: Utterance, negation: Hit) -> bool:
    """Whether it is one of several after all: 除了英文，还要支持德文."""
    if negation.term != "除了":
        return False
    sentence = utterance.sentences[negation.start]
    return any(utterance.sentences[h.start] == sentence for h in utterance.of_category("addition"))


def _samenegated_before(utterance: Utterance, end: int, hit: Hit) -> bool:
    return bool(utterance.ending(end, hit.category))


def _any_ending(utterance: Utterance, end: int) -> bool:
    return bool(utterance.ending(end, "task", "domain", "language", "gpu", "license", "hosting", "open_weights"))


def negated_after(utterance: Utterance, hit: Hit) -> bool:
    """Whether a negation follows a term and ends there: "GPU: none", "显卡没有"."""
    clause, at = utterance.clauses[hit.start], hit.end
    for _ in range(3):
        if at >= len(utterance.tokens) or utterance.sentences[at] != utterance.sentences[hit.start]:
            return False
        found = utterance.starting(at, "negation")
        if found:
            return _ends_there(utterance, found[0])
        word = utterance.tokens[at].text
        if not (word in utterance.lexicon.fillers or word in ":=") or utterance.clauses[at] > clause + 1:
            return False
        at += 1
    return False


def _ends_there(utterance: Utterance, negation: Hit) -> bool:
    """Whether a negation speaks of what is before it: "is not an option", and not "self-hosted without a GPU"."""
    tokens, end = utterance.tokens, negation.end
    while negation.term not in _GOVERNING and end < len(tokens) and tokens[end].text in _ARTICLES:
        end += 1
    if end >= len(tokens) or utterance.clauses[end] != utterance.clauses[negation.start]:
        return True
    governs = negation.term in _GOVERNING and tokens[end].text[0].isalnum()
    return not governs and tokens[end].text in utterance.lexicon.after_negation


def dropped(utterance: Utterance, hit: Hit) -> bool:
    """Whether the clause takes a demand back: "forget the latency limit", "延迟无所谓", "no budget limit"."""
    clause = utterance.clauses[hit.start]
    if utterance.in_clause(clause, "indifferent"):
        return True
    if any(-4 <= d.end - hit.start <= 0 or 0 <= d.start - hit.end <= 4 for d in utterance.in_clause(clause, "drop")):
        return True
    if any(d.start < hit.start < d.end for d in utterance.in_clause(clause, "drop")):
        return True  # "keep latency out of it"
    limits = utterance.in_clause(clause, "limit_word")
    return any(abs(word.start - hit.end) <= 2 for word in limits) and negated(utterance, hit)


def _insists_after(utterance: Utterance, at: int) -> bool:
    """Whether the next clause says that it is a must after all: "…, that's a hard limit", 这个是硬指标."""
    following = utterance.in_clause(utterance.clauses[at] + 1, "hard")
    if not following or utterance.sentences[following[0].start] != utterance.sentences[at]:
        return False
    first = utterance.clauses.index(utterance.clauses[following[0].start])
    return utterance.tokens[first].text in _POINTING


def soft(utterance: Utterance, hit_start: int) -> bool:
    """Whether a wish is only a wish: "ideally", "最好", also as a clause of its own after it ("..., if possible")."""
    clause = utterance.clauses[hit_start]
    if utterance.in_clause(clause, "hard") or _insists_after(utterance, hit_start):
        return False
    if utterance.in_clause(clause, "soft"):
        return True
    own = utterance.in_clause(clause + 1, "soft")
    if not own or utterance.sentences[own[0].start] != utterance.sentences[hit_start]:
        return False
    words = sum(h.end - h.start for h in own)
    return utterance.clauses.count(clause + 1) <= words + 1
