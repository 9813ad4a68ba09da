"""`advisor demo`: a whole conversation, played in the terminal by a persona with stated answers."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from agent import events
from agent.advisor import Advisor
from agent.settings import Settings
from app.cli.conversation import print_answer, recommended
from app.cli.planned import plan_recommendation
from app.cli.printed import print_json
from app.cli.terminal import EventPrinter, put, shown
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


def plan(settings: Settings, documents: int, queries: int, *, as_json: bool, quiet: bool) -> int:
    """Print what playing it would measure; returns the exit code."""
    source = DataSource(path=STDLIB, documents=documents, queries=queries)
    return plan_recommendation(settings, None, shown(OPENING), source, [], as_json=as_json, quiet=quiet)


def play(settings: Settings, out: Path, documents: int, queries: int, *, as_json: bool, quiet: bool) -> int:
    """Play the conversation and write the report; returns the exit code."""
    tell = _hush if as_json else _print
    tell(shown(PERSONA))
    thread = f"demo-{secrets.token_hex(4)}"
    with Advisor(settings, report_folder=out) as advisor:
        printer = EventPrinter(talk=not as_json, quiet=quiet)
        source = DataSource(path=STDLIB, documents=documents, queries=queries)
        text: Text | None = OPENING
        files: events.Reported | None = None
        for turn in range(MOST_TURNS):
            if text is None:
                break
            tell(f"> {shown(text)}")
            printer.question = None
            for event in advisor.reply(thread, shown(text), data=source if turn == 0 else None):
                printer.show(event)
                if isinstance(event, events.Reported):
                    files = event
                    if not as_json:
                        print_answer(advisor, thread, event)
            if printer.failure:
                sys.stderr.write(f"! {shown(printer.failure.cause)}\n  → {shown(printer.failure.next_step)}\n")
                return printer.failure.exit_code
            text = ANSWERS.get(printer.question.about, NO_PREFERENCE) if printer.question else None
        recommendation = advisor.state(thread).get("recommendation")
        if as_json and recommendation:
            print_json(recommended(advisor, thread, files))
    return 0 if recommendation and recommendation.winner else 4


def _print(text: str) -> None:
    put(text + "\n")


def _hush(text: str) -> None:
    """Nothing: what is printed is for scripts."""
