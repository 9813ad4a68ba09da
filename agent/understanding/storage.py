"""What a large index that must be cheap asks of the vectors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.understanding.findings import Finding, apply
from agent.understanding.negation import dropped, negated
from agent.understanding.reading import Reading
from knowledge.constraints import CONSTRAINTS
from knowledge.wording import say

#: from so many vectors on, storage is what an index costs
_MANY = 10_000_000
#: what most models have, and what a model made for cutting can be cut to with little loss
_USUAL, _SHORT = 1024, 512
_BYTES = 4  # float32


def read_storage(reading: Reading, found: Iterable[Finding]) -> Iterator[Finding]:
    """A wish for short vectors, from words about saving and the number of documents after all other findings."""
    u = reading.utterance
    requirements, _ = apply(reading.requirements, found)
    documents = requirements.documents.value if requirements.documents else 0
    hit = next((h for h in u.of_category("frugal") if not negated(u, h) and not dropped(u, h)), None)
    stated = requirements.constraint(CONSTRAINTS["dimension"])
    if hit is None or documents < _MANY or (stated is not None and stated.origin == "stated"):
        return
    words = reading.use(hit)
    rule = say(
        "“{words}”: {count:,} vectors take {usual:,.0f} GB at {long:,} dimensions, {less:,.0f} GB at {short:,}",
        words=words,
        count=documents,
        usual=documents * _USUAL * _BYTES / 1e9,
        long=_USUAL,
        less=documents * _SHORT * _BYTES / 1e9,
        short=_SHORT,
    )
    yield Finding("dimension", {"max_dimension": _SHORT}, words, reading.because(rule), hard=False)
