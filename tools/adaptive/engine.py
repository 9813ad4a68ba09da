"""The rounds: pools grow, losers go, and whoever looks best reads the whole corpus, until nothing is open."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from knowledge.candidate import Candidate, Fusion, Leg
from knowledge.errors import AdvisorError
from knowledge.results import Elimination, EncodeWork, Parity, Round, Screened, Screening
from knowledge.wording import say
from tools.adaptive import parity
from tools.adaptive.elimination import FEWEST, Standing, answer, interval, leavers
from tools.adaptive.pools import LARGEST_POOL, Pools, Rows
from tools.adaptive.ranking import Bench, Known
from tools.adaptive.reasons import eliminated
from tools.adaptive.work import Ledger
from tools.encoders import Resolved, Vectors, finish
from tools.encoding import Texts
from tools.statistics import Scores

#: backends whose encoding costs next to nothing: they read everything before the first round
CHEAP = frozenset({"static"})


class OutOfTimeError(Exception):
    """The budget is spent, or the user has had enough; the answer so far stands."""


@dataclass
class Reader:
    """One encoder, in the precision asked for and in the one it is screened in.

    Attributes:
        legs: of the candidates, all that share these vectors (they differ in dimension).
        complete: whether the screening precision has read the whole corpus and all queries.
        known: its vectors so far, in the screening precision.
    """

    asked: Resolved
    screen: Resolved
    legs: list[Leg]
    slack: float = 0.0
    complete: bool = False
    known: Known | None = None


@dataclass
class Rounds:
    """One screening.

    Attributes:
        entrants: candidate -> readers by leg (none for `bm25`).
        costs: what a candidate costs, where the caller knows; else its encoding time decides.
        deadline: on `clock`; None for no budget.
    """

    bench: Bench
    pools: Pools
    readers: list[Reader]
    entrants: dict[Candidate, dict[Leg, Reader]]
    ledger: Ledger
    margin: float
    costs: Mapping[str, float] | None
    deadline: float | None
    should_stop: Callable[[], bool]
    on_round: Callable[[Round], None]
    clock: Callable[[], float] = time.monotonic
    failures: dict[Candidate, AdvisorError] = field(default_factory=dict)
    gone: dict[Candidate, Elimination] = field(default_factory=dict)
    scores: dict[Candidate, Scores] = field(default_factory=dict)
    parities: list[Parity] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    checks: int = 0

    # ------------------------------------------------------------ the plan

    def run(self) -> Screening:
        """Go through the rounds, as far as time allows."""
        end: Literal["settled", "budget", "stopped"] = "settled"
        try:
            self._read_cheap()
            if len(self.pools.queries) >= FEWEST:
                self._compare_precisions()
            self._finish()
        except OutOfTimeError:
            end = "stopped" if self.should_stop() else "budget"
        except KeyboardInterrupt:
            end = "stopped"
        return self._result(end)

    def _go_round(self) -> None:
        number = len(self.rounds)
        while self._open():
            number += 1
            asked, rows = self.pools.draw(number)
            share = self.pools.share(rows)
            taking_part = [c.spec for c in self._alive()]
            if share <= LARGEST_POOL:
                for reader in self._open():
                    self._read(reader, rows, asked)
                self._score(asked, rows)
                self._check(number)
            best = self._most_promising()
            if best is not None:
                self._complete(best)
                self._check(number)
            self.rounds.append(
                Round(
                    number=number,
                    queries=asked,
                    documents=len(rows),
                    pool_share=round(share, 4),
                    taking_part=tuple(taking_part),
                    completed=best.asked.spec if best else None,
                    seconds=round(self.ledger.spent, 3),
                )
            )
            self.on_round(self.rounds[-1])

    def _finish(self) -> None:
        """Those left read everything in the precision asked for; where one fails then, those it put out go on."""
        failed = -1
        while failed < len(self.failures):
            failed = len(self.failures)
            if len(self.pools.queries) >= FEWEST:
                self._go_round()
            for reader in self._open():
                self._complete(reader)
            for candidate in self._survivors():
                for reader in self.entrants[candidate].values():
                    if candidate in self.failures:
                        break
                    error = self._ensure(reader.asked, self._everything, len(self.bench.queries))
                    if error is not None:
                        self._fail(reader, error)

    # ------------------------------------------------------------ who is in it

    def _alive(self) -> list[Candidate]:
        return [c for c in self.entrants if c not in self.gone and c not in self.failures]

    def _open(self) -> list[Reader]:
        """Encoders of candidates still in it that have not read everything."""
        needed = {id(r): r for c in self._alive() for r in self.entrants[c].values() if not r.complete}
        return list(needed.values())

    def _exact(self, candidate: Candidate) -> bool:
        return all(reader.complete for reader in self.entrants[candidate].values())

    def _most_promising(self) -> Reader | None:
        """An encoder to read everything next: that of the candidate that could be the best (or else the cheapest).

        None while somebody who has read everything is ahead of all the others even so: then a larger pool may do.
        """
        waiting = [c for c in self._alive() if not self._exact(c)]
        if not waiting:
            return None
        means = {c: self._mean(c) for c in waiting}
        first = min(waiting, key=lambda c: (-means[c], self._cost(c), c.spec))
        known = [c for c in self._alive() if self._exact(c)]
        asked = min(len(self.scores[c]) for c in waiting) if all(c in self.scores for c in waiting) else 0
        pool_used_up = self._next_pool_is_too_large()
        if known and asked and not pool_used_up:
            ahead = max(float(self.scores[c][:asked].mean()) for c in known)
            if ahead >= means[first]:
                return None
        return next(r for r in self.entrants[first].values() if not r.complete)

    def _next_pool_is_too_large(self) -> bool:
        done = self.rounds[-1] if self.rounds else None
        everyone = done is not None and done.queries >= len(self.pools.queries)
        return everyone or (done is not None and done.pool_share > LARGEST_POOL / 2)

    def _mean(self, candidate: Candidate) -> float:
        return float(self.scores[candidate].mean()) if candidate in self.scores else 1.0

    def _cost(self, candidate: Candidate) -> tuple[float, ...]:
        if self.costs is not None:
            return (self.costs.get(candidate.spec, math.inf),)
        readers = self.entrants[candidate].values()
        rates = [self.ledger.rate(r.asked) or self.ledger.rate(r.screen) for r in readers]
        seconds = sum(math.inf if rate is None else rate for rate in rates)  # not measured counts as dearest
        sizes = [int(leg.options.get("dim", 0)) or 10**6 for leg in self.entrants[candidate]]
        return (seconds, float(len(candidate.legs)), float(sum(sizes)))

    # ------------------------------------------------------------ reading

    def _read_cheap(self) -> None:
        for reader in self.readers:
            if reader.asked.backend in CHEAP:
                self._complete(reader)
        self._score_exact()

    def _compare_precisions(self) -> None:
        """Where a faster precision could stand in: read a small sample in both and look."""
        documents = max(
            parity.FEWEST_DOCUMENTS, min(parity.DOCUMENTS, int(len(self.bench.texts) * parity.LARGEST_SHARE))
        )
        _, pool = self.pools.draw(1)
        rows, asked = self._sample(pool, documents)
        for reader in self.readers:
            if reader.screen is reader.asked or not self._users(reader):
                continue
            error = self._ensure(reader.asked, rows, asked)
            if error is not None:
                self._fail(reader, error)
                continue
            if self._ensure(reader.screen, rows, asked) is not None:
                reader.screen = reader.asked  # it does not run here
                continue
            rates = self.ledger.rate(reader.asked), self.ledger.rate(reader.screen)
            found = parity.compare(
                reader.legs[0],
                reader.screen.spec,
                self._sampled(reader, reader.asked, rows, asked),
                self._sampled(reader, reader.screen, rows, asked),
                self.margin,
                rates[0] / rates[1] if rates[0] and rates[1] else None,
            )
            self.parities.append(found)
            if found.accepted:
                reader.slack = parity.slack(found.difference)
            else:
                reader.screen = reader.asked

    def _sample(self, pool: Rows, documents: int) -> tuple[Rows, int]:
        """The first queries with one relevant document each, filled up from the first pool.

        Queries are short, and what they can show grows with their number: as many as there is room for.
        """
        asked = min(documents, len(self.pools.queries))
        rows = dict.fromkeys(int(relevant[0]) for relevant in self.pools.relevant[:asked])
        for row in pool.tolist():
            if len(rows) >= documents:
                break
            rows.setdefault(row)
        return np.array(sorted(rows), np.int64), asked

    def _sampled(self, reader: Reader, resolved: Resolved, rows: Rows, asked: int) -> parity.Sample:
        leg = reader.legs[0]
        known = self._known(resolved, rows, asked)
        return parity.Sample(
            finish(known.read(rows), leg, resolved),
            finish(known.queries, leg, resolved),
            self.bench.scores(leg, {leg: known}, asked, rows, only_these=True),
        )

    def _read(self, reader: Reader, rows: Rows, asked: int) -> None:
        """Documents and queries in the screening precision; what was read before is kept."""
        if reader.known is not None:
            rows = np.union1d(reader.known.rows, rows)
            asked = max(asked, len(reader.known.queries))
        error = self._ensure(reader.screen, rows, asked)
        if error is not None:
            self._fail(reader, error)
        else:
            reader.known = self._known(reader.screen, rows, asked)

    def _complete(self, reader: Reader) -> None:
        """Everything, in the screening precision; then its scores are exact and its first places are hard negatives.

        Others that are screened with the same vectors have then read everything too.
        """
        shared = reader.screen.identity
        for twin in self.readers:
            if not twin.complete and twin.screen.identity == shared and self._users(twin):
                self._read(twin, self._everything, len(self.bench.queries))
                twin.complete = bool(self._users(twin))
        self._score_exact()

    @property
    def _everything(self) -> Rows:
        return np.arange(len(self.bench.texts))

    def _known(self, resolved: Resolved, rows: Rows, asked: int) -> Known:
        def read(some: Rows) -> Vectors:
            return self.ledger.vectors(resolved, [self.bench.texts[row] for row in some.tolist()], "document")

        return Known(resolved, rows, read, self.ledger.vectors(resolved, self.bench.query_texts[:asked], "query"))

    def _ensure(self, resolved: Resolved, rows: Rows, asked: int) -> AdvisorError | None:
        """Encode; what went wrong, if anything did."""
        documents = [self.bench.texts[row] for row in rows.tolist()]
        self._mind_the_time(resolved, sum(map(len, documents)))
        texts: Texts = {"document": documents, "query": self.bench.query_texts[:asked]}
        try:
            self.ledger.ensure(resolved, texts, say("Encoding"))
        except AdvisorError as error:
            return error
        return None

    def _fail(self, reader: Reader, error: AdvisorError) -> None:
        """An encoder that fails takes its candidates with it, and no others; whom they put out is back in it."""
        failed = self._users(reader)
        self.failures.update(dict.fromkeys(failed, error))
        specs = {candidate.spec for candidate in failed}
        self.gone = {
            c: how for c, how in self.gone.items() if how.against not in specs or reader in self.entrants[c].values()
        }

    def _users(self, reader: Reader) -> list[Candidate]:
        return [c for c in self._alive() if reader in self.entrants[c].values()]

    def _mind_the_time(self, resolved: Resolved, characters: int) -> None:
        if self.should_stop():
            raise OutOfTimeError
        if self.deadline is None:
            return
        left = self.deadline - self.clock()
        rate = self.ledger.rate(resolved)
        if left <= 0 or (rate is not None and rate * characters > left):
            raise OutOfTimeError

    # ------------------------------------------------------------ scoring

    def _score(self, asked: int, rows: Rows) -> None:
        for candidate in self._alive():
            if not self._exact(candidate):
                self.scores[candidate] = self.bench.scores(candidate, self._vectors(candidate), asked, rows)

    def _score_exact(self) -> None:
        """Scores of those who have just come to have read everything."""
        everything, asked = self._everything, len(self.bench.queries)
        for candidate in self._alive():
            if self._exact(candidate) and len(self.scores.get(candidate, ())) < asked:
                rankings = self.bench.rank(candidate, self._vectors(candidate), asked, everything)
                self.scores[candidate] = self.bench.scores_of(rankings, candidate, asked)
                if isinstance(candidate, Leg) and "dim" not in candidate.options:
                    self.pools.add_heads(candidate.spec, rankings.rows)

    def _vectors(self, candidate: Candidate) -> dict[Leg, Known]:
        return {leg: reader.known for leg, reader in self.entrants[candidate].items() if reader.known is not None}

    def _standing(self, candidate: Candidate) -> Standing:
        slack = sum(r.slack for r in self.entrants[candidate].values() if r.screen is not r.asked)
        return Standing(
            candidate.spec,
            self.scores[candidate],
            self._exact(candidate),
            self._cost(candidate),
            slack,
            self._setup(candidate),
        )

    def _setup(self, candidate: Candidate) -> str:
        """What decides its scores: vectors, dimensions, and how they are put together."""
        readers = self.entrants[candidate]

        def name(part: Candidate) -> str:
            if isinstance(part, Fusion):
                return f"fusion({sorted(part.options.items())}: {', '.join(map(name, part.parts))})"
            return part.spec if part not in readers else f"{readers[part].screen.identity} {part.options.get('dim')}"

        return name(candidate)

    def _check(self, number: int) -> None:
        """Leave out whoever cannot be the answer any more."""
        self.checks += 1
        by_spec = {c.spec: c for c in self._alive() if c in self.scores}
        standings = [self._standing(c) for c in by_spec.values()]
        asked = len(self.bench.queries)
        for verdict in leavers(standings, self.margin, self.checks, len(self.entrants), self.bench.most, asked):
            candidate = by_spec[verdict.spec]
            self.gone[candidate] = eliminated(verdict, number, self._exact(candidate), self.margin)

    # ------------------------------------------------------------ what came out

    def _survivors(self, settled: bool = True) -> list[Candidate]:
        """The winner and the best, and all that cost nothing more to measure; only these where time is up."""
        alive = sorted((c for c in self._alive() if c in self.scores), key=lambda c: (self._cost(c), c.spec))
        if not alive:
            return []
        named = set(answer([self._standing(c) for c in alive], self.margin, len(self.gone))) if settled else set()
        return [c for c in alive if c.spec in named or self._is_measured(c)]

    def _is_measured(self, candidate: Candidate) -> bool:
        """Whether all its vectors are there, in the precision asked for."""
        return all(r.complete and r.screen is r.asked for r in self.entrants[candidate].values())

    def _result(self, end: Literal["settled", "budget", "stopped"]) -> Screening:
        alive = [c for c in self._alive() if c in self.scores]
        standings = [self._standing(c) for c in alive]
        winner, best = answer(standings, self.margin, len(self.gone)) if standings else (None, None)
        return Screening(
            primary=self.bench.metric,
            margin=self.margin,
            rounds=tuple(self.rounds),
            parities=tuple(self.parities),
            eliminated=tuple(self.gone.values()),
            screened=tuple(
                Screened(spec=c.spec, score=interval(of), exact=self._exact(c), queries=len(of))
                for c, of in self.scores.items()
                if c not in self.failures
            ),
            winner=winner,
            best=best,
            survivors=tuple(c.spec for c in self._survivors(end == "settled")),
            open=tuple(c.spec for c in self._alive() if not self._exact(c)),
            end=end,
            work=EncodeWork(spent_seconds=round(self.ledger.spent, 3), full_seconds=self._full_seconds()),
        )

    def _full_seconds(self) -> float | None:
        """Everything for everyone at the rates measured here."""
        characters = sum(map(len, set(self.bench.texts))) + sum(map(len, set(self.bench.query_texts)))
        rates = [self.ledger.rate(reader.asked) for reader in self.readers]
        if any(rate is None for rate in rates):
            return None
        return round(sum(rate for rate in rates if rate is not None) * characters, 3)
