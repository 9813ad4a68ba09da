"""How good is the shortlist on tasks it has never seen? Leave one group of near-duplicate tasks out, and look.

Usage: ``python -m benchmarks.shortlist.bench > benchmarks/shortlist/result.txt`` (about ten minutes).

For every group of text tasks: take the whole group out of the score matrix in all languages, fit, predict, and compare
with the scores that were taken out. Regret at k is how many points the best of a policy's first k models stays below
the best of all models that were run on the task and do not say they were trained on its group (fewer than 12 such
models: passed over). It is averaged over a group's languages and over five fields of models (permissive licence and at
most 150 M, 600 M or 8 B parameters; open weights; all), then over groups. Intervals are 95 %, from 2,000 bootstrap
samples of groups. At most two models of a publisher, as in the product, for every policy.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.shortlist.held_out import CARDS, FEWEST, Case, cases
from benchmarks.shortlist.policies import POLICIES, cheapest_static, complete, shipped
from knowledge.kriging import Covariance
from knowledge.scores import Bools, Floats
from tools.shortlist import PER_PUBLISHER

KS = (1, 3, 5, 10)
OURS = "all three"
BOARDS = ("MTEB board, overall mean", "MTEB board, retrieval mean", "Multilingual board, retrieval")
LANGUAGES = {"en": "English", "zh": "Chinese", "de": "German", "ar": "Arabic", "ja": "Japanese", "code": "code"}

_SIZE = np.array([card.parameters or math.inf for card in CARDS])
_API = np.array([card.is_api for card in CARDS])
_PERMISSIVE = np.array([card.commercial == "yes" for card in CARDS]) & ~_API
_PUBLISHER = [card.organisation for card in CARDS]
FIELDS: dict[str, Bools] = {
    "permissive, <= 150 M": _PERMISSIVE & (_SIZE <= 1.5e8),
    "permissive, <= 600 M": _PERMISSIVE & (_SIZE <= 6e8),
    "permissive, <= 8 B": _PERMISSIVE & (_SIZE <= 8.4e9),
    "open weights": ~_API,
    "all, APIs too": np.ones(len(CARDS), dtype=bool),
}

# What kriging's constants and the mixture of the three readings were chosen from.
COVARIANCES = (
    ("short reach", Covariance(length=0.1, width=0.5)),
    ("language first", Covariance(language=0.2, noise=0.5)),
    ("no lengths, no domain", Covariance(length=0.0, domain=0.0)),
)
MIXTURES = {"1:1:1": (1, 1, 1), "2:1:0": (2, 1, 0), "1:1:0": (1, 1, 0), "1:1:2": (1, 1, 2), "1:0:1": (1, 0, 1)}

Regrets = dict[str, list[Floats]]


@dataclass
class Table:
    """Regrets by policy, then by group: one array over `KS` for each case and field."""

    rows: dict[str, Regrets] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, policy: str, group: str, regrets: Floats) -> None:
        """Note one case in one field."""
        self.rows[policy][group].append(regrets)

    def of(self, policy: str) -> Floats:
        """One row a group (the groups in order), one column a k."""
        return np.array([np.mean(self.rows[policy][g], axis=0) for g in sorted(self.rows[policy])])

    def show(self, title: str, policies: Iterable[str] | None = None) -> None:
        """Print every policy, and how much more the boards leave on the table than ours, paired."""
        if not self.rows:
            return
        print(f"\n{title}: {len(self.rows[OURS])} groups; regret in points [95 %]")
        print(f"{'policy':32}" + "".join(f"{f'@{k}':>22}" for k in KS))
        for policy in policies or self.rows:
            print(f"{policy:32}" + "".join(f"{interval(v):>22}" for v in self.of(policy).T))
        for policy in BOARDS:
            if policy in self.rows:
                print(policy)
                paired = self.of(policy) - self.of(OURS)
                print(f"{'  ours leaves less than it by':32}" + "".join(f"{interval(v):>22}" for v in paired.T))


def interval(values: Floats) -> str:
    """Mean with its 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    samples = rng.choice(values, (2000, len(values))).mean(axis=1)
    return f"{values.mean():5.2f} [{np.quantile(samples, 0.025):5.2f},{np.quantile(samples, 0.975):5.2f}]"


