"""The node that puts contenders under load."""

from __future__ import annotations

from agent.loading import to_load
from agent.nodes.common import WithContext, foreseen, stage
from agent.state import State
from knowledge.wording import say


class Load(WithContext):
    """Between the timing of single queries and the decision."""

    @foreseen
    def load(self, state: State) -> State:
        """Find out what the contenders hold, where the user has a rate."""
        test = to_load(state, self._context)
        if test is None:
            return State()
        with stage("load", say("Putting the contenders under load")) as listen:
            return State(load=test(listen))
