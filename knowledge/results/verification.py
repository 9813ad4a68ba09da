"""Whether a deployed pipeline does what the recommendation promised: one check at a time, each with its reason."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import computed_field

from knowledge.results.base import Record
from knowledge.wording import Text

Subject = Literal["identity", "corpus", "quality", "agreement", "speed", "robustness", "edges"]
#: what may be wrong with a pipeline, by names that scripts can rely on
Fault = Literal[
    "model",
    "prompt",
    "truncation",
    "dimension",
    "normalisation",
    "metric",
    "missing documents",
    "foreign documents",
    "quality",
    "speed",
    "robustness",
    "crash",
]


class Check(Record):
    """One thing that was looked at.

    Attributes:
        name: the same in every language, such as ``vectors of documents``.
        fault: what is wrong, where it failed and the cause is known.
        reason: why it passed, failed or was skipped; with the figures.
        remedy: what to do about it, where it failed.
        figures: what the reason quotes, for scripts.
    """

    subject: Subject
    name: str
    status: Literal["pass", "fail", "skipped"]
    reason: Text
    fault: Fault | None = None
    remedy: Text | None = None
    figures: dict[str, float] = {}


class VerificationPlan(Record):
    """What a verification would ask, to be agreed to before anything is sent; nothing was contacted.

    Attributes:
        decision, spec: as of `Verification`.
        pipeline: what would be asked: hosts and collection.
        sends_text_to: the host that would get the texts; None where none leaves this machine.
        asks: questions by what they are for, at most; ``answers`` are the evaluation's own queries.
        requests: all of them.
        lookups: documents that would be looked up in the collection by id, at most.
        seconds: estimated: questions one by one at a tenth of a second each, and the load step at its longest.
        tokens: of the texts, as this program estimates them; all requests together.
        usd: of that many tokens; None where no price is known, 0 where nobody asks for one.
        price: what a million tokens cost, on which day, by which source.
    """

    decision: str
    spec: str
    pipeline: str
    sends_text_to: str | None = None
    asks: dict[str, int]
    requests: int
    lookups: int
    seconds: float
    tokens: int
    usd: float | None = None
    price: Text | None = None


class Verification(Record):
    """A deployed pipeline against the evaluation that recommended it.

    Attributes:
        decision: the run that measured the recommendation.
        spec: the recommendation.
        pipeline: what was checked, in words: hosts and collection.
        queries: of the evaluation that were asked.
        asked: all questions put to the pipeline.
        seconds: the whole took.
    """

    version: Literal[1] = 1
    run_id: str
    created: dt.datetime
    decision: str
    spec: str
    pipeline: str
    queries: int
    asked: int
    seconds: float
    checks: tuple[Check, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def passed(self) -> bool:
        """Whether no check failed; what was skipped says why it was, and does not count."""
        return all(check.status != "fail" for check in self.checks)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong, each once."""
        found = (check.fault for check in self.checks if check.status == "fail" and check.fault)
        return tuple(dict.fromkeys(found))
