"""“How many queries a second does it hold?”, “will it hold 100 QPS?”: what was measured under load, and machines."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from agent.answering.brief import LINES, cite
from agent.answering.costs import supposed
from agent.answering.measured import row_of
from agent.loading import load_of
from knowledge.constraints.latency import LatencyConstraint
from knowledge.quantities import milliseconds, rate
from knowledge.results import Recommendation, Row
from knowledge.results.service import RateHeld, UnderLoad
from knowledge.wording import Text, join, say

if TYPE_CHECKING:
    from agent.state import State

_SECONDS_A_MONTH = 730 * 3600.0


def on_load(words: str, models: tuple[str, ...], recommendation: Recommendation, state: State) -> Text:
    """What the recommended candidate, or the one that is named, holds; at the rate that the question supposes."""
    load = load_of(state)
    asked = _rate_in(words)
    named = [row.spec for row in recommendation.rows if any(model.lower() in row.spec.lower() for model in models)]
    spec = named[0] if named else recommendation.winner
    assert spec
    held = load.of(spec) if load else None
    if load is None or held is None:
        return _not_loaded(spec, recommendation, state, asked)
    row = row_of(spec, recommendation)
    parts = [_holds(held, load, row)]
    at = asked if asked is not None else load.rate
    parts.append(_at(held, load, at, row if asked in (None, load.rate) else None))
    others = [one for one in load.candidates if one.spec != spec and one.holds_qps]
    if others:
        told = ", ".join(f"{one.spec}: {rate(one.holds_qps or 0.0)}" for one in others)
        parts.append(say("The others hold, queries a second: {others}.", others=told))
    return join(parts, LINES)


def not_loaded_yet() -> Text:
    """Before anything is decided."""
    return say(
        "Nothing was measured yet, so what a machine holds is not known. Say how many queries a second you have "
        "(“50 queries per second”): once candidates are measured here, the best are tested at that rate."
    )


def _holds(held: RateHeld, load: UnderLoad, row: Row | None) -> Text:
    goal = milliseconds(load.goal_p95_ms)
    cited = cite(row, "holds_qps") if row else ""
    if held.holds_qps is None:
        return say(
            "{spec} does not hold p95 under {goal} on this machine, not even at the lowest rate tried{cite}.",
            spec=held.spec,
            goal=goal,
            cite=cited,
        )
    template = (
        say("One machine like this holds at least {rate} queries a second with {spec}, at p95 under {goal}{cite}.")
        if held.at_least
        else say("One machine like this holds {rate} queries a second with {spec}, at p95 under {goal}{cite}.")
    )
    values: dict[str, str | int | float | Text] = {
        "rate": rate(held.holds_qps),
        "spec": held.spec,
        "goal": goal,
        "cite": cited,
    }
    return template.model_copy(update={"values": values})


def _at(held: RateHeld, load: UnderLoad, at: float, row: Row | None) -> Text:
    """Whether that is enough for a rate."""
    count = held.machines(at)
    if math.isinf(count):
        return say("{rate} queries a second take a faster machine, or a cheaper candidate.", rate=rate(at))
    if count <= 1:
        return say("{rate} queries a second: yes, one machine is enough.", rate=rate(at))
    if held.at_least:
        return say(
            "{rate} queries a second: not measured that far; at most {count} such machines.",
            rate=rate(at),
            count=int(count),
        )
    return say(
        "{rate} queries a second: not one machine, but {count} of them{cite}, as far as load divides among machines.",
        rate=rate(at),
        count=int(count),
        cite=cite(row, "machines") if row else "",
    )


def _not_loaded(spec: str, recommendation: Recommendation, state: State, asked: float | None) -> Text:
    """Nothing was put under load: what single queries tell, and how to find out."""
    row = row_of(spec, recommendation)
    limit = state["requirements"].constraint(LatencyConstraint)
    parts = [say("{spec} was not put under load here, so how many queries a second it holds is not known.", spec=spec)]
    if row is not None and row.query_p95_ms:
        parts.append(
            say(
                "One query at a time takes {p95} at p95{cite}; under load queries wait for each other.",
                p95=milliseconds(row.query_p95_ms),
                cite=cite(row, "query_p95_ms"),
            )
        )
    need = rate(asked) if asked is not None else "50"
    shortlist = state.get("shortlist")
    named = next((one.spec for one in shortlist.kept if one.model == spec), None) if shortlist else None
    goal = f" --goal-p95 {limit.p95_ms:g}" if limit is not None else ""
    parts.append(
        say(
            "Say how many you need (“{need} queries per second”) and I test it, or run: {command}",
            need=need,
            command=f"advisor load --target '{named or spec}' --data DIR{goal}",
        )
    )
    return join(parts, LINES)


def _rate_in(words: str) -> float | None:
    """Queries a second that a question supposes."""
    a_month = supposed(words).queries_per_month
    return a_month / _SECONDS_A_MONTH if a_month else None
