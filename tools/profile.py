"""What the user's data is like: languages, lengths, duplicates, word overlap, personal data.

Token lengths are estimates: 1.1 tokens for each run of letters, run of digits or punctuation mark, and one for each
character of a script without spaces (Chinese, Japanese, Thai ...). Against the WordPiece tokenizer of all-MiniLM-L6-v2
the mean is off by -17 to +1 % on seven English sets (long medical and proper names are split most) and by 1 % on two
Chinese ones; against OpenAI's cl100k_base by -23 to +11 % on seven English sets, -23 and -27 % on two Chinese ones,
-36 % in German and -68 % in Arabic: ``benchmarks/token_estimate.py`` prints it. Multilingual vocabularies need about
0.7 tokens for a Chinese character; a model whose vocabulary does not know a language needs two to four times the
estimate.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from knowledge.dataset import Dataset
from knowledge.progress import Meter, OnProgress, ignore
from knowledge.results import DataProfile, Lengths
from knowledge.wording import Text, join, say
from tools.language_detection import UNSPACED, languages_of
from tools.sampling import spread
from tools.text_counts import estimated_tokens, terms

_LANGUAGE_SAMPLE = 300
_TEXT_SAMPLE = 5_000
_PII_CHARACTERS = 20_000
_COMMON_LIMIT = 512
_FEW_QUERIES = 50
# below so many, one short query taken for another language would be a large share
_TELLING_QUERIES = 20
# pairs of characters are shared less often than words
_HIGH_OVERLAP, _HIGH_OVERLAP_OF_PAIRS = 0.65, 0.5

# ---------------------------------------------------------------- lengths and words


def lengths(counts: Sequence[int]) -> Lengths | None:
    """Mean, median, 95th percentile and largest of some texts' tokens; None of no text."""
    counts = sorted(counts)
    if not counts:
        return None
    return Lengths(
        mean=round(sum(counts) / len(counts), 1),
        p50=counts[len(counts) // 2],
        p95=counts[min(len(counts) - 1, int(0.95 * len(counts)))],
        max=counts[-1],
    )


def shared_words(dataset: Dataset, queries: Sequence[str]) -> dict[str, float]:
    """Share of each query's content words that its best-matching relevant document holds.

    Content words are those in fewer than a tenth of all queries, or all of them where none is left.
    """
    of_query = {query_id: terms(dataset.queries[query_id]) for query_id in queries}
    frequency = Counter(term for each in of_query.values() for term in each)
    shares = {}
    for query_id in queries:
        relevant = [d for d, grade in dataset.judgments[query_id].items() if grade > 0]
        content = {t for t in of_query[query_id] if frequency[t] <= max(2, len(of_query) / 10)} or of_query[query_id]
        if relevant and content:
            found = (len(content & terms(dataset.documents[d])) for d in relevant[:10])
            shares[query_id] = max(found) / len(content)
    return shares


# ---------------------------------------------------------------- personal data

# re.ASCII: Chinese text goes on before and after a number without a blank
_PII = {
    "email": re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}", re.ASCII),
    "phone": re.compile(
        r"(?<![\w.+-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{2,4}(?:[ .-]?\d{2,4}){2,4}"
        r"|\(?[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4}|1[3-9]\d{9})(?![\w-])",
        re.ASCII,
    ),
    "iban": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", re.ASCII),
    "card": re.compile(r"(?<![\w.-])\d{4}(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?![\w.-])", re.ASCII),
    "ip": re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.])", re.ASCII),
    "resident_id": re.compile(
        r"(?<!\d)[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\w)",
        re.ASCII,
    ),
}


