"""A conversation's events as messages in Slack: pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from agent import events
from app.slack import blocks, buttons
from app.slack.blocks import Block
from app.uploads import KINDS
from app.wording import (
    Line,
    noted_lines,
    plan_cells,
    plan_costs,
    plan_table,
    profiled_lines,
    shortlist_lines,
    unmeasured_lines,
)
from knowledge.results import Plan, Recommendation, Shortlist
from knowledge.wording import Language, Text, join, say
from tools.report import figures
from tools.report.comparison import STANDINGS
from tools.report.voice import short_names

#: models and reasons that a short answer shows; the report has all
MODELS, REASONS, SOURCES = 5, 4, 4
#: what is shown as the steps of a job while it runs, and not as messages
JOB_STAGES = frozenset({"evaluate", "benchmark"})
_CLOSERS = events.Question | events.Failed | events.Reported


@dataclass(frozen=True)
class Outgoing:
    """A message: `text` says all that the blocks say, for who sees no blocks."""

    text: str
    blocks: tuple[Block, ...] = ()


@dataclass
class Group:
    """Events that make one message; `end` counts the transcript's events up to and with the last of them."""

    events: list[events.Event] = field(default_factory=list)
    end: int = 0
    closed: bool = False


def groups(told: Sequence[events.Event]) -> list[Group]:
    """Events in groups: what comes of one message of the user's, up to a question, a failure or a job."""
    made: list[Group] = []
    aside = False  # a word said while something runs has one answer, which waits for nothing
    for number, event in enumerate(told, start=1):
        alone = isinstance(event, events.Heard) or is_job(event)
        if not made or made[-1].closed or alone or isinstance(event, events.Planned):  # a plan has a table of its own
            if made:
                made[-1].closed = True
            made.append(Group())
        made[-1].events.append(event)
        made[-1].end = number
        made[-1].closed = alone or aside or isinstance(event, _CLOSERS)
        aside = isinstance(event, events.Heard) and event.number is None
    return made


def is_job(event: events.Event) -> bool:
    """Whether it begins or ends a step that is shown as a job."""
    return isinstance(event, events.StageStarted | events.StageDone) and event.stage in JOB_STAGES


def outgoing(
    told: Sequence[events.Event],
    language: Language,
    *,
    begun: bool,
    handed: bool = False,
    plan: Plan | None = None,
    user: str | None = None,
) -> list[Outgoing]:
    """The messages that a group's events make.

    Args:
        told: the group's events.
        language: of the conversation.
        begun: whether the interview has begun; before that, an answer offers to begin it.
        handed: whether data came with the message that is answered.
        plan: what a question for consent is about, where it was told before.
        user: who is answered, where several take part.
    """
    told = _answer_first(told)
    decides = any(isinstance(e, events.Shortlisted) for e in told)  # then what is said besides is what is assumed
    shown = [block for event in told for block in _blocks(event, language, aside=decides)]
    if not shown:
        return []
    if user:
        shown = blocks.addressed(shown, user)
    split = blocks.messages([*shown, *_ending(told, language, begun=begun, handed=handed, plan=plan)])
    return [Outgoing("\n".join(filter(None, map(blocks.text_of, message))), tuple(message)) for message in split]


def _answer_first(told: Sequence[events.Event]) -> Sequence[events.Event]:
    """A decision before the list that it was made from, and before what was understood and assumed."""
    decided = [e for e in told if isinstance(e, events.Recommended)]
    listed = [e for e in told if isinstance(e, events.Shortlisted)]
    if not decided or not listed:
        return told
    rest = [e for e in told if not isinstance(e, events.Recommended | events.Shortlisted)]
    return [*decided, *listed, *rest]


def _blocks(event: events.Event, language: Language, *, aside: bool) -> list[Block]:
    match event:
        case events.Said():
            text = event.text.render(language)
            return blocks.small(text) if aside else blocks.paragraphs(text)
        case events.Noted():
            return blocks.lines(noted_lines(event, language))
        case events.Reported() if event.offer is not None:
            return blocks.paragraphs(event.offer.render(language))
        case events.Question():
            return _question(event, language)
        case events.Profiled():
            return blocks.lines(profiled_lines(event, language))
        case events.Shortlisted():
            return _shortlist(event.shortlist, language)
        case events.Planned():
            head = blocks.paragraphs(plan_table(event.plan, language)[0], bold=True)
            left_out = list(unmeasured_lines(event.plan, language))
            costs = blocks.lines([*plan_costs(event.plan, language), *left_out])
            return [*head, *blocks.table(plan_cells(event.plan, language)), *costs]
        case events.Recommended():
            return _decision(event.recommendation, language)
        case events.Failed():
            return blocks.lines(
                [Line(f"⚠️ {event.cause.render(language)}"), Line(f"→ {event.next_step.render(language)}")]
            )
        case _:
            return []


