"""What data was like when something was decided on it, kept without its texts, and how today's data differs.

A sample holds the texts with the smallest hashes, so the same text is in it whenever it is in the data: unchanged data
gives the same sample, and the share of new texts can be told from the hashes alone (as MinHash does; Broder 1997).
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.dataset import Dataset
from knowledge.results.recheck import DataBaseline, DataDrift, Shift, TextSample
from knowledge.wording import Text, say
from tools.language_detection import languages_of
from tools.run_store import RunStore, content_key
from tools.statistics import ALPHA, holm
from tools.text_counts import estimated_tokens, terms

MARKS, SAMPLE, LANGUAGES = 1_000, 256, 60
#: hashed words are counted in so many places
PLACES = 64
PERMUTATIONS = 999
#: with fewer texts on either side a test says nothing
FEWEST = 10
#: what has to be reached for a shift to matter: mean word counts that point elsewhere, lengths that differ by a
#: quarter, a tenth of the texts in other languages. With thousands of texts, less than that is found significant too
FAR = {"words": 0.05, "lengths": 1.25, "languages": 0.1}

Of = Literal["documents", "queries"]


def baseline_of(dataset: Dataset, today: dt.date) -> DataBaseline:
    """What a dataset is like."""
    return DataBaseline(
        dataset=dataset.summary.hash,
        taken=today,
        documents=_sample(dataset.documents.values()),
        queries=_sample(dataset.queries.values()),
    )


def keep_baseline(dataset: Dataset, runs: RunStore, run_id: str, today: dt.date) -> DataBaseline:
    """Remember what a dataset is like; what is known of the same data already stays."""
    known = kept_baseline(dataset.summary.hash, runs)
    if known is not None:
        return known
    found = baseline_of(dataset, today)
    runs.save_measurement(
        _key(dataset.summary.hash), "data", dataset.summary.name, run_id, found.model_dump(mode="json")
    )
    return found


def kept_baseline(dataset_hash: str, runs: RunStore) -> DataBaseline | None:
    """What was remembered of a dataset; None where nothing was."""
    found = runs.measurement(_key(dataset_hash))
    return DataBaseline.model_validate(found[1]) if found else None


def drift(then: DataBaseline, now: DataBaseline) -> DataDrift:
    """How today's data differs; p-values are corrected for all tests made."""
    shifts = [*_shifts("documents", then.documents, now.documents), *_shifts("queries", then.queries, now.queries)]
    tested = [i for i, shift in enumerate(shifts) if shift.p is not None]
    for i, p in zip(tested, holm([shifts[i].p or 0.0 for i in tested]), strict=True):
        shifts[i] = shifts[i].model_copy(update={"p": p, "moved": shifts[i].moved and p < ALPHA})
    return DataDrift(
        since=then.taken,
        documents_then=then.documents.count,
        documents_now=now.documents.count,
        new_documents=_new(then.documents, now.documents),
        gone_documents=_new(now.documents, then.documents),
        new_queries=_new(then.queries, now.queries),
        shifts=tuple(shifts),
    )


def _key(dataset_hash: str) -> str:
    return content_key(kind="data-baseline", method=1, dataset=dataset_hash)


def _sample(texts: Iterable[str]) -> TextSample:
    marked: dict[str, str] = {}
    count = 0
    for text in texts:
        count += 1
        marked[_mark(text)] = text
    marks = sorted(marked)
    chosen = [marked[mark] for mark in marks[:SAMPLE]]
    return TextSample(
        count=count,
        marks=tuple(marks[:MARKS]),
        tokens=tuple(estimated_tokens(text) for text in chosen),
        words=base64.b64encode(_words(chosen).tobytes()).decode(),
        languages=languages_of(chosen[:LANGUAGES]) if chosen else {},
    )


def _mark(text: str) -> str:
    plain = " ".join(text.split()).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(plain, digest_size=8).hexdigest()


