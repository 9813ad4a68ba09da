"""What a recommendation would measure and cost, found in the same way as the recommendation, and nothing done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from agent import events
from agent.context import Context
from agent.graph import build_graph
from agent.state import State
from agent.understanding.language import reply_language
from knowledge.requirements import Requirements
from knowledge.results import Consent
from knowledge.wording import Language
from tools.data_source import DataSource


def plan_only(
    context: Context,
    *,
    requirements: Requirements | None = None,
    text: str = "",
    data: DataSource | None = None,
    specs: Sequence[str] = (),
    language: Language | None = None,
) -> Iterator[events.Event]:
    """The events of `Advisor.recommend` up to its plan, or to where it would have none; nothing of it is kept.

    Without labelled data nothing would be measured, so the last event is then the shortlist.
    """
    update = State(
        message=text,
        language=language or reply_language(text, None),
        interactive=False,
        specs=list(specs),
        consent=Consent(),
        requirements=requirements or Requirements(),
    )
    if data is not None:
        update |= State(reading=data)
    graph: Any = build_graph(context).compile()
    config = {"configurable": {"thread_id": "plan-only"}}
    for event in graph.stream(update, config, stream_mode="custom"):
        if isinstance(event, events.Recommended | events.Reported):
            return  # nothing was planned, for want of data
        yield event
        if isinstance(event, events.Planned | events.Failed):
            return
