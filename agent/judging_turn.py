"""Judging pairs in a conversation: offered with an undecided recommendation, then one pair a message."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent import interview
from agent.context import Context
from agent.judging import about_pair, is_pair, pair_answers, pair_words, read_reply, standing
from agent.redo import asks_to_redo
from agent.state import State
from agent.understanding.base import Asked
from agent.understanding.rules import RuleUnderstanding
from knowledge.errors import AdvisorError
from knowledge.requirements import Requirements
from knowledge.results import Evaluation, Judging, Label
from knowledge.wording import Text, join, say
from tools.data_source import STDLIB
from tools.judging_desk import Desk, desk_of, updated
from tools.recommend import cheapest_first
from tools.rescoring import is_shallow

#: the candidates whose documents are judged
_CONTENDERS = frozenset({"winner", "tied", "undecided"})
#: what to say to the offer
BEGIN = say("Judge a few pairs")
_ASKS = re.compile(
    r"\bjudge\b.{0,20}\b(?:pairs?|passages?|documents?|results?|some|more|few)\b|\blet me judge\b|^(?:go on )?judging\b"
    r"|(?:判断|标注|评判).{0,4}(?:几|一些|更多|一下|文档|结果|段)|继续判断",
    re.IGNORECASE,
)

#: characters of a message that asks for pairs
_SHORT = 80
_REPLIES: dict[int | None, str] = {1: "yes", 0: "no", None: "unsure"}
_GRADES: dict[str, int | None] = {"yes": 1, "no": 0, "unsure": None, "skip": None}


@dataclass(frozen=True)
class Turn:
    """What comes of a message: something said, a question, and what the state becomes."""

    said: tuple[Text, ...]
    asked: Asked | None
    evaluation: Evaluation | None = None


def wants(text: str, state: State) -> str | None:
    """What a message says to the pair that is open, or ``begin`` where it asks for pairs; None: something else."""
    asked = state.get("asked")
    if asked is not None and is_pair(asked.about):
        picked = interview.picked(text, asked)
        if picked is not None:
            return "stop" if picked.parameters is None else _REPLIES[picked.parameters["grade"]]
        reply = read_reply(text)
        if reply is None and len(text) <= _SHORT and _ASKS.search(text):
            return "begin"  # what is open is put again
        return reply if isinstance(reply, str) else ("no" if reply == 0 else None)
    measured = state.get("evaluation") is not None and state.get("recommendation") is not None
    if not measured or len(text) > _SHORT:
        return None
    return "begin" if _ASKS.search(text) or (asked is None and state.get("offered") and _agrees(text)) else None


def _agrees(text: str) -> bool:
    """Whether a message says yes and nothing else (“run it again” is a yes to something else)."""
    if asks_to_redo(text):
        return False
    found = RuleUnderstanding().understand(text, Requirements(), None)
    return found.intent == "confirm" and not found.changes and not found.data_path


def cannot_judge(state: State, context: Context) -> Text | None:
    """Why no pairs can be judged now; None where they can."""
    evaluation, source = state.get("evaluation"), state.get("data")
    if evaluation is None or state.get("recommendation") is None or source is None:
        return say("Judging takes a measurement: give me data with queries, and agree to measuring.")
    if evaluation.task != "ranking" or not is_shallow(evaluation.primary):
        return say("Only rankings are judged pair by pair, and this was measured otherwise.")
    if source.path == STDLIB and not context.reads_paths:
        return say("This sample is everybody's: hand over your own data, and judge passages of it.")
    return None


def offer(state: State, context: Context) -> Text | None:
    """The offer to judge pairs, where the recommendation is undecided and judgments could decide it."""
    advice = state.get("recommendation")
    if advice is None or not advice.undecided or not state.get("interactive", True):
        return None
    if cannot_judge(state, context) is not None:
        return None
    try:
        look = _desk(state, context).look()
    except AdvisorError:  # what it found was not kept
        return None
    if look.status != "open" or not look.next:
        return None
    words = say("The labels leave it open. Shall I show you a few passages to judge, where the candidates disagree?")
    return join([words, say("About {more} would do.", more=look.more)]) if look.more else words


def turn(state: State, context: Context, thread: str) -> Turn:
    """Take what was said to a pair, and put the next one, or say what the judgments come to.

    The judgment is on disk before the next pair is put; taken twice, after a kill, it is the same judgment.

    Raises:
        AdvisorError: what the candidates found was not kept, or the data cannot be read.
    """
    said, asked = state.get("judging"), state.get("asked")
    desk = _desk(state, context)
    if asked is not None and is_pair(asked.about) and said not in ("begin", "stop", "back", None):
        desk.give([_label(asked, said, thread, context)])
    look = desk.look()
    if said == "stop" or look.status != "open" or not look.next:
        return _ended(desk, look, state, context)
    progress = () if said == "begin" else (say("{answered} judged; {more}", answered=look.answered, more=_more(look)),)
    pair = look.next[0]
    return Turn(progress, Asked(about=about_pair(pair), answers=pair_answers(pair), words=pair_words(pair)))


def _more(look: Judging) -> Text:
    return (
        say("about {more} more would settle it.", more=look.more)
        if look.more
        else say("the candidates are close, so it may take many more.")
    )


def _label(asked: Asked, said: str, thread: str, context: Context) -> Label:
    ids = next(answer.parameters for answer in asked.answers if answer.parameters is not None)
    return Label(query=ids["query"], document=ids["document"], grade=_GRADES[said], who=thread, given=context.now())


def _ended(desk: Desk, look: Judging, state: State, context: Context) -> Turn:
    """What the judgments come to; the evaluation is scored again with them."""
    evaluation = state["evaluation"]
    assert evaluation
    said = [standing(look)]
    if desk.labelled().summary.hash == evaluation.dataset.hash:
        return Turn(tuple(said), None)  # nothing new was judged
    said.append(say("I score what was found again with your judgments; nothing is encoded for it."))
    return Turn(tuple(said), None, updated(evaluation, desk, context.now()))


def _desk(state: State, context: Context) -> Desk:
    evaluation, advice, source = state.get("evaluation"), state.get("recommendation"), state.get("data")
    assert evaluation
    assert advice
    assert source
    contenders = [row.spec for row in advice.rows if row.standing in _CONTENDERS]
    if len(contenders) < 2:
        contenders = [row.spec for row in advice.rows if row.standing != "excluded"]
    benchmark = state.get("benchmark")
    order = cheapest_first(contenders, evaluation, benchmark) if benchmark else None
    dataset, space = context.unjudged(source), context.space_of(source)
    return desk_of(
        evaluation,
        dataset,
        context.workspace,
        margin=advice.margin,
        specs=contenders,
        order=order,
        space=space,
    )
