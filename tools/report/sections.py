"""What a report says: its sections, in the order in which a reader wants them."""

from __future__ import annotations

from collections.abc import Callable

from knowledge.results import Report
from knowledge.wording import Language, Text, say
from tools.report.answer import answer
from tools.report.background import data, rejected, requirements, shortlist
from tools.report.checks import checks, rounds
from tools.report.closer_look import duels, parts
from tools.report.comparison import candidates, certainty, metrics, not_measured, tradeoff
from tools.report.contexts import contexts
from tools.report.cost import cost
from tools.report.document import Block, Document, Section
from tools.report.hard_cases import robustness, truth
from tools.report.indexes import indexes
from tools.report.load import load
from tools.report.method import evidence, method, reproduce
from tools.report.pipeline import pipeline
from tools.report.plan import plan
from tools.report.set_ups import gains
from tools.report.voice import Voice, when


def make_document(report: Report, language: Language) -> Document:
    """The report's document: same sections and figures in every language."""
    voice = Voice(report, language)
    makers: list[tuple[str, Text, Callable[[], tuple[Block, ...]]]] = [
        ("candidates", say("Candidates compared"), lambda: candidates(voice)),
        ("tradeoff", say("Quality against cost"), lambda: tradeoff(voice)),
        ("certainty", say("How sure"), lambda: certainty(voice)),
        ("load", say("Load"), lambda: (*load(voice), *indexes(voice))),
        ("cost", say("Cost and size"), lambda: cost(voice)),
        ("gains", say("Cheapest next gain"), lambda: gains(voice)),
        ("contexts", say("What a language model gets to read"), lambda: contexts(voice)),
        ("parts", say("Where it holds: parts of the queries"), lambda: parts(voice)),
        ("truth", say("True or only similar: one fact altered"), lambda: truth(voice)),
        ("robustness", say("Queries with mistakes, cut short, in other letters"), lambda: robustness(voice)),
        ("side-by-side", say("Side by side, query by query"), lambda: duels(voice)),
        ("sensitivity", say("What would change the answer"), lambda: voice.bullets(voice.advice.what_would_change_it)),
        ("rejected", say("Rejected, and why"), lambda: rejected(voice)),
        ("not-measured", say("What was not measured"), lambda: not_measured(voice)),
        ("plan", say("Plan"), lambda: plan(voice)),
        ("reproduce", say("Reproduce"), lambda: reproduce(voice)),
        ("pipeline", say("The set-up that was measured"), lambda: pipeline(voice)),
        ("metrics", say("Every metric"), lambda: metrics(voice)),
        ("checks", say("Checked before measuring"), lambda: checks(voice)),
        ("rounds", say("How candidates were left out"), lambda: rounds(voice)),
        ("shortlist", say("Shortlist from the catalog"), lambda: shortlist(voice)),
        ("data", say("Your data"), lambda: data(voice)),
        ("requirements", say("Requirements and assumptions"), lambda: requirements(voice)),
        ("method", say("How it was measured"), lambda: method(voice)),
        ("evidence", say("Evidence"), lambda: evidence(voice)),
    ]
    if not voice.advice.rows:
        # the predictions are then all there is to compare
        makers.sort(key=lambda maker: maker[0] != "shortlist")
    sections = [Section(id, voice.t(title), make()) for id, title, make in makers]
    return Document(
        language="zh-CN" if voice.language == "zh" else "en",
        title=voice.t(say("Embedding recommendation")),
        answer=answer(voice),
        sections=tuple(s for s in sections if s.blocks),
        labels={
            "skip": voice.t(say("Skip to the answer")),
            "contents": voice.t(say("Contents")),
            "why": voice.t(say("Why")),
            "cost": voice.t(say("What you get, and what it costs")),
            "here": voice.t(say("Link to this part")),
            "against": voice.t(say("Quality against")),
            "scroll": voice.t(say("scrolls sideways")),
            "sort": voice.t(say("sort by this column")),
            "evidence": voice.t(say("evidence")),
            "cited": voice.t(
                say(
                    "These are the figures that this text cites. All of them, each with its run and date, are in "
                    "report.html and report.json."
                )
            ),
            "side_by_side": voice.t(say("What each of them found is in report.html and report.json.")),
        },
        evidence=frozenset(e.id for e in voice.evidence),
        footer=voice.t(
            say(
                "Made by {program} on {date}, run {run}.",
                program=voice.report.made_by,
                date=when(voice.advice.created),
                run=voice.advice.run_id,
            )
        ),
    )
