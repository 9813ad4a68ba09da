"""What the advisor's buttons in Slack say, and what they carry with them."""

from __future__ import annotations

import hashlib
import json
import re

from app.slack.blocks import Button
from knowledge.results import Plan
from knowledge.wording import Language, Text, say

#: all our actions begin so; a number follows where several stand in one message
PREFIX = "advisor"
ACTIONS = re.compile(rf"{PREFIX}:(answer|measure|rate|skip|stop)(:\d+)?")

MEASURE = say("Measure on my data")
SKIP_BAD = say("Leave out what cannot be used")


def action(name: str) -> str:
    """The action's whole name."""
    return f"{PREFIX}:{name}"


def named(whole: str) -> str | None:
    """The action that a whole name is of; None: not one of ours."""
    found = ACTIONS.fullmatch(whole)
    return found[1] if found else None


def answer(label: Text, about: str, plan: Plan | None, language: Language) -> Button:
    """Answers a question; one about a plan carries which plan, so that no other is agreed to."""
    words = label.render(language)
    value = {"about": about, "label": words} | ({"plan": fingerprint(plan)} if plan and about == "plan" else {})
    return Button(words, action("answer"), json.dumps(value, ensure_ascii=False))


def offered(label: Text, language: Language) -> Button:
    """Takes up what was offered with a report."""
    words = label.render(language)
    return Button(words, action("answer"), json.dumps({"label": words}, ensure_ascii=False))


def measure(language: Language) -> Button:
    """Goes on from a short answer to measuring."""
    words = MEASURE.render(language)
    return Button(words, action("measure"), json.dumps({"label": words}, ensure_ascii=False), "primary")


def skip_bad(language: Language) -> Button:
    """Reads the data again without what cannot be used."""
    return Button(SKIP_BAD.render(language), action("skip"), "{}")


def stop(language: Language) -> Button:
    """Ends what runs."""
    return Button(say("Stop").render(language), action("stop"), "{}", "danger")


def fingerprint(plan: Plan) -> str:
    """Names a plan by what is in it."""
    return hashlib.sha256(plan.model_dump_json().encode()).hexdigest()[:16]