def best_of(order: Floats, rows: Sequence[int] | Floats, truth: Floats) -> Floats:
    """Regret at each k of an order: how far the best of the first k stays below the best of the rows, in points."""
    first, later, taken = [], [], defaultdict(int)
    for row in sorted(rows, key=lambda row: (-order[row], CARDS[row].model)):
        (first if taken[_PUBLISHER[row]] < PER_PUBLISHER else later).append(row)
        taken[_PUBLISHER[row]] += 1
    best = np.maximum.accumulate(truth[[*first, *later]])
    return np.array([100 * (best[-1] - best[min(k, len(best)) - 1]) for k in KS])


def at_random(truth: Floats) -> Floats:
    """The regret expected of k models drawn at random."""
    values, n = sorted(truth, reverse=True), len(truth)
    expected = [sum(v * math.comb(n - i - 1, k - 1) for i, v in enumerate(values)) / math.comb(n, k) for k in KS]
    return np.array([100 * (values[0] - e) for e in expected])


def fields_of(case: Case) -> Iterable[tuple[str, Bools]]:
    """The fields of models that enough of were judged."""
    for name, admits in FIELDS.items():
        judged = admits & np.isfinite(case.truth)
        if judged.sum() >= FEWEST:
            yield name, judged


class Retrieval:
    """All tables of retrieval."""

    def __init__(self) -> None:
        self._tables: dict[str, Table] = defaultdict(Table)
        self._settings = Table()

    def add(self, case: Case) -> None:
        """Note one case."""
        both = complete(case)
        for name, judged in fields_of(case):
            rows, truth = np.nonzero(judged)[0], case.truth
            orders = {policy: order(case, judged) for policy, order in POLICIES.items()}
            regrets = {"random": at_random(truth[rows])}
            regrets |= {policy: best_of(order, rows, truth) for policy, order in orders.items()}
            regrets["shortlist as shipped"] = np.array(
                [100 * (truth[rows].max() - truth[shipped(case, judged, k)].max()) for k in KS]
            )
            static = cheapest_static(judged)
            beside = truth[static] if static is not None else -math.inf
            regrets["all three, static beside"] = np.minimum(regrets[OURS], 100 * max(truth[rows].max() - beside, 0))
            for place in self._places(case, name):
                for policy, values in regrets.items():
                    self._tables[place].add(policy, case.group, values)
            few = np.nonzero(judged & both)[0]
            if len(few) >= FEWEST:
                for policy, order in orders.items():
                    self._tables[_COMPLETE].add(policy, case.group, best_of(order, few, truth))
            for setting, z in settings(case):
                self._settings.add(setting, case.group, best_of(z, rows, truth))

    @staticmethod
    def _places(case: Case, name: str) -> list[str]:
        places = [_ALL, name]
        if case.language in LANGUAGES:
            places.append(LANGUAGES[case.language])
        if case.language not in ("en", "code"):
            places.append(_FOREIGN)
        if not case.reading.inside.any():
            places.append(_ALONE)
        return places

    def show(self) -> None:
        """Print the tables."""
        for place in (_ALL, *FIELDS, *LANGUAGES.values(), _FOREIGN, _ALONE, _COMPLETE):
            if place in self._tables:
                self._tables[place].show(place)
        nested(self._settings)


_ALL = "All languages and fields"
_FOREIGN = "Languages other than English and code"
_ALONE = "Languages without another retrieval task"
_COMPLETE = "Models that ran all of both boards"


def settings(case: Case) -> Iterable[tuple[str, Floats]]:
    """Every setting that was looked at."""
    for name in ("kriging", *(name for name, _ in COVARIANCES)):
        parts = (case.parts[name], case.parts["low rank"], case.parts["ladder"])
        for mixture, weights in MIXTURES.items():
            yield f"{name} {mixture}", sum(w * part for w, part in zip(weights, parts, strict=True)) / sum(weights)


def nested(table: Table) -> None:
    """What is left where the setting for each group is chosen on the other groups."""
    values = np.array([table.of(setting) for setting in table.rows])  # setting x group x k
    chosen = []
    for group in range(values.shape[1]):
        others = np.delete(values, group, axis=1).mean(axis=1)
        # The mean over k = 1, 3, 5, each relative to the best there: no k drowns the others.
        score = (others[:, :3] / others[:, :3].min(axis=0)).mean(axis=1)
        chosen.append(values[score.argmin(), group])
    print(f"\nNested choice among {len(values)} settings, each group's setting chosen on the other groups")
    print(f"{'':32}" + "".join(f"{interval(v):>22}" for v in np.array(chosen).T))
    low, high = values.mean(axis=1).min(axis=0), values.mean(axis=1).max(axis=0)
    print(
        f"{'best and worst setting':32}"
        + "".join(f"{f'{a:.2f} to {b:.2f}':>22}" for a, b in zip(low, high, strict=True))
    )


