"""Probes made from a dataset, as many as a budget of characters allows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from knowledge.dataset import Dataset
from tools.probes import antonym, entity, negation, number, unit
from tools.probes.base import Change, Kind, Source, mention
from tools.probes.sentences import language_of, split, states
from tools.profile import estimated_tokens

#: by name; where the budget is small, the first ones come first
KINDS: Mapping[str, Kind] = {
    "negation": negation,
    "antonym": antonym,
    "number": number,
    "entity": entity,
    "unit": unit,
}
#: with fewer probes a kind says too little: an interval of 20 is ±20 points wide
FEWEST = 20
#: with more a kind would cost more than it tells: ±10 points
MOST = 60
#: documents looked at; of one document, so many probes at most, each of another kind
DOCUMENTS, OF_ONE = 4_000, 2
#: longer passages are cut around the fact: what a model cuts off it can not get right
LONGEST, AROUND = 220, 160
#: texts in which names to swap with are looked for
_NAMES_FROM = 500


@dataclass(frozen=True)
class Probe:
    """A query, the passage that is true to it, and one that differs from that in one fact.

    Attributes:
        id: the same for the same data.
        kind: a key of `KINDS`, or what a labelled set calls it.
        turned: it asks for the altered passage, so that the passage as it stands is the wrong one.
        reworded: the query says the fact, or all, in other words than the passage.
    """

    id: str
    kind: str
    query: str
    right: str
    wrong: str
    turned: bool = False
    reworded: bool = False


def make_probes(dataset: Dataset, characters: int, most: int = MOST) -> list[Probe]:
    """Probes from a dataset's passages, evenly over the kinds of fact; the same data gives the same probes.

    Args:
        dataset: its documents, and queries with what answers them.
        characters: what they may add to what is encoded; passages that are whole documents cost nothing.
        most: of each kind.

    Returns:
        none of a kind for which the budget or the passages do not give `FEWEST`.
    """
    known = frozenset(dataset.documents.values())
    found: dict[str, list[Probe]] = {name: [] for name in KINDS}
    for probe in _all(dataset, found, most):
        found[probe.kind].append(probe)
    return _within(found, characters, known)


def cost(probe: Probe, known: frozenset[str]) -> int:
    """Characters that have to be encoded for a probe, where the texts `known` are encoded already."""
    return len(probe.query) + sum(len(text) for text in (probe.right, probe.wrong) if text not in known)


def _within(found: Mapping[str, Sequence[Probe]], characters: int, known: frozenset[str]) -> list[Probe]:
    """As many as the budget allows: first the fewest of each kind, in order, then the others in turn."""
    kept: dict[str, list[Probe]] = {}
    left = characters
    for name, probes in found.items():
        price = sum(cost(probe, known) for probe in probes[:FEWEST])
        if len(probes) >= FEWEST and price <= left:
            kept[name] = list(probes[:FEWEST])
            left -= price
    longest = max(map(len, found.values()), default=0)
    for place in range(FEWEST, longest):
        for name in kept:
            if place < len(found[name]) and cost(found[name][place], known) <= left:
                kept[name].append(found[name][place])
                left -= cost(found[name][place], known)
    return [probe for probes in kept.values() for probe in probes]


def _all(dataset: Dataset, found: Mapping[str, Sequence[Probe]], most: int) -> Iterator[Probe]:
    """Probes document by document, in an order that says nothing; `found` is what was made of them so far."""
    order = sorted(dataset.documents, key=_digest)[:DOCUMENTS]
    asked = _asked(dataset)
    seen: set[tuple[str, str]] = set()
    sample = [dataset.documents[document] for document in order[:_NAMES_FROM]]
    names = {language: entity.names_in(sample, language) for language in ("en", "zh")}
    symbols = entity.symbols_in(sample)
    for document in order:
        if all(len(probes) >= most for probes in found.values()):
            return
        text = dataset.documents[document]
        language = language_of(text)
        if language is None:
            continue
        made = 0
        for name in sorted(KINDS, key=lambda kind: len(found[kind])):  # whatever there is least of
            if len(found[name]) >= most or made >= OF_ONE:
                continue
            source = Source(language, text, partial(_drawn, f"{document}/{name}"), names[language], symbols)
            # of each kind one half asks for what stands there: taken in turn, they are as many
            turned = len(found[name]) % 2 == 1
            probe = _of_query(name, asked.get(document, ()), source, turned) or _of_sentence(name, source, turned)
            if probe is None or (name, _end(probe)) in seen:
                continue
            seen.add((name, _end(probe)))
            made += 1
            yield probe


def _end(probe: Probe) -> str:
    """How a query ends: sentences that stand in every second document make one probe, and not eighty."""
    return probe.query[-15:]


def _asked(dataset: Dataset) -> dict[str, list[str]]:
    """Document -> the queries that it answers."""
    found: dict[str, list[str]] = {}
    for query, judged in dataset.judgments.items():
        for document, grade in judged.items():
            if grade > 0 and query in dataset.queries:
                found.setdefault(document, []).append(dataset.queries[query])
    return found


def _of_query(name: str, queries: Sequence[str], source: Source, turned: bool) -> Probe | None:
    """A probe that asks with a user's query, for a fact that the passage has too."""
    kind = KINDS[name]
    for query in queries[:3] if kind.OF_QUERIES else ():
        change = kind.change(query, source)
        if change is None or not change.everywhere:
            continue
        fact = mention(change.old(query))
        place = next((s for s in split(source.passage, source.language) if fact.search(s)), None)
        if place is not None:
            return _probe(name, source, change, query, _passage(source, place), turned, own=True)
    return None


