"""The report's contents, from the state of a conversation."""

from __future__ import annotations

import shlex
from pathlib import Path

from agent.context import Context
from agent.costing import costs_of
from agent.loading import index_of, load_of
from agent.state import State
from knowledge import __version__
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError
from knowledge.measured_task import NAMES, is_mean, measurable, measured_task
from knowledge.requirements import Requirements
from knowledge.results import Contexts, Evaluation, Recommendation, Report, Slices
from knowledge.wording import Text, how_to, join, say
from tools.cost.budget import with_month
from tools.deployment import deployment_plan
from tools.evaluate import query_scores
from tools.head_to_head import head_to_head
from tools.rag_judge.contexts import contexts
from tools.report import REQUIREMENTS_FILE
from tools.report.background import TASKS
from tools.slices import rival, rivals, slices

#: of the queries that either of two candidates wins, so many are quoted
QUOTED = 5
#: what data needs to be measured for what is no search
_CLASSES = say("texts, each with its class (columns text and label)")
_PAIRS = say("pairs of texts, each with how alike they are, or whether they are the same (columns text1, text2, score)")
LABELS_FOR: dict[str, Text] = {
    "classification": _CLASSES,
    "clustering": _CLASSES,
    "similarity": _PAIRS,
    "deduplication": _PAIRS,
}
MADE_BY = f"Embedding Advisor {__version__}"


def report_of(state: State, folder: Path) -> Report:
    """The report's contents, from a state that has its recommendation; `folder` is where its files are.

    Without the closer look, for which all queries are looked at again (`with_closer_look`).
    """
    comparisons, found = state.get("comparisons"), state["shortlist"]
    assert found
    return Report(
        requirements=state["requirements"],
        profile=state.get("profile"),
        shortlist=found,
        plan=state.get("plan"),
        screening=state.get("screening"),
        evaluation=state.get("evaluation"),
        comparisons=comparisons.found if comparisons else (),
        benchmark=state.get("benchmark") if state.get("evaluation") else None,
        probes=state.get("probes") if state.get("evaluation") else None,
        robustness=state.get("robustness") if state.get("evaluation") else None,
        gains=state.get("gains") if state.get("evaluation") else None,
        load=load_of(state),
        recommendation=recommendation_of(state),
        reproduce=_reproduce(state, folder),
        made_by=MADE_BY,
    )


def with_closer_look(report: Report, state: State, context: Context) -> Report:
    """The report with what it costs, the winner on parts of the queries, and against its nearest rival by query.

    All of it follows from what the run store and the data hold; where the data is there no more, the rest is left out.
    """
    report = with_costs(report, context, data_of(state, context))
    evaluation, advice = report.evaluation, report.recommendation
    report = report.model_copy(update={"index": index_of(advice.winner, evaluation, context)})
    report = report.model_copy(update={"deployment": deployment_plan(report, None, None, advice.created)})
    dataset = _measured_on(evaluation, state, context)
    if evaluation is None or dataset is None or advice.winner is None:
        return report
    scores = query_scores(evaluation, context.workspace)
    other = rival(advice)
    duels = None
    if other in scores and advice.winner in scores:
        duels = head_to_head(evaluation, dataset, context.workspace, advice.winner, other, most=QUOTED)
    parts = state.get("slices") or slices(advice, evaluation, scores, dataset)
    read = contexts_of(evaluation, advice, context)
    return report.model_copy(update={"slices": parts, "head_to_head": duels, "contexts": read})


def with_costs(report: Report, context: Context, dataset: Dataset | None = None) -> Report:
    """The report with what the winner and its rivals cost; as it is where nothing was timed.

    An API bills tokens, so these are counted in the dataset's texts where it is at hand.
    """
    timed, advice = report.benchmark, report.recommendation
    if timed is None or advice.winner is None:
        return report
    try:
        found = costs_of(
            report.requirements,
            report.profile,
            report.evaluation,
            timed,
            advice,
            context.catalog,
            context.workspace,
            dataset=dataset,
            load=report.load,
        )
    except AdvisorError:  # a size that is not known leaves nothing to compute
        return report
    return report.model_copy(update={"costs": found})