class OtherKind:
    """The table of another kind of task, where the board is the mean over the kind."""

    def __init__(self, kind: str) -> None:
        self._kind, self._table = kind, Table()

    def add(self, case: Case) -> None:
        """Note one case."""
        for _, judged in fields_of(case):
            rows = np.nonzero(judged)[0]
            self._table.add("random", case.group, at_random(case.truth[rows]))
            for policy in ("largest that fits", "mean of all such tasks", "ladder (the study's)", OURS):
                order = POLICIES["mean of all retrieval tasks" if policy.startswith("mean") else policy]
                self._table.add(policy, case.group, best_of(order(case, judged), rows, case.truth))

    def show(self) -> None:
        """Print it."""
        self._table.show(self._kind)


class Calibration:
    """How often a score, relative to the median model, falls into the predicted 80 % interval."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._ratio: dict[str, list[Floats]] = defaultdict(list)
        self._widths: dict[str, list[float]] = defaultdict(list)

    def add(self, case: Case) -> None:
        """Note one case."""
        rows = np.nonzero(np.isfinite(case.truth))[0]
        names = [CARDS[row].model for row in rows]
        mean = np.array([case.forecast.predictions[name].mean for name in names])
        half = np.array([case.forecast.half_widths[name] for name in names])
        off = np.abs(case.truth[rows] - np.median(case.truth[rows]) - mean + np.median(mean))
        self._ratio[case.group].append(off / half)
        self._widths[case.group].append(float(half.mean()))

    def line(self) -> str:
        """One line of the table."""
        ratio = {group: np.concatenate(parts) for group, parts in sorted(self._ratio.items())}
        share = np.array([(r <= 1).mean() for r in ratio.values()])
        worst = np.sort(share)[: max(len(share) // 10, 1)]
        left_out = [(ratio[g] <= reach([r for o, r in ratio.items() if o != g])).mean() for g in ratio]
        return (
            f"{self._kind:16}{len(share):>8}{share.mean():>9.2f}{worst[-1]:>16.2f}{worst.mean():>10.2f}"
            f"{100 * np.mean([np.mean(w) for w in self._widths.values()]):>12.1f}{np.mean(left_out):>10.2f}"
        )


def reach(ratios: list[Floats]) -> float:
    """What 82 % of the ratios stay within, every group counting the same."""
    values = np.concatenate(ratios)
    weights = np.concatenate([np.full(len(r), 1 / len(r)) for r in ratios])
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]) / weights.sum(), 0.82)])


KINDS = {
    "search": ("Retrieval",),
    "reranking": ("Reranking",),
    "classification": ("Classification", "MultilabelClassification"),
    "clustering": ("Clustering",),
    "similarity": ("STS",),
    "deduplication": ("PairClassification", "STS"),
}


def main() -> None:
    """Print everything."""
    start = time.perf_counter()
    print(__doc__.split("\n\n", 2)[2].strip(), flush=True)
    lines = []
    for kind, types in KINDS.items():
        table = Retrieval() if kind == "search" else OtherKind(kind)
        calibration = Calibration(kind)
        for case in cases(types, kind, COVARIANCES if kind == "search" else ()):
            if case.task.type == types[0]:
                table.add(case)
                calibration.add(case)
        table.show()
        lines.append(calibration.line())
    print("\nShare of scores inside the predicted 80 % interval, relative to the median model; mean over groups")
    print(
        f"{'kind':16}{'groups':>8}{'inside':>9}{'worst tenth <=':>16}{'its mean':>10}{'half width':>12}{'left out':>10}"
    )
    print("\n".join(lines))
    print(LIMITS)
    print(f"\n{len(CARDS)} models, {time.perf_counter() - start:.0f} s")


LIMITS = """
Limits: models are judged only where they were run, and their makers chose where; most models that would be recommended
from the whole catalog were never run on the task that was left out. 'Best' is the best among those run, so true regret
is higher. About 40 settings were looked at on these same groups; 'nested choice' shows what choosing among 20 of them
cost. The widths of intervals were set on these groups too; 'left out' chooses them on the other groups."""


if __name__ == "__main__":
    main()