def _question(event: events.Question, language: Language) -> list[Block]:
    asked = blocks.paragraphs(event.text.render(language), bold=True)
    if event.about != "data":
        return asked
    hint = say("Add files to a message in this thread: {kinds}.", kinds=", ".join(KINDS))
    return [*asked, *blocks.small(hint.render(language))]


def _shortlist(found: Shortlist, language: Language) -> list[Block]:
    if not found.kept:
        return []
    head = next(iter(shortlist_lines(found, language))).text
    return [*blocks.paragraphs(head), *blocks.table(_predicted(found, language))]


def _predicted(found: Shortlist, language: Language) -> list[tuple[str, ...]]:
    metric = found.kept[0].predicted.metric if found.kept else ""
    heads = (say("Candidate").render(language), metric, say("interval").render(language))
    rows = ((p.model, figures.score(p.predicted.mean), _between(p.predicted.low, p.predicted.high)) for p in found.kept)
    return [heads, *islice(rows, MODELS)]


def _between(low: float, high: float) -> str:
    return f"{figures.score(low)}–{figures.score(high)}"


def _decision(found: Recommendation, language: Language) -> list[Block]:
    made = blocks.paragraphs(found.headline.render(language), bold=True)
    reasons = (Line(reason.render(language), "·", 1) for reason in found.reasons[:REASONS])
    made += blocks.lines([Line(found.confidence.render(language)), *reasons])
    if found.rows:
        made += blocks.table(_measured(found, language))
    sources = _sources(found)
    return made if sources is None else [*made, *blocks.small(sources.render(language))]


def _measured(found: Recommendation, language: Language) -> Sequence[Sequence[str]]:
    names = short_names(row.spec for row in found.rows)
    titles = (say("Candidate"), say("standing"), say("interval"), say("docs/s"), say("memory"))
    candidate, standing, interval, rate, memory = (title.render(language) for title in titles)
    heads = (candidate, standing, found.primary, interval, "p95", rate, memory)
    return [heads] + [
        (
            names[row.spec],
            STANDINGS[row.standing].render(language),
            figures.score(row.quality.mean),
            figures.interval(row.quality),
            figures.milliseconds(row.query_p95_ms),
            figures.rate(row.documents_per_second),
            figures.megabytes(row.peak_memory_mb),
        )
        for row in found.rows
    ]


def _sources(found: Recommendation) -> Text | None:
    """Where the figures come from, each source once; of measurements, the run."""
    cited = dict.fromkeys((evidence.source, evidence.date) for evidence in found.evidence)
    if not cited:
        return None
    named = [
        source if date is None else say("{title}, {date}", title=source, date=date.isoformat())
        for source, date in islice(cited, SOURCES)
    ]
    if len(cited) > SOURCES:
        named.append(say("{count} more in the report", count=len(cited) - SOURCES))
    return say("Source: {sources}.", sources=join(named, Text(template="; ")))


def _ending(
    told: Sequence[events.Event], language: Language, *, begun: bool, handed: bool, plan: Plan | None
) -> Iterator[Block]:
    """The buttons of a message."""
    plan = next((e.plan for e in reversed(told) if isinstance(e, events.Planned)), plan)
    asked = next((e for e in reversed(told) if isinstance(e, events.Question)), None)
    if asked is not None:
        yield from blocks.buttons([buttons.answer(a, asked.about, plan, language) for a in asked.answers])
        return
    failed = next((e for e in reversed(told) if isinstance(e, events.Failed)), None)
    if failed is not None:
        yield from blocks.buttons([buttons.skip_bad(language)] if handed and failed.error == "DatasetError" else [])
        return
    decided = next((e.recommendation for e in reversed(told) if isinstance(e, events.Recommended)), None)
    if (decided is not None and not decided.measured) or not begun:
        yield from blocks.buttons([buttons.measure(language)])
    reported = next((e for e in reversed(told) if isinstance(e, events.Reported)), None)
    if reported is not None and reported.answers:
        yield from blocks.buttons([buttons.offered(a, language) for a in reported.answers])
    if decided is not None or any(isinstance(e, events.Said) for e in told):
        yes, no = say("Helpful").render(language), say("Not helpful").render(language)
        yield blocks.opinion(yes, no, buttons.action("rate"))
