"""The nodes that find out: shortlist, plan, measurements, decision, report."""

from __future__ import annotations

from langgraph.config import get_config

from agent import events, interview, judging_turn, rating
from agent.answering.brief import LINES
from agent.answering.gains import TRY, may_try
from agent.deploying import write_archive
from agent.loading import load_of, with_load
from agent.nodes.common import WithContext, foreseen, put, stage, tell
from agent.probing import to_ask
from agent.reporting import (
    parts_of,
    recommendation_of,
    report_of,
    why_unmeasured,
    with_closer_look,
    with_its_month,
)
from agent.state import Comparisons, State
from knowledge.candidate import parse_candidate
from knowledge.measured_task import items_of
from knowledge.requirements import Requirements
from knowledge.results import Benchmark, Consent, Plan, Shortlist
from knowledge.wording import join, say, spoken_of
from tools.adaptive import can_be_screened, find_winner
from tools.benchmark import benchmark
from tools.evaluate import evaluate, measured_before, query_scores
from tools.metrics import scoring
from tools.next_gain import next_gain
from tools.next_gain.words import answer as answer_on_gains
from tools.plan import make_plan, without_what_is_known
from tools.rag_judge.words import answers as answers_told
from tools.recommend import is_measurable, recommend, recommend_unmeasured, with_background
from tools.report import write_report
from tools.run_store import new_run_id
from tools.shortlist import shortlist
from tools.slices.words import with_routing
from tools.whole_files import write_whole

#: from so many estimated minutes on, losers are left out before they have read everything
SCREENING_MINUTES = 15.0


