"""Demands that are not numbers: licence, hosting, open weights, and demands taken back."""

from __future__ import annotations

from collections.abc import Iterator

from agent.understanding.findings import SLOTS, Finding
from agent.understanding.negation import dropped, negated, negated_after, negated_before, soft
from agent.understanding.reading import Reading
from agent.understanding.utterance import Hit
from knowledge.constraints import CONSTRAINTS
from knowledge.wording import say

#: after "models for research only": they are what is not wanted
_UNWANTED = frozenset(["不要", "不行", "排除", "不考虑", "exclude", "excluded"])


def read_license(reading: Reading) -> Iterator[Finding]:
    """Commercial use or not, and the licences accepted."""
    yield from _named_licenses(reading)
    u = reading.utterance
    for hit in u.of_category("license"):
        words, hard = reading.use(hit), not soft(u, hit.start)
        if dropped(u, hit) and not _unwanted(reading, hit):
            yield Finding("license", None, words)
        else:
            commercial = hit.value == "commercial"
            commercial ^= negated_before(u, hit)
            commercial ^= negated_after(u, hit) or _unwanted(reading, hit)
            yield Finding("license", {"commercial": commercial}, words, hard=hard)
    for hit in u.of_category("business"):
        if not negated(u, hit):
            words = reading.use(hit)
            rule = say("“{words}” suggests commercial use", words=words)
            yield Finding("license", {"commercial": True}, words, reading.because(rule))
            return


def _unwanted(reading: Reading, hit: Hit) -> bool:
    """Whether the models of which this is said are refused: "不能商用的不要"."""
    u = reading.utterance
    if hit.value == "commercial" and not negated(u, hit):
        return False
    clause = u.clauses[hit.start]
    refusals = [h for c in (clause, clause + 1) for h in u.in_clause(c, "negation", "drop") if h.term in _UNWANTED]
    return any(0 <= r.start - hit.end <= 6 for r in refusals)


def _named_licenses(reading: Reading) -> Iterator[Finding]:
    u = reading.utterance
    about = {u.sentences[h.start] for h in u.of_category("noun") if h.value == "license"}
    hits = [h for h in u.of_category("license_name") if u.sentences[h.start] in about and not negated(u, h)]
    if hits:
        words = [reading.use(h) for h in hits]
        allowed = tuple(dict.fromkeys(h.value for h in hits))
        yield Finding("license", {"allowed": allowed}, words[0], hard=not soft(u, hits[0].start))


def read_hosting(reading: Reading) -> Iterator[Finding]:
    """Where the texts may go."""
    u = reading.utterance
    for hit in u.of_category("hosting"):
        words, hard = reading.use(hit), not soft(u, hit.start)
        if dropped(u, hit) or _accepted(reading, hit):
            yield Finding("hosting", None, words)
        elif not negated(u, hit):
            yield Finding("hosting", {"hosting": hit.value}, words, hard=hard)
        elif hit.value == "api":
            yield Finding("hosting", {"hosting": "self_hosted"}, words, hard=hard)
        else:
            rule = say("without “{words}”, it has to be a service", words=words)
            yield Finding("hosting", {"hosting": "api"}, words, reading.because(rule), hard=hard)
    yield from _secluded(reading)
    for hit in u.of_category("outside"):
        if negated(u, hit):
            yield Finding("hosting", {"hosting": "self_hosted"}, reading.use(hit), hard=not soft(u, hit.start))
        elif _accepted(reading, hit):
            yield Finding("hosting", None, reading.use(hit))
        elif hit.term in ("api", "apis") and u.ending(hit.start - 1, "soft"):  # "we prefer an API"
            yield Finding("hosting", {"hosting": "api"}, reading.use(hit), hard=False)


def _accepted(reading: Reading, hit: Hit) -> bool:
    """Whether a service is only allowed: "an API is fine"."""
    u = reading.utterance
    accepted = [h for h in u.in_clause(u.clauses[hit.start], "acceptable") if -6 <= h.start - hit.end <= 5]
    return hit.value != "self_hosted" and bool(accepted) and not negated(u, hit)


def _secluded(reading: Reading) -> Iterator[Finding]:
    """A network that texts do not leave."""
    u = reading.utterance
    for hit in u.of_category("secluded", "leave"):
        held = any(negated(u, h) or h.term.startswith("不") for h in u.in_clause(u.clauses[hit.start], "leave"))
        if held or (hit.category == "secluded" and not negated(u, hit)):
            words = reading.use(hit)
            rule = say("“{words}” suggests that no text may be sent to a service", words=words)
            yield Finding("hosting", {"hosting": "self_hosted"}, words, reading.because(rule))


def read_open_weights(reading: Reading) -> Iterator[Finding]:
    """Whether the weights must be published."""
    u = reading.utterance
    for hit in u.of_category("open_weights"):
        words = reading.use(hit)
        if dropped(u, hit) or negated(u, hit):
            yield Finding("open_weights", None, words)
        else:
            yield Finding("open_weights", {}, words, hard=not soft(u, hit.start))


def read_withdrawals(reading: Reading) -> Iterator[Finding]:
    """Demands taken back by name: "forget the latency limit", "价格无所谓"."""
    u = reading.utterance
    for hit in u.of_category("noun"):
        known = hit.value in SLOTS or hit.value in CONSTRAINTS
        if known and dropped(u, hit):
            yield Finding(hit.value, None, reading.use(hit))
