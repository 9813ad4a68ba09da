"""Hard cases for the contenders of a decision, before it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.context import Context
from agent.state import State
from knowledge.candidate import Rerank, parse_candidate
from knowledge.progress import OnProgress
from knowledge.results import Consent
from tools.evaluate import query_scores
from tools.hard_cases import HardCases, ask_hard_cases, make_hard_cases
from tools.recommend import contenders
from tools.recommend.weights import weights_of

#: who is looked at beside whom quality and cost alone would choose; all, where the decision rests on it
RIVALS = 3


def to_ask(state: State, context: Context) -> Callable[[OnProgress], HardCases] | None:
    """What asks the contenders; None where there is nothing to ask, or nobody.

    Endpoints are asked where the plan that was agreed to had the price of it.
    """
    evaluation, source, listed = state.get("evaluation"), state.get("data"), state.get("shortlist")
    if evaluation is None or source is None or listed is None or evaluation.task != "ranking":
        return None
    dataset = context.dataset(source)
    requirements = state["requirements"]
    scores = query_scores(evaluation, context.workspace)
    if dataset.summary.hash != evaluation.dataset.hash or not all(scores.values()):
        return None
    found = contenders(requirements, listed, evaluation, scores, state.get("benchmark"), state.get("screening"))
    specs = found if weights_of(requirements) else with_rerankers(found[: 1 + RIVALS], found)
    cases = make_hard_cases(dataset)
    if not specs or not cases:
        return None
    plan, agreed = state.get("plan"), state.get("consent") or Consent()
    consent = Consent(hosts=agreed.hosts if plan is not None and plan.hard_cases else frozenset())
    return lambda listen: ask_hard_cases(
        cases, evaluation, specs, context.workspace, consent=consent, on_progress=listen
    )


def with_rerankers(chosen: Sequence[str], all_specs: Sequence[str]) -> tuple[str, ...]:
    """The chosen, and what was measured to rerank them: whether that helps is the question."""
    rerankers = []
    for spec in all_specs:
        candidate = parse_candidate(spec)
        if isinstance(candidate, Rerank) and candidate.base.spec in chosen:
            rerankers.append(spec)
    return tuple(dict.fromkeys((*chosen, *rerankers)))
