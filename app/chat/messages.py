"""A conversation as the messages of the chat: a pure function of its events and of what is going on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent import events
from agent.descriptions import slot_name
from agent.transcript import shown
from agent.understanding.language import reply_language
from app.conversations import Message
from app.wording import (
    Line,
    as_markdown,
    duration,
    escape,
    noted_lines,
    plan_card,
    plan_table,
    profiled_lines,
    progress_line,
    recommendation_markdown,
    shortlist_lines,
    unmeasured_lines,
)
from knowledge.progress import Progress
from knowledge.results import Plan
from knowledge.wording import Language, Text, say
from tools.data_source import STDLIB, DataSource

#: a message of gradio's chatbot: role, content, metadata (a title makes it a collapsible step), options (buttons)
ChatMessage = dict[str, Any]

GREETING = say("Tell me what you are building; I ask what I need to know.")
OPENINGS = (
    say("Semantic search over English API documentation, no GPU"),
    say("RAG over Chinese customer support tickets, commercial use"),
    say("Multilingual product search under 50 ms, open weights"),
)
SKIP_BAD = say("Leave out what cannot be used")
BAR = 24


@dataclass(frozen=True)
class Running:
    """The long step that runs: how far it has come, and the seconds that it has taken."""

    progress: Progress | None = None
    seconds: float | None = None


def chat_messages(
    told: Sequence[events.Event],
    language: Language,
    *,
    busy: bool = False,
    running: Running | None = None,
    waiting: Sequence[Message] = (),
) -> list[ChatMessage]:
    """All messages, oldest first.

    Args:
        told: the conversation's events.
        language: of the page; what answers a message is in the language of that message.
        busy: whether something is being worked on.
        running: the long step that runs.
        waiting: messages that nobody has begun to deal with.
    """
    told = shown(told)
    made = [_said(escape(GREETING.render(language)), () if told or waiting else OPENINGS, language)]
    for place, event in enumerate(told):
        language = spoken_in(told[place : place + 1], language)
        # an upload that was not taken leaves the question open
        last = not busy and all(isinstance(later, events.Failed) for later in told[place + 1 :])
        made += _message(event, told[:place], told[place + 1 :], language, busy, running, last)
    made += [m for w in waiting for m in _heard(w.text, w.data, w.about, language)]
    if busy and not _open_stage(told):
        made.append(_step(say("One moment").render(language), "", "pending"))
    return made


def spoken_in(told: Sequence[events.Event], language: Language) -> Language:
    """The language that is spoken after these events: what the user wrote last says it, and before that the page.

    What was chosen from a list of the page's own is in the page's language, whatever is spoken.
    """
    for event in told:
        if isinstance(event, events.Heard) and not event.about:
            language = reply_language(event.text, language)
    return language


def turn_at(told: Sequence[events.Event], index: int, language: Language) -> int | None:
    """Which of the user's turns (`Advisor.turns`, counted from 1) the message at an index of `chat_messages` is."""
    told, turn, place = shown(told), 0, 0  # the greeting comes first
    for number, event in enumerate(told):
        made = _message(event, told[:number], told[number + 1 :], language, False, None, False)
        counts = isinstance(event, events.Heard) and event.number is not None
        turn += counts
        if place < index <= place + len(made):
            return turn if counts else None
        place += len(made)
    return None


def _message(
    event: events.Event,
    before: Sequence[events.Event],
    after: Sequence[events.Event],
    language: Language,
    busy: bool,
    running: Running | None,
    last: bool,
) -> list[ChatMessage]:
    match event:
        case events.Heard():
            return _heard(event.text, event.data, event.about, language)
        case events.Said():
            return [_said(escape(event.text.render(language)))]
        case events.Noted():
            return [_said(as_markdown(noted_lines(event, language)))]
        case events.Question():
            return [_said(escape(event.text.render(language)), event.answers if last else (), language)]
        case events.Profiled():
            return [_said(as_markdown(profiled_lines(event, language)))]
        case events.Shortlisted():
            head, *rest = shortlist_lines(event.shortlist, language)
            return [_step(head.text.rstrip(":："), as_markdown(rest), "done")]
        case events.Planned():
            left_out = list(unmeasured_lines(event.plan, language))
            steps = [_step(left_out[0].text.rstrip(":："), as_markdown(left_out[1:]), "done")] if left_out else []
            title, table = plan_table(event.plan, language)
            return [_step(title, table, "done"), *steps, _said(plan_card(event.plan, language))]
        case events.StageStarted():
            return _stage(event, _plan_of(before), after, language, busy, running)
        case events.Recommended():
            return [_said(recommendation_markdown(event.recommendation, language))]
        case events.Reported():
            words = [_where_the_report_is(before), *([event.offer] if event.offer else [])]
            told = escape("\n\n".join(text.render(language) for text in words))
            return [_said(told, event.answers if last else (), language)]
        case events.Failed():
            lines = (Line(f"⚠️ {event.cause.render(language)}"), Line(f"→ {event.next_step.render(language)}"))
            return [_said(as_markdown(lines), (SKIP_BAD,) if last and event.error == "DatasetError" else (), language)]
        case _:
            return []


