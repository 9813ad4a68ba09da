"""A persona in a real conversation: until the list is there, answering each question with the persona's own words."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent import events
from agent.advisor import Advisor
from agent.understanding.findings import SLOTS, Finding, apply
from benchmarks.interview.personas import Message, Persona, invented, is_right, settled
from knowledge.errors import NothingLeftError
from knowledge.requirements import Requirements
from tools.shortlist import shortlist

#: no conversation is longer; one that is goes round in circles
MOST_MESSAGES = 20


@dataclass
class Talk:
    """What became of a conversation.

    Attributes:
        asked: what was asked, in order.
        already_said: what was asked although it had been said, as if it had not.
        confirmed: what had been said and was asked with the words quoted and their right reading offered.
        turns: who said what, for reading.
        overlap: models on the list that are on the list of the persona's full truth, out of five.
        places: models on the list of the full truth.
        right, wrong, invented: slots; the first two of those that the persona spoke of.
        clash: the conversation ended with demands that nothing meets, though the truth is not so.
    """

    persona: Persona
    asked: list[str] = field(default_factory=list)
    already_said: list[str] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    turns: list[tuple[str, str]] = field(default_factory=list)
    requirements: Requirements = field(default_factory=Requirements)
    overlap: int = 0
    places: int = 5
    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    clash: bool = False

    @property
    def repeated(self) -> list[str]:
        """What was asked more than once."""
        return [about for i, about in enumerate(self.asked) if about in self.asked[:i]]


def converse(advisor: Advisor, persona: Persona) -> Talk:
    """The whole conversation, and how it went."""
    talk, said = Talk(persona), frozenset[str]()
    later, message, spoken = list(persona.later), persona.opening, 0
    question: str | None = None
    offered = False
    while spoken < MOST_MESSAGES:
        question = _say(advisor, talk, message)
        spoken += 1
        said |= message.said
        if question is not None:
            talk.asked.append(question)
            offered = _is_offered(advisor, persona)
            if question in settled(said, persona.truth, changing={about for m in later for about in m.said}):
                (talk.confirmed if offered else talk.already_said).append(question)
        if later and (spoken >= later[0].after or question is None):
            message = later.pop(0)
        elif question is None:
            break
        else:
            message = persona.yes(question) if offered else persona.answer(question)
    _judge(advisor, talk, said)
    return talk


def _is_offered(advisor: Advisor, persona: Persona) -> bool:
    """Whether the open question quotes the persona and offers what is true of it, so that a yes answers it."""
    asked = advisor.state(persona.id).get("asked")
    if asked is None or asked.likely is None:
        return False
    given = asked.likely.parameters or {}
    offer = Finding(asked.about, given["value"] if asked.about in SLOTS else given, asked.half_read)
    return is_right(asked.about, apply(Requirements(), [offer])[0], persona.truth)


def _say(advisor: Advisor, talk: Talk, message: Message) -> str | None:
    """Say it; the question that waits afterwards."""
    talk.turns.append(("user", message.text))
    language, question = talk.persona.language, None
    for event in advisor.reply(talk.persona.id, message.text):
        if isinstance(event, events.Noted):
            noted = "; ".join(change.render(language) for change in event.changes)
            talk.turns.append(("noted", noted + (f"  [ignored: {event.ignored}]" if event.ignored else "")))
        elif isinstance(event, events.Said):
            talk.turns.append(("said", event.text.render(language)))
        elif isinstance(event, events.Question):
            question = event.about
            talk.turns.append(("asks", f"{event.about}: {event.text.render(language)}"))
        elif isinstance(event, events.Failed):
            talk.turns.append(("failed", f"{event.cause.render(language)} {event.next_step.render(language)}"))
        elif isinstance(event, events.Shortlisted):
            talk.turns.append(("list", ", ".join(pick.model for pick in event.shortlist.kept)))
    return question


def _judge(advisor: Advisor, talk: Talk, said: frozenset[str]) -> None:
    state, truth = advisor.state(talk.persona.id), talk.persona.truth
    found = talk.requirements = state["requirements"]
    spoken = sorted(said - {"data"})
    talk.right = [about for about in spoken if is_right(about, found, truth)]
    talk.wrong = [about for about in spoken if about not in talk.right]
    talk.invented = [about for about in invented(found, truth) if about not in talk.wrong]
    context = advisor.context
    best = {pick.model for pick in shortlist(truth, context.catalog, context.scores).kept}
    talk.places = len(best)
    try:
        reached = {pick.model for pick in shortlist(found, context.catalog, context.scores).kept}
    except NothingLeftError:
        reached, talk.clash = set(), True
    talk.overlap = len(best & reached)
