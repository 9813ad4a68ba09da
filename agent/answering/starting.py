"""“How do I get started with it?”: a short program for the recommendation, as it was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.answering.brief import LINES, background
from agent.answering.measured import row_of
from knowledge.candidate import parse_candidate
from knowledge.errors import AdvisorError, UnknownModelError
from knowledge.measured_task import NAMES
from knowledge.results import Recommendation
from knowledge.wording import Text, join, say
from tools import tasks
from tools.snippet import snippet

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State


def starting(recommendation: Recommendation, state: State, context: Context) -> Text | None:
    """The program; where nothing here can run what is recommended, why."""
    winner = recommendation.winner or ""
    try:
        row = row_of(winner, recommendation)
        spec = row.spec if row else context.catalog.card(winner).spec
    except UnknownModelError:
        spec = None
    note = background("deployment", state)
    evaluation = state.get("evaluation")
    if evaluation is not None and evaluation.task != "ranking":
        how = say(
            "My programs are for search; for {task} do with {spec} what was measured: {method}.",
            task=NAMES[evaluation.task],
            spec=winner,
            method=tasks.load(evaluation.task).METHOD,
        )
        return join([how, note], LINES)
    if spec is None:
        return join([say("No backend here can run {model}, so I have no program for it.", model=winner), note], LINES)
    try:
        profile = state.get("profile")
        language = next(iter(profile.languages), None) if profile else None
        program = snippet(parse_candidate(spec), context.workspace, language)
    except AdvisorError as error:
        return join([say("I have no program for {spec}:", spec=spec), error.cause, error.next_step, note], LINES)
    first = (
        say("{spec} with Milvus, set up as it was measured (run {run}):", spec=spec, run=recommendation.run_id)
        if recommendation.measured
        else say("{spec} with Milvus; nothing of it was measured here:", spec=spec)
    )
    return join([first, Text.model_validate(program), note], LINES)
