"""How often is routing advised where none pays, and found where one does? On samples of real scores.

    python benchmarks/slices/bench.py > benchmarks/slices/result.txt

Scores are those of ``benchmarks/statistics/scores.json``: nDCG@10 a query of real candidates. A sample is n queries
drawn with replacement, of four candidates; each query gets a language (one of two), a length and a kind at random, so
that these say nothing of its scores. Then no routing pays, whatever candidates differ in overall: every advice is
false. Where a difference is planted, it is by language: queries in one are lost (score 0) by the winner, queries in
the other by a rival, as often as makes the planted gap.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.dataset import Dataset
from knowledge.results import DatasetSummary, Evaluation, Interval, MeasuredCandidate, Recommendation, Row, Slices
from knowledge.wording import Text
from tools import statistics
from tools.slices import slices
from tools.slices.words import LANGUAGE

SAMPLES = {"noise": 400, "planted": 40}
SIZES = (60, 150, 400, 1000)
GAPS = (0.1, 0.2, 0.3)
#: of each bootstrap here, 9,999 in the program: a sample takes half a second instead of two
RESAMPLES = 1_999
CANDIDATES = 4
MARGIN = 0.02
#: candidates that are ahead nowhere by the margin and so many standard errors are never advised: not computed in full
SURE = 1.5
Scores = NDArray[np.float64]
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
POINT = Interval(mean=0.5, low=0.5, high=0.5)


def load() -> dict[str, Scores]:
    """Set -> scores, shape (candidates, queries)."""
    found = json.loads((Path(__file__).parents[1] / "statistics" / "scores.json").read_text("utf-8"))
    return {name: np.array(list(of.values())) for name, of in found.items()}


def texts(rng: np.random.Generator, n: int, second: float) -> tuple[list[str], NDArray[np.bool_]]:
    """Queries that differ in language, length and kind, and which are in the second language."""
    other = rng.random(n) < second
    lengths, asked = rng.integers(2, 12, n), rng.random(n) < 0.5
    words = [
        ("りんご" if o else "苹果") * int(k) + ("？" if q else "")
        for o, k, q in zip(other, lengths, asked, strict=True)
    ]
    return words, other


def look(sample: Scores, words: list[str], winner: int) -> Slices | None:
    """What the program says of a sample; None where it would surely advise nothing."""
    order = [winner, *(i for i in np.argsort(-sample.mean(axis=1)) if i != winner)]
    queries = {f"q{i}": word for i, word in enumerate(words)}
    summary = DatasetSummary(
        name="sample", path="", hash="", format="", documents=1, queries=len(words), judgments=len(words)
    )
    data = Dataset(summary, {"d": "りんごと苹果"}, queries, {q: {"d": 1} for q in queries})
    specs = [f"static:c{i}" for i in order]
    advice = Recommendation(
        run_id="r",
        created=NOW,
        measured=True,
        winner=specs[0],
        best=specs[0],
        headline=Text(template=""),
        reasons=(),
        confidence=Text(template=""),
        rows=tuple(Row(spec=s, standing="winner" if i == 0 else "worse", quality=POINT) for i, s in enumerate(specs)),
        evidence=(),
        not_measured=(),
        what_would_change_it=(),
        margin=MARGIN,
    )
    measured = tuple(MeasuredCandidate(spec=s, metrics={"nDCG@10": 0.5}, interval=POINT) for s in specs)
    run = Evaluation(run_id="r", started=NOW, dataset=summary, candidates=measured, store="", judged_queries=len(words))
    scores = {s: dict(zip(queries, sample[i].tolist(), strict=True)) for s, i in zip(specs, order, strict=True)}
    return slices(advice, run, scores, data)


def could_be_advised(sample: Scores, words: list[str], winner: int) -> bool:
    """Whether a rival is far enough ahead on any part."""
    kinds = np.array([w.endswith("？") for w in words])
    other = np.array(["り" in w for w in words])
    lengths = np.array([len(w) for w in words])
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, 13)))
    parts = [kinds, ~kinds, other, ~other, *((lengths >= a) & (lengths <= b) for a in edges for b in edges if a < b)]
    d = sample - sample[winner]
    for part in parts:
        if part.sum() >= 10:
            of = d[:, part]
            if (of.mean(axis=1) - SURE * of.std(axis=1, ddof=1) / np.sqrt(part.sum()) > MARGIN).any():
                return True
    return False


def noise(populations: dict[str, Scores], n: int, tied: bool) -> tuple[float, int]:
    """Share of samples with (false) advice, and how many were computed in full.

    Args:
        populations: see `load`.
        n: queries a sample.
        tied: the winner is not the best but any candidate within the margin of it, as where the cheapest wins.
    """
    names, advised, full = list(populations), 0, 0
    for i in range(SAMPLES["noise"]):
        rng = np.random.default_rng([1, n, i, tied])
        scores = populations[names[i % len(names)]]
        sample = scores[rng.choice(len(scores), CANDIDATES, replace=False)][:, rng.integers(0, scores.shape[1], n)]
        means = sample.mean(axis=1)
        near = np.flatnonzero(means >= means.max() - MARGIN)
        winner = int(rng.choice(near)) if tied else int(means.argmax())
        words, _ = texts(rng, n, 0.5)
        if could_be_advised(sample, words, winner):
            full += 1
            found = look(sample, words, winner)
            advised += bool(found and found.routing)
    return advised / SAMPLES["noise"], full


def drawn(
    scores: Scores, rng: np.random.Generator, count: int, gap: float, share: float
) -> tuple[Scores, list[str], NDArray[np.bool_]]:
    """Queries of two candidates that are alike but for what is planted, and of two that are worse than both."""
    sample = scores[:, rng.integers(0, scores.shape[1], count)].copy()
    words, other = texts(rng, count, share)
    sample[1] = sample[0]
    lost = rng.random((2, count)) < gap / max(float(scores[0].mean()), gap)
    sample[0, other & lost[0]] = 0.0
    sample[1, ~other & lost[1]] = 0.0
    sample[2:] *= 0.8 * np.minimum(1.0, scores[:1].mean() / scores[2:].mean(axis=1, keepdims=True))
    return sample, words, other


def planted(populations: dict[str, Scores], n: int, gap: float, share: float) -> tuple[float, ...]:
    """Power; of the samples with advice: gain as told, gain true, gain within its own queries, coverage."""
    names, told = list(populations), []
    for i in range(SAMPLES["planted"]):
        rng = np.random.default_rng([2, n, i, int(gap * 100), int(share * 100)])
        scores = populations[names[i % len(names)]]
        scores = scores[rng.choice(len(scores), CANDIDATES, replace=False)]
        sample, words, _ = drawn(scores, rng, n, gap, share)
        winner = int(sample[:2].mean(axis=1).argmax())
        found = look(sample, words, winner) if could_be_advised(sample, words, winner) else None
        if not found or not found.routing or found.routing[0].trait != LANGUAGE:
            continue
        population, _, other = drawn(scores, rng, 20_000, gap, share)
        better = 1 - winner
        here = other if winner == 0 else ~other
        true = float(np.where(here, population[better], population[winner]).mean() - population[winner].mean())
        gain = found.routing[0].gain
        seen = np.array([("り" in w) == (winner == 0) for w in words])
        naive = float(np.where(seen, sample[better], sample[winner]).mean() - sample[winner].mean())
        told.append((gain.mean, true, naive, gain.low <= true <= gain.high))
    if not told:
        return (0.0, *[float("nan")] * 4)
    return (len(told) / SAMPLES["planted"], *np.mean(told, axis=0))


def main() -> None:
    """Print the tables."""
    statistics.RESAMPLES = RESAMPLES
    populations = load()
    begun = time.monotonic()
    sets = ", ".join(f"{name} ({scores.shape[1]})" for name, scores in populations.items())
    print(f"nDCG@10 of {sets}; {CANDIDATES} candidates, margin {MARGIN}; {RESAMPLES} resamples; seeded\n")
    print(f"false advice: traits say nothing of the scores; {SAMPLES['noise']} samples a line, goal below 5 %")
    print("   n  winner: the best  winner: any within the margin")
    for n in SIZES:
        (best, _), (tied, _) = (noise(populations, n, tied) for tied in (False, True))
        print(f"{n:>4}  {best:>16.1%}  {tied:>29.1%}", flush=True)
    print(
        f"\nplanted by language; {SAMPLES['planted']} samples a line. Gains in points over the winner alone, over all "
        "queries, of the samples with advice"
    )
    print("   n  gap on its part  share of part  advised  gain told  true gain  in-sample gain  interval holds it")
    for share in (0.5, 0.2):
        for gap in GAPS:
            for n in (150, 400, 1000):
                power, gain, true, naive, held = planted(populations, n, gap, share)
                print(
                    f"{n:>4}  {100 * gap:>15.0f}  {share:>13.0%}  {power:>7.0%}  {100 * gain:>9.2f}  {100 * true:>9.2f}"
                    f"  {100 * naive:>14.2f}  {held:>17.0%}",
                    flush=True,
                )
    sys.stderr.write(f"{time.monotonic() - begun:.0f} s\n")


if __name__ == "__main__":
    main()
