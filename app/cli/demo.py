"""`advisor demo`: a whole conversation, played in the terminal by a persona with stated answers."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from agent import events
from agent.advisor import Advisor
from agent.settings import Settings
from app.cli.conversation import print_answer
from app.cli.terminal import EventPrinter, shown
from knowledge.wording import Text, say
from tools.data_source import STDLIB, DataSource

PERSONA = say(
    "Persona: Lena maintains a command-line tool and wants offline search over Python's documentation. Her answers are "
    "written down beforehand; everything else is really asked, searched, measured and decided."
)
OPENING = say(
    "I want semantic search over English API documentation, on a laptop without a GPU. Nothing may leave the machine."
)
#: what the persona answers, by what the question is about
ANSWERS: dict[str, Text] = {
    "task": say("semantic search"),
    "license": say("No, research or private"),
    "latency": say("under 100 ms"),
    "memory": say("at most 4 GB"),
    "data": say("I have none yet"),
    "plan": say("Yes, measure"),
}
NO_PREFERENCE = say("no preference")
MOST_TURNS = 12


def play(settings: Settings, out: Path, documents: int, queries: int) -> int:
    """Play the conversation and write the report; returns the exit code."""
    _print(shown(PERSONA))
    thread = f"demo-{secrets.token_hex(4)}"
    with Advisor(settings, report_folder=out) as advisor:
        printer = EventPrinter(talk=True)
        source = DataSource(path=STDLIB, documents=documents, queries=queries)
        text: Text | None = OPENING
        for turn in range(MOST_TURNS):
            if text is None:
                break
            _print(f"> {shown(text)}")
            printer.question = None
            for event in advisor.reply(thread, shown(text), data=source if turn == 0 else None):
                printer.show(event)
                if isinstance(event, events.Reported):
                    print_answer(advisor, thread, event)
            if printer.failure:
                sys.stderr.write(f"! {shown(printer.failure.cause)}\n  → {shown(printer.failure.next_step)}\n")
                return printer.failure.exit_code
            text = ANSWERS.get(printer.question.about, NO_PREFERENCE) if printer.question else None
        recommendation = advisor.state(thread).get("recommendation")
    return 0 if recommendation and recommendation.winner else 4


def _print(text: str) -> None:
    sys.stdout.write(text + "\n\n")
    sys.stdout.flush()
