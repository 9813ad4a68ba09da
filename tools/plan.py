"""What to measure, and what that would cost: shown before anything is spent, and agreed to or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from knowledge.candidate import Candidate, Fusion, Leg, Rerank, parse_candidate
from knowledge.catalog import Catalog
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, UnknownModelError
from knowledge.measured_task import MeasuredTask, measured_task
from knowledge.model_card import ModelCard
from knowledge.requirements import Requirements, Task
from knowledge.results import DataProfile, Plan, PlannedCandidate, Shortlist
from knowledge.wording import Text, say
from tools import chunking, encoders, hub, leg_use, retrieval
from tools.encoders import Resolved
from tools.fast import options_here
from tools.hardware import gpus, memory_limit_bytes, seconds_to_encode, usable_cores
from tools.setups.matryoshka import WORDLLAMA, not_trained_for
from tools.tasks.effort import scoring_seconds
from tools.workspace import Workspace

#: word matching, measured first and always
BM25 = "bm25"
#: encoders that installed packages carry: they can be measured on any machine, with or without a hub
PACKAGED = (*(f"st:{model}" for model in hub.PACKAGED), "static:wordllama")
STATIC_TOKENS_PER_SECOND = 300_000
#: documents a second over those of torch in fp32, by backend and precision: the least of three datasets, rounded down
#: (benchmarks/fast_encode, MiniLM on two AMD EPYC cores, 2026-11-22); a pair that is not here was not measured
FASTER = {("onnx", "int8"): 3.7, ("openvino", "bf16"): 3.0, ("torch", "bf16"): 2.2, ("onnx", "fp32"): 1.8}
#: a model with fewer parameters is fast anyway, and a variant that takes more minutes is not worth the wait
TINY, LONGEST_VARIANT = 10_000_000, 30.0
LOAD_SECONDS = 12.0
BENCHMARK_SECONDS = 18.0
#: of what reading the texts takes, what hard cases add to it at most (`tools.hard_cases`, benchmarks/robustness)
HARD_CASES = 0.3
TOKENS_PER_DOCUMENT = 200
#: most cross-encoders read 512 tokens of a query and a document together
TOKENS_PER_QUERY, PAIR_TOKENS = 20, 512
#: of a text that word matching reads; and dimensions where nobody knows them
WORDS_PER_TEXT, USUAL_DIMENSION = 100, 768
ON_THIS_MACHINE = say("on this machine already")
#: share of the machine's memory that weights may take, the rest being activations, Milvus and everybody else
MEMORY_SHARE = 0.6


def make_plan(
    requirements: Requirements,
    shortlist: Shortlist,
    dataset: Dataset,
    profile: DataProfile | None,
    workspace: Workspace,
    catalog: Catalog,
    *,
    most: int = 8,
    specs: Sequence[str] = (),
    also: Sequence[str] = (),
) -> Plan:
    """Choose the candidates: BM25, the shortlist and what is beside it, models at hand, and cheaper variants.

    Of all these, what can run here; the rest is named with its obstacle.

    Args:
        requirements: the incumbent joins; hard constraints hold for models at hand too.
        shortlist: in its order.
        dataset: its size decides the minutes.
        profile: token lengths, where known.
        workspace: where models may be.
        catalog: cards of the models at hand.
        most: candidates at most; the shortlist comes first.
        specs: what the user wants measured instead; then nothing else is.
        also: what the user wants measured besides, whatever `most` says.

    Raises:
        SpecError: one of `specs` cannot be read.
        AdvisorError: why the first of `specs` cannot be measured, when none of them can.
    """
    tokens = _tokens(dataset, profile)
    task = measured_task(dataset.summary, requirements.task.value) or "ranking"
    if specs:
        return _with_hard_cases(_as_asked(specs, tokens, dataset, workspace, catalog, task))
    chosen: list[PlannedCandidate] = [
        PlannedCandidate(spec=BM25, why=say("word matching: what any embedding has to beat"), minutes=0.1)
    ]
    blocked: list[PlannedCandidate] = []
    bases: list[tuple[Leg, Resolved, ModelCard | None]] = []
    for spec, model, why in _wanted(requirements, shortlist, catalog):
        if spec is None:
            blocked.append(
                PlannedCandidate(
                    spec=model,
                    model=model,
                    why=why,
                    obstacle=say("no backend here can run it (an API, or an architecture of its own)"),
                )
            )
            continue
        card = _card(catalog, model)
        try:
            leg = parse_candidate(spec)
            if not isinstance(leg, Leg) or any(leg.spec == base.spec for base, _, _ in bases):
                continue
            resolved = encoders.resolve(leg, workspace)
        except AdvisorError as error:
            blocked.append(PlannedCandidate(spec=spec, model=model, why=why, obstacle=error.cause))
            continue
        obstacle = _too_big(card)
        if obstacle:
            blocked.append(PlannedCandidate(spec=spec, model=model, why=why, obstacle=obstacle))
            continue
        bases.append((leg, resolved, card))
        chosen.append(_planned(leg, resolved, card, why, tokens))
    blocked.extend(_refused_at_hand(requirements, catalog))
    for candidate, why, cost in _variants(bases, tokens):
        if task != "ranking" and not isinstance(candidate, Leg):
            continue  # rankings can be fused, vectors cannot
        cut = not_trained_for(candidate, _card(catalog, candidate.name)) if isinstance(candidate, Leg) else ()
        chosen.append(PlannedCandidate(spec=candidate.spec, why=why, minutes=cost, notes=tuple(cut)))
    named, unable, _ = _named(also, tokens, dataset, workspace, catalog)
    mine = {planned.spec for planned in chosen[:most]}
    made = Plan(
        candidates=(*chosen[:most], *(planned for planned in named if planned.spec not in mine)),
        not_measured=(*blocked, *unable),
        documents=len(dataset.documents),
        queries=_scored(dataset, task),
        silver=dataset.summary.silver is not None and task == "ranking",
        task=task,
    )
    return _with_hard_cases(_with_scoring(made, dataset, catalog))


def _with_scoring(plan: Plan, dataset: Dataset, catalog: Catalog) -> Plan:
    """The plan with the minutes of scoring, where classes or clusters are learnt from vectors."""
    if plan.task == "ranking":
        return plan

    def scored(planned: PlannedCandidate) -> PlannedCandidate:
        seconds = scoring_seconds(dataset.summary, plan.task, _dimension(planned.spec, catalog))
        return planned.model_copy(update={"minutes": round(planned.minutes + seconds / 60, 2)})

    return plan.model_copy(update={"candidates": tuple(map(scored, plan.candidates))})


def _dimension(spec: str, catalog: Catalog) -> int:
    """How long a candidate's vectors are; those of word matching hold few words each."""
    leg = parse_candidate(spec).legs[0]
    if leg.backend == BM25:
        return WORDS_PER_TEXT
    card = _card(catalog, leg.name)
    return int(leg.options.get("dim", 0)) or (card.dimension if card and card.dimension else USUAL_DIMENSION)


