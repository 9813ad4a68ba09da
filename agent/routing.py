"""Where to go next: pure functions of the state."""

from __future__ import annotations

from typing import Literal

from agent.small_talk import is_only_talk
from agent.state import State
from knowledge.measured_task import measured_task
from knowledge.requirements import Requirements

#: LangGraph's name for the end, typed so that each route can be checked
END: Literal["__end__"] = "__end__"

AfterUnderstanding = Literal[
    "answer", "agree", "profile", "interview", "evaluate", "gains", "judge", "write", "rate", "report", "__end__"
]

#: what a message may ask to be done, by the field that says so, and who does it
_WISHES: tuple[tuple[str, AfterUnderstanding], ...] = (
    ("trying", "gains"),
    ("showing", "report"),
    ("judging", "judge"),
    ("writing", "write"),
    ("rating", "rate"),
)


def after_understanding(state: State) -> AfterUnderstanding:
    """A question is answered, a plan agreed to, new data read; else the interview goes on until there is a decision."""
    understood = state.get("understood")
    intent = understood.intent if understood else None
    if state.get("failure") or intent == "stop":
        return END
    for wish, node in _WISHES:
        if state.get(wish):
            return node
    if intent == "question":
        return "answer"
    if state.get("interactive", True) and is_only_talk(understood, state):
        return END  # it was greeted back, and asked what it is about
    if is_stopped(state):
        return _after_stop(intent, state)
    if state.get("reading"):
        return "profile"
    if decides_on_plan(intent, state):
        return "agree"
    if is_unread(state):
        return "profile"
    return END if state.get("recommendation") else "interview"


def decides_on_plan(intent: str | None, state: State) -> bool:
    """Whether a yes or no is about a plan: one that nobody answered yet, or a yes to one that was declined."""
    consent = state.get("consent")
    return bool(state.get("plan")) and (
        (intent == "confirm" and not (consent and consent.measure)) or (intent == "decline" and consent is None)
    )


def is_unread(state: State) -> bool:
    """Whether there is data that is still to be read."""
    return state.get("reading") is not None or (state.get("data") is not None and state.get("profile") is None)


def is_stopped(state: State) -> bool:
    """Whether the user stopped what ran, and has not said since how to go on."""
    return state.get("status") == "stopped"


def _after_stop(intent: str | None, state: State) -> Literal["profile", "agree", "evaluate", "__end__"]:
    """What was stopped goes on when the user says so, and not by itself."""
    if intent == "confirm":
        return "evaluate" if state.get("plan") and not is_unread(state) else "profile"
    return "agree" if intent == "decline" and state.get("plan") else END


def after_answer(state: State) -> Literal["profile", "interview", "__end__"]:
    """An answered question goes back to where the conversation was, to data that came with it first."""
    if state.get("reading") and not state.get("failure") and not is_stopped(state):
        return "profile"
    if state.get("briefly") and not state.get("interactive", True):
        return END  # that was all that was asked
    failed = state.get("failure") or state.get("status") == "failed"  # what failed would fail again
    return END if state.get("recommendation") or failed or is_stopped(state) else "interview"


def after_profile(state: State) -> Literal["interview", "__end__"]:
    """The interview follows the data, or goes on where other data could not be read; so does a decision."""
    return END if state.get("failure") or state.get("recommendation") or is_stopped(state) else "interview"


def after_interview(state: State) -> Literal["ask", "shortlist", "__end__"]:
    """Ask, or look for models."""
    if state.get("failure"):
        return END
    return "ask" if state.get("asked") else "shortlist"


def after_shortlist(state: State) -> Literal["plan", "recommend", "__end__"]:
    """Without labelled data there is nothing to measure with."""
    if state.get("failure"):
        return END
    profile, requirements = state.get("profile"), state.get("requirements") or Requirements()
    if profile is None or measured_task(profile.dataset, requirements.task.value) is None:
        return "recommend"
    return "plan"


def after_plan(state: State) -> Literal["ask", "evaluate", "recommend", "__end__"]:
    """Nothing costly happens without consent."""
    if state.get("failure"):
        return END
    consent = state.get("consent")
    if consent is None:
        return "ask"
    return "evaluate" if consent.measure else "recommend"


def after_evaluate(state: State) -> Literal["benchmark", "__end__"]:
    """Quality first, then cost."""
    return END if state.get("failure") or is_stopped(state) else "benchmark"


def after_benchmark(state: State) -> Literal["load", "__end__"]:
    """Then load."""
    return END if state.get("failure") or is_stopped(state) else "load"


def after_load(state: State) -> Literal["probe", "__end__"]:
    """Then hard cases."""
    return END if state.get("failure") or is_stopped(state) else "probe"


def after_probe(state: State) -> Literal["recommend", "__end__"]:
    """Then decide."""
    return END if state.get("failure") or is_stopped(state) else "recommend"


def after_judge(state: State) -> Literal["recommend", "__end__"]:
    """What was scored again is decided again."""
    evaluation, advice = state.get("evaluation"), state.get("recommendation")
    same = evaluation is None or advice is None or evaluation.run_id == advice.run_id
    return END if state.get("failure") or is_stopped(state) or same else "recommend"


def after_write(state: State) -> Literal["profile", "__end__"]:
    """What was written is read like any other data; else the user answers first."""
    return "profile" if state.get("reading") and not state.get("failure") and not is_stopped(state) else END


def after_rate(state: State) -> Literal["report", "__end__"]:
    """What was judged goes into the report too; else the user answers first."""
    return "report" if state.get("rated") and not state.get("failure") and not is_stopped(state) else END


def after_gains(state: State) -> Literal["report", "__end__"]:
    """What was found of single changes goes into the report too."""
    return END if state.get("failure") or is_stopped(state) else "report"


def after_recommend(state: State) -> Literal["report", "__end__"]:
    """Then write it down."""
    return END if state.get("failure") else "report"
