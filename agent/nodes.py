"""The nodes of the graph: each reads the state, does one thing, and returns what it changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from langgraph.config import get_stream_writer
from langgraph.types import interrupt

from agent import answers, events, interview
from agent.context import Context
from agent.profile_answers import learn_from
from agent.state import Comparisons, Failure, State, cleared
from agent.understanding.base import Asked, Change
from knowledge.errors import AdvisorError
from knowledge.progress import Progress, Stage
from knowledge.requirements import Requirements
from knowledge.results import Consent, Report
from knowledge.wording import Text, join, say
from tools.benchmark import benchmark
from tools.data_source import DataSource
from tools.evaluate import evaluate, query_scores
from tools.plan import make_plan
from tools.profile import profile
from tools.recommend import recommend, recommend_unmeasured
from tools.report import write_report
from tools.run_store import new_run_id
from tools.shortlist import shortlist

Node = Callable[[State], State]
MADE_BY = "Embedding Advisor 0.1.0"


def foreseen(node: Callable[[Nodes, State], State]) -> Callable[[Nodes, State], State]:
    """Turn a foreseen error into a state that the conversation can go on from; bugs pass through."""

    def guarded(self: Nodes, state: State) -> State:
        try:
            return node(self, state)
        except AdvisorError as error:
            failure = Failure(
                error=type(error).__name__, cause=error.cause, next_step=error.next_step, exit_code=error.exit_code
            )
            _tell(events.Failed(**dict(failure)))
            return State(failure=failure, status="failed")

    guarded.__name__ = node.__name__
    guarded.__doc__ = node.__doc__
    return guarded


class Nodes:
    """The nodes, with the context they share."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @foreseen
    def understand(self, state: State) -> State:
        """Read the message against the requirements and the open question."""
        before = state.get("requirements") or Requirements()
        text, asked = state.get("message") or "", state.get("asked")
        update = State(message="", failure=None, understood=None)
        if not text.strip():
            return update | State(requirements=before, status=state.get("status", "interviewing"))
        found = self._context.understanding.understand(text, before, asked)
        update |= State(understood=found, asked=None)
        if found.intent == "question":
            return update | State(requirements=before)
        if not before.summary:
            found = found.model_copy(
                update={"requirements": found.requirements.model_copy(update={"summary": text.strip()[:500]})}
            )
        source = _named_data(found.data_path, asked, text, found.answered)
        if source and source != state.get("data"):
            update |= State(data=source, profile=None, **cleared())
        if found.changes:
            update |= cleared()
            changes = tuple(_describe(change, found.requirements) for change in found.changes)
            _tell(events.Noted(requirements=found.requirements, changes=changes, ignored=found.ignored))
        return update | State(requirements=found.requirements)

    @foreseen
    def answer(self, state: State) -> State:
        """Answer a question from what is known; nothing is measured for it."""
        understood = state["understood"]
        assert understood
        _tell(events.Said(text=answers.answer(understood, state, self._context)))
        return State(understood=None)

    @foreseen
    def profile(self, state: State) -> State:
        """Read the data and describe it; what it shows answers questions by itself."""
        source = state["data"]
        assert source
        with _stage("profile", say("Reading your data")) as listen:
            dataset = self._context.dataset(source)
            found = profile(dataset, listen)
        _tell(events.Profiled(profile=found))
        requirements, learnt = learn_from(found, state["requirements"])
        if learnt:
            _tell(events.Noted(requirements=requirements, changes=learnt))
        return State(profile=found, requirements=requirements)

    @foreseen
    def interview(self, state: State) -> State:
        """Choose the next question, if one is worth asking."""
        understood = state.get("understood")
        decided = bool(understood and understood.intent == "decide")
        if not state.get("interactive", True) or decided:
            return State(asked=None, status="interviewing")
        asked_before = state.get("asked_before") or []
        asked = interview.next_question(
            state["requirements"],
            asked_before,
            state.get("data") is not None,
            self._context.catalog,
            self._context.scores,
        )
        if asked is None:
            return State(asked=None, status="interviewing")
        _tell(
            events.Question(
                about=asked.about,
                text=interview.question_text(asked.about),
                answers=tuple(a.label for a in asked.answers),
            )
        )
        return State(asked=asked, asked_before=[*asked_before, asked.about], status="interviewing")

    def ask(self, state: State) -> State:
        """Wait for the answer. This node runs again from its top when it comes, so it does nothing else."""
        asked = state["asked"]
        assert asked
        return State(message=str(interrupt({"about": asked.about})))

    @foreseen
    def shortlist(self, state: State) -> State:
        """Search the catalog."""
        found = shortlist(state["requirements"], self._context.catalog, self._context.scores)
        _tell(events.Shortlisted(shortlist=found))
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
        )
        consent = state.get("consent")
        _tell(events.Planned(plan=made))
        if consent is None and state.get("interactive", True):
            question = say("Shall I measure them now?")
            _tell(
                events.Question(about="plan", text=question, answers=(say("Yes, measure"), say("No, decide without")))
            )
            return State(plan=made, asked=Asked(about="plan"), status="asking_consent")
        return State(plan=made, consent=consent or Consent())

    def ask_consent(self, state: State) -> State:
        """Wait for yes, no, or something else altogether."""
        return State(message=str(interrupt({"about": "plan"})))

    @foreseen
    def agree(self, state: State) -> State:
        """Read the answer to the plan: a yes agrees to all that the plan shows, and to nothing else."""
        understood, plan = state.get("understood"), state.get("plan")
        if understood is None or plan is None or understood.intent not in ("confirm", "decline"):
            return State()
        if understood.intent == "decline":
            return State(consent=Consent())
        hosts = frozenset(c.sends_text_to for c in plan.candidates if c.sends_text_to)
        return State(consent=Consent(measure=True, download=plan.download_gb > 0, hosts=hosts))

    @foreseen
    def evaluate(self, state: State) -> State:
        """Measure quality."""
        source, consent = state["data"], state["consent"]
        assert source
        assert consent
        with _stage("evaluate", say("Measuring quality on your data")) as listen:
            found = evaluate(
                self._context.dataset(source),
                self._specs(state),
                self._context.workspace,
                consent=consent,
                on_progress=listen,
            )
        return State(evaluation=found, status="measuring")

    @foreseen
    def benchmark(self, state: State) -> State:
        """Measure speed, memory and size."""
        source, evaluation = state["data"], state["evaluation"]
        assert source
        assert evaluation
        with _stage("benchmark", say("Timing the candidates on this machine")) as listen:
            found = benchmark(
                self._context.dataset(source),
                [c.spec for c in evaluation.candidates],
                self._context.workspace,
                on_progress=listen,
            )
        return State(benchmark=found)

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
                _why_unmeasured(state),
                now=context.now(),
            )
            comparisons = None
        else:
            scores = query_scores(evaluation, context.workspace)
            decision = recommend(
                state["requirements"],
                found,
                evaluation,
                scores,
                state.get("benchmark"),
                state.get("plan"),
                now=context.now(),
            )
            recommendation, comparisons = decision.recommendation, Comparisons(found=decision.comparisons)
        _tell(events.Recommended(recommendation=recommendation))
        return State(recommendation=recommendation, comparisons=comparisons)

    @foreseen
    def report(self, state: State) -> State:
        """Write the report."""
        files = write_report(
            report_of(state), self._context.report_folder_of(_recommendation(state).run_id), state.get("language", "en")
        )
        _tell(events.Reported(markdown=str(files.markdown), html=str(files.html), json_file=str(files.json)))
        return State(status="done")

    @staticmethod
    def _specs(state: State) -> list[str]:
        plan = state.get("plan")
        return state.get("specs") or [c.spec for c in (plan.candidates if plan else ())]


