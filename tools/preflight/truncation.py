"""What a model does not read: how many documents its limit cuts, which ones, and what that costs in recall."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from knowledge.results import Finding, Interval, RecallByCut, Truncation
from knowledge.wording import Text, join, say
from tools.preflight.limits import Limits
from tools.preflight.tokens import Counts
from tools.sampling import within

#: characters counted at most, about 3 seconds' work of one core (MiniLM's tokenizer: 1.2 million a second)
CHARACTERS = 3_000_000
#: cut documents worth a warning
MANY = 0.05
#: at this share the tokenizer does not know the language: MiniLM's has no entry for 0.1 % of English tokens
UNKNOWN = 0.1
#: letters a token at which it knows the letters but not the words (MiniLM: English 4.0, German 2.6, Arabic 1.0)
SPELT = 1.5
#: letters a word beyond which blanks do not part words (xquad: Arabic 5.0, German 6.3, Chinese 15.8)
LONGEST_WORDS = 10.0
_Z95 = 1.96


def audited(documents: Sequence[str], characters: int = CHARACTERS) -> list[str]:
    """The documents to count: all, or as many, evenly spread, as the budget of characters allows."""
    return within(documents, characters)


def audit(
    documents: int, of_documents: Counts, of_queries: Counts, limits: Limits, special_tokens: int = 0
) -> Truncation:
    """The audit's figures.

    Args:
        documents: how many there are.
        of_documents: counts of those looked at.
        of_queries: counts of the queries looked at.
        limits: the model's.
        special_tokens: those of an empty text, which are no text.
    """
    limit = limits.effective
    counted = len(of_documents.tokens)
    cut = 0 if limit is None else sum(n > limit for n in of_documents.tokens)
    asked_cut = 0 if limit is None else sum(n > limit for n in of_queries.tokens)
    text = sum(max(n - special_tokens, 0) for n in of_documents.tokens)
    lost = 0 if limit is None else sum(max(n - limit, 0) for n in of_documents.tokens)
    return Truncation(
        sbert_limit=limits.sbert,
        tokenizer_limit=limits.tokenizer,
        position_limit=limits.position,
        option_limit=limits.option,
        effective_limit=limit,
        documents=documents,
        counted=counted,
        share_cut=share(cut, counted, documents) if limit else Interval(mean=0.0, low=0.0, high=0.0),
        tokens_lost=round(lost / text, 4) if text else 0.0,
        longest=max(of_documents.tokens, default=0),
        queries_counted=len(of_queries.tokens),
        queries_cut=round(asked_cut / len(of_queries.tokens), 4) if of_queries.tokens else 0.0,
        unknown_tokens=round(sum(of_documents.unknown) / text, 4) if text else 0.0,
    )


def share(found: int, counted: int, all_of_them: int) -> Interval:
    """A share with Wilson's interval (1927), corrected for a sample that is a good part of the whole."""
    if counted == 0:
        return Interval(mean=0.0, low=0.0, high=0.0 if all_of_them == 0 else 1.0)
    p = found / counted
    if counted >= all_of_them:
        return Interval(mean=p, low=p, high=p)
    z = _Z95 * math.sqrt((all_of_them - counted) / max(all_of_them - 1, 1))
    middle = (p + z * z / (2 * counted)) / (1 + z * z / counted)
    half = z / (1 + z * z / counted) * math.sqrt(p * (1 - p) / counted + z * z / (4 * counted * counted))
    return Interval(mean=p, low=max(0.0, min(middle - half, p)), high=min(1.0, max(middle + half, p)))


def truncation_findings(found: Truncation) -> list[Finding]:
    """What the audit has to say."""
    findings = []
    limit = found.effective_limit
    if limit and (found.share_cut.mean > 0 or found.queries_cut > 0):
        figures = {
            "limit": float(limit),
            "share_cut": round(found.share_cut.mean, 4),
            "tokens_lost": found.tokens_lost,
            "queries_cut": found.queries_cut,
            "counted": float(found.counted),
        }
        many = max(found.share_cut.mean, found.queries_cut) >= MANY
        findings.append(
            Finding(
                check="truncation",
                severity="warns" if many else "notes",
                finding=_what_is_cut(found, limit),
                remedy=say("Split long documents, or choose a model with a longer context.") if many else None,
                figures=figures,
            )
        )
    if found.unknown_tokens >= UNKNOWN:
        findings.append(
            Finding(
                check="sanity",
                severity="warns",
                finding=say(
                    "Its tokenizer has no entry for {share:.0%} of the documents' tokens: it was not made for this"
                    " language or script.",
                    share=found.unknown_tokens,
                ),
                remedy=say("Choose a model made for the language of your documents."),
                figures={"unknown_tokens": found.unknown_tokens},
            )
        )
    return findings


