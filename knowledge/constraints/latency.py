"""Is one query answered fast enough?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from knowledge.constraints.base import Answer, ConstraintBase, Footprint, Verdict
from knowledge.model_card import ModelCard
from knowledge.quantities import digits, estimated_milliseconds
from knowledge.wording import Text, say

QUERY_TOKENS = 32

#: Assumed useful throughput when one short query is encoded, in operations per second. Round figures for a few cores
#: of a server and for one current data-centre GPU; they may be wrong by a factor of a few either way.
CPU_FLOPS = 50e9
GPU_FLOPS = 20e12

#: An estimate this many times over the limit excludes a model unmeasured.
CERTAIN = 5.0


class LatencyConstraint(ConstraintBase):
    """Encoding one query must take at most `p95_ms` milliseconds at the 95th percentile.

    The card allows only an estimate: 2 operations x active parameters x 32 query tokens, over an assumed 50 GFLOP/s on
    a CPU (also where no machine was named) or 20 TFLOP/s on a GPU. It ignores overheads and the search itself, so it
    only ever excludes a model whose estimate is more than five times the limit; every other model is to be measured.
    """

    kind: Literal["latency"] = "latency"
    p95_ms: float = Field(gt=0, allow_inf_nan=False)
    #: whether it is to hold on a GPU; None: nobody said what it is to hold on
    gpu: bool | None = None

    question: ClassVar[Text] = say("How fast must one query be answered?")
    questions: ClassVar[Mapping[str, Text]] = {
        "classification": say("How fast must one text be classified?"),
        "similarity": say("How fast must two texts be compared?"),
        "recommendation": say("How fast must one recommendation be made?"),
    }
    answers: ClassVar[tuple[Answer, ...]] = (
        Answer(label=say("Within 20 ms"), parameters={"p95_ms": 20}),
        Answer(label=say("Within 100 ms"), parameters={"p95_ms": 100}),
        Answer(label=say("It does not matter"), parameters=None),
    )

    def describe(self) -> Text:
        if self.gpu:
            return say("p95 of a query at most {limit:,.0f} ms, on a GPU", limit=self.p95_ms)
        if self.gpu is None:
            return say("p95 of a query at most {limit:,.0f} ms (no machine named: a CPU is assumed)", limit=self.p95_ms)
        return say("p95 of a query at most {limit:,.0f} ms, on a CPU", limit=self.p95_ms)

    def estimate_ms(self, card: ModelCard) -> float | None:
        """Milliseconds to encode one query under the assumptions above; None where the size is not known."""
        parameters = card.parameters if card.active_parameters is None else card.active_parameters
        if parameters is None:
            return None
        return 1000 * 2 * parameters * QUERY_TOKENS / (GPU_FLOPS if self.gpu else CPU_FLOPS)

    def check(self, card: ModelCard) -> Verdict:
        if card.is_api:
            return Verdict(outcome="unknown", reason=say("an API: its latency from where you are is to be measured"))
        estimate = self.estimate_ms(card)
        if estimate is None:
            return Verdict(outcome="unknown", reason=say("its size is not known, so its latency is to be measured"))
        told, limit = estimated_milliseconds(estimate), digits(self.p95_ms)
        if estimate > CERTAIN * self.p95_ms:
            return Verdict(
                outcome="violated",
                reason=say(
                    "{estimate} a query, estimated by its size; you allow {limit} ms", estimate=told, limit=limit
                ),
            )
        if estimate > self.p95_ms:
            return Verdict(
                outcome="unknown",
                reason=say(
                    "{estimate} a query, estimated by its size: over your {limit} ms if that holds, to be measured",
                    estimate=told,
                    limit=limit,
                ),
            )
        return Verdict(
            outcome="unknown",
            reason=say("{estimate} a query, estimated by its size, to be measured", estimate=told),
        )

    def check_measured(self, footprint: Footprint) -> Verdict | None:
        if footprint.query_p95_ms is None:
            return None
        measured = footprint.query_p95_ms
        return Verdict(
            outcome="violated" if measured > self.p95_ms else "met",
            reason=say(
                "measured p95 {measured}, you allow {limit} ms",
                measured=say("{count} ms", count=digits(measured, 4)),  # or one just over the limit seems to be at it
                limit=digits(self.p95_ms),
            ),
        )