def report_of(state: State) -> Report:
    """The report's contents, from a state that has its recommendation."""
    comparisons, found = state.get("comparisons"), state["shortlist"]
    assert found
    return Report(
        requirements=state["requirements"],
        profile=state.get("profile"),
        shortlist=found,
        plan=state.get("plan"),
        evaluation=state.get("evaluation"),
        comparisons=comparisons.found if comparisons else (),
        benchmark=state.get("benchmark"),
        recommendation=_recommendation(state),
        reproduce=_reproduce(state),
        made_by=MADE_BY,
    )


def _recommendation(state: State) -> Any:
    found = state["recommendation"]
    assert found
    return found


def _reproduce(state: State) -> str:
    """The command that does the same again."""
    source = state.get("data")
    data = f" {source.arguments}" if source else ""
    specs = "".join(f" --candidate '{spec}'" for spec in Nodes._specs(state)) if state.get("evaluation") else ""
    return f"advisor recommend --requirements requirements.json{data}{specs} --yes --json"


def _why_unmeasured(state: State) -> Text:
    source, profile = state.get("data"), state.get("profile")
    if source is None:
        return say("Everything: no dataset was given.")
    if profile is not None and not profile.dataset.judgments:
        return say("Everything: the dataset has no judgments (which document answers which query).")
    return say("Everything: measuring was not agreed to.")


def _named_data(path: str | None, asked: Asked | None, text: str, answered: bool) -> DataSource | None:
    """The dataset a message names: a path anywhere, or an answer to the question for it."""
    about_data = asked is not None and asked.about == "data"
    words = text.strip().lower()
    if (
        about_data
        and asked
        and (
            words in ("2", "stdlib")
            or words == str(asked.answers[-1].label).lower()
            or text.strip() == asked.answers[-1].label.render("zh")
        )
    ):
        return DataSource(path="stdlib", documents=1500, queries=300)
    if path:
        return DataSource(path=path)
    if about_data and asked and not answered and text.strip() and len(text) < 4096:
        from pathlib import Path

        try:
            return DataSource(path=text.strip()) if Path(text.strip()).expanduser().exists() else None
        except OSError:
            return None
    return None


def _describe(change: Change, requirements: Requirements) -> Text:
    constraint = next((c for c in requirements.constraints if c.kind == change.slot), None)
    if constraint is not None:
        what = constraint.describe()
        if constraint.origin == "inferred":
            return say("{what} (inferred: {why})", what=what, why=constraint.because)
        return what if constraint.hard else say("{what} (if possible)", what=what)
    if change.after is None:
        return say("{slot}: no demand any more", slot=change.slot)
    value = change.after.get("value", change.after) if isinstance(change.after, dict) else change.after
    return say("{slot}: {value}", slot=change.slot, value=str(value))


def assumptions(requirements: Requirements) -> Text | None:
    """What was assumed, in one line to correct."""
    slots = [
        say("{slot}: {value}", slot=name, value=str(slot.value))
        for name in ("task", "margin")
        if (slot := getattr(requirements, name)).origin == "assumed"
    ]
    return say("I assume: {assumptions}.", assumptions=join(slots, Text(template="; "))) if slots else None


def _tell(event: events.Event) -> None:
    get_stream_writer()(event)


@contextmanager
def _stage(stage: Stage, text: Text) -> Iterator[Callable[[Progress], None]]:
    _tell(events.StageStarted(stage=stage, text=text))
    write = get_stream_writer()
    begun = time.monotonic()
    yield lambda progress: write(events.Progressed(progress=progress))
    write(events.StageDone(stage=stage, seconds=round(time.monotonic() - begun, 1)))
