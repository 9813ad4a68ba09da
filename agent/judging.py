"""Judging pairs in words: how a pair is put, how its answer is read, and what the answers come to."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from knowledge.constraints import Answer
from knowledge.results import Judging, PairToJudge
from knowledge.wording import Text, join, say

Reply = Literal["yes", "no", "unsure", "skip", "stop", "back"]
#: how the name of what a question about a pair is about begins
_PAIR = "pair-"


def about_pair(pair: PairToJudge) -> str:
    """What the question about a pair is about: one of its own, so that a late click answers no other pair."""
    digest = hashlib.sha256(f"{pair.query}\0{pair.document}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"{_PAIR}{digest[:12]}"


def is_pair(about: str | None) -> bool:
    """Whether a question is about a pair to judge."""
    return about is not None and about.startswith(_PAIR)


_YES, _NO, _UNSURE, _STOP = say("Yes, it answers it"), say("No"), say("Not sure"), say("Stop judging")
_WORDS: dict[Reply, str] = {
    "yes": r"y(?:es)?|yep|yeah|yup|relevant|it (?:does|is|answers it)|correct|right|true"
    r"|是的?|对的?|相关|有关|可以|能|回答了|嗯",
    "no": r"no?|nope|nah|not relevant|irrelevant|it (?:does|is)(?:n't| not)|wrong|false"
    r"|不|不是|否|不对|不相关|无关|没有|不能|没回答",
    "unsure": r"u(?:nsure)?|not sure|unclear|(?:i )?don'?t know|no idea|can'?t (?:say|tell)|maybe|partly|perhaps|[?？]"
    r"|不确定|不知道|不清楚|不好说|说不准|难说|也许|可能|看不出来?",
    "skip": r"s(?:kip)?|next(?: one)?|pass|跳过|下一个|过",
    "stop": r"q(?:uit)?|stop(?: judging| it)?|(?:that'?s )?enough|exit|end|done"
    r"|停|停止|停止判断|够了|结束|退出|不判断了|到此为止",
    "back": r"b(?:ack)?|undo|previous|返回|上一个|撤销",
}
_READ = {reply: re.compile(f"(?:{words})", re.IGNORECASE) for reply, words in _WORDS.items()}


def read_reply(text: str) -> Reply | int | None:
    """What an answer to a pair says: a reply, or a grade given as a number; None where it says something else."""
    said = text.strip().strip(".!。！,， ").replace("’", "'")
    if said.isascii() and said.isdecimal() and len(said) <= 2:
        return int(said)
    return next((reply for reply, words in _READ.items() if words.fullmatch(said)), None)


def pair_words(pair: PairToJudge) -> Text:
    """A pair, put as a question."""
    return say(
        "Does this passage answer the query?\n\nQuery: {query}\n\nPassage: {passage}",
        query=pair.query_text,
        passage=pair.text,
    )


def pair_answers(pair: PairToJudge) -> tuple[Answer, ...]:
    """The suggested answers, each with the judgment that it gives."""
    ids = {"query": pair.query, "document": pair.document}
    grades: tuple[tuple[Text, int | None], ...] = ((_YES, 1), (_NO, 0), (_UNSURE, None))
    given = tuple(Answer(label=label, parameters={**ids, "grade": grade}) for label, grade in grades)
    return (*given, Answer(label=_STOP, parameters=None))


def standing(look: Judging) -> Text:
    """How settled the decision is."""
    closest = look.gaps[0]
    low, high = (f"{100 * x:.1f}" for x in (closest.difference.low, closest.difference.high))
    sentences = [
        say(
            "{answered} pairs judged: {winner} would be taken, in {share:.0%} of the ways in which the missing "
            "labels may turn out.",
            answered=look.answered,
            winner=look.winner,
            share=look.agreeing,
        ),
        say(
            "Closest to it is {rival}: {mean} points of {metric} behind ({low} to {high} by what the answers suggest; "
            "{least} to {most} whatever they will be).",
            rival=closest.spec,
            mean=f"{100 * closest.difference.mean:.1f}",
            metric=look.metric,
            low=low,
            high=high,
            least=f"{100 * closest.least:.1f}",
            most=f"{100 * closest.most:.1f}",
        ),
    ]
    return join([*sentences, outcome(look)])


def outcome(look: Judging) -> Text:
    """Whether it is settled, and how much is still to be asked."""
    if look.status == "certain":
        return say("That is certain: no answer that is left can change it.")
    if look.status == "settled":
        return say("That is settled well enough: further answers would hardly change it.")
    if look.status == "exhausted":
        return say("Nothing is left to ask: only more queries would tell more.")
    if look.status == "enough":
        return say("That is as much as I ask at a time; it is not settled, and you can go on.")
    if look.more is None:
        return say("The two are so close that even all {left} pairs that are left may not settle it.", left=look.left)
    return say("About {more} more answers would settle it.", more=look.more)


def lines(look: Judging) -> tuple[Text, ...]:
    """One line for each gap, for who wants to see all of them."""
    return tuple(
        say(
            "{rival}: {mean} points behind ({low} to {high})",
            rival=gap.spec,
            mean=f"{100 * gap.difference.mean:.1f}",
            low=f"{100 * gap.difference.low:.1f}",
            high=f"{100 * gap.difference.high:.1f}",
        )
        for gap in look.gaps
    )