def _with_hard_cases(plan: Plan) -> Plan:
    """The plan with what asking hard cases takes, at most; only rankings are asked any."""
    if plan.task != "ranking":
        return plan
    candidates = [
        c.model_copy(
            update={
                "minutes": round(c.minutes + HARD_CASES * _reading(c), 2),
                "usd": round(c.usd * (1 + HARD_CASES), 4),
            }
        )
        for c in plan.candidates
    ]
    return plan.model_copy(update={"candidates": tuple(candidates), "hard_cases": True})


def _reading(planned: PlannedCandidate) -> float:
    """The minutes of a candidate in which it is loaded and reads."""
    return max(0.0, planned.minutes - BENCHMARK_SECONDS / 60)


def without_what_is_known(plan: Plan, measured: Set[str], *, timed: bool) -> Plan:
    """The plan with the minutes that are left to spend.

    Args:
        plan: as if nothing were known.
        measured: the candidates whose quality is in the run store (`tools.evaluate.measured_before`).
        timed: whether all of them have been timed; else all of them will be, together.
    """

    def left(planned: PlannedCandidate) -> PlannedCandidate:
        timing = 0.0 if timed else min(planned.minutes, (LOAD_SECONDS + BENCHMARK_SECONDS) / 60)
        if planned.spec in measured:
            # whoever timed all of them asked the hard cases next
            hard = _reading(planned) * HARD_CASES / (1 + HARD_CASES) if plan.hard_cases and not timed else 0.0
            return planned.model_copy(update={"minutes": round(timing + hard, 2)})
        saved = min(planned.minutes, BENCHMARK_SECONDS / 60) if timed else 0.0
        return planned.model_copy(update={"minutes": round(planned.minutes - saved, 2)})

    return plan.model_copy(update={"candidates": tuple(map(left, plan.candidates))})


