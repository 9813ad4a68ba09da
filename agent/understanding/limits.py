"""What the quantities in a message are about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from agent.understanding.bare_numbers import BareNumber
from agent.understanding.findings import Finding
from agent.understanding.memory_limits import MemoryLimit
from agent.understanding.numbers import Quantity
from agent.understanding.one_quantity import is_denied
from agent.understanding.reading import Reading
from agent.understanding.text_lengths import TextLength
from knowledge.constraints import CONSTRAINTS, make_constraint
from knowledge.wording import say

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "day": 86_400.0, "month": 2_629_800.0, "year": 31_557_600.0}
_PER_MONTH = {"day": 30.44, "month": 1.0, "year": 1 / 12, "h": 730.5, "min": 43_830.0, "s": 2_629_800.0}
_TOKENS_PER_PAGE = 650
_MANY_PAGES = 1000
#: nobody searches in one document: "you listen to one episode"
_FEWEST_DOCUMENTS = 4
#: so few that somebody has read or bought are no collection: "I read 3 books"
_FEW_DOCUMENTS = 100
#: what comes in so often is worked on as it comes
_AS_IT_COMES = frozenset({"s", "min"})
#: what budgets are for; a price for less is one only where it is called so or is a limit
_BUDGET_TIMES = frozenset({"month", "year"})
#: units of what documents are kept in, or by: folders, branches, languages
_HOLDERS = (None, "containers", "languages", "classes")
#: words between a number and what says that each has so many
_EACH = 4
#: from here on a number of tokens is a volume, not what a model reads at once
_VOLUME = 1e7
#: a shorter "vector" lies in space: "3-d models"
_SHORTEST_VECTOR = 16
_LONGEST_VECTOR = 100_000
_PER = frozenset(["per", "/", "each", "every", "a", "每"])
_CURRENCIES = frozenset(["usd", "cny", "eur", "gbp"])


def read_limits(reading: Reading) -> Iterator[Finding]:
    """Findings from the quantities; one that fits nothing is left alone."""
    u = reading.utterance
    # A volume of tokens joins a budget, so the budget has to be there.
    stated = [q for q in _multiplied(reading) if not is_denied(reading, q)]
    # Of a collection and its parts ("25,000 clauses from 800 contracts") the parts are what is searched.
    most = max((q.value for q in stated if q.unit == "documents" and not q.rate), default=0)
    smaller = [q for q in stated if q.unit == "documents" and not q.rate and q.value < most]
    corrected = bool(u.of_category("correction"))
    for quantity in sorted(stated, key=lambda q: q.unit == "tokens"):
        if quantity in smaller and not corrected:
            u.use(quantity.start, quantity.end)
            continue
        for finding in LimitReader(reading, quantity).read():
            u.use(quantity.start, quantity.end)
            for hit in u.in_clause(u.clauses[quantity.start], "noun", "rate", "vector"):
                u.use(hit.start, hit.end)
            yield finding


def _multiplied(reading: Reading) -> list[Quantity]:
    """The quantities, where each of so many things holds so many documents their product: 200 folders, 50 PDFs each."""
    u, found = reading.utterance, list[Quantity]()
    for q in reading.quantities:
        holder = found[-1] if found else None
        said = u.in_clause(u.clauses[q.start], "apiece")
        each = any(0 <= gap <= _EACH for h in said for gap in (q.start - h.end, h.start - q.end))
        if holder and each and q.unit == "documents" and not q.rate and _holds(reading, holder, q):
            found[-1] = replace(q, value=q.value * holder.value, start=holder.start)
        else:
            found.append(q)
    return found


def _holds(reading: Reading, holder: Quantity, held: Quantity) -> bool:
    """Whether a number counts what documents are kept in, or by."""
    u = reading.utterance
    if holder.rate or holder.limit or holder.value < 2 or u.sentences[holder.start] != u.sentences[held.start]:
        return False
    return holder.unit in _HOLDERS


class LimitReader(BareNumber, TextLength, MemoryLimit):
    """Reads one quantity in its clause."""

    def __init__(self, reading: Reading, quantity: Quantity) -> None:
        super().__init__(reading, quantity)
        self._supposed = False  # whether its unit is only what fits best
        self._by_unit: dict[str, Callable[[], Iterator[Finding]]] = {
            "ms": self._latency,
            "s": self._seconds,
            "mb": self._memory,
            "gb": self._memory,
            "tb": self._memory,
            "tokens": self._tokens,
            "words": self._lengths_in_words,
            "characters": self._lengths_in_characters,
            "parameters": self._parameters,
            "dimensions": self._dimension,
            "qps": self._per_second,
            "queries": self._queries,
            "documents": self._documents,
            "pages": self._pages,
            "usd": self._money,
            "cny": self._money,
            "eur": self._money,
            "gbp": self._money,
            "percent": self._margin,
            "points": self._margin,
        }

    def read(self) -> Iterator[Finding]:
        """What this quantity says."""
        unit = self._q.unit or self._unit_from_context()
        read = self._by_unit.get(unit or "")
        if read is None:
            yield from self._bare_answer()
            return
        self._supposed = unit == "parameters" and self._q.unit is None and self._limits_a_model()
        if self._q.unit is None:
            self._q = replace(self._q, unit=unit)
        taken_back = self._has("drop") and unit not in ("percent", "points")
        taken_back &= not (self._q.limit == "min" and self._refuses_more())  # 10亿参数以上的不考虑
        withdrawn = self._is_indifferent() or taken_back
        if withdrawn and unit in _CURRENCIES and self._reading.requirements.constraint(CONSTRAINTS["cost"]):
            yield Finding("cost", None, self._words)  # "forget the 40 dollars": of which time they were is known
            return
        for finding in read():
            yield Finding(finding.about, None, self._words) if withdrawn else finding

    def _latency(self, factor: float = 1.0) -> Iterator[Finding]:
        milliseconds = self._q.value * factor
        if milliseconds <= 0 or self._q.limit == "min":
            return
        rule = None
        if self._has("average"):
            rule = say("“{words}” taken as the limit for the 95th percentile", words=self._words)
        yield from self._found("latency", {"p95_ms": milliseconds}, rule)

    def _seconds(self) -> Iterator[Finding]:
        """Seconds may also be the length of a recording."""
        limited = self._q.limit == "max" or self._has("acceptable")
        about_speed = limited or self._asked == "latency" or self._has("noun", value="latency")
        if about_speed and not self._has("modality", "other_affairs"):
            yield from self._latency(1000.0)

    def _tokens(self) -> Iterator[Finding]:
        budgets = self._budgets()
        rate = self._q.rate or (self._rate_of(budgets) if self._q.value >= 1e5 else None)
        if rate:
            if budgets or self._asked == "cost" or self._reading.requirements.constraint(CONSTRAINTS["cost"]):
                per_month = self._q.value * _PER_MONTH[rate] / 1e6
                yield from self._found("cost", {"million_tokens_per_month": round(per_month, 6)})
            return
        if self._q.value >= _VOLUME and self._asked not in ("document_tokens", "query_tokens", "max_tokens"):
            return
        about = self._length_of()
        if about == "max_tokens":
            if self._q.value >= 1:
                yield from self._found("max_tokens", {"tokens": round(self._q.value)})
        else:
            yield from self._whole(about)

    def _budgets(self) -> list[Quantity]:
        """The sums of money per time in the message."""
        money = [q for q in self._reading.quantities if q.unit in _CURRENCIES]
        return [q for q in money if q.rate or self._u.in_clause(self._u.clauses[q.start], "rate")]

    def _rate_of(self, budgets: list[Quantity]) -> str | None:
        """Per what a volume of tokens is, where only the budget for it says so."""
        if self._asked == "cost":
            return "month"
        sentence = self._u.sentences[self._q.start]
        return next((q.rate for q in budgets if q.rate and self._u.sentences[q.start] == sentence), None)

    def _parameters(self) -> Iterator[Finding]:
        if self._q.limit == "min" and not self._refuses_more():
            return
        named = self._q.value >= 1e5
        millions = self._q.value / 1e6 if named else self._q.value
        if millions > 0 and (named or self._asked == "parameters"):
            value = {"max_millions": millions}
            rule = None
            if self._supposed:
                amount = make_constraint("parameters", **value).describe()
                rule = say("“{words}” taken as {amount}", words=self._words, amount=amount)
            yield from self._found("parameters", value, rule)

    def _dimension(self) -> Iterator[Finding]:
        shortest = 1 if self._asked == "dimension" else _SHORTEST_VECTOR
        if (self._q.limit != "min" or self._refuses_more()) and shortest <= self._q.value <= _LONGEST_VECTOR:
            yield from self._found("dimension", {"max_dimension": round(self._q.value)})

    def _per_second(self) -> Iterator[Finding]:
        if self._q.value > 0:
            per_second = self._q.value / _SECONDS[self._q.rate or "s"]
            yield from self._found("queries_per_second", round(per_second, 6))

    def _queries(self) -> Iterator[Finding]:
        if self._q.rate or self._asked == "queries_per_second":
            yield from self._per_second()

    def _documents(self) -> Iterator[Finding]:
        if (self._q.value < _FEW_DOCUMENTS and self._of_other_affairs("documents")) or self._is_shown():
            return
        if self._asked != "documents" and any(self._u.ending(self._q.start - gap, "dealt") for gap in (0, 1)):
            return  # "we printed 40,000 flyers": they were done with
        if self._q.rate in _AS_IT_COMES:
            yield from self._per_second()
        elif not self._q.rate and (self._q.value >= _FEW_DOCUMENTS or self._asked == "documents" or self._is_kept()):
            yield from self._whole("documents")

    def _is_kept(self) -> bool:
        """Whether so few are called a collection: "we have 40 contracts"."""
        return self._q.value >= _FEWEST_DOCUMENTS and (self._q.rough or self._has("collection"))

    def _is_shown(self) -> bool:
        """Whether it counts what is shown of them, or names one of them: top 50, 前十条, 第13条."""
        before = [
            hit
            for at in (self._q.start, self._q.start - 1)
            for hit in self._u.ending(at, "shown")
            if self._u.clauses[hit.start] == self._clause
        ]
        return self._asked != "documents" and bool(before or self._u.starting(self._q.end, "shown"))

    def _pages(self) -> Iterator[Finding]:
        """Few pages are the length of a document, many are documents."""
        if self._q.value >= _MANY_PAGES:
            yield from self._documents()
        elif self._asked in ("max_tokens", "document_tokens") or self._is_kept_whole():
            yield from self._length(say("“{words}” taken as 650 tokens a page", words=self._words), _TOKENS_PER_PAGE)

    def _money(self) -> Iterator[Finding]:
        rate = self._q.rate or ("month" if self._asked == "cost" or self._has("rate", value="month") else None)
        following = [t.text for t in self._u.tokens[self._q.end : self._q.end + 1]]
        priced = following and following[0] in _PER and self._tokens_follow()
        if rate is None or self._q.limit == "min" or priced or self._of_other_affairs("cost"):
            return
        machines = rate == "h" and self._is_a_machines()
        if not machines and rate not in _BUDGET_TIMES and not self._is_a_budget():
            return
        currency = self._q.unit or "usd"
        factor = self._u.lexicon.tables["usd_per"][currency]
        rule = None
        if currency != "usd":
            rule = say(
                "“{words}” at {rate} US dollars each, a rounded rate of 2025", words=self._words, rate=f"{factor:g}"
            )
        if machines:
            yield from self._found("machine_usd_per_hour", float(f"{self._q.value * factor:.6g}"), rule)
        else:
            usd = round(self._q.value * factor * _PER_MONTH[rate], 2)
            yield from self._found("cost", {"max_usd_per_month": usd}, rule)

    def _is_a_machines(self) -> bool:
        """Whether a sum by the hour is what a machine costs: “a machine costs $0.40 an hour” limits nothing."""
        machine = self._has("device", value="ram") or self._has("hosting", value="own_machine")
        return self._q.limit != "max" and machine

    def _is_a_budget(self) -> bool:
        """Whether a sum is called a budget, is a limit, was asked for, or is all that the clause says."""
        called = self._q.limit == "max" or self._asked == "cost" or self._has("noun", value="cost")
        own = (i for i, clause in enumerate(self._u.clauses) if clause == self._clause)
        beside = (self._u.tokens[i] for i in own if not self._q.start <= i < self._q.end)
        return called or all(self._u.lexicon.says_nothing(token) for token in beside)

    def _tokens_follow(self) -> bool:
        units = self._u.in_clause(self._clause, "unit")
        return any(h.value == "tokens" and 0 < h.start - self._q.end < 4 for h in units)

    def _margin(self) -> Iterator[Finding]:
        named = self._has("loss") or self._has("noun", value="margin")
        if not (named or self._asked == "margin") or self._of_other_affairs("margin"):
            return
        bare_share = self._q.value < 1 and self._words.replace(".", "").isdigit()
        share = self._q.value if bare_share else self._q.value / 100
        if 0 <= share <= 1:
            yield from self._found("margin", round(share, 6))