def _words(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Counts of hashed words, shape (texts, PLACES); which words they were cannot be told from them."""
    counts = np.zeros((len(texts), PLACES), np.uint8)
    for row, text in zip(counts, texts, strict=True):
        for term in terms(text):
            place = hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=2).digest()
            at = int.from_bytes(place) % PLACES
            row[at] = min(255, int(row[at]) + 1)
    return counts


def _new(then: TextSample, now: TextSample) -> float:
    """Share of today's texts that were not there then."""
    if not now.marks:
        return 0.0
    whole = len(then.marks) < MARKS
    seen = [mark for mark in now.marks if whole or mark <= then.marks[-1]]
    known = set(then.marks)
    return round(sum(mark not in known for mark in seen) / len(seen), 4) if seen else 1.0


def _shifts(of: Of, then: TextSample, now: TextSample) -> list[Shift]:
    if min(len(then.tokens), len(now.tokens)) < FEWEST:
        return []
    return [_in_words(of, then, now), _in_lengths(of, then, now), _in_languages(of, then, now)]


def _in_words(of: Of, then: TextSample, now: TextSample) -> Shift:
    one, other = _rows(then), _rows(now)
    means = one.mean(axis=0), other.mean(axis=0)
    norms = float(np.linalg.norm(means[0]) * np.linalg.norm(means[1]))
    effect = 1 - float(means[0] @ means[1]) / norms if norms else 0.0
    p = _permuted(one, other, lambda a, b: np.linalg.norm(a - b, axis=-1))
    moved = effect >= FAR["words"]
    reason = say(
        "Words of {of}: 1 - cosine of their mean counts is {effect:.3f} ({limit:g} matters).",
        of=_NAMES[of],
        effect=effect,
        limit=FAR["words"],
    )
    return Shift(of=of, what="words", effect=round(effect, 4), p=p, moved=moved, reason=reason)


def _in_lengths(of: Of, then: TextSample, now: TextSample) -> Shift:
    one, other = np.log1p(np.array(then.tokens, float)), np.log1p(np.array(now.tokens, float))
    p = _permuted(one[:, None], other[:, None], lambda a, b: np.abs(a - b)[..., 0])
    before, after = sum(then.tokens) / len(then.tokens), sum(now.tokens) / len(now.tokens)
    ratio = (after + 1) / (before + 1)
    moved = max(ratio, 1 / ratio) >= FAR["lengths"]
    reason = say(
        "Length of {of}: {before:.0f} tokens on average then, {after:.0f} now.",
        of=_NAMES[of],
        before=before,
        after=after,
    )
    return Shift(of=of, what="lengths", effect=round(ratio, 4), p=p, moved=moved, reason=reason)


def _in_languages(of: Of, then: TextSample, now: TextSample) -> Shift:
    codes = set(then.languages) | set(now.languages)
    changed = sum(abs(then.languages.get(code, 0.0) - now.languages.get(code, 0.0)) for code in codes) / 2
    reason = say(
        "Languages of {of}: {then} then, {now} now.",
        of=_NAMES[of],
        then=_listed(then.languages),
        now=_listed(now.languages),
    )
    return Shift(of=of, what="languages", effect=round(changed, 4), moved=changed >= FAR["languages"], reason=reason)


_NAMES: dict[Of, Text] = {"documents": say("documents"), "queries": say("queries")}


def _listed(languages: dict[str, float]) -> str:
    first = sorted(languages.items(), key=lambda item: -item[1])[:3]
    return ", ".join(f"{code} {share:.0%}" for code, share in first) or "–"


def _rows(sample: TextSample) -> NDArray[np.float64]:
    """Word counts of each text as a vector of unit length: long texts count as much as short ones."""
    counts = np.frombuffer(base64.b64decode(sample.words), np.uint8).reshape(-1, PLACES).astype(np.float64)
    norms = np.linalg.norm(counts, axis=1, keepdims=True)
    unit: NDArray[np.float64] = np.divide(counts, norms, out=np.zeros_like(counts), where=norms > 0)
    return unit


def _permuted(
    one: NDArray[np.float64],
    other: NDArray[np.float64],
    distance: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
) -> float:
    """Probability of means so far apart, were the texts of both sides the same kind: sides are swapped at random."""
    both, n = np.vstack([one, other]), len(one)
    rng = np.random.default_rng(0)
    sides = np.zeros((PERMUTATIONS + 1, len(both)))
    sides[0, :n] = 1
    for row in sides[1:]:
        row[rng.permutation(len(both))[:n]] = 1
    sums = sides @ both
    found = distance(sums / n, (both.sum(axis=0) - sums) / (len(both) - n))
    return float((found >= found[0] - 1e-12).mean())