def plan_named(
    specs: Sequence[str],
    dataset: Dataset,
    workspace: Workspace,
    catalog: Catalog,
    *,
    most: int | None = None,
    task: Task | MeasuredTask | None = None,
) -> Plan:
    """The plan for measuring these candidates and no others.

    Args:
        specs: the candidates.
        dataset: its size decides the minutes.
        workspace: where models may be.
        catalog: cards of the models.
        most: documents that are encoded at most; None: all of them.
        task: what for; None: what the data has labels for.

    Raises:
        SpecError: one of them cannot be read.
        AdvisorError: why the first of them cannot be measured, when none of them can.
    """
    tokens = _tokens(dataset, None)
    if most is not None and len(dataset.documents) > most:
        tokens *= most / len(dataset.documents)
    return _as_asked(specs, tokens, dataset, workspace, catalog, measured_task(dataset.summary, task) or "ranking")


def _scored(dataset: Dataset, task: MeasuredTask) -> int:
    """How many queries, texts or pairs are judged by."""
    data = dataset.summary
    if task == "ranking":
        return len(dataset.queries)
    if task == "clustering":
        return data.labelled
    return data.tested or (data.labelled if task == "classification" else data.pairs)


def _as_asked(
    specs: Sequence[str],
    tokens: float,
    dataset: Dataset,
    workspace: Workspace,
    catalog: Catalog,
    task: MeasuredTask,
) -> Plan:
    """The plan for candidates that the user named."""
    chosen, blocked, failures = _named(specs, tokens, dataset, workspace, catalog)
    if not chosen:
        raise failures[0]
    made = Plan(
        candidates=tuple(chosen),
        not_measured=tuple(blocked),
        documents=len(dataset.documents),
        queries=_scored(dataset, task),
        silver=dataset.summary.silver is not None and task == "ranking",
        task=task,
    )
    return _with_scoring(made, dataset, catalog)


def _named(
    specs: Sequence[str], tokens: float, dataset: Dataset, workspace: Workspace, catalog: Catalog
) -> tuple[list[PlannedCandidate], list[PlannedCandidate], list[AdvisorError]]:
    """Of the candidates that the user named, those that can be measured, and those that cannot with the reasons."""
    why = say("you named it")
    chosen: list[PlannedCandidate] = []
    blocked: list[PlannedCandidate] = []
    failures: list[AdvisorError] = []
    for candidate in dict.fromkeys(parse_candidate(spec) for spec in specs):
        try:
            legs = [_leg_as_asked(leg, why, tokens, workspace, catalog) for leg in candidate.searched]
            for reranking in retrieval.rerankings(candidate):
                read = _tokens_of_pairs(reranking, tokens, dataset)
                legs.append(_leg_as_asked(reranking.reranker, why, read, workspace, catalog))
        except AdvisorError as error:
            failures.append(error)
            blocked.append(PlannedCandidate(spec=candidate.spec, why=why, obstacle=error.cause))
            continue
        chosen.append(
            PlannedCandidate(
                spec=candidate.spec,
                model=legs[0].model if len(legs) == 1 else None,
                why=why,
                minutes=round(sum(leg.minutes for leg in legs), 2),
                download_gb=sum(leg.download_gb for leg in legs),
                usd=sum(leg.usd for leg in legs),
                sends_text_to=next((leg.sends_text_to for leg in legs if leg.sends_text_to), None),
                notes=tuple(dict.fromkeys(note for leg in legs for note in leg.notes)),
            )
        )
    return chosen, blocked, failures