def with_its_month(recommendation: Recommendation, state: State, context: Context) -> Recommendation:
    """The recommendation with what its winner costs a month, as the report will have it, against the budget."""
    decided: State = {**state, "recommendation": recommendation}
    costed = with_costs(report_of(decided, Path()), context, data_of(state, context))
    return with_month(recommendation, costed.requirements, costed.costs)


def contexts_of(evaluation: Evaluation, recommendation: Recommendation, context: Context) -> Contexts | None:
    """What the winner and its rivals give a language model to read; None where they were not measured for that."""
    if recommendation.winner is None:
        return None
    measured = {c.spec: c.metrics for c in evaluation.candidates}
    return contexts(evaluation, (recommendation.winner, *rivals(recommendation, measured)), context.workspace)


def parts_of(recommendation: Recommendation | None, state: State, context: Context) -> Slices | None:
    """The winner on parts of the queries; None where the data or the scores are there no more."""
    evaluation = state.get("evaluation")
    dataset = _measured_on(evaluation, state, context)
    if evaluation is None or recommendation is None or dataset is None:
        return None
    return slices(recommendation, evaluation, query_scores(evaluation, context.workspace), dataset)


def _measured_on(evaluation: Evaluation | None, state: State, context: Context) -> Dataset | None:
    """The data of an evaluation, to look at part by part.

    None where it is there no more, or other data is there under its name, or where the primary figure is no mean: then
    neither a part nor a single text or pair has one of its own.
    """
    if evaluation is None or not is_mean(evaluation.task, evaluation.primary):
        return None
    dataset = data_of(state, context)
    return dataset if dataset and dataset.summary.hash == evaluation.dataset.hash else None


def data_of(state: State, context: Context) -> Dataset | None:
    """The data of a conversation; None where there is none, or it can be read no more."""
    source = state.get("data")
    try:
        return context.dataset(source) if source else None
    except AdvisorError:
        return None


def recommendation_of(state: State) -> Recommendation:
    """The recommendation of a state that must have one."""
    found = state["recommendation"]
    assert found
    return found


def _reproduce(state: State, folder: Path) -> str:
    """The command that does the same again."""
    source = state.get("data")
    data = f" {source.arguments}" if source else ""
    plan = state.get("plan") if state.get("evaluation") else None
    specs = "".join(f" --candidate '{c.spec}'" for c in (plan.candidates if plan else ()))
    requirements = shlex.quote(str(folder / REQUIREMENTS_FILE))
    language = " --lang zh" if state.get("language") == "zh" else ""
    return f"advisor{language} recommend --requirements {requirements}{data}{specs} --yes --json"


def why_unmeasured(state: State) -> tuple[Text, Text]:
    """Why nothing was measured, and how to have it measured."""
    source, profile = state.get("data"), state.get("profile")
    if source is None:
        return say("Everything: no dataset was given."), say(
            "Give a dataset with queries and judgments, and ask again."
        )
    task = (state.get("requirements") or Requirements()).task.value
    has = measurable(profile.dataset) if profile is not None and profile.dataset.silver is None else ()
    if has and profile is not None and measured_task(profile.dataset, task) is None:
        names = join([NAMES[kind] for kind in has], Text(template=", "))
        return (
            say("Everything: the data has labels for {has}, and none for {task}.", has=names, task=TASKS[task]),
            say("Say what you want to do with it, or give data with labels for that, and ask again."),
        )
    if profile is not None and task in LABELS_FOR and not has:
        return (
            say("Everything: the data has no labels for {task}.", task=TASKS[task]),
            say("Give {labels}, and ask again.", labels=LABELS_FOR[task]),
        )
    if profile is not None and not measurable(profile.dataset):
        what = say("Everything: the dataset has no judgments (which document answers which query).")
        return (
            # why no silver queries were made, or columns that might hold the queries, say
            join([what, *profile.dataset.notes]),
            say("Add judgments (qrels.tsv: query-id, doc-id, grade) for some 100 queries, and ask again."),
        )
    return (
        say("Everything: measuring was not agreed to."),
        how_to("agree"),
    )
