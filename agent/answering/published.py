"""Two models by published scores: the tasks that both were run on, restricted to the language asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from agent.answering.brief import LINES
from knowledge.constraints.languages import LanguagesConstraint
from knowledge.evidence import benchmark_types, forecast, wanted_modalities
from knowledge.head_to_head import SharedTask, shared_tasks
from knowledge.languages import language_names
from knowledge.requirements import Requirements
from knowledge.results import Interval
from knowledge.scores import CODE
from knowledge.wording import Text, join, say
from tools.shortlist import unread, unread_note
from tools.statistics import bootstrap_interval

if TYPE_CHECKING:
    from agent.context import Context

#: of fewer tasks an interval would only look like one
ENOUGH = 5


@dataclass(frozen=True)
class Duel:
    """Two models on the tasks that they share.

    Attributes:
        languages: of these tasks; empty stands for all.
        unread: languages left out, since one of the two was not run in them as it is run here.
        interval: of the mean difference, first minus second; None where there are too few tasks.
    """

    first: str
    second: str
    languages: tuple[str, ...]
    tasks: tuple[SharedTask, ...]
    interval: Interval | None
    unread: tuple[str, ...] = ()

    @property
    def better(self) -> str | None:
        """The one that is ahead beyond chance; None where that is open."""
        if self.interval is None or self.interval.low <= 0 <= self.interval.high:
            return None
        return self.first if self.interval.mean > 0 else self.second


def duel(first: str, second: str, languages: tuple[str, ...], requirements: Requirements, context: Context) -> Duel:
    """The published scores of two models on tasks like the user's, in these languages (all, where none are given)."""
    modalities = wanted_modalities(requirements)
    types = benchmark_types(requirements.task.value, modalities)
    asked = (CODE,) if requirements.task.value == "code_search" else languages
    spoken = asked or tuple(dict.fromkeys(context.scores.languages))
    blind = unread(first, spoken) + unread(second, spoken)
    counted = tuple(language for language in spoken if language not in blind) if blind else asked
    # no language at all would mean every language
    found = shared_tasks(context.scores, first, second, types, modalities, counted) if counted or not blind else ()
    differences = np.array([task.difference for task in found])
    interval = bootstrap_interval(differences) if len(found) >= ENOUGH else None
    return Duel(first, second, counted if asked else (), found, interval, blind)


def told(found: Duel, requirements: Requirements, context: Context) -> Text:
    """The duel in words: how many tasks, who is ahead on how many, by how much, and what to think of it."""
    source = context.catalog.sources[context.scores.source]
    if found.unread and not found.tasks:
        return unread_note(found.unread)
    where = _where(found.languages)
    if not found.tasks:
        return say(
            "No published task of this kind {where} has a score of both {first} and {second}.",
            where=where,
            first=found.first,
            second=found.second,
        )
    means = np.mean([(task.first, task.second) for task in found.tasks], axis=0)
    parts = [
        _verdict(found),
        say(
            "Published scores ({source}, {date}), not measured on your data. Tasks like yours {where} that both were "
            "run on: {count} (near-duplicates taken for one). {first} averages {a:.3f} and {second} {b:.3f}; {first} "
            "is ahead on {ahead}, {second} on {behind}.",
            source=Text.model_validate(source.title),
            date=source.date.isoformat(),
            count=len(found.tasks),
            where=where,
            first=found.first,
            a=float(means[0]),
            second=found.second,
            b=float(means[1]),
            ahead=sum(task.difference > 0 for task in found.tasks),
            behind=sum(task.difference < 0 for task in found.tasks),
        ),
    ]
    return join([parts[0], join([*parts[1:], *_unread(found), *_flattered(found, requirements, context)])], LINES)


def _unread(found: Duel) -> list[Text]:
    return [unread_note(found.unread)] if found.unread else []


def _where(languages: tuple[str, ...]) -> Text:
    if languages == (CODE,):
        return say("in code")
    return say("in {languages}", languages=language_names(languages)) if languages else say("in any language")


def _verdict(found: Duel) -> Text:
    mean = 100 * float(np.mean([task.difference for task in found.tasks]))
    if found.interval is None:
        return say(
            "By published scores there are too few tasks for a verdict between {first} and {second}: {mean:+.1f} "
            "points for {first} on average.",
            mean=mean,
            first=found.first,
            second=found.second,
        )
    bounds: dict[str, str | int | float | Text] = {
        "mean": mean,
        "first": found.first,
        "second": found.second,
        "low": 100 * found.interval.low,
        "high": 100 * found.interval.high,
    }
    if found.better is None:
        return say(
            "Published scores do not tell {first} and {second} apart: {mean:+.1f} points for {first} on average (95 % "
            "interval over tasks {low:+.1f} to {high:+.1f}).",
            **bounds,
        )
    return say(
        "By published scores {model} is the better one of {first} and {second}: {mean:+.1f} points for {first} on "
        "average (95 % interval over tasks {low:+.1f} to {high:+.1f}).",
        model=found.better,
        **bounds,
    )


def _flattered(found: Duel, requirements: Requirements, context: Context) -> list[Text]:
    """That a model was trained on such tasks, which its scores profit from."""
    demand = LanguagesConstraint(languages=found.languages) if found.languages not in ((), (CODE,)) else None
    asked = requirements.with_constraint(demand) if demand else requirements
    trained = forecast(context.scores, asked, context.catalog.cards).trained
    return [
        say("{model} was trained on {count} such tasks, which flatters it.", model=model, count=trained[model])
        for model in (found.first, found.second)
        if trained.get(model)
    ]