def _leg_as_asked(leg: Leg, why: Text, tokens: float, workspace: Workspace, catalog: Catalog) -> PlannedCandidate:
    if leg.backend == BM25:
        return PlannedCandidate(spec=leg.spec, why=why, minutes=0.1)
    resolved = encoders.resolve(leg, workspace)
    return _planned(leg, resolved, _card(catalog, resolved.model), why, tokens * _read_again(leg))


def _tokens_of_pairs(reranking: Rerank, tokens: float, dataset: Dataset) -> float:
    """What a reranker reads: each query with so many documents, each cut off where such models stop."""
    each = min(tokens / max(len(dataset.documents), 1) + TOKENS_PER_QUERY, PAIR_TOKENS)
    documents = min(retrieval.top_of(reranking), len(dataset.documents))
    return len(dataset.queries) * documents * each


def _read_again(leg: Leg) -> float:
    """How many times a leg reads the documents: where its chunks overlap, some tokens are read twice."""
    rules = chunking.rules_of(leg)
    return rules.size / (rules.size - rules.overlap) if rules and rules.size else 1.0


def _wanted(
    requirements: Requirements, shortlist: Shortlist, catalog: Catalog
) -> Iterable[tuple[str | None, str, Text]]:
    """Spec, model and reason of every model that should be measured, the most wanted first."""
    if requirements.incumbent:
        name = requirements.incumbent.value
        card = _card(catalog, name)
        yield (card.spec if card else f"st:{name}"), (card.model if card else name), say("what you use today")
    for pick in shortlist.kept:
        yield pick.spec, pick.model, say("shortlisted, predicted {mean:.3f}", mean=pick.predicted.mean)
    for pick in shortlist.beside:
        if pick.spec != BM25:
            yield pick.spec, pick.model, say("beside the list: the cheapest static model, far faster than any other")
    for spec in PACKAGED:
        model = spec.split(":", 1)[1]
        if _refusal(_card(catalog, model), requirements) is None:
            yield spec, model, ON_THIS_MACHINE


def _card(catalog: Catalog, model: str) -> ModelCard | None:
    if model == WORDLLAMA.model:
        return WORDLLAMA
    try:
        return catalog.card(model)
    except UnknownModelError:
        return None


def _refusal(card: ModelCard | None, requirements: Requirements) -> Text | None:
    """Why the hard constraints keep a model at hand out; one without a card fails those that need facts."""
    known = card or ModelCard(model="unknown/unknown")
    verdicts = ((constraint, constraint.check(known)) for constraint in requirements.constraints)
    return next((verdict.reason for constraint, verdict in verdicts if constraint.excludes(verdict)), None)


def _refused_at_hand(requirements: Requirements, catalog: Catalog) -> Iterable[PlannedCandidate]:
    """The models at hand that break a demand, so that nobody wonders where they are."""
    for spec in PACKAGED:
        model = spec.split(":", 1)[1]
        reason = _refusal(_card(catalog, model), requirements)
        if reason is not None:
            yield PlannedCandidate(spec=spec, model=model, why=ON_THIS_MACHINE, obstacle=reason)


def _too_big(card: ModelCard | None) -> Text | None:
    needed = card.memory_at(4.0) if card else None
    allowed = memory_limit_bytes() / 2**20 * MEMORY_SHARE
    if needed is None or needed <= allowed:
        return None
    return say(
        "its weights take {needed:.0f} MB in fp32, and this machine can spare {allowed:.0f} MB",
        needed=needed,
        allowed=allowed,
    )


def _tokens(dataset: Dataset, profile: DataProfile | None) -> float:
    """Tokens of all documents and queries together."""
    per_document = profile.document_tokens.mean if profile and profile.document_tokens else TOKENS_PER_DOCUMENT
    per_query = profile.query_tokens.mean if profile and profile.query_tokens else 16
    return per_document * len(dataset.documents) + per_query * len(dataset.queries)


