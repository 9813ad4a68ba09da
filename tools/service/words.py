"""Tuned settings in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.quantities import duration, milliseconds, rate
from knowledge.results.service import Factor, Tuning
from knowledge.wording import Text, join, say

FACTORS: dict[Factor, Text] = {
    "start": say("as it began"),
    "way": say("backend and precision"),
    "threads": say("threads"),
    "max_batch": say("largest batch"),
    "max_wait_ms": say("wait for a batch"),
}


def tuning_line(settings: int, each_seconds: float, seconds: float) -> Text:
    """What tuning takes at most, told before it starts."""
    return say(
        "At most {count} settings (backend and precision, threads, batch, wait), {each} of load each, one factor after "
        "another; none is begun after {time}. Ctrl-C ends it and keeps what was measured.",
        count=settings,
        each=duration(each_seconds),
        time=duration(seconds),
    )


def tuned(found: Tuning) -> Text:
    """The best settings, and what they are worth."""
    first, best = found.steps[0], found.steps[found.best]
    goal = milliseconds(found.goal_p95_ms)
    if all(step.failed is not None for step in found.steps):
        return say("No setting was measured: {why}.", why=first.failed or Text(template="–"))
    if best.holds_qps is None:
        return say("No setting that was tried holds p95 under {goal}.", goal=goal)
    if found.best == 0:
        return say(
            "{spec} holds {rate} queries a second as it is; nothing that was tried holds clearly more.",
            spec=best.spec,
            rate=rate(best.holds_qps),
        )
    before = say("none") if first.holds_qps is None else rate(first.holds_qps)
    return say(
        "{spec} holds {rate} queries a second at p95 under {goal}, with at most {batch} a batch, a wait of {wait:g} ms "
        "and {threads}; it began at {before}.",
        spec=best.spec,
        rate=rate(best.holds_qps),
        goal=goal,
        batch=best.settings.max_batch,
        wait=best.settings.max_wait_ms,
        threads=say("{n} threads", n=best.settings.threads)
        if best.settings.threads
        else say("threads as the libraries take them"),
        before=before,
    )


def notes_on_tuning(found: Tuning) -> Iterator[Text]:
    """How they were found, and what they are not."""
    yield say(
        "One factor after another from the best so far, in short tests: no full grid, so a best that needs two changes "
        "at once can be missed. Figures within 8 % of each other count as equal."
    )
    if found.steps[found.best].spec != found.target:
        yield say(
            "Another precision changes the vectors a little: measure its quality with advisor evaluate -c '{spec}'.",
            spec=found.steps[found.best].spec,
        )
    if found.not_tried:
        left = join([FACTORS[factor] for factor in found.not_tried], Text(template=", "))
        yield say("No time was left for: {factors}; --limit gives it more.", factors=left)
    if found.ended:
        yield say("The search ended early: {why}.", why=say("you ended it"))
    yield from found.notes
