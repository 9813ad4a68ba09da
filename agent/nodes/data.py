"""The nodes that read the user's data, and have queries written for it."""

from __future__ import annotations

from agent import events, interview, writing
from agent.descriptions import made_silver
from agent.nodes.common import STOPPED, WithContext, failed, foreseen, put, stage, tell, told
from agent.profile_answers import learn_from
from agent.state import State, with_data
from knowledge.errors import AdvisorError
from knowledge.measured_task import measured_task
from knowledge.wording import say
from tools.data_source import DataSource
from tools.profile import profile


class Data(WithContext):
    """From a place where data is to what is known of it."""

    @foreseen
    def profile(self, state: State) -> State:
        """Read the data and describe it; what it shows answers questions by itself.

        What was known of other data stays until this has been read. Where it cannot be read that is said, and the
        question that was open stays open; whoever asks no questions gets it as the failure.
        """
        source = state.get("reading") or state["data"]
        assert source
        try:
            with stage("profile", say("Reading your data")) as listen:
                dataset = self._context.dataset(source)
                found = profile(dataset, listen)
        except AdvisorError as error:
            return self._unreadable(error, source, state)
        tell(events.Profiled(profile=found))
        requirements, learnt = learn_from(found, state["requirements"])
        if found.dataset.silver is not None and measured_task(found.dataset, requirements.task.value) == "ranking":
            tell(events.Said(text=made_silver(found.dataset)))
            now = State(profile=found, data=source)
            if state.get("interactive", True) and writing.cannot_write(now, self._context) is None:
                words = writing.BEGIN
                tell(events.Said(text=say("Your language model can write them instead: say “{words}”.", words=words)))
        if learnt:
            tell(events.Noted(requirements=requirements, changes=learnt))
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
            return failed(error) | update
        told(error)
        asked = state.get("asked") or (interview.DATA if update["data"] is None else None)
        consent = state.get("consent")
        if state.get("recommendation"):  # nobody else puts the question again
            if asked:
                tell(events.question(asked))
        elif state.get("plan") and consent and consent.measure:  # it was stopped while it measured
            tell(events.Said(text=STOPPED))
            update |= State(status="stopped")
        return update | State(asked=asked)

    @foreseen
    def write(self, state: State) -> State:
        """Ask whether passages may go to the language model; on a yes, have it write queries, which are read next."""
        wish = state.get("writing")
        if wish == "ask":
            asked = writing.question(state, self._context)
            tell(events.question(asked))
            return State(asked=asked, writing=None)
        if wish == "no":
            tell(events.Said(text=say("Nothing was sent: the queries stay those that I made.")))
            waits = state.get("plan") is not None and state.get("consent") is None
            return (put(interview.PLAN, state) if waits else State(asked=None)) | State(writing=None)
        with stage("profile", say("Having queries written")) as listen:
            source = writing.write(state, self._context, listen)
        return State(reading=source, asked=None, writing=None)