def _minutes(leg: Leg, card: ModelCard | None, tokens: float) -> float:
    if leg.backend == "static":
        return (LOAD_SECONDS / 4 + tokens / STATIC_TOKENS_PER_SECOND + BENCHMARK_SECONDS) / 60
    if leg.backend == "openai":
        return (tokens / 20_000 + BENCHMARK_SECONDS) / 60
    parameters = (card.active_parameters or card.parameters if card else None) or 100_000_000
    encoding = seconds_to_encode(parameters, tokens, usable_cores()) / FASTER.get(_way(leg), 1.0)
    return (LOAD_SECONDS + encoding + BENCHMARK_SECONDS) / 60


def _planned(leg: Leg, resolved: Resolved, card: ModelCard | None, why: Text, tokens: float) -> PlannedCandidate:
    price = card.price.usd_per_million_tokens if card and card.price else 0.0
    return PlannedCandidate(
        spec=leg.spec,
        model=resolved.model,
        why=why,
        minutes=round(_minutes(leg, card, tokens), 2),
        download_gb=round((resolved.download_bytes or 0) / 1e9, 3),
        usd=round(price * tokens / 1e6, 4) if resolved.endpoint else 0.0,
        sends_text_to=resolved.endpoint,
        notes=(*not_trained_for(leg, card), *_for_production(leg, resolved)),
    )


def _for_production(leg: Leg, resolved: Resolved) -> Iterable[Text]:
    """What whoever wants to deploy the candidate should know before it is measured."""
    if resolved.note is not None:
        yield resolved.note
    if not leg_use.runs_in_files(leg):
        yield say("no files can be written to deploy it: it makes a vector for each token")


def _variants(
    bases: list[tuple[Leg, Resolved, ModelCard | None]], tokens: float
) -> Iterable[tuple[Candidate, Text, float]]:
    """Cheaper or better set-ups of the models that run here; most share vectors with them and cost next to nothing."""
    searching = BENCHMARK_SECONDS / 60
    bm25 = Leg(backend=BM25)
    yield from _faster(bases, tokens)
    for leg, resolved, _ in bases:
        if resolved.local:
            yield Fusion(parts=(bm25, leg)), say("words and meaning together"), searching
    for leg, _, card in bases:
        smaller = _smaller_dimension(card)
        if smaller and "dim" not in leg.options:  # else it is cut to what was demanded already
            cut = leg.model_copy(update={"options": leg.options | {"dim": str(smaller)}})
            yield cut, say("a smaller index: the first {dim} dimensions", dim=smaller), searching


def _faster(
    bases: list[tuple[Leg, Resolved, ModelCard | None]], tokens: float
) -> Iterable[tuple[Candidate, Text, float]]:
    """The fastest way to run the first encoder that is worth it: measured like any other, so its loss is known too."""
    on_gpu = bool(gpus())
    for leg, resolved, card in bases:
        tiny = card is not None and (card.active_parameters or card.parameters or TINY) < TINY
        ways = [way for way in options_here(leg) if _way(way) in FASTER]
        if not resolved.local or tiny or not ways:
            continue
        fastest = max(ways, key=lambda way: FASTER[_way(way)])
        minutes = _minutes(fastest, card, tokens)
        if minutes > LONGEST_VARIANT:
            continue
        backend, precision = _way(fastest)
        why = (
            say("the same model in {precision}: half the memory, and faster on a GPU", precision=precision)
            if on_gpu
            else say(
                "the same model run by {backend} in {precision}: about {times:g} times as fast on such a processor",
                backend=backend,
                precision=precision,
                times=FASTER[_way(fastest)],
            )
        )
        yield fastest, why, round(minutes, 2)
        return


def _way(leg: Leg) -> tuple[str, str]:
    """Backend and precision of an encoder."""
    return leg.options.get("backend", "torch"), leg.options.get("precision", "fp32")


def _smaller_dimension(card: ModelCard | None) -> int | None:
    """A dimension worth trying: the model's own Matryoshka step, else a third (rarely trained for, so measured)."""
    if card is None or not card.dimension:
        return 128 if card is None else None
    steps = [d for d in card.matryoshka_dimensions if card.dimension / 4 <= d < card.dimension]
    return max(steps, default=card.dimension // 3 // 32 * 32 or None)
