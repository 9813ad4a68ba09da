"""“How long will that take?”: what runs, what is planned, or what the recommendation takes for the user's documents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.answering.brief import LINES, cite
from agent.answering.measured import corpus_rate, row_of
from knowledge import quantities
from knowledge.progress import Progress
from knowledge.results import Plan
from knowledge.wording import Text, join, say

if TYPE_CHECKING:
    from agent.state import State

MINUTE = 60.0


def duration(state: State) -> Text | None:
    """How long the measuring that is planned, or encoding with what is recommended, takes."""
    recommendation, plan = state.get("recommendation"), state.get("plan")
    if recommendation is None:
        return _planned(plan) if plan else _nothing_planned(state)
    row = row_of(recommendation.winner or "", recommendation)
    lines = [say("Nothing is running: the answer is there.")]
    documents = state["requirements"].documents
    if row and row.query_p95_ms is not None:
        lines.append(
            say(
                "With {spec} a query takes {time} at p95{cite} on this machine.",
                spec=row.spec,
                time=quantities.milliseconds(row.query_p95_ms),
                cite=cite(row, "query_p95_ms"),
            )
        )
    encoded = corpus_rate(row, state) if row else None
    if row and encoded and documents:
        lines.append(
            say(
                "Encoding your {count:,} documents takes {time} at {rate:,.0f} documents a second{cite}.",
                count=documents.value,
                time=quantities.duration(documents.value / encoded),
                rate=encoded,
                cite=cite(row, "documents_per_second") if encoded == row.documents_per_second else "",
            )
        )
    return join(lines, LINES)


def while_running(state: State, stage: Text, latest: Progress | None) -> Text:
    """How far what runs now has come; where it has not told yet, what the plan expected."""
    lines = [say("Now: {what}.", what=stage)]
    if latest is not None and latest.done < latest.total:
        share = latest.done / max(latest.total, 1)
        lines = [say("Now: {what}, {share:.0%} done.", what=latest.label, share=share)]
        if latest.eta_seconds is not None:
            lines.append(say("This step needs about {time} more.", time=quantities.duration(latest.eta_seconds)))
    plan = state.get("plan")
    if plan and plan.candidates:
        lines.append(
            say(
                "The plan expected {time} for all {count} candidates together, timing included.",
                time=quantities.duration(plan.minutes * MINUTE),
                count=len(plan.candidates),
            )
        )
    lines.append(say("“stop” ends it; what is done by then is kept."))
    return join(lines)


def _planned(plan: Plan) -> Text:
    return join(list(_of_plan(plan)))


def _of_plan(plan: Plan) -> Iterator[Text]:
    yield say(
        "About {time} for {count} candidates on this machine, by the plan; it is an estimate.",
        time=quantities.duration(plan.minutes * MINUTE),
        count=len(plan.candidates),
    )
    if plan.download_gb:
        yield say("Downloading {gb:.1f} GB comes on top.", gb=plan.download_gb)


def _nothing_planned(state: State) -> Text:
    profile = state.get("profile")
    if profile is None:
        return say(
            "That depends on your data, which I have not seen: the plan tells, before anything is measured. An answer "
            "without measuring takes seconds."
        )
    return say("The plan tells, before anything is measured. An answer without measuring takes seconds.")