class Work(WithContext):
    """From requirements to the report."""

    @foreseen
    def shortlist(self, state: State) -> State:
        """Search the catalog; a list that was shown and still holds is not shown again."""
        found = shortlist(state["requirements"], self._context.catalog, self._context.scores)
        if found != state.get("shortlist"):
            tell(events.Shortlisted(shortlist=found))
        return State(shortlist=found)

    @foreseen
    def plan(self, state: State) -> State:
        """Say what measuring would cost."""
        source, found = state["data"], state["shortlist"]
        assert source
        assert found
        context = self._context
        made = make_plan(
            state["requirements"],
            found,
            context.dataset(source),
            state.get("profile"),
            context.workspace,
            context.catalog,
            specs=state.get("specs") or (),
            also=state.get("also") or (),
        )
        consent, specs = state.get("consent"), [c.spec for c in made.candidates]
        metrics = _metrics(made, state["requirements"])
        known = measured_before(context.dataset(source), specs, context.workspace, metrics, made.task)
        timed = _covers(state.get("benchmark"), specs)
        made = with_load(without_what_is_known(made, known, timed=timed), state["requirements"])
        if consent is None and state.get("interactive", True):
            if timed and known.issuperset(specs):  # nothing is left that one could agree to
                tell(events.Said(text=say("All of that was measured before, so I decide on those figures.")))
                return State(plan=made, consent=Consent(measure=True), status="measuring")
            tell(events.Planned(plan=made))
            return put(interview.PLAN, state) | State(plan=made)
        tell(events.Planned(plan=made))
        return State(plan=made, consent=consent or Consent(), status="measuring")

    @foreseen
    def agree(self, state: State) -> State:
        """Read the answer to the plan: a yes agrees to all that the plan shows, and to nothing else."""
        understood, plan = state.get("understood"), state.get("plan")
        assert understood
        assert plan
        if understood.intent == "decline":
            return State(consent=Consent())
        hosts = frozenset(c.sends_text_to for c in plan.candidates if c.sends_text_to)
        consent = Consent(measure=True, download=plan.download_gb > 0, hosts=hosts)
        return State(consent=consent, recommendation=None, status="measuring")

    @foreseen
    def evaluate(self, state: State) -> State:
        """Measure quality."""
        source, plan, consent = state["data"], state["plan"], state["consent"]
        assert source
        assert plan
        assert consent
        dataset, workspace = self._context.dataset(source), self._context.workspace
        specs = [c.spec for c in plan.candidates]
        metrics = _metrics(plan, state["requirements"])
        with stage("evaluate", say("Measuring quality on your data")) as listen:
            if not _is_worth_screening(plan, state["requirements"], state.get("shortlist")):
                full = evaluate(
                    dataset, specs, workspace, task=plan.task, metrics=metrics, consent=consent, on_progress=listen
                )
                return State(evaluation=full, screening=None, status="measuring")
            margin = state["requirements"].margin.value
            found = find_winner(
                dataset,
                specs,
                workspace,
                metrics=metrics or scoring.DEFAULT,
                margin=margin,
                consent=consent,
                on_progress=listen,
            )
        return State(evaluation=found.evaluation, screening=found.screening, status="measuring")

    @foreseen
    def benchmark(self, state: State) -> State:
        """Measure speed, memory and size; figures for the same candidates on the same data are kept."""
        source, evaluation = state["data"], state["evaluation"]
        assert source
        assert evaluation
        if _covers(state.get("benchmark"), [c.spec for c in evaluation.candidates]):
            return State()
        with stage("benchmark", say("Timing the candidates on this machine")) as listen:
            found = benchmark(
                self._context.dataset(source),
                [c.spec for c in evaluation.candidates],
                self._context.workspace,
                on_progress=listen,
            )
        return State(benchmark=found)

    @foreseen
    def probe(self, state: State) -> State:
        """Ask the contenders hard cases made of the user's own texts; small data gives none."""
        ask = to_ask(state, self._context)
        if ask is None:
            return State(probes=None, robustness=None)
        with stage("probe", say("Trying hard cases: altered facts, typing mistakes")) as listen:
            found = ask(listen)
        return State(probes=found.probes, robustness=found.robustness)

    @foreseen
    def recommend(self, state: State) -> State:
        """Decide."""
        context, evaluation, found = self._context, state.get("evaluation"), state["shortlist"]
        assert found
        if evaluation is None:
            recommendation = recommend_unmeasured(
                state["requirements"],
                found,
                new_run_id("shortlist", context.now()),
                *why_unmeasured(state),
                now=context.now(),
            )
            comparisons = parts = None
        else:
            scores = query_scores(evaluation, context.workspace)
            decision = recommend(
                state["requirements"],
                found,
                evaluation,
                scores,
                state.get("benchmark"),
                state.get("plan"),
                state.get("screening"),
                now=context.now(),
                probes=state.get("probes"),
                robustness=state.get("robustness"),
                load=load_of(state),
            )
            comparisons = Comparisons(found=decision.comparisons)
            parts = parts_of(decision.recommendation, state, context)
            recommendation = with_its_month(with_routing(decision.recommendation, parts), state, context)
        recommendation = with_background(
            recommendation,
            found,
            context.catalog.sources[context.scores.source],
            state.get("profile"),
            state.get("plan") if evaluation else None,
            state.get("screening") if evaluation else None,
        )
        recommendation = spoken_of(recommendation, items_of(evaluation.task) if evaluation else None)
        tell(events.Recommended(recommendation=recommendation))
        return State(recommendation=recommendation, comparisons=comparisons, slices=parts)

    @foreseen
    def gains(self, state: State) -> State:
        """Measure single changes to the winner; asked for, as it takes its time."""
        advice, source = recommendation_of(state), state["data"]
        assert advice.winner
        assert source
        with stage("evaluate", say("Trying single changes to {spec}", spec=advice.winner)) as listen:
            found = next_gain(
                self._context.dataset(source),
                advice.winner,
                self._context.workspace,
                margin=state["requirements"].margin.value,
                consent=state.get("consent") or Consent(),
                on_progress=listen,
            )
        tell(events.Said(text=join(answer_on_gains(found), LINES)))
        return State(gains=found, trying=False)

    @foreseen
    def rate(self, state: State) -> State:
        """Ask whether questions and documents may go to the language model; on a yes, have it judge answers."""
        wish = state.get("rating")
        if wish == "ask":
            asked = rating.question(state, self._context)
            tell(events.question(asked))
            return State(asked=asked, rating=None)
        if wish == "no":
            tell(events.Said(text=say("Nothing was sent.")))
            return State(asked=None, rating=None)
        with stage("evaluate", say("Judging answers")) as listen:
            found = rating.rate(state, self._context, listen)
        tell(events.Said(text=join(list(answers_told(found)), LINES)))
        return State(asked=None, rating=None, rated=True)

    @foreseen
    def report(self, state: State) -> State:
        """Write the report."""
        run = recommendation_of(state).run_id
        folder, kept = self._context.report_folder_of(run), self._context.kept_report_folder_of(run)
        report = with_closer_look(report_of(state, folder), state, self._context)
        files = write_report(report, folder, state.get("language", "en"))
        write_archive(report, state, self._context, folder)
        if folder != kept:
            write_whole({kept / file.name: file.read_bytes() for file in (files.markdown, files.html, files.json)})
        offer = judging_turn.offer(state, self._context)
        could_say = (
            (judging_turn.BEGIN, offer is not None),
            (TRY, may_try(state)),
            (rating.BEGIN, rating.may_rate(state, self._context)),
        )
        answers = tuple(words for words, may in could_say if may)
        paths = {"markdown": str(files.markdown), "html": str(files.html), "json_file": str(files.json)}
        tell(events.Reported(**paths, offer=offer, answers=answers))
        return State(status="done", offered=offer is not None)

    @foreseen
    def judge(self, state: State) -> State:
        """Put the next pair, or say what the judgments come to."""
        done = judging_turn.turn(state, self._context, get_config()["configurable"]["thread_id"])
        for said in done.said:
            tell(events.Said(text=said))
        if done.asked is not None:
            tell(events.question(done.asked))
        update = State(asked=done.asked, judging=None)
        return update if done.evaluation is None else update | State(evaluation=done.evaluation, screening=None)


def _is_worth_screening(plan: Plan, requirements: Requirements, listed: Shortlist | None) -> bool:
    """Whether losers are to be left out before they have read everything.

    Not where a hard limit can only be checked by timing, nor where the user named a model that breaks a demand: whoever
    sent others home might be excluded in the end. Nor where an endpoint takes part: rounds go by the time that encoding
    takes, which says nothing of its price. Nor where part of the documents says nothing of a candidate.
    """
    hard = [constraint for constraint in requirements.constraints if constraint.hard]
    kinds = {constraint.kind for constraint in hard}
    refused = {r.model for r in listed.rejected if r.constraint in kinds} if listed else set()
    named = {leg.name for c in plan.candidates for leg in parse_candidate(c.spec).legs}
    sends = any(c.sends_text_to or c.usd for c in plan.candidates)
    partly = all(can_be_screened(parse_candidate(c.spec)) for c in plan.candidates)
    fair = not any(map(is_measurable, hard)) and not named & refused and not sends and partly
    return plan.task == "ranking" and plan.minutes >= SCREENING_MINUTES and fair


def _metrics(plan: Plan, requirements: Requirements) -> tuple[str, ...] | None:
    """What is measured of rankings for the user's task; None, all there are, where something else is measured."""
    return scoring.for_task(requirements.task.value) if plan.task == "ranking" else None


def _covers(benchmark: Benchmark | None, specs: list[str]) -> bool:
    if benchmark is None:
        return False
    return {c.spec for c in benchmark.candidates} | {c.spec for c in benchmark.failed} >= set(specs)
