"""What the quantities in a message are about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from agent.understanding.findings import Finding
from agent.understanding.machine import Place, gpu_name_near, place_of
from agent.understanding.negation import negated, soft
from agent.understanding.numbers import VECTOR_TYPES, Quantity
from agent.understanding.reading import Reading
from agent.understanding.utterance import Hit
from knowledge.constraints import CONSTRAINTS, make_constraint
from knowledge.wording import Text, say

_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0, "day": 86_400.0, "month": 2_629_800.0, "year": 31_557_600.0}
_PER_MONTH = {"day": 30.44, "month": 1.0, "year": 1 / 12, "h": 730.5, "min": 43_830.0, "s": 2_629_800.0}
_MIB = {"mb": 1.0, "gb": 1024.0, "tb": 1024.0 * 1024}
#: GB; no machine has less, so it is a limit for the model: "no GPU, 100 MB of memory"
_SMALLEST_MACHINE = 0.25
_TOKENS_PER_WORD = 4 / 3
_TOKENS_PER_PAGE = 650
#: the nouns that a number without a unit may follow: "维度 512", "context length 8192"
_UNIT_OF_NOUN = {
    "dimension": "dimensions",
    "max_tokens": "tokens",
    "queries_per_second": "qps",
    "parameters": "parameters",
    "margin": "percent",
}
#: what a bare number means as the answer to a question
_UNIT_OF_ANSWER = {
    "documents": "documents",
    "document_tokens": "tokens",
    "query_tokens": "tokens",
    "max_tokens": "tokens",
    "queries_per_second": "qps",
    "parameters": "parameters",
    "dimension": "dimensions",
    "latency": "ms",
    "cost": "usd",
    "margin": "percent",
}
_BARE_GB_BELOW = 256
#: characters; 一个字 is no length of a text, but "not a word"
_SHORTEST_TEXT = 2
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
#: no model reads less at once; and what is only called a window has at least
_SHORTEST_CONTEXT, _SHORTEST_WINDOW = 128, 1000
_BETWEEN_VECTOR_AND_LIMIT, _BETWEEN_NAME_AND_AMOUNT = 3, 4
#: "the vector column in our database is fixed at 768"
_BETWEEN_NAME_AND_LIMIT = 6
#: the smallest "max NUMBER M" that is a model, and how the sizes of models are written
_SMALLEST_MODEL = 1e6
_MODEL_SCALES = frozenset({"m", "b"})
#: what else comes in millions
_IN_MILLIONS = frozenset({"documents", "queries", "tokens", "cost", "queries_per_second"})
#: what a list of demands on a model names besides its size
_OF_A_MODEL = frozenset({"language", "multilingual", "license", "license_name", "gpu", "open_weights", "hosting"})
_REFUSING = frozenset(
    {"no", "nothing", "none", "exclude", "excluded", "without", "不要", "不考虑", "排除", "不行", "不用"}
)
_DENYING = frozenset({"not", "isn't", "is not", "instead of", "rather than", "不是", "而不是", "并非", "非"})
#: of which time or type a number speaks by what is around it
_THOSE = frozenset({"those", "these", "them", "such"})
#: what is typed is a query; and a clause of so few words says no more than an amount
_TYPED = frozenset(
    {
        "来搜",
        "来问",
        "来查",
        "粘进来",
        "粘进来搜",
        "type",
        "types",
        "typing",
        "paste",
        "pastes",
        "pasting",
        "搜",
        "提问",
        "输入",
        "查",
        "搜索",
        "查询",
        "粘",
        "粘贴",
        "贴",
    }
)
_FEW_WORDS = 9
_PER = frozenset(["per", "/", "each", "every", "a", "每"])
_CURRENCIES = frozenset(["usd", "cny", "eur", "gbp"])


def read_limits(reading: Reading) -> Iterator[Finding]:
    """Findings from the quantities; one that fits nothing is left alone."""
    u = reading.utterance
    # A volume of tokens joins a budget, so the budget has to be there.
    stated = [q for q in _multiplied(reading) if not _is_denied(reading, q)]
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


def _is_denied(reading: Reading, quantity: Quantity) -> bool:
    """Whether it is what is put right, beside what it should be: "9 million, not 900k", 不是九十万."""
    before = reading.utterance.ending(quantity.start, "negation")
    return len(reading.quantities) > 1 and any(hit.term in _DENYING for hit in before)


class LimitReader:
    """Reads one quantity in its clause."""

    def __init__(self, reading: Reading, quantity: Quantity) -> None:
        self._reading, self._q = reading, quantity
        self._u = reading.utterance
        self._clause = self._u.clauses[quantity.start]
        self._asked = reading.asked
        self._words = self._u.words(quantity.start, quantity.end)
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

    def _unit_from_context(self) -> str | None:
        """The unit of the noun right before a bare number, else that of the open question."""
        for noun in self._u.in_clause(self._clause, "noun"):
            between = self._q.start - noun.end
            named = noun.value in _UNIT_OF_NOUN and not self._is_too_short(noun)
            if named and 0 <= between <= _BETWEEN_NAME_AND_AMOUNT and self._plain(noun.end, self._q.start):
                return _UNIT_OF_NOUN[noun.value]
        following = self._u.starting(self._q.end, "noun")
        if any(noun.value == "max_tokens" and not self._is_too_short(noun) for noun in following):
            return "tokens"  # a 32k window
        if self._limits_vectors():
            return "dimensions"
        if self._corrects_the_documents() or self._sums_up():
            return "documents"
        if self._q.rate and (self._has("noun", value="queries_per_second") or self._is_of_queries()):
            return "qps"
        if self._limits_a_model():
            return "parameters"
        answer = self._asked in _UNIT_OF_ANSWER and len(self._reading.quantities) == 1 and not self._counts_no_amount()
        return _UNIT_OF_ANSWER[self._asked] if answer and self._asked else None

    def _is_of_queries(self) -> bool:
        """Whether it counts the queries spoken of before: "... as their query, ... some 35 of those per second"."""
        pointing = any(self._u.tokens[i].text in _THOSE for i in range(self._q.start, self._q.end))
        before = (h for h in self._u.of_category("role") if h.value == "query" and h.start < self._q.start)
        return self._q.rate == "s" and pointing and any(before)

    def _counts_no_amount(self) -> bool:
        """Whether it counts something that no question asks for: "1 more time please", "2 of us decide that"."""
        return any(self._u.starting(i, "no_amount") for i in (self._q.end, self._q.end + 1))

    def _is_too_short(self, noun: Hit) -> bool:
        """Whether a window so small is one in a wall."""
        least = _SHORTEST_WINDOW if noun.term in ("window", "窗口") else _SHORTEST_CONTEXT
        return noun.value == "max_tokens" and self._q.value < least and self._asked != "max_tokens"

    def _corrects_the_documents(self) -> bool:
        """Whether a large number without a unit can only correct the number of documents: "make that 9 million"."""
        known = self._reading.requirements.documents is not None and self._q.value >= _MANY_PAGES
        denied = any(_is_denied(self._reading, other) for other in self._reading.quantities)
        corrects = (self._u.of_category("correction") or denied) and not self._u.starting(self._q.start, "gpu")
        return bool(known and corrects and self._asked is None and self._q.limit is None and not self._q.rate)

    def _sums_up(self) -> bool:
        """Whether it says how many there are of what was named before it: "photographs of ..., 18,000 by now"."""
        beside = [
            i for i, c in enumerate(self._u.clauses) if c == self._clause and not self._q.start <= i < self._q.end
        ]
        summed = self._u.in_clause(self._clause, "in_all")
        covered = {i for hit in summed for i in range(hit.start, hit.end)}
        plain = all(i in covered or self._u.lexicon.says_nothing(self._u.tokens[i]) for i in beside)
        large = self._q.value >= _MANY_PAGES and (summed or self._asked is None)
        if not plain or not large or self._q.limit or self._q.rate or self._asked not in (None, "documents"):
            return False
        sentence, counted = self._u.sentences[self._q.start], self._u.lexicon.counted
        named = (i for i in range(self._q.start) if self._u.sentences[i] == sentence)
        written = self._words[-1:].isalpha() or "," in self._words or bool(summed)
        return written and any(counted.get(self._u.tokens[i].stem) == "documents" or self._is_kind(i) for i in named)

    def _is_kind(self, i: int) -> bool:
        return any(h.value == "documents" or h.category == "modality" for h in self._u.starting(i, "unit", "modality"))

    def _limits_vectors(self) -> bool:
        """Whether it is the limit of what was just called a vector: "vectors max 768"."""
        if self._q.rate or not _SHORTEST_VECTOR <= self._q.value <= _LONGEST_VECTOR:
            return False
        if self._is_of_a_type() or self._is_of_vectors_so_long():
            return True
        if self._q.limit != "max":
            return False
        for vector in self._u.in_clause(self._clause, "vector"):
            between = self._u.tokens[vector.end : self._q.start]
            near = 0 <= self._q.start - vector.end <= _BETWEEN_VECTOR_AND_LIMIT
            if near and all(self._u.lexicon.says_nothing(t) for t in between):
                return True
        nouns = [
            h for h in self._u.in_clause(self._clause, "noun") if h.value == "dimension" and h.end <= self._q.start
        ]
        others = (
            [h for h in self._u.in_clause(self._clause, "noun", "unit") if h.start > nouns[-1].start] if nouns else []
        )
        return bool(nouns) and self._q.start - nouns[-1].end <= _BETWEEN_NAME_AND_LIMIT and not others

    def _is_of_a_type(self) -> bool:
        """Whether it is the length in a column's type: vector(768)."""
        before = [token.text for token in self._u.tokens[max(self._q.start - 2, 0) : self._q.start]]
        return len(before) == 2 and before[0] in VECTOR_TYPES and before[1] in "(["

    def _is_of_vectors_so_long(self) -> bool:
        """Whether vectors are said to be so long: "vectors 1024 long at most"."""
        after = self._u.tokens[self._q.end].text if self._q.end < len(self._u.tokens) else ""
        vectors = self._u.in_clause(self._clause, "vector")
        return after in ("long", "wide") and any(0 <= self._q.start - v.end <= 2 for v in vectors)

    def _limits_a_model(self) -> bool:
        """Whether it can only be the largest model: "max 600M" on its own in a list of demands on one.

        Not beside anything that says what else is counted in millions.
        """
        limited = self._q.limit == "max" and not self._q.rate and self._asked is None
        if not limited or self._q.value < _SMALLEST_MODEL or not self._is_written_as_of_models():
            return False
        own = (i for i, clause in enumerate(self._u.clauses) if clause == self._clause)
        beside = (self._u.tokens[i] for i in own if not self._q.start <= i < self._q.end)
        if not all(self._u.lexicon.says_nothing(token) for token in beside):
            return False
        counted = any(h.value in _IN_MILLIONS for h in self._u.of_category("unit", "noun"))
        others = {h.category for h in self._u.hits if self._u.clauses[h.start] != self._clause}
        return not counted and len(self._reading.quantities) == 1 and bool(others & _OF_A_MODEL)

    def _is_written_as_of_models(self) -> bool:
        return any(token.text in _MODEL_SCALES for token in self._u.tokens[self._q.start : self._q.end])

    def _plain(self, start: int, end: int) -> bool:
        tokens = self._u.tokens[start:end]
        return all(
            t.text in "=:≤<到为在是约能会可冲飙涨达高峰最大概"
            or t.text in ("of", "is", "was", "were", "about", "around", "max")
            for t in tokens
        )

    def _bare_answer(self) -> Iterator[Finding]:
        if (
            self._asked == "memory"
            and self._q.value > 0
            and self._q.unit is None
            and len(self._reading.quantities) == 1
            and not self._counts_no_amount()
        ):
            unit = "GB" if self._q.value < _BARE_GB_BELOW else "MB"
            rule = say("“{words}” taken as {amount}", words=self._words, amount=f"{self._q.value:g} {unit}")
            yield from self._found("memory", {"max_mb": self._q.value * _MIB[unit.lower()]}, rule)

    def _has(self, *categories: str, value: str | None = None) -> bool:
        return any(value in (None, h.value) for h in self._u.in_clause(self._clause, *categories))

    def _is_indifferent(self) -> bool:
        """Whether the clause says that this does not matter; "200 ms 都可以" and "200 ms is fine" accept it."""
        accepted = {h.start for h in self._u.in_clause(self._clause, "acceptable")}
        return any(h.start not in accepted for h in self._u.in_clause(self._clause, "indifferent"))

    def _of_other_affairs(self, about: str) -> bool:
        """Whether it is the user's rent, wages or sales, and not what was asked for or is named beside them."""
        others = {h.end for h in self._u.in_clause(self._clause, "other_affairs")}
        nouns = [h for h in self._u.in_clause(self._clause, "noun") if h.value == about]
        named = any(noun.start not in others for noun in nouns)  # in "parking costs 5 dollars" it is a verb
        return bool(others) and self._asked != about and not named

    def _found(self, about: str, value: object, rule: Text | None = None) -> Iterator[Finding]:
        because = self._reading.because(rule) if rule else None
        yield Finding(about, value, self._words, because, hard=not soft(self._u, self._q.start))

    def _whole(self, about: str, rule: Text | None = None, factor: float = 1.0) -> Iterator[Finding]:
        number = round(self._q.value * factor)
        if number > 0:
            yield from self._found(about, number, rule)

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

    def _memory(self) -> Iterator[Finding]:
        usable = self._has("usable_memory") or self._asked == "memory"
        if self._q.value <= 0 or (not usable and self._has("storage")):
            return
        if self._is_taken_by_the_model():
            yield from self._limit_of_memory(self._q.value * _MIB[self._q.unit or "mb"], None)
            return
        if self._is_of_texts() or any(
            0 <= h.start - self._q.end <= 2 for h in self._u.in_clause(self._clause, "storage")
        ):
            return
        megabytes = self._q.value * _MIB[self._q.unit or "mb"]
        place = place_of(self._reading, self._q)
        if self._asked == "memory" and place != "gpu":
            place = None
        if place is None and self._asked == "hardware":
            place = "gpu" if self._speaks_of_a_gpu() else "ram"
        gigabytes = round(megabytes / 1024, 6)
        if place == "gpu":
            yield from self._found("hardware", {"gpu_gb": gigabytes, "gpu_name": gpu_name_near(self._u, self._q)})
        elif (
            place == "ram" and gigabytes >= _SMALLEST_MACHINE and (self._q.limit != "max" or self._asked == "hardware")
        ):
            yield from self._found("hardware", {"ram_gb": gigabytes})
        else:
            yield from self._limit_of_memory(megabytes, place)

    def _is_taken_by_the_model(self) -> bool:
        """Whether it is what a model may take of the memory: "the encoder can hog 3 GB", 模型最多占 2G."""
        takers = [h for h in self._u.in_clause(self._clause, "device") if h.value == "model" and h.end <= self._q.start]
        return bool(takers) and any(h.end <= self._q.start for h in self._u.in_clause(self._clause, "takes"))

    def _is_of_texts(self) -> bool:
        """Whether it is how much there is of something: "100 GB of emails", and not "16 GB of RAM"."""
        of = [token.text for token in self._u.tokens[self._q.end : self._q.end + 1]] == ["of"]
        near = (h for at in range(self._q.end, self._q.end + 4) for h in self._u.starting(at, "usable_memory", "gpu"))
        return of and not any(near)

    def _speaks_of_a_gpu(self) -> bool:
        """Whether the sentence names a GPU and no other machine: "whatever GPU is needed, up to 80 GB"."""
        sentence = self._u.sentences[self._q.start]
        hits = [h for h in self._u.of_category("gpu", "device") if self._u.sentences[h.start] == sentence]
        return bool(hits) and all(h.value == "yes" and not negated(self._u, h) for h in hits)

    def _limit_of_memory(self, megabytes: float, place: Place | None) -> Iterator[Finding]:
        value: dict[str, object] = {"max_mb": megabytes, "weights_only": place == "model"}
        edge = next(iter(self._u.of_category("edge")), None)
        if edge is None or place != "model":
            yield from self._found("memory", value)
            return
        words = self._u.words(edge.start, edge.end)
        rule = say("“{words}” suggests weights of 8 bits, as is usual there", words=words)
        yield from self._found("memory", value | {"bytes_per_parameter": 1.0}, rule)

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

    def _length_of(self, default: str = "max_tokens") -> str:
        if self._asked in ("document_tokens", "query_tokens", "max_tokens"):
            return self._asked
        roles = self._u.in_clause(self._clause, "role")
        if self._has("long_text") or self._stays_whole() or (self._has("supports") and default != "document_tokens"):
            return "max_tokens"
        if self._u.in_clause(self._clause, "document_each"):
            return "document_tokens"
        roles = roles or self._roles_before()
        if roles:
            nearest = min(roles, key=lambda r: abs(r.start - self._q.start))
            return f"{nearest.value}_tokens"
        return default

    def _roles_before(self) -> list[Hit]:
        """The queries that the clause before speaks of, where this one is a mere amount: "as their query, say 150"."""
        first = self._u.clauses.index(self._clause)
        if not first or self._u.sentences[first - 1] != self._u.sentences[first]:
            return []
        own = (t for t, c in zip(self._u.tokens, self._u.clauses, strict=True) if c == self._clause)
        if sum(token.text.isalpha() for token in own) > _FEW_WORDS:
            return []
        before = self._u.clauses[first - 1]
        typed = [h for h in self._u.in_clause(before, "put_in") if h.term in _TYPED]
        asked = [replace(h, category="role", value="query") for h in typed]
        queries = [h for h in self._u.in_clause(before, "role") if h.value == "query"]
        return (asked or queries)[-1:]

    def _stays_whole(self) -> bool:
        """Whether it is the length of what the sentence says must not be split: "4k tokens each, must not be split"."""
        sentence = self._u.sentences[self._q.start]
        lengths = [q for q in self._reading.quantities if q.unit == "tokens" and self._u.sentences[q.start] == sentence]
        return any(
            min(lengths, key=lambda q: abs(q.start - hit.start), default=None) == self._q
            for hit in self._u.of_category("unsplit")
            if self._u.sentences[hit.start] == sentence
        )

    def _is_kept_whole(self) -> bool:
        """Whether the sentence says that texts are not to be split."""
        sentence = self._u.sentences[self._q.start]
        return any(self._u.sentences[hit.start] == sentence for hit in self._u.of_category("unsplit"))

    def _lengths_in_words(self) -> Iterator[Finding]:
        rule = say("“{words}” taken as 4 tokens for 3 words", words=self._words)
        if self._asked or self._has("role", "long_text"):
            yield from self._length(rule, _TOKENS_PER_WORD)

    def _lengths_in_characters(self) -> Iterator[Finding]:
        if not (self._asked or self._has("role", "long_text")) or self._q.value < _SHORTEST_TEXT:
            return
        if self._reading.language == "zh":
            yield from self._length(
                say("“{words}” taken as one token for each Chinese character", words=self._words), 1
            )
        else:
            yield from self._length(say("“{words}” taken as one token for 4 characters", words=self._words), 0.25)

    def _length(self, rule: Text, factor: float) -> Iterator[Finding]:
        about = "max_tokens" if self._is_kept_whole() else self._length_of("document_tokens")
        if about == "max_tokens":
            yield from self._found(about, {"tokens": max(1, round(self._q.value * factor))}, rule)
        else:
            yield from self._whole(about, rule, factor)

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

    def _refuses_more(self) -> bool:
        """Whether what is above is refused: 10亿参数以上的不考虑, "no models over 1B"."""
        return any(h.term in _REFUSING for h in self._u.in_clause(self._clause, "negation", "drop", "forbidden"))

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
        if rate not in _BUDGET_TIMES and not self._is_a_budget():
            return
        currency = self._q.unit or "usd"
        factor = self._u.lexicon.tables["usd_per"][currency]
        usd = round(self._q.value * factor * _PER_MONTH[rate], 2)
        rule = None
        if currency != "usd":
            rule = say(
                "“{words}” at {rate} US dollars each, a rounded rate of 2025", words=self._words, rate=f"{factor:g}"
            )
        yield from self._found("cost", {"max_usd_per_month": usd}, rule)

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