def _luhn(digits: str) -> bool:
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and len(set(digits)) > 1 and sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _iban(text: str) -> bool:
    moved = text[4:] + text[:4]
    return len(text) >= 15 and int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def _resident_id(text: str) -> bool:
    """GB 11643-1999: the last character is a weighted sum of the others, modulo 11."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(int(d) * w for d, w in zip(text, weights, strict=False)) % 11] == text[-1].upper()


def _named_ip(text: str) -> bool:
    """Not a version number such as 1.2.0.0, and no address that names nobody."""
    return not text.startswith(("0.", "1.", "2.", "3.", "4.", "127.", "255."))


_CHECKS: dict[str, Callable[[str], bool]] = {"card": _luhn, "iban": _iban, "resident_id": _resident_id, "ip": _named_ip}


def _pii_kinds(text: str) -> set[str]:
    found = set()
    for kind, pattern in _PII.items():
        check = _CHECKS.get(kind)
        for match in pattern.finditer(text):
            value = match.group()
            if check is None or check(value if kind == "ip" else re.sub(r"[ -]", "", value)):
                found.add(kind)
                break
    return found


def _pii_names(kinds: Iterable[str]) -> Text:
    names = {
        "email": say("e-mail addresses"),
        "phone": say("telephone numbers"),
        "iban": say("bank accounts (IBAN)"),
        "card": say("credit card numbers"),
        "ip": say("IP addresses"),
        "resident_id": say("Chinese resident ids"),
    }
    return join([names[kind] for kind in kinds], Text(template=", "))


# ---------------------------------------------------------------- profile


def profile(dataset: Dataset, on_progress: OnProgress = ignore) -> DataProfile:
    """Profile a dataset.

    Languages are told from 300 evenly spread texts; lengths, words and personal data from at most 5,000; duplicates
    from all. Personal data is what cheap patterns with checksums find: names and addresses are not looked for.
    """
    meter = Meter("profile", say("Looking at the data"), 6, on_progress)
    texts, queries = dataset.documents, dataset.queries
    sample = spread(list(texts.values()), _TEXT_SAMPLE)
    asked = spread(list(queries.values()), _TEXT_SAMPLE)
    languages = languages_of(spread(sample, _LANGUAGE_SAMPLE))
    meter.advance()
    query_languages = languages_of(spread(asked, _LANGUAGE_SAMPLE), among=languages)
    meter.advance()
    document_tokens = [estimated_tokens(text) for text in sample]
    query_tokens = [estimated_tokens(text) for text in asked]
    meter.advance()
    distinct = {fingerprint(text) for text in texts.values()}
    duplicate_share = round(1 - len(distinct) / len(texts), 4) if texts else 0.0
    same_as_document = sum(fingerprint(text) in distinct for text in asked)
    meter.advance()
    judged = spread([q for q in dataset.judgments if any(g > 0 for g in dataset.judgments[q].values())], 2_000)
    shared = shared_words(dataset, judged).values()
    overlap = round(sum(shared) / len(shared), 4) if shared else None
    meter.advance()
    pii = [found for text in (*sample, *asked) if (found := _pii_kinds(text[:_PII_CHARACTERS]))]
    pii_share = round(len(pii) / max(1, len(sample) + len(asked)), 4)
    warnings: list[Text] = list(dataset.summary.notes)
    if pii:
        kinds = Counter(kind for each in pii for kind in each)
        warnings.append(
            say(
                "{count} of {total} texts looked at seem to hold personal data ({kinds}): think twice before they"
                " leave this machine.",
                count=len(pii),
                total=len(sample) + len(asked),
                kinds=_pii_names(k for k, _ in kinds.most_common()),
            )
        )
    warnings += _length_warnings(document_tokens)
    warnings += _query_warnings(
        dataset,
        len(judged),
        same_as_document / len(asked) if asked else 0.0,
        overlap,
        unspaced=bool(set(languages) & UNSPACED),
    )
    warnings += _document_warnings(
        0.0 if dataset.classes or dataset.pairs else duplicate_share,
        languages,
        query_languages if len(asked) >= _TELLING_QUERIES else {},
    )
    meter.advance()
    return DataProfile(
        dataset=dataset.summary,
        languages=languages,
        query_languages=query_languages,
        document_tokens=lengths(document_tokens),
        query_tokens=lengths(query_tokens),
        duplicate_share=duplicate_share,
        word_overlap=overlap,
        pii_share=pii_share,
        warnings=tuple(warnings),
    )


def fingerprint(text: str) -> bytes:
    """The same for texts that differ only in case and white space."""
    return hashlib.blake2b(" ".join(text.lower().split()).encode(), digest_size=16).digest()


def _length_warnings(counts: Sequence[int]) -> list[Text]:
    long = sum(count > _COMMON_LIMIT for count in counts) / max(1, len(counts))
    if long < 0.01:
        return []
    return [
        say(
            "{share:.0%} of the documents are longer than {limit} tokens, where many models cut off: split them,"
            " or ask for a long context.",
            share=long,
            limit=_COMMON_LIMIT,
        )
    ]


def _query_warnings(dataset: Dataset, judged: int, same: float, overlap: float | None, *, unspaced: bool) -> list[Text]:
    warnings = []
    if dataset.classes or dataset.pairs:
        return []
    if not dataset.queries:
        warnings.append(say("There are no queries, so quality cannot be measured on this data."))
    elif not judged:
        warnings.append(say("No query has a document judged relevant, so quality cannot be measured on this data."))
    elif judged < _FEW_QUERIES:
        warnings.append(
            say(
                "Only {count} queries have judgments: too few to tell candidates apart unless they differ a lot.",
                count=judged,
            )
        )
    if same >= 0.05:
        warnings.append(
            say("{share:.0%} of the queries are word for word a document: check that this is meant.", share=same)
        )
    if overlap is not None and overlap >= (_HIGH_OVERLAP_OF_PAIRS if unspaced else _HIGH_OVERLAP):
        warnings.append(
            say(
                "Queries share {share:.0%} of their words with the right documents: BM25 will probably look good; if"
                " real users word things differently, add such queries.",
                share=overlap,
            )
        )
    return warnings


def _document_warnings(
    duplicates: float, languages: Mapping[str, float], query_languages: Mapping[str, float]
) -> list[Text]:
    warnings = []
    if duplicates >= 0.05:
        warnings.append(
            say(
                "{share:.0%} of the documents are duplicates: a model that finds the copy of the judged one is counted"
                " as wrong.",
                share=duplicates,
            )
        )
    spoken = [code for code, share in languages.items() if share >= 0.05]
    if len(spoken) > 1:
        warnings.append(say("The documents are in several languages: {languages}.", languages=", ".join(spoken)))
    foreign = [code for code, share in query_languages.items() if share >= 0.1 and code not in languages]
    if foreign and languages:
        warnings.append(
            say(
                "Some queries are in a language no document is in ({languages}): only multilingual models match them.",
                languages=", ".join(foreign),
            )
        )
    return warnings


__all__ = ["estimated_tokens", "fingerprint", "lengths", "profile", "shared_words", "terms"]
