"""The contenders of a decision under load, where the user said how many queries a second there will be."""

from __future__ import annotations

from collections.abc import Callable

from agent.context import Context
from agent.state import State
from knowledge.candidate import Leg, parse_candidate
from knowledge.constraints.latency import LatencyConstraint
from knowledge.progress import OnProgress
from knowledge.requirements import Requirements
from knowledge.results import Evaluation, Plan
from knowledge.results.index_load import IndexLoad
from knowledge.results.service import UnderLoad
from tools.evaluate import query_scores
from tools.recommend import tied_for_load
from tools.run_history import find_run, list_runs
from tools.service.contenders import MOST, SECONDS, START_SECONDS, enough_for, goal_for, under_load
from tools.setups import OPTIONS


def rate_of(requirements: Requirements) -> float | None:
    """Queries a second that the user has; None where nobody said so."""
    slot = requirements.queries_per_second
    return slot.value if slot is not None and slot.origin != "assumed" and slot.value > 0 else None


def with_load(plan: Plan, requirements: Requirements) -> Plan:
    """The plan with the minutes that load tests take at most: who ties is not known before."""
    here = [c for c in plan.candidates if not c.sends_text_to]
    if rate_of(requirements) is None or plan.task != "ranking" or not here:
        return plan
    seconds = min(len(here), MOST) * (SECONDS + START_SECONDS)
    return plan.model_copy(update={"load_minutes": round(seconds / 60, 2)})


def to_load(state: State, context: Context) -> Callable[[OnProgress], UnderLoad] | None:
    """What puts the contenders under load; None where nobody asked for a rate, or there is nothing to load.

    What an earlier test found is taken again where it was the same question.
    """
    evaluation, source, listed = state.get("evaluation"), state.get("data"), state.get("shortlist")
    rate = rate_of(state["requirements"])
    if rate is None or evaluation is None or source is None or listed is None or evaluation.task != "ranking":
        return None
    dataset = context.dataset(source)
    scores = query_scores(evaluation, context.workspace)
    if dataset.summary.hash != evaluation.dataset.hash or not all(scores.values()):
        return None
    benchmark = state.get("benchmark")
    found = tied_for_load(state["requirements"], listed, evaluation, scores, benchmark, state.get("screening"))
    specs = [spec for spec in found if all(leg.backend != "openai" for leg in parse_candidate(spec).legs)][:MOST]
    if not specs:
        return None
    limit = _limit(state["requirements"])
    alone = [s.query_p95_ms for s in (benchmark.candidates if benchmark else ()) if s.spec in specs]
    known = state.get("load")
    if known is not None and _answers(known, specs, rate, goal_for(limit, alone), dataset.summary.hash):
        again = known.at(rate)
        return lambda listen: again
    return lambda listen: under_load(
        specs, dataset, context.workspace, rate=rate, limit_ms=limit, alone_ms=alone, on_progress=listen
    )


def load_of(state: State, supposed: Requirements | None = None) -> UnderLoad | None:
    """What the contenders hold, at the rate of the requirements, or of others that a question supposes.

    None where nobody has a rate, or where it was found under another limit, or on other data.
    """
    load, evaluation = state.get("load"), state.get("evaluation")
    requirements = supposed or state["requirements"]
    rate, limit = rate_of(requirements), _limit(requirements)
    if load is None or rate is None or evaluation is None or load.data != evaluation.dataset.hash:
        return None
    same_goal = load.goal_p95_ms == limit if limit is not None else not load.stated
    return load.at(rate) if same_goal else None


def index_of(spec: str | None, evaluation: Evaluation | None, context: Context) -> IndexLoad | None:
    """The latest sweep of indexes over the vectors of a candidate's encoder, on the same data; None: there is none."""
    if spec is None or evaluation is None:
        return None
    wanted = {_encoder(leg) for leg in parse_candidate(spec).searched}
    data = {evaluation.dataset.hash, evaluation.dataset.original} - {""}
    for run in list_runs(context.workspace, kind="index"):
        found = find_run(context.workspace, run.run_id)
        if isinstance(found, IndexLoad) and found.data in data:
            swept = parse_candidate(found.spec)
            if isinstance(swept, Leg) and _encoder(swept) in wanted:
                return found
    return None


def _encoder(leg: Leg) -> str:
    """What decides a leg's vectors as a sweep indexes them: of its set-up only the dimension."""
    kept = {name: value for name, value in leg.options.items() if name == "dim" or name not in OPTIONS}
    return leg.model_copy(update={"options": kept}).spec


def _limit(requirements: Requirements) -> float | None:
    constraint = requirements.constraint(LatencyConstraint)
    return constraint.p95_ms if constraint else None


def _answers(known: UnderLoad, specs: list[str], rate: float, goal: float, data: str) -> bool:
    """Whether an earlier test has the answer for these candidates at this rate."""
    covered = {one.spec for one in known.candidates} | {one.spec for one in known.failed}
    looked_for = enough_for(known.tested_rate or known.rate)
    return known.data == data and covered >= set(specs) and known.goal_p95_ms == goal and rate <= looked_for
