"""A conversation as the messages of the chat: a pure function of its events and of what is going on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from agent import events
from agent.transcript import shown
from app.chat.conversations import Message
from app.wording import (
    Line,
    as_markdown,
    escape,
    noted_lines,
    plan_markdown,
    profiled_lines,
    progress_line,
    recommendation_markdown,
    shortlist_lines,
    unmeasured_lines,
)
from knowledge.progress import Progress
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


def chat_messages(
    told: Sequence[events.Event],
    language: Language,
    *,
    busy: bool = False,
    progress: Progress | None = None,
    waiting: Sequence[Message] = (),
) -> list[ChatMessage]:
    """All messages, oldest first.

    Args:
        told: the conversation's events.
        language: of the page.
        busy: whether something is being worked on.
        progress: of the long step that runs.
        waiting: messages that nobody has begun to deal with.
    """
    told = shown(told)
    made = [_said(escape(GREETING.render(language)), () if told or waiting else OPENINGS, language)]
    for place, event in enumerate(told):
        last = place == len(told) - 1 and not busy
        made += _message(event, told[place + 1 :], language, busy, progress, last)
    made += [m for message in waiting for m in _heard(message.text, message.data, language)]
    if busy and not _open_stage(told):
        made.append(_step(say("One moment").render(language), "", "pending"))
    return made


def _message(
    event: events.Event,
    after: Sequence[events.Event],
    language: Language,
    busy: bool,
    progress: Progress | None,
    last: bool,
) -> list[ChatMessage]:
    match event:
        case events.Heard():
            return _heard(event.text, event.data, language)
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
            return [_said(plan_markdown(event.plan, language)), *steps]
        case events.StageStarted():
            return [_stage(event, after, language, busy, progress)]
        case events.Recommended():
            return [_said(recommendation_markdown(event.recommendation, language))]
        case events.Reported():
            return [
                _said(
                    escape(
                        say("The report is under “Result”, with the table and the plot of what was measured.").render(
                            language
                        )
                    )
                )
            ]
        case events.Failed():
            lines = (Line(f"⚠️ {event.cause.render(language)}"), Line(f"→ {event.next_step.render(language)}"))
            return [_said(as_markdown(lines), (SKIP_BAD,) if last and event.error == "DatasetError" else (), language)]
        case _:
            return []


def _heard(text: str, data: DataSource | None, language: Language) -> list[ChatMessage]:
    parts = [escape(text)] if text.strip() else []
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


def _step(title: str, content: str, status: str, seconds: float | None = None) -> ChatMessage:
    metadata = {"title": title, "status": status} | ({} if seconds is None else {"duration": seconds})
    return {"role": "assistant", "content": content, "metadata": metadata}


def _stage(
    started: events.StageStarted,
    after: Sequence[events.Event],
    language: Language,
    busy: bool,
    progress: Progress | None,
) -> ChatMessage:
    """A long step: running with its progress, done with its duration, or cut short."""
    title = started.text.render(language)
    for event in after:
        if isinstance(event, events.StageDone) and event.stage == started.stage:
            return _step(title, "", "done", event.seconds)
        if isinstance(event, events.StageStarted | events.Failed | events.Heard):
            break
    else:
        if busy:
            return _step(title, _bar(progress, language) if progress else "", "pending")
    return _step(title, escape(say("It was interrupted.").render(language)), "done")


def _bar(progress: Progress, language: Language) -> str:
    filled = round(BAR * min(progress.done / max(progress.total, 1), 1))
    return f"`{'█' * filled}{'░' * (BAR - filled)}` {escape(progress_line(progress, language))}"


def _open_stage(told: Sequence[events.Event]) -> bool:
    last = next(
        (e for e in reversed(told) if isinstance(e, events.StageStarted | events.StageDone | events.Failed)), None
    )
    return isinstance(last, events.StageStarted)
