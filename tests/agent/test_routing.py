"""Where each state leads."""

import pytest

from agent import routing
from agent.state import Failure, State
from agent.understanding.base import Asked, Understood
from knowledge.requirements import Requirements
from knowledge.results import Consent, DataProfile, DatasetSummary, Plan
from knowledge.wording import say
from tools.data_source import DataSource

FAILURE = Failure(error="DatasetError", cause=say("it broke"), next_step=say("mend it"), exit_code=3)
PLAN = Plan(candidates=(), documents=1, queries=1)
DATA = DataSource(path="somewhere")
DECIDED = object()  # routers look only at whether there is a recommendation
YES, NO = Consent(measure=True), Consent()


def understood(intent):
    return Understood(requirements=Requirements(), intent=intent)


def profile(judgments):
    summary = DatasetSummary(name="d", path="d", hash="0", format="beir", documents=1, queries=1, judgments=judgments)
    return DataProfile(dataset=summary)


@pytest.mark.parametrize(
    ("state", "goes_to"),
    [
        ({}, "interview"),
        ({"understood": understood("inform")}, "interview"),
        ({"understood": understood("unknown")}, "interview"),
        ({"understood": understood("decide")}, "interview"),
        ({"understood": understood("stop")}, "__end__"),
        ({"understood": understood("stop"), "plan": PLAN, "data": DATA}, "__end__"),
        ({"failure": FAILURE, "understood": understood("question")}, "__end__"),
        ({"understood": understood("question")}, "answer"),
        ({"understood": understood("question"), "recommendation": DECIDED}, "answer"),
        # without a plan there is nothing to agree to
        ({"understood": understood("confirm")}, "interview"),
        ({"understood": understood("confirm"), "plan": PLAN}, "agree"),
        ({"understood": understood("decline"), "plan": PLAN}, "agree"),
        # who declined may agree later, but declining twice or agreeing twice changes nothing
        ({"understood": understood("confirm"), "plan": PLAN, "consent": NO, "recommendation": DECIDED}, "agree"),
        ({"understood": understood("decline"), "plan": PLAN, "consent": NO, "recommendation": DECIDED}, "__end__"),
        ({"understood": understood("confirm"), "plan": PLAN, "consent": YES, "recommendation": DECIDED}, "__end__"),
        ({"understood": understood("inform"), "plan": PLAN}, "interview"),
        ({"data": DATA}, "profile"),
        ({"data": DATA, "profile": profile(1), "reading": DATA, "recommendation": DECIDED}, "profile"),
        # a plan is about the data that was read, and other data was handed over with the answer to it
        ({"understood": understood("confirm"), "plan": PLAN, "reading": DATA}, "profile"),
        ({"data": DATA, "profile": profile(1)}, "interview"),
        ({"data": DATA, "understood": understood("inform"), "recommendation": None}, "profile"),
        # thanks and the like start nothing anew
        ({"understood": understood("greeting"), "recommendation": DECIDED}, "__end__"),
        ({"understood": understood("unknown"), "recommendation": DECIDED}, "__end__"),
        ({"understood": understood("unknown"), "status": "stopped"}, "__end__"),
        ({"understood": understood("question"), "status": "stopped"}, "answer"),
        ({"showing": True, "recommendation": DECIDED}, "report"),
        ({"understood": understood("confirm"), "status": "stopped"}, "profile"),
        ({"understood": understood("confirm"), "status": "stopped", "plan": PLAN, "consent": YES}, "evaluate"),
        ({"understood": understood("decline"), "status": "stopped", "plan": PLAN, "consent": YES}, "agree"),
        ({"understood": understood("decline"), "status": "stopped"}, "__end__"),
    ],
)
def test_after_understanding(state, goes_to):
    assert routing.after_understanding(State(**state)) == goes_to


@pytest.mark.parametrize(
    ("router", "state", "goes_to"),
    [
        (routing.after_answer, {}, "interview"),
        (routing.after_answer, {"recommendation": DECIDED}, "__end__"),
        # what failed would fail again
        (routing.after_answer, {"status": "failed"}, "__end__"),
        # data that came with a question
        (routing.after_answer, {"reading": DATA, "recommendation": DECIDED}, "profile"),
        # other data that could not be read does not touch a decision
        (routing.after_profile, {"recommendation": DECIDED}, "__end__"),
        (routing.after_profile, {}, "interview"),
        (routing.after_interview, {}, "shortlist"),
        (routing.after_interview, {"asked": Asked(about="license")}, "ask"),
        (routing.after_shortlist, {}, "recommend"),
        (routing.after_shortlist, {"profile": profile(0)}, "recommend"),
        (routing.after_shortlist, {"profile": profile(1)}, "plan"),
        (routing.after_plan, {}, "ask"),
        (routing.after_plan, {"consent": NO}, "recommend"),
        (routing.after_plan, {"consent": YES}, "evaluate"),
        (routing.after_evaluate, {}, "benchmark"),
        (routing.after_benchmark, {}, "load"),
        (routing.after_load, {}, "probe"),
        (routing.after_probe, {}, "recommend"),
        (routing.after_probe, {"status": "stopped"}, "__end__"),
        (routing.after_recommend, {}, "report"),
    ],
)
def test_the_other_routers(router, state, goes_to):
    assert router(State(**state)) == goes_to
    if "status" in state:
        return
    if router not in (routing.after_interview, routing.after_shortlist, routing.after_plan, routing.after_recommend):
        assert router(State(**state, status="stopped")) == "__end__"
    assert router(State(**state, failure=FAILURE)) == "__end__"