def _where_the_report_is(before: Sequence[events.Event]) -> Text:
    decided = next((e.recommendation for e in reversed(before) if isinstance(e, events.Recommended)), None)
    if decided is not None and not decided.measured:
        return say("The report is under “Result”: it rests on published figures alone.")
    return say("The report is under “Result”, with the table and the plot of what was measured.")


def _heard(text: str, data: DataSource | None, about: str | None, language: Language) -> list[ChatMessage]:
    parts = [escape(text)] if text.strip() else []
    if about and parts:
        parts = [f"*{escape(slot_name(about).render(language))}:* {parts[0]}"]
    if data is not None:
        sample = say("Python's documentation, as a sample").render(language)
        parts.append(f"📎 {escape(sample if data.path == STDLIB else Path(data.path).name)}")
        if data.skip_bad:
            parts.append(escape(SKIP_BAD.render(language)))
    return [{"role": "user", "content": "\n\n".join(parts)}] if parts else []


def _said(content: str, answers: Iterable[Text] = (), language: Language = "en") -> ChatMessage:
    labels = [answer.render(language) for answer in answers]
    made: ChatMessage = {"role": "assistant", "content": content}
    return made | {"options": [{"label": label, "value": label} for label in labels]} if labels else made


def _step(title: str, content: str, status: str, seconds: float | None = None, log: str = "") -> ChatMessage:
    metadata: dict[str, Any] = {"title": title, "status": status}
    metadata |= ({} if seconds is None else {"duration": seconds}) | ({"log": log} if log else {})
    return {"role": "assistant", "content": content, "metadata": metadata}


def _stage(
    started: events.StageStarted,
    plan: Plan | None,
    after: Sequence[events.Event],
    language: Language,
    busy: bool,
    running: Running | None,
) -> list[ChatMessage]:
    """A long step: running with its progress, done with its duration, or cut short; once where it was begun anew."""
    if _is_begun_anew(started, after):
        return []
    title = started.text.render(language)
    for event in after:
        if isinstance(event, events.StageDone) and event.stage == started.stage:
            return [_step(title, "", "done", event.seconds)]
        if isinstance(event, events.StageStarted | events.Failed | events.Heard):
            break
    else:
        if busy:
            running = running or Running()
            bar = _bar(running.progress, language) if running.progress else ""
            return [_step(title, bar, "pending", log=_costs(started, plan, running, language))]
    return [_step(title, escape(say("It was interrupted.").render(language)), "done")]


def _is_begun_anew(started: events.StageStarted, after: Sequence[events.Event]) -> bool:
    """Whether a step that a stopped server left is done once more: then it is one."""
    following = next(iter(after), None)
    return isinstance(following, events.StageStarted) and following.stage == started.stage


def _plan_of(before: Sequence[events.Event]) -> Plan | None:
    return next((event.plan for event in reversed(before) if isinstance(event, events.Planned)), None)


def _costs(started: events.StageStarted, plan: Plan | None, running: Running, language: Language) -> str:
    """What a step has taken so far, what the plan says that measuring takes, and what it costs."""
    parts = []
    if running.seconds is not None:
        parts.append(duration(running.seconds))
    if plan is not None and started.stage == "evaluate":
        parts.append(say("planned: {time}", time=duration(plan.minutes * 60)).render(language))
        if plan.usd:
            parts.append(say("up to {usd:.2f} US dollars", usd=plan.usd).render(language))
    return " · ".join(parts)


def _bar(progress: Progress, language: Language) -> str:
    filled = round(BAR * min(progress.done / max(progress.total, 1), 1))
    return f"`{'█' * filled}{'░' * (BAR - filled)}` {escape(progress_line(progress, language))}"


def _open_stage(told: Sequence[events.Event]) -> bool:
    last = next(
        (e for e in reversed(told) if isinstance(e, events.StageStarted | events.StageDone | events.Failed)), None
    )
    return isinstance(last, events.StageStarted)
