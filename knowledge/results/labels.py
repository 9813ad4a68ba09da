"""Judgments that users give here, pair by pair, and what they do to the decision."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from knowledge.results.base import Record
from knowledge.results.evidence import Interval


class Label(Record):
    """What somebody said of a document for a query.

    Attributes:
        grade: 0 not relevant, 1 relevant, more where the data has grades; None: could not tell.
        who: a name of their own choice, or the conversation it was said in.
    """

    query: str
    document: str
    grade: int | None
    who: str = ""
    given: dt.datetime


class Place(Record):
    """Where a candidate has a document among its first; None: not there."""

    spec: str
    place: int | None


class PairToJudge(Record):
    """A document to be judged for a query; texts are shortened.

    Attributes:
        query, document: ids.
        places: where each candidate has it; to be shown afterwards, if at all, as it should not sway the judgment.
    """

    query: str
    document: str
    query_text: str
    text: str
    places: tuple[Place, ...] = ()


class Gap(Record):
    """How far the candidate that would be taken is ahead of another, in the metric.

    Attributes:
        difference: expected, with its interval from missing labels alone (not from having few queries).
        least, most: whatever the missing labels turn out to be.
    """

    spec: str
    difference: Interval
    least: float
    most: float


class Judging(Record):
    """How settled a decision is by the labels there are, and which pairs to ask about next.

    Attributes:
        dataset: hash of the data that the judgments belong to.
        winner: the cheapest candidate whose expected mean is within the margin of the best; where nothing is known of
            costs, the best.
        within: all candidates within the margin of the best.
        gaps: the winner against each other candidate, the closest first.
        agreeing: share of the likely completions of the labels in which the winner would be taken.
        answered: judgments given here that say yes or no.
        unsure: those that could not tell.
        left: pairs that are not judged and could move something.
        more: about how many more answers settle it; None where even all that are left are not likely to.
        status: "open"; "settled": `agreeing` is high enough; "certain": no completion of the labels decides otherwise;
            "exhausted": nothing is left to ask; "enough": as many were answered as was agreed.
        next: the pairs worth most, best first.
    """

    dataset: str
    metric: str
    margin: float
    queries: int
    winner: str
    within: tuple[str, ...]
    gaps: tuple[Gap, ...]
    agreeing: float
    answered: int
    unsure: int = 0
    left: int
    more: int | None
    status: Literal["open", "settled", "certain", "exhausted", "enough"]
    next: tuple[PairToJudge, ...] = ()
