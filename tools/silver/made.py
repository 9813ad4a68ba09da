"""A silver set from its drafts, and what is said of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from knowledge.dataset import Dataset, content_hash
from knowledge.errors import DatasetError
from knowledge.results import SilverQueries
from knowledge.wording import Text, join, say
from tools.silver.choice import STRATA, Words, stratum
from tools.silver.drafts import Draft

#: queries made at most, and the fewest that are worth measuring with
QUERIES, FEWEST = 300, 20
SEED = 0

_KINDS: dict[str, Text] = {
    "title": say("titles, each for the text below it"),
    "heading": say("headings, each for the document they were taken out of"),
    "question": say("questions, each for the answer that follows it"),
    "sentence": say("sentences, each for the document it was taken out of"),
    "phrase": say("phrases, each for the document that holds it"),
    "written": say("written by a language model for a passage"),
}


class NoSilverError(DatasetError):
    """No silver queries can be made of this data; its `cause` says why."""


def made_set(dataset: Dataset, chosen: Sequence[Draft], words: Words, seed: int) -> Dataset:
    """The documents as the drafts leave them, with one query for each draft.

    Raises:
        NoSilverError: there are fewer than `FEWEST`.
    """
    if len(chosen) < FEWEST:
        raise _too_few(dataset, len(chosen))
    documents = dict(dataset.documents)
    queries: dict[str, str] = {}
    judgments: dict[str, dict[str, int]] = {}
    for draft in sorted(chosen, key=lambda draft: (draft.document, draft.query)):
        documents[draft.document] = draft.left
        name = f"silver:{draft.document}"
        while name in queries:
            name += "+"
        queries[name] = draft.query
        judgments[name] = {draft.document: 1}
    titles = {d: title for d, title in dataset.titles.items() if documents[d].startswith(title)}
    shares = [words.shared(draft) for draft in chosen]
    made = SilverQueries(
        kinds=dict(sorted(Counter(draft.kind for draft in chosen).items())),
        shared_words=round(sum(shares) / len(shares), 4),
        strata=tuple(sum(stratum(share) == number for share in shares) for number in range(len(STRATA))),
        seed=seed,
    )
    summary = dataset.summary.model_copy(
        update={
            "hash": content_hash(documents, queries, judgments),
            "queries": len(queries),
            "judgments": len(queries),
            "labels": "silver",
            "label_origin": origin(made),
            "silver": made,
        }
    )
    return replace(dataset, summary=summary, documents=documents, queries=queries, judgments=judgments, titles=titles)


def origin(made: SilverQueries) -> Text:
    """How the labels came about, for whoever reads a figure."""
    counted = [say("{count} {kind}", count=count, kind=_KINDS[kind]) for kind, count in made.kinds.items()]
    low, middle, high = made.strata
    return say(
        "silver, made by program from the documents and judged by no one: {kinds}. Other documents that would answer "
        "too count as wrong. Of a query's telling words its document holds {share:.0%} on average: up to a third in "
        "{low} queries, up to two thirds in {middle}, more in {high}",
        kinds=join(counted, Text(template="; ")),
        share=made.shared_words,
        low=low,
        middle=middle,
        high=high,
    )


def _too_few(dataset: Dataset, found: int) -> NoSilverError:
    return NoSilverError(
        say(
            "No silver queries can be made of {name}: that takes {fewest} documents, no two alike, from which a title, "
            "a heading, a question or a sentence can be taken and enough is left to be found; there are {found}.",
            name=dataset.summary.name,
            fewest=FEWEST,
            found=found,
        ),
        say("Add documents, or queries with judgments (qrels.tsv: query-id, doc-id, grade)."),
    )
