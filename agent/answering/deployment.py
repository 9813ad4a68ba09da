"""“How do I deploy it?”: what is known of the recommended set-up that has to be the same in production."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from agent.answering.brief import LINES
from agent.answering.cards import card_of
from agent.answering.costs import costs_in
from agent.answering.measured import corpus_rate, costs_of, row_of
from agent.deploying import ARCHIVE
from agent.reporting import report_of
from knowledge import quantities
from knowledge.candidate import Leg, parse_candidate
from knowledge.errors import SpecError, UnknownModelError
from knowledge.licensing import short_name
from knowledge.model_card import ModelCard
from knowledge.results import MeasuredCandidate, Recommendation
from knowledge.wording import Text, join, say
from tools.cost import Stated
from tools.cost.words import index_size
from tools.deployment import deployment_plan, obstacle

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

COMMA = Text(template=", ")
#: the default context's weights in single precision
BYTES_PER_PARAMETER = 4.0
_PROMPT = 80


def deployment(state: State, context: Context) -> Text | None:
    """The facts of the recommended set-up; None where nothing is recommended."""
    recommendation = state.get("recommendation")
    if recommendation is None or recommendation.winner is None:
        return None
    spec = recommendation.winner
    parts = [say("Recommended here: {spec}.", spec=spec)]
    evaluation = state.get("evaluation")
    measured = next((c for c in evaluation.candidates if c.spec == spec), None) if evaluation else None
    for leg in _legs(spec):
        parts += _leg(leg, measured if measured and len(_legs(spec)) == 1 else None, context)
    if measured is None and has_encoder(recommendation):
        with suppress(UnknownModelError):
            parts.append(_card_line(card_of(spec, context.catalog)))
    parts += _measured(recommendation, state, context)
    if evaluation is not None and measured is not None and evaluation.task == "ranking":
        parts.append(_as_files(recommendation, state, context))
    elif evaluation is None:
        parts.append(
            say("Files for it (schema, ingest, search, checks) come once it was measured on your data: hand that over.")
        )
    return join(parts, LINES)


def _as_files(recommendation: Recommendation, state: State, context: Context) -> Text:
    """Where the files are that put it into production, or why there are none."""
    if stuck := obstacle(report_of(state, context.reports), recommendation.winner or ""):
        return join([stuck.cause, stuck.next_step])
    command = f"advisor deploy {recommendation.run_id} --out deployment"
    if not (context.report_folder_of(recommendation.run_id) / ARCHIVE).exists():
        return say("As files (Milvus schema, ingest, search, containers, checks): {command}.", command=command)
    return say(
        "As files (Milvus schema, ingest, search, containers, checks): {archive}, beside the report, or {command}.",
        archive=ARCHIVE,
        command=command,
    )


def on_fine_tuning(state: State, context: Context) -> Text | None:
    """Whether this decision's own figures speak for training; None where nothing was measured."""
    evaluation, recommendation = state.get("evaluation"), state.get("recommendation")
    if evaluation is None or recommendation is None or recommendation.winner is None:
        return None
    plan = deployment_plan(report_of(state, context.reports), None, None, recommendation.created)
    decision = plan.decision("weights") if plan else None
    return join([decision.choice, decision.reason]) if decision else None


def has_encoder(recommendation: Recommendation) -> bool:
    """Whether what is recommended has vectors at all: what is said of revisions and prompts is about them."""
    legs = _legs(recommendation.winner or "")
    return not legs or any(leg.backend != "bm25" for leg in legs)


def _legs(spec: str) -> tuple[Leg, ...]:
    """The parts of a set-up; none for a model that was recommended by its name, unmeasured."""
    try:
        return parse_candidate(spec).legs if ":" in spec or "(" in spec or spec.startswith("bm25") else ()
    except SpecError:
        return ()


def _leg(leg: Leg, measured: MeasuredCandidate | None, context: Context) -> Iterator[Text]:
    """What an index made with this leg depends on."""
    if leg.backend == "bm25":
        yield say("bm25: an index of words; no model and no GPU, and the same tokenizer for documents and queries.")
        return
    pins: list[Text] = []
    revision = leg.revision or (measured.revision if measured else None)
    if revision:
        pins.append(say("revision {revision}", revision=revision))
    if measured and measured.dimension:
        pins.append(say("{count} dimensions", count=measured.dimension))
    elif "dim" in leg.options:
        pins.append(say("{count} dimensions", count=leg.options["dim"]))
    try:
        card = card_of(leg.model_copy(update={"options": {}, "revision": None}).spec, context.catalog)
    except UnknownModelError:
        card = None
    if card:
        pins += _habits(card)
    if pins:
        yield say("{spec}: keep what was measured: {pins}.", spec=leg.spec, pins=join(pins, COMMA))


def _habits(card: ModelCard) -> Iterator[Text]:
    for role, prompt in ((say("queries"), card.query_prompt), (say("documents"), card.document_prompt)):
        if prompt:
            yield say("{role} begin with “{prompt}”", role=role, prompt=prompt.strip()[:_PROMPT])
    if card.similarity in ("cosine", "dot"):
        yield say("similarity {name}", name=card.similarity)
    if card.max_tokens:
        yield say("at most {count:,} tokens a text", count=card.max_tokens)
    if card.license:
        yield say("licence {license}", license=short_name(card.license))


def _card_line(card: ModelCard) -> Text:
    pins = [say("{count} dimensions", count=card.dimension)] if card.dimension else []
    pins += _habits(card)
    weights = card.memory_at(BYTES_PER_PARAMETER)
    if weights:
        pins.append(say("weights of {count:,.0f} MB in float32", count=weights))
    return say(
        "By the catalog, nothing measured: {model}: {facts}.",
        model=card.model,
        facts=join(pins, COMMA) if pins else "?",
    )


def _measured(recommendation: Recommendation, state: State, context: Context) -> Iterator[Text]:
    """What it needs, as measured, and what that makes for the user's number of documents."""
    row = row_of(recommendation.winner or "", recommendation)
    costs = costs_of(row) if row else None
    if row is None or costs is None:
        return
    yield say("Measured (run {run}): {figures}", run=recommendation.run_id, figures=costs)
    documents = state["requirements"].documents
    encoded = corpus_rate(row, state)
    if not documents or not row.bytes_per_vector or not encoded:
        return
    found = costs_in(recommendation, state, context, stated=Stated(), models=(row.spec,))
    if found is not None:
        yield say(
            "The index of your {count:,} documents takes {size}; encoding them takes {time} on such a machine.",
            count=documents.value,
            size=index_size(found.candidates[0].at),
            time=quantities.duration(documents.value / encoded),
        )
