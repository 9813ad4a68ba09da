"""The nodes that talk: they read what the user says, answer, read the data, and ask."""

from __future__ import annotations

from langgraph.types import interrupt

from agent import answers, events, interview, judging_turn, rating, writing
from agent.answering.brief import shortened
from agent.answering.gains import asks_to_try, cannot_try
from agent.candidates import read_candidates, specs_of
from agent.descriptions import assumptions, cautions, describe_change
from agent.hearing import asked_of, named_data, noticed, read_choice, supposes, without_markup_paths
from agent.judging import is_pair
from agent.llm_answers.worded import Worded
from agent.nodes.common import STOPPED, WithContext, foreseen, put, tell, told
from agent.redo import asks_to_redo, means_other_data
from agent.report_wish import asks_for_report
from agent.routing import decides_on_plan, is_stopped
from agent.short_questions import has_only_asked, is_short_question
from agent.small_talk import WHAT_TO_ASK, as_small_talk, small_talk
from agent.state import State, cleared
from agent.understanding.base import Asked, Understood
from agent.understanding.rules import RuleUnderstanding
from knowledge.errors import AdvisorError
from knowledge.measured_task import items_of
from knowledge.requirements import Requirements
from knowledge.wording import Text, join, say, spoken_of
from tools.data_source import STDLIB, DataSource
from tools.stopping import Stopped

NOT_READ = say("I could not read that as an answer.")
NOT_GOT = say("I did not get that.")
ASSUMED = say(
    "I could not read an answer to my question in that: I go on with what is assumed; you can change it at any time."
)


