"""“Would two models be better?”, “which is better for short queries?”: what was found on parts of the queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.answering.brief import LINES
from agent.reporting import parts_of
from knowledge.languages import common_names, language_name
from knowledge.quantities import points
from knowledge.results import Recommendation, Slice, Slices, SliceScore
from knowledge.wording import Text, join, say
from tools.slices.words import (
    CODE,
    KEYWORDS,
    KIND,
    LANGUAGE,
    LENGTH,
    NUMBERS,
    QUESTIONS,
    STATEMENTS,
    routing_advice,
)

if TYPE_CHECKING:
    from agent.context import Context
    from agent.state import State

_SHORT, _LONG = re.compile(r"\bshort|短|one[- ]word|few words", re.I), re.compile(r"\blong|长", re.I)
_KINDS: tuple[tuple[re.Pattern[str], Text], ...] = tuple(
    (re.compile(words, re.I), kind)
    for words, kind in (
        (r"keyword|关键[词字]", KEYWORDS),
        (r"\bnatural[- ]language|问句|疑问", QUESTIONS),
        (r"statement|陈述", STATEMENTS),
        (r"\bcode\b|代码", CODE),
        (r"\bnumeric|\bnumbers?\b|\bids?\b|编号|数字", NUMBERS),
    )
)


def on_parts(words: str, recommendation: Recommendation, state: State, context: Context) -> Text:
    """The figures of the part of the queries that is asked about, and whether more than one model would pay."""
    if not recommendation.measured:
        return say("Nothing was measured here, so I can not tell on which queries which candidate is better.")
    found = state.get("slices") or parts_of(recommendation, state, context)
    if found is None:
        return say(
            "I can not tell: there are too few queries to take them apart, or the data is not there any more. It takes "
            "at least {fewest} queries in each of two parts.",
            fewest=10,
        )
    asked = _asked(words, found)
    missing = _not_there(words, asked)
    return join([*([missing] if missing else []), *(_on(part, found) for part in asked), _routing(found)], LINES)


def _asked(words: str, found: Slices) -> list[Slice]:
    """The parts that a question names."""
    wanted = [kind.template for pattern, kind in _KINDS if pattern.search(words)]
    wanted += [language_name(code) for code in _languages(words)]
    parts = [part for part in found.slices if part.trait in (KIND, LANGUAGE) and part.part.template in wanted]
    lengths = [part for part in found.slices if part.trait == LENGTH]
    if lengths and _SHORT.search(words):
        parts.append(lengths[0])
    if lengths and _LONG.search(words):
        parts.append(lengths[-1])
    return parts


def _languages(words: str) -> list[str]:
    said = words.casefold().replace("中文", "汉语").replace("英文", "英语").replace("日文", "日语")
    names = common_names() | {"汉语": "zh"}
    return list(dict.fromkeys(code for name, code in names.items() if _is_said(name, said)))


def _is_said(name: str, words: str) -> bool:
    return re.search(rf"(?<![a-z]){re.escape(name)}(?![a-z])", words) is not None if name.isascii() else name in words


def _not_there(words: str, asked: list[Slice]) -> Text | None:
    names_a_part = _SHORT.search(words) or _LONG.search(words) or _languages(words)
    if asked or not (names_a_part or any(pattern.search(words) for pattern, _ in _KINDS)):
        return None
    return say("There are too few such queries in your data, or all are such, so I have no figures for them alone.")


def _on(part: Slice, found: Slices) -> Text:
    """Who is ahead on a part, with every candidate's figure."""
    best = part.best
    known = sorted(part.scores, key=lambda score: -score.quality.mean)
    verdict = (
        say("{spec} is ahead there, by more than chance", spec=best)
        if best
        else say("no difference to the winner is shown there")
    )
    return say(
        "{part} ({trait}, {count} queries): {verdict}. {metric}: {figures}.",
        part=part.part,
        trait=part.trait,
        count=part.queries,
        verdict=verdict,
        metric=found.metric,
        figures=join([_figure(score) for score in known], Text(template="; ")),
    )


def _figure(score: SliceScore) -> Text:
    cite = f" [{score.cites['quality']}]" if "quality" in score.cites else ""
    gap = score.difference
    if gap is None:
        return say("{spec} {value:.3f}{cite}", spec=score.spec, value=score.quality.mean, cite=cite)
    return say(
        "{spec} {value:.3f}{cite} ({points} points, {low} to {high})",
        spec=score.spec,
        value=score.quality.mean,
        cite=cite,
        points=points(gap.mean),
        low=points(gap.low),
        high=points(gap.high),
    )


def _routing(found: Slices) -> Text:
    if found.routing:
        return join([say("More than one model pays here."), routing_advice(found.routing[0], found.metric)])
    closest = _closest(found)
    none = say(
        "One model is enough: on no part of the queries that is known before searching (language, length, kind) is "
        "another candidate shown to be better than the winner by more than your margin of {margin:g}, by intervals "
        "that all hold together in 95 of 100 cases.",
        margin=found.margin,
    )
    return join([none, *closest])


def _closest(found: Slices) -> Iterator[Text]:
    """The part on which a rival comes closest to that."""
    known = [
        (score.difference, part, score)
        for part in found.slices
        if part.at_query_time
        for score in part.scores
        if score.difference is not None and score.difference.mean > 0
    ]
    if known:
        gap, part, score = max(known, key=lambda one: one[0].low)
        yield say(
            "It comes closest with {part} ({trait}): {spec} {points} points, {low} to {high}.",
            part=part.part,
            trait=part.trait,
            spec=score.spec,
            points=points(gap.mean),
            low=points(gap.low),
            high=points(gap.high),
        )
