"""What queries have in common: their length, language and kind, where they come from, what their answers are like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from knowledge.dataset import Dataset
from knowledge.languages import language_name
from knowledge.wording import Text, say
from tools.language_detection import language_of_each, languages_of
from tools.profile import estimated_tokens, shared_words
from tools.slices.query_kind import kind_of
from tools.slices.words import CODE, KEYWORDS, KIND, LANGUAGE, LENGTH, NUMBERS, QUESTIONS, STATEMENTS

#: of a relevant document, at most so many are looked at
_RELEVANT = 10
#: more values than this are no sources but addresses or names of single documents
_MOST_SOURCES = 50
_KINDS: dict[str, Text] = {
    "question": QUESTIONS,
    "keywords": KEYWORDS,
    "statement": STATEMENTS,
    "code": CODE,
    "number": NUMBERS,
}
Value = TypeVar("Value", int, float, str)


@dataclass(frozen=True)
class Part:
    """Some of the queries, and what they have in common."""

    part: Text
    queries: tuple[str, ...]


@dataclass(frozen=True)
class Trait:
    """What was looked at; its parts share no query.

    Attributes:
        at_query_time: whether it is known from the query alone, so that an application can go by it.
    """

    name: Text
    parts: tuple[Part, ...]
    at_query_time: bool = False


def traits(dataset: Dataset, queries: Sequence[str], limits: Mapping[str, int]) -> Iterator[Trait]:
    """All that is known of each query.

    Args:
        dataset: documents, queries, judgments and where they come from.
        queries: ids of the queries that were scored.
        limits: candidate -> how many tokens of a document it reads, of those that do not read all.
    """
    texts = {q: text for q in queries if (text := dataset.text_of(q))}
    asked_for = [q for q in texts if q in dataset.queries]  # else labelled texts or pairs are what was scored
    found = {q: [d for d, grade in dataset.judgments.get(q, {}).items() if grade > 0] for q in texts}
    relevant = {q: documents for q, documents in found.items() if documents}
    sizes = {q: estimated_tokens(text) for q, text in texts.items()}
    yield Trait(LENGTH, _by_size(sizes), at_query_time=True)
    yield Trait(LANGUAGE, _by_language(texts), at_query_time=True)
    yield Trait(say("class"), _by_source({q: name for q in texts if (name := dataset.classes.get(q))}))
    kinds: dict[str, str] = {q: kind_of(texts[q]) for q in asked_for}
    yield Trait(KIND, _grouped(kinds, _KINDS.__getitem__), at_query_time=True)
    asked = {q: source for q in texts if (source := dataset.query_sources.get(q))}
    yield Trait(say("source of the query"), _by_source(asked))
    yield Trait(say("source of the right documents"), _by_source(_sources(dataset, relevant)))
    yield Trait(say("query words found in the right document"), _by_shared_words(shared_words(dataset, asked_for)))
    counts = {q: len(documents) for q, documents in relevant.items()}
    yield Trait(say("relevant documents"), _grouped(counts, _how_many))
    lengths = {
        q: max(estimated_tokens(dataset.documents[d]) for d in documents[:_RELEVANT])
        for q, documents in relevant.items()
    }
    yield Trait(say("longest relevant document"), _by_size(lengths))
    for limit in sorted(set(limits.values())):
        who = ", ".join(spec for spec, of in limits.items() if of == limit)
        yield Trait(say("relevant documents and the limit of {names}, by estimate", names=who), _cut(lengths, limit))


def _cut(lengths: Mapping[str, int], limit: int) -> tuple[Part, ...]:
    inside = say("within the {limit} tokens that are read", limit=limit)
    outside = say("longer than the {limit} tokens that are read", limit=limit)
    return _grouped(lengths, lambda length: outside if length > limit else inside)


def _by_size(sizes: Mapping[str, int]) -> tuple[Part, ...]:
    """Thirds of the queries, cut where sizes differ."""
    if not sizes:
        return ()
    ordered = sorted(sizes.values())
    cuts = sorted({ordered[len(ordered) // 3], ordered[2 * len(ordered) // 3]} - {ordered[-1]})
    edges = [*cuts, ordered[-1]]
    names = [
        say("up to {most} tokens", most=edge)
        if i == 0
        else say("{least} to {most} tokens", least=edges[i - 1] + 1, most=edge)
        for i, edge in enumerate(edges)
    ]
    return _grouped(sizes, lambda size: names[next(i for i, edge in enumerate(edges) if size <= edge)])


def _by_language(texts: Mapping[str, str]) -> tuple[Part, ...]:
    among = languages_of(list(texts.values()))
    if len(among) < 2:
        return ()
    found = zip(texts, language_of_each(list(texts.values()), among), strict=True)
    known = {q: code for q, code in found if code is not None and code in among}
    # an English name is its own template: it is shown in the reader's language
    return _grouped(known, lambda code: Text(template=language_name(code)))


def _sources(dataset: Dataset, relevant: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Where all relevant documents of a query come from, if from one source."""
    found = {}
    for query, documents in relevant.items():
        sources = {dataset.sources.get(document) for document in documents}
        only = sources.pop() if len(sources) == 1 else None
        if only:
            found[query] = only
    return found


def _by_source(sources: Mapping[str, str]) -> tuple[Part, ...]:
    if len(set(sources.values())) > _MOST_SOURCES:
        return ()
    return _grouped(sources, Text.model_validate)


def _by_shared_words(shares: Mapping[str, float]) -> tuple[Part, ...]:
    names = (say("less than a third"), say("one to two thirds"), say("more than two thirds"))
    return _grouped(shares, lambda share: names[(share >= 1 / 3) + (share > 2 / 3)])


_COUNTS = (say("one"), say("two to five"), say("more than five"))


def _how_many(count: int) -> Text:
    return _COUNTS[(count > 1) + (count > 5)]


def _grouped(values: Mapping[str, Value], name: Callable[[Value], Text]) -> tuple[Part, ...]:
    """Parts by name, in the order of their values."""
    groups: dict[Text, list[str]] = {}
    for query in sorted(values, key=lambda q: (values[q], q)):
        groups.setdefault(name(values[query]), []).append(query)
    return tuple(Part(part, tuple(queries)) for part, queries in groups.items())