class Talk(WithContext):
    """From a message to what it says, and to the next question."""

    @foreseen
    def understand(self, state: State) -> State:
        """Read the message against the requirements and the open question."""
        before = state.get("requirements") or Requirements()
        handed = state.get("handed")
        update = State(message="", about=None, failure=None, understood=None, requirements=before, handed=None)
        update |= State(
            trying=False, showing=False, judging=None, writing=None, rating=None, rated=False, offered=False
        )
        wanted = None if handed else self._wanted(state.get("message") or "", state)
        if wanted is not None:
            return State(status=state.get("status", "interviewing")) | update | wanted
        update |= self._to_read(handed, state) if handed else State()
        text, of_candidates = self._candidates_meant(state.get("message") or "", state)
        update |= of_candidates
        if not text.strip():
            return State(status=state.get("status", "interviewing")) | update
        return update | self._read(text, before, state | of_candidates)

    def _wanted(self, said: str, state: State) -> State | None:
        """An update that has done what a message asks for, or says why not; None where it asks for no such thing."""
        if wish := rating.wants(said, state):
            why, update = rating.cannot_rate(state, self._context), State(rating=wish)
        elif judging := judging_turn.wants(said, state):
            why, update = judging_turn.cannot_judge(state, self._context), State(judging=judging)
        elif wish := writing.wants(said, state):
            why, update = writing.cannot_write(state, self._context), State(writing=wish)
        elif asks_to_try(said):
            why, update = cannot_try(state), State(trying=True)
        elif asks_for_report(said) and state.get("recommendation") and not is_stopped(state):
            return State(showing=True)
        else:
            return None
        if why is None:
            return update
        tell(events.Said(text=why))
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
            tell(events.Noted(requirements=before, changes=(), note=found.note))
        update |= State(understood=found) | noticed(found, state)
        if is_short_question(found, text, state):
            update |= State(interactive=False)
        if found.intent == "stop":
            tell(events.Said(text=say("I stop here. Nothing is lost: write again whenever you like to go on.")))
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
            told(error)
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
        tell(events.Said(text=_candidates_now(only, also)))
        update = State(specs=only, also=also)
        if state.get("data") is None and state.get("reading") is None and state.get("recommendation"):
            tell(events.question(interview.DATA))
            return named.rest, update | State(asked=interview.DATA)
        # who is measured changes no demand: the list stays, and is not read out again
        return named.rest, update | cleared(state) | State(status="interviewing", shortlist=state.get("shortlist"))

    def _data_meant(self, found: Understood, asked: Asked | None, text: str, state: State) -> State:
        """An update with the data that a message names; after an answer it may want it all done again.

        Data of the same name is read anew then, since its files may have changed; data that is only spoken of is
        asked for, and the answer stays until it comes.
        """
        source, known = named_data(found, asked, text), state.get("data")
        if source is not None and source.path != STDLIB and not self._context.reads_paths:
            tell(events.Said(text=say("I read no files of this machine for you: hand them over instead.")))
            return State()
        redo, decided = found.intent != "question" and asks_to_redo(text), state.get("recommendation") is not None
        wants_other = means_other_data(text) and (decided or not found.changes)
        if redo and source is None and (wants_other or (decided and known is None)):
            if has_only_asked(state):
                return cleared(state) | State(status="interviewing")  # the interview begins, and asks for the data last
            if decided and not found.changes:  # else the interview asks
                tell(events.question(interview.DATA))
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
            tell(events.Noted(requirements=found.requirements, changes=tuple(changes), ignored=found.ignored))
        elif found.ignored and not found.answered and found.intent == "inform":
            tell(events.Noted(requirements=found.requirements, changes=(), ignored=found.ignored))
            if state.get("asked") and not silent:  # it is not asked again
                tell(events.Said(text=ASSUMED))
        elif found.intent in ("unknown", "greeting") and not silent:
            self._say_what_next(found, state)
        elif found.intent == "inform" and state.get("recommendation") and not (silent or found.answered):
            tell(events.Said(text=say("That changes nothing of what you demand: the answer stands.")))
        elif not silent and _answers_nothing(found, state):
            decide = found.intent == "decide"
            stands = (
                say("It is decided: the answer stands.")
                if decide
                else say("Nothing waits for a yes or no; the answer stands.")
            )
            tell(events.Said(text=join([stands, WHAT_TO_ASK])))

    def _say_what_next(self, found: Understood, state: State) -> None:
        """What to do now, for a message that changed nothing."""
        unknown, asked = found.intent == "unknown", state.get("asked")
        if unknown and (state.get("about") or (asked and is_pair(asked.about))):
            tell(events.Said(text=NOT_READ))
        elif is_stopped(state):
            tell(events.Said(text=STOPPED))
        elif not unknown:
            tell(events.Said(text=small_talk(state.get("message") or "", state)))
        elif state.get("recommendation"):
            tell(events.Said(text=WHAT_TO_ASK if found.note else join([NOT_GOT, WHAT_TO_ASK])))
        elif asked:
            tell(events.Said(text=NOT_READ if asked.about in interview.CONSENTS else ASSUMED))

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
                tell(events.Noted(requirements=state["requirements"], changes=(), note=worded.note))
            if worded.text is not None:
                shown, more = worded.text, told if more else None
        tell(events.Said(text=shown))
        return State(understood=None, more=more)

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
                return put(asked, state)
        if state.get("shortlist") is None:  # else they were said with it
            tell(events.Said(text=assumptions(state["requirements"])))
        return State(asked=None, status="interviewing")

    def ask(self, state: State) -> State:
        """Wait for the answer. This node runs again from its top when it comes, so it does nothing else."""
        asked = state.get("asked")  # data handed over meanwhile may have made it void
        return State(message=str(interrupt({"about": asked.about if asked else "data"})))


def _answers_nothing(found: Understood, state: State) -> bool:
    """Whether it is a yes, a no or “just decide” after the decision, where nothing was asked that it could be about."""
    if found.intent not in ("confirm", "decline", "decide") or state.get("asked") or is_stopped(state):
        return False
    return state.get("recommendation") is not None and not decides_on_plan(found.intent, state)


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