def _of_sentence(name: str, source: Source, turned: bool) -> Probe | None:
    """A probe that asks with a statement of the passage."""
    sentences = split(source.passage, source.language)
    # a title may stand before the first sentence, as if it were a part of it
    for sentence in sentences[1:] if len(sentences) > 2 else sentences:
        if states(sentence, source.language) and source.passage.count(sentence) == 1:
            change = KINDS[name].change(sentence, source)
            if change is not None:
                return _probe(name, source, change, sentence, _passage(source, sentence), turned)
    return None


def _probe(
    name: str, source: Source, change: Change, said: str, passage: str, turned: bool, *, own: bool = False
) -> Probe | None:
    """The probe; None where the passage would not change in what it says."""
    old = change.old(said)
    if change.everywhere:
        altered = mention(old).sub(lambda match: change.new, passage)
    else:
        altered = passage.replace(said, change.put(said, change.new), 1)
    if altered == passage:
        return None
    other = change.new_said if turned else change.old_said
    query = change.put(said, other or (change.new if turned else old))
    right, wrong = (altered, passage) if turned else (passage, altered)
    id = hashlib.sha256(f"{name}\n{query}\n{right}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Probe(id, name, query, right, wrong, turned, reworded=own or bool(other and other != change.new))


def _passage(source: Source, sentence: str) -> str:
    """The whole document where a model reads it whole, else the sentence with its neighbours."""
    if estimated_tokens(source.passage) <= LONGEST:
        return source.passage
    start = source.passage.find(sentence)
    end = start + len(sentence)
    size = estimated_tokens(sentence)
    sentences = split(source.passage, source.language)
    at = sentences.index(sentence)
    first = last = at
    while True:
        grown = False
        for place in (last + 1, first - 1):
            if 0 <= place < len(sentences):
                more = estimated_tokens(sentences[place])
                if size + more <= AROUND:
                    size, grown = size + more, True
                    first, last = min(first, place), max(last, place)
        if not grown:
            break
    begin = source.passage.rfind(sentences[first], 0, end)
    stop = source.passage.find(sentences[last], start)
    return source.passage[max(begin, 0) : max(stop + len(sentences[last]), end)]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _drawn(key: str, word: str) -> float:
    return _share(f"{key}/{word}")


def _share(text: str) -> float:
    return int.from_bytes(_digest(text)[:6], "big") / 2**48


__all__ = ["FEWEST", "KINDS", "MOST", "Probe", "make_probes"]
