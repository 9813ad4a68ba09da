"""The nodes of the graph: each reads the state, does one thing, and returns what it changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from langgraph.config import get_config, get_stream_writer
from langgraph.types import interrupt

from agent import answers, events, interview, judging_turn
from agent.answering.brief import LINES, shortened
from agent.answering.gains import asks_to_try, cannot_try
from agent.candidates import read_candidates, specs_of
from agent.context import Context
from agent.descriptions import assumptions, cautions, describe_change, made_silver
from agent.hearing import asked_of, named_data, noticed, read_choice, supposes, without_markup_paths
from agent.judging import is_pair
from agent.llm_answers.worded import Worded
from agent.probing import to_ask
from agent.profile_answers import learn_from
from agent.redo import asks_to_redo, means_other_data
from agent.reporting import parts_of, recommendation_of, report_of, why_unmeasured, with_closer_look
from agent.routing import is_stopped
from agent.short_questions import has_only_asked, is_short_question
from agent.small_talk import WHAT_TO_ASK, as_small_talk, small_talk
from agent.state import Comparisons, Failure, State, cleared, with_data
from agent.understanding.base import Asked, Understood
from agent.understanding.rules import RuleUnderstanding
from knowledge.candidate import parse_candidate
from knowledge.errors import AdvisorError
from knowledge.measured_task import items_of, measured_task
from knowledge.progress import Progress, Stage
from knowledge.requirements import Requirements
from knowledge.results import Benchmark, Consent, Plan, Shortlist
from knowledge.wording import Text, join, say, spoken_of
from tools.adaptive import can_be_screened, find_winner
from tools.benchmark import benchmark
from tools.data_source import STDLIB, DataSource
from tools.evaluate import evaluate, measured_before, query_scores
from tools.metrics import scoring
from tools.next_gain import next_gain
from tools.next_gain.words import answer as answer_on_gains
from tools.plan import make_plan, without_what_is_known
from tools.profile import profile
from tools.recommend import is_measurable, recommend, recommend_unmeasured, with_background
from tools.report import write_report
from tools.run_store import new_run_id
from tools.shortlist import shortlist
from tools.slices.words import with_routing
from tools.workers import Stopped, stop_point, stoppable

#: from so many estimated minutes on, losers are left out before they have read everything
SCREENING_MINUTES = 15.0


NOT_READ = say("I could not read that as an answer.")
NOT_GOT = say("I did not get that.")
ASSUMED = say(
    "I could not read an answer to my question in that: I go on with what is assumed; you can change it at any time."
)
STOPPED = say(
    "Stopped. What is done so far is kept: say “go on” to continue, or “just decide” for an answer without measuring."
)


def foreseen(node: Callable[[Nodes, State], State]) -> Callable[[Nodes, State], State]:
    """Turn a foreseen error, or a stop, into a state that the conversation can go on from; bugs pass through."""

    def guarded(self: Nodes, state: State) -> State:
        thread = get_config()["configurable"]["thread_id"]
        try:
            with stoppable(lambda: self._context.should_stop(thread)):
                return node(self, state)
        except AdvisorError as error:
            return _failed(error)
        except Stopped:
            _tell(events.Said(text=STOPPED))
            return State(status="stopped")

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
        handed = state.get("handed")
        update = State(message="", about=None, failure=None, understood=None, requirements=before, handed=None)
        update |= State(trying=False, judging=None)
        if not handed and (judging := judging_turn.wants(state.get("message") or "", state)):
            return State(status=state.get("status", "interviewing")) | update | self._judging(judging, state)
        if not handed and asks_to_try(state.get("message") or ""):
            why = cannot_try(state)
            if why is None:
                return update | State(trying=True)
            _tell(events.Said(text=why))
            return State(status=state.get("status", "interviewing")) | update
        update |= self._to_read(handed, state) if handed else State()
        text, of_candidates = self._candidates_meant(state.get("message") or "", state)
        update |= of_candidates
        if not text.strip():
            return State(status=state.get("status", "interviewing")) | update
        return update | self._read(text, before, state | of_candidates)

    def _judging(self, said: str, state: State) -> State:
        """An update that has pairs judged, or says why not."""
        why = judging_turn.cannot_judge(state, self._context)
        if why is None:
            return State(judging=said)
        _tell(events.Said(text=why))
        return State()

    def _read(self, text: str, before: Requirements, state: State) -> State:
        """What else than candidates a message says."""
        asked, handed = asked_of(state), state.get("handed")
        update = State(requirements=before)
        found = without_markup_paths(self._understood(text, before, asked), text)
        found = read_choice(found, text, asked, stopped=is_stopped(state))
        if not handed:
            decided = before if state.get("recommendation") else None
            found = answers.as_question_of_knowledge(as_small_talk(found, text), text, self._context, decided)
        if found.note is not None:
            _tell(events.Noted(requirements=before, changes=(), note=found.note))
        update |= State(understood=found) | noticed(found, state)
        if is_short_question(found, text, state):
            update |= State(interactive=False)
        if found.intent == "stop":
            _tell(events.Said(text=say("I stop here. Nothing is lost: write again whenever you like to go on.")))
        if supposes(found):
            return update
        if not before.summary and found.intent != "greeting":
            found = found.model_copy(
                update={"requirements": found.requirements.model_copy(update={"summary": text.strip()[:500]})}
            )
        of_data = self._data_meant(found, asked, text, state)
        update |= of_data
        is_plain = found.intent in ("inform", "unknown") and not (found.changes or found.answered)
        if is_plain and (handed or of_data.get("reading")):
            update |= State(asked=asked)  # should it not be readable
        if found.changes:
            update |= cleared(state) | State(status="interviewing")
        if found.changes or of_data.get("asked") != interview.DATA:
            self._say_what_was_read(found, state, silent=bool(of_data or handed))
        return update | State(requirements=found.requirements)

    def _understood(self, text: str, before: Requirements, asked: Asked | None) -> Understood:
        """The message as it is understood; by rules alone where the user would not wait for a language model."""
        try:
            return self._context.understanding.understand(text, before, asked)
        except Stopped:
            note = say("I read this by rules alone: you did not want to wait for the language model.")
            return RuleUnderstanding().understand(text, before, asked).model_copy(update={"note": note})

    def _candidates_meant(self, text: str, state: State) -> tuple[str, State]:
        """The message without what it says of candidates, and an update with that.

        What cannot be measured is said, and changes nothing. Where there is an answer already and no data, it is asked
        for first.
        """
        named = read_candidates(text, narrowed=bool(state.get("specs") or state.get("also")))
        if named is None:
            return text, State()
        try:
            specs = specs_of(named.names, self._context.catalog, self._context.workspace)
        except AdvisorError as error:
            _told(error)
            return named.rest, State()
        only, also = state.get("specs") or [], state.get("also") or []
        if named.how == "only":
            only, also = specs, []
        elif named.how == "all":
            only, also = [], []
        elif only:
            only = list(dict.fromkeys([*only, *specs]))
        else:
            also = list(dict.fromkeys([*also, *specs]))
        _tell(events.Said(text=_candidates_now(only, also)))
        update = State(specs=only, also=also)
        if state.get("data") is None and state.get("reading") is None and state.get("recommendation"):
            _tell(events.question(interview.DATA))
            return named.rest, update | State(asked=interview.DATA)
        return named.rest, update | cleared(state) | State(status="interviewing")

    def _data_meant(self, found: Understood, asked: Asked | None, text: str, state: State) -> State:
        """An update with the data that a message names; after an answer it may want it all done again.

        Data of the same name is read anew then, since its files may have changed; data that is only spoken of is
        asked for, and the answer stays until it comes.
        """
        source, known = named_data(found, asked, text), state.get("data")
        if source is not None and source.path != STDLIB and not self._context.reads_paths:
            _tell(events.Said(text=say("I read no files of this machine for you: hand them over instead.")))
            return State()
        redo, decided = found.intent != "question" and asks_to_redo(text), state.get("recommendation") is not None
        wants_other = means_other_data(text) and (decided or not found.changes)
        if redo and source is None and (wants_other or (decided and known is None)):
            if has_only_asked(state):
                return cleared(state) | State(status="interviewing")  # the interview begins, and asks for the data last
            if decided and not found.changes:  # else the interview asks
                _tell(events.question(interview.DATA))
            return State(asked=interview.DATA)
        again = redo and decided
        source = source or (known if again else None)
        if source is None or (source == known and not again and not (asked and asked.about == "data")):
            return State()
        return self._to_read(source, state)

    def _to_read(self, source: DataSource, state: State) -> State:
        """An update that has data read next. It is read anew: the files of its name may be others by now."""
        self._context.forget_data()
        return State(reading=source, status="interviewing") if is_stopped(state) else State(reading=source)

    def _say_what_was_read(self, found: Understood, state: State, *, silent: bool) -> None:
        """What a message changed or left unread; what to do now where it says nothing, unless that is to be silent."""
        if found.changes:
            changes = [describe_change(change, found.requirements) for change in found.changes]
            changes += cautions(found.changes, found.requirements)
            _tell(events.Noted(requirements=found.requirements, changes=tuple(changes), ignored=found.ignored))
        elif found.ignored and not found.answered and found.intent == "inform":
            _tell(events.Noted(requirements=found.requirements, changes=(), ignored=found.ignored))
            if state.get("asked") and not silent:  # it is not asked again
                _tell(events.Said(text=ASSUMED))
        elif found.intent in ("unknown", "greeting") and not silent:
            self._say_what_next(found, state)
        elif found.intent == "inform" and state.get("recommendation") and not (silent or found.answered):
            _tell(events.Said(text=say("That changes nothing of what you demand: the answer stands.")))

    def _say_what_next(self, found: Understood, state: State) -> None:
        """What to do now, for a message that changed nothing."""
        unknown, asked = found.intent == "unknown", state.get("asked")
        if unknown and (state.get("about") or (asked and is_pair(asked.about))):
            _tell(events.Said(text=NOT_READ))
        elif is_stopped(state):
            _tell(events.Said(text=STOPPED))
        elif not unknown:
            _tell(events.Said(text=small_talk(state.get("message") or "", state)))
        elif state.get("recommendation"):
            _tell(events.Said(text=WHAT_TO_ASK if found.note else join([NOT_GOT, WHAT_TO_ASK])))
        elif asked:
            _tell(events.Said(text=NOT_READ if asked.about == "plan" else ASSUMED))

    @foreseen
    def answer(self, state: State) -> State:
        """Answer a question from what is known; nothing is measured for it."""
        understood = state["understood"]
        assert understood
        told, writer = answers.answer(understood, state, self._context), self._context.writer
        evaluation = state.get("evaluation")
        told = spoken_of(told, items_of(evaluation.task) if evaluation else None)
        asks_for_more = answers.asks_for_more(understood)
        shown, more = (told, None) if asks_for_more else shortened(told)
        if writer is not None and not asks_for_more:
            try:
                worded = writer.word(understood, told, state, self._context)
            except Stopped:  # what was found without it is there
                worded = Worded(
                    None, say("This answer is in my own words: you did not want to wait for the language model.")
                )
            if worded.note is not None:
                _tell(events.Noted(requirements=state["requirements"], changes=(), note=worded.note))
            if worded.text is not None:
                shown, more = worded.text, told if more else None
        _tell(events.Said(text=shown))
        return State(understood=None, more=more)

    @foreseen
    def profile(self, state: State) -> State:
        """Read the data and describe it; what it shows answers questions by itself.

        What was known of other data stays until this has been read. Where it cannot be read that is said, and the
        question that was open stays open; whoever asks no questions gets it as the failure.
        """
        source = state.get("reading") or state["data"]
        assert source
        try:
            with _stage("profile", say("Reading your data")) as listen:
                dataset = self._context.dataset(source)
                found = profile(dataset, listen)
        except AdvisorError as error:
            return self._unreadable(error, source, state)
        _tell(events.Profiled(profile=found))
        requirements, learnt = learn_from(found, state["requirements"])
        if found.dataset.silver is not None and measured_task(found.dataset, requirements.task.value) == "ranking":
            _tell(events.Said(text=made_silver(found.dataset)))
        if learnt:
            _tell(events.Noted(requirements=requirements, changes=learnt))
        timed = state.get("benchmark") if state.get("profile") is None and state.get("data") == source else None
        update = with_data(state, source) | State(profile=found, requirements=requirements, status="interviewing")
        asked = state.get("asked")
        known = {constraint.kind for constraint in requirements.constraints}
        if asked is not None and asked.about in known:
            update |= State(asked=None)
        return update | State(benchmark=timed)

    def _unreadable(self, error: AdvisorError, source: DataSource, state: State) -> State:
        """What is left where data cannot be read: all that was there."""
        was_read = source != state.get("data") or state.get("profile") is not None
        update = State(reading=None, data=state.get("data") if was_read else None)
        if not state.get("interactive", True):
            return _failed(error) | update
        _told(error)
        asked = state.get("asked") or (interview.DATA if update["data"] is None else None)
        consent = state.get("consent")
        if state.get("recommendation"):  # nobody else puts the question again
            if asked:
                _tell(events.question(asked))
        elif state.get("plan") and consent and consent.measure:  # it was stopped while it measured
            _tell(events.Said(text=STOPPED))
            update |= State(status="stopped")
        return update | State(asked=asked)

    @foreseen
    def interview(self, state: State) -> State:
        """Put the open question again, or choose the next one, if one is worth asking."""
        asked = state.get("asked")
        if state.get("interactive", True) and (asked or not state.get("decided")):
            asked = asked or interview.next_question(
                state["requirements"],
                state.get("asked_before") or [],
                state.get("data") is not None,
                self._context.catalog,
                self._context.scores,
                settled=state.get("settled") or (),
                heard=state.get("heard") or (),
            )
            if asked:
                return self._ask(asked, state)
        _tell(events.Said(text=assumptions(state["requirements"])))
        return State(asked=None, status="interviewing")

    @staticmethod
    def _ask(asked: Asked, state: State) -> State:
        """Put a question; what waits for the answer is the node after."""
        _tell(events.question(asked))
        return State(
            asked=asked,
            asked_before=[*(state.get("asked_before") or []), asked.about],
            status="asking_consent" if asked.about == "plan" else "interviewing",
        )

    def ask(self, state: State) -> State:
        """Wait for the answer. This node runs again from its top when it comes, so it does nothing else."""
        asked = state.get("asked")  # data handed over meanwhile may have made it void
        return State(message=str(interrupt({"about": asked.about if asked else "data"})))

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
            specs=state.get("specs") or (),
            also=state.get("also") or (),
        )
        consent, specs = state.get("consent"), [c.spec for c in made.candidates]
        metrics = _metrics(made, state["requirements"])
        known = measured_before(context.dataset(source), specs, context.workspace, metrics, made.task)
        timed = _covers(state.get("benchmark"), specs)
        made = without_what_is_known(made, known, timed=timed)
        if consent is None and state.get("interactive", True):
            if timed and known.issuperset(specs):  # nothing is left that one could agree to
                _tell(events.Said(text=say("All of that was measured before, so I decide on those figures.")))
                return State(plan=made, consent=Consent(measure=True), status="measuring")
            _tell(events.Planned(plan=made))
            return self._ask(interview.PLAN, state) | State(plan=made)
        _tell(events.Planned(plan=made))
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
        with _stage("evaluate", say("Measuring quality on your data")) as listen:
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
        with _stage("benchmark", say("Timing the candidates on this machine")) as listen:
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
        with _stage("probe", say("Trying hard cases: altered facts, typing mistakes")) as listen:
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
            )
            comparisons = Comparisons(found=decision.comparisons)
            parts = parts_of(decision.recommendation, state, context)
            recommendation = with_routing(decision.recommendation, parts)
        recommendation = with_background(
            recommendation,
            found,
            context.catalog.sources[context.scores.source],
            state.get("profile"),
            state.get("plan") if evaluation else None,
            state.get("screening") if evaluation else None,
        )
        recommendation = spoken_of(recommendation, items_of(evaluation.task) if evaluation else None)
        _tell(events.Recommended(recommendation=recommendation))
        return State(recommendation=recommendation, comparisons=comparisons, slices=parts)

    @foreseen
    def gains(self, state: State) -> State:
        """Measure single changes to the winner; asked for, as it takes its time."""
        advice, source = recommendation_of(state), state["data"]
        assert advice.winner
        assert source
        with _stage("evaluate", say("Trying single changes to {spec}", spec=advice.winner)) as listen:
            found = next_gain(
                self._context.dataset(source),
                advice.winner,
                self._context.workspace,
                margin=state["requirements"].margin.value,
                consent=state.get("consent") or Consent(),
                on_progress=listen,
            )
        _tell(events.Said(text=join(answer_on_gains(found), LINES)))
        return State(gains=found, trying=False)

    @foreseen
    def report(self, state: State) -> State:
        """Write the report."""
        folder = self._context.report_folder_of(recommendation_of(state).run_id)
        report = with_closer_look(report_of(state, folder), state, self._context)
        files = write_report(report, folder, state.get("language", "en"))
        offer = judging_turn.offer(state, self._context)
        answers = (judging_turn.BEGIN,) if offer else ()
        paths = {"markdown": str(files.markdown), "html": str(files.html), "json_file": str(files.json)}
        _tell(events.Reported(**paths, offer=offer, answers=answers))
        return State(status="done")

    @foreseen
    def judge(self, state: State) -> State:
        """Put the next pair, or say what the judgments come to."""
        done = judging_turn.turn(state, self._context, get_config()["configurable"]["thread_id"])
        for said in done.said:
            _tell(events.Said(text=said))
        if done.asked is not None:
            _tell(events.question(done.asked))
        update = State(asked=done.asked, judging=None)
        return update if done.evaluation is None else update | State(evaluation=done.evaluation, screening=None)


def _failed(error: AdvisorError) -> State:
    """A failure, said and kept."""
    return State(failure=_told(error), status="failed")


def _told(error: AdvisorError) -> Failure:
    """A failure, said."""
    failure = Failure(
        error=type(error).__name__, cause=error.cause, next_step=error.next_step, exit_code=error.exit_code
    )
    _tell(events.Failed(**dict(failure)))
    return failure


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


def _candidates_now(only: list[str], also: list[str]) -> Text:
    """Which candidates are measured from now on, and how to take that back."""
    if only:
        return say(
            "I measure these and no others: {specs}. Say “all of them again” for those I would choose.",
            specs=", ".join(only),
        )
    if also:
        return say(
            "Besides those I choose, I measure {specs}. Say “all of them again” to leave it at mine.",
            specs=", ".join(also),
        )
    return say("I choose the candidates again.")


def _covers(benchmark: Benchmark | None, specs: list[str]) -> bool:
    if benchmark is None:
        return False
    return {c.spec for c in benchmark.candidates} | {c.spec for c in benchmark.failed} >= set(specs)


def _tell(event: events.Event) -> None:
    get_stream_writer()(event)


@contextmanager
def _stage(stage: Stage, text: Text) -> Iterator[Callable[[Progress], None]]:
    """Tells of a long step; it ends (`Stopped`) at its next progress when the user wants that."""
    _tell(events.StageStarted(stage=stage, text=text))
    write = get_stream_writer()
    begun = time.monotonic()

    def listen(progress: Progress) -> None:
        stop_point()
        write(events.Progressed(progress=progress))

    stop_point()
    yield listen
    write(events.StageDone(stage=stage, seconds=round(time.monotonic() - begun, 1)))
