"""The state of a conversation: each stage writes one field; new requirements clear the fields that depended on them."""

from __future__ import annotations

from typing import Literal, TypedDict

from pydantic import BaseModel, ConfigDict

from agent.judging import is_pair
from agent.understanding.base import Asked, Understood
from knowledge.requirements import Requirements
from knowledge.results import (
    Benchmark,
    Comparison,
    Consent,
    DataProfile,
    Evaluation,
    Plan,
    Probes,
    Recommendation,
    Robustness,
    Screening,
    Shortlist,
    Slices,
)
from knowledge.results.next_gain import NextGain
from knowledge.results.service import UnderLoad
from knowledge.wording import Language, Text
from tools.data_source import DataSource

Status = Literal["interviewing", "asking_consent", "measuring", "stopped", "done", "failed"]


class Failure(BaseModel):
    """A foreseen failure, kept so that the conversation can say it and go on."""

    model_config = ConfigDict(frozen=True)

    error: str
    cause: Text
    next_step: Text
    exit_code: int


class Comparisons(BaseModel):
    """All comparisons of a decision."""

    model_config = ConfigDict(frozen=True)

    found: tuple[Comparison, ...]


class State(TypedDict, total=False):
    """Inputs come first, then what the stages write, in flow order."""

    message: str
    """what the user wrote last; emptied once it is understood"""
    about: str | None
    """the field or demand that the message is about, where the user's door says so"""
    language: Language
    """language of the conversation"""
    interactive: bool
    """whether questions may be asked"""
    briefly: bool
    """whether a short question that opens the conversation is answered at once, without questions back"""
    handed: DataSource | None
    """a dataset handed over with the message; emptied once the message is understood"""
    data: DataSource | None
    """the dataset that was read"""
    consent: Consent | None
    specs: list[str]
    """candidates the user named; empty: the plan chooses"""
    also: list[str]
    """candidates the user wants measured besides those that the plan chooses"""

    requirements: Requirements
    understood: Understood | None
    heard: list[str]
    """what the user wrote, shortened, the latest messages last: words of it that were not enough are named later"""
    asked: Asked | None
    """the open question"""
    more: Text | None
    """what was left out of the last answer, for who asks for more"""
    asked_before: list[str]
    settled: list[str]
    """what the user said does not matter; it is not asked for"""
    decided: bool
    """the user said to decide without more questions"""
    reading: DataSource | None
    """the dataset to be read next; it takes the place of `data` once it was read"""
    profile: DataProfile | None
    shortlist: Shortlist | None
    plan: Plan | None
    screening: Screening | None
    """the rounds in which candidates were left out, where measuring all of them would have taken long"""
    evaluation: Evaluation | None
    benchmark: Benchmark | None
    load: UnderLoad | None
    """what the contenders hold, where the user has a rate; of these data and requirements as `agent.loading` says"""
    probes: Probes | None
    """in what share of hard cases the contenders find what is true"""
    robustness: Robustness | None
    """what the contenders lose when queries come with mistakes"""
    recommendation: Recommendation | None
    comparisons: Comparisons | None
    slices: Slices | None
    """the winner on parts of the queries"""
    judging: str | None
    """what was said to a pair that is being judged, or that somebody wants to judge some"""
    offered: bool
    """whether judging was offered in what was said last, so that a yes means that"""
    writing: Literal["ask", "yes", "no"] | None
    """what the message says of queries that the language model could write"""
    rating: Literal["ask", "yes", "no"] | None
    """what the message says of answers that the language model could write and judge"""
    rated: bool
    """whether answers were judged since"""
    trying: bool
    """whether the message asks for single changes to the winner to be measured"""
    showing: bool
    """whether the message asks for the report"""
    gains: NextGain | None
    """those changes"""
    failure: Failure | None
    status: Status
    """explicit, because "no next node" is not proof that the work was done"""


#: the only types a checkpoint may bring back to life
RECORDS: tuple[type[BaseModel], ...] = (
    Asked,
    Benchmark,
    Comparisons,
    Consent,
    DataProfile,
    DataSource,
    Evaluation,
    Failure,
    NextGain,
    Plan,
    Probes,
    Recommendation,
    Requirements,
    Robustness,
    Screening,
    Shortlist,
    Slices,
    Text,
    UnderLoad,
    Understood,
)
ALLOWED = [(kind.__module__, kind.__name__) for kind in RECORDS]


def cleared(state: State) -> State:
    """An update that empties everything that depends on the requirements.

    A consent was to the plan at hand and goes with it, unless it was given beforehand, as automated callers do.
    What was measured stays, quality in the run store and speed in `benchmark`: neither depends on what is demanded.
    """
    emptied = State(shortlist=None, plan=None, screening=None, evaluation=None, recommendation=None)
    emptied |= State(comparisons=None, slices=None, probes=None, robustness=None, gains=None)
    asked = state.get("asked")
    if asked is not None and (asked.about == "plan" or is_pair(asked.about)):
        emptied |= State(asked=None)
    return emptied | State(consent=None) if state.get("interactive", True) else emptied


def with_data(state: State, data: DataSource | None) -> State:
    """An update that puts another dataset in place of what there was, and empties everything that depends on it."""
    emptied = cleared(state) | State(data=data, reading=None, profile=None, benchmark=None)
    asked = state.get("asked")  # new data answers the question for it, and a plan was about the old
    return emptied | State(asked=None) if asked is not None and asked.about == "data" else emptied