def piece_findings(words: int, letters: int, tokens: int) -> list[Finding]:
    """Words that the tokenizer spells letter by letter; scripts without blanks between words tell nothing.

    Args:
        words: of the documents counted.
        letters: characters of these words.
        tokens: of these documents, without special tokens.
    """
    if not words or not tokens or letters / words > LONGEST_WORDS or letters / tokens >= SPELT:
        return []
    figures = {"letters_per_token": round(letters / tokens, 2), "tokens_per_word": round(tokens / words, 2)}
    return [
        Finding(
            check="sanity",
            severity="warns",
            finding=say(
                "Its tokenizer spells words out, {letters:.1f} letters to a token and {tokens:.1f} tokens to a word: it"
                " was not made for this language or script.",
                letters=letters / tokens,
                tokens=tokens / words,
            ),
            remedy=say("Choose a model made for the language of your documents."),
            figures=figures,
        )
    ]


def _what_is_cut(found: Truncation, limit: int) -> Text:
    about = say(
        "It reads {limit} tokens: {cut:.1%} of the documents are cut, {lost:.1%} of their text is never read, and"
        " {queries:.1%} of the queries are cut.",
        limit=limit,
        cut=found.share_cut.mean,
        lost=found.tokens_lost,
        queries=found.queries_cut,
    )
    if found.counted >= found.documents:
        return about
    sampled = say(
        "(Counted on {counted} of {documents} documents: between {low:.1%} and {high:.1%} of all are cut.)",
        counted=found.counted,
        documents=found.documents,
        low=found.share_cut.low,
        high=found.share_cut.high,
    )
    return join([about, sampled])


def recall_by_cut(
    rankings: Mapping[str, Sequence[str]],
    judgments: Mapping[str, Mapping[str, int]],
    is_cut: Mapping[str, bool],
    k: int = 100,
) -> RecallByCut:
    """Recall@k over (query, relevant document) pairs, apart for documents that are cut and those read whole.

    Args:
        rankings: query id -> document ids, best first.
        judgments: query id -> document id -> grade; above 0 is relevant.
        is_cut: document id -> whether the model cuts it (`cut_flags`); pairs of others are left out.
        k: how many of the first documents count.
    """
    found: dict[bool, list[bool]] = {True: [], False: []}
    for query, judged in judgments.items():
        first = set(list(rankings.get(query, ()))[:k])
        for document, grade in judged.items():
            if grade > 0 and document in is_cut:
                found[is_cut[document]].append(document in first)
    return RecallByCut(
        k=k,
        whole=_mean(found[False]),
        cut=_mean(found[True]),
        whole_pairs=len(found[False]),
        cut_pairs=len(found[True]),
    )


def scores_by_cut(
    scores: Mapping[str, float],
    judgments: Mapping[str, Mapping[str, int]],
    is_cut: Mapping[str, bool],
    k: int = 100,
) -> RecallByCut:
    """The same from per-query scores (``R@k``), where the rankings are gone.

    A query counts as cut when all its relevant documents are, and as whole when none is; mixed ones are left out.
    """
    found: dict[bool, list[float]] = {True: [], False: []}
    for query, judged in judgments.items():
        kinds = {is_cut[d] for d, grade in judged.items() if grade > 0 and d in is_cut}
        if query in scores and len(kinds) == 1:
            found[kinds.pop()].append(scores[query])
    return RecallByCut(
        k=k,
        whole=_mean(found[False]),
        cut=_mean(found[True]),
        whole_pairs=len(found[False]),
        cut_pairs=len(found[True]),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
