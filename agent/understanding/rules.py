"""Understanding without a language model: a lexicon, a grammar of numbers, and rules, in English and Chinese."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from agent.understanding.addressed import addressed_from
from agent.understanding.asides import read_asides
from agent.understanding.base import Asked, Change, Intent, Question, Understood
from agent.understanding.demands import (
    read_free,
    read_hosting,
    read_license,
    read_open_weights,
    read_waived,
    read_withdrawals,
)
from agent.understanding.findings import Finding, apply
from agent.understanding.language import detect_language
from agent.understanding.languages import read_languages
from agent.understanding.lexicon import load_lexicon
from agent.understanding.limits import read_limits
from agent.understanding.machine import read_edge, read_named_gpu
from agent.understanding.names import NameReader, Names
from agent.understanding.numbers import NumberReader
from agent.understanding.questions import as_question, read_sentences
from agent.understanding.reading import Reading
from agent.understanding.replies import (
    Reply,
    is_about_requirement,
    postpones,
    read_no_preference,
    read_reply,
    says_not_now,
)
from agent.understanding.storage import read_storage
from agent.understanding.tokens import MASK
from agent.understanding.use_case import (
    incumbent_reader,
    other_tasks,
    read_best,
    read_domain,
    read_gpu,
    read_keyword_match,
    read_modality,
    read_task,
)
from agent.understanding.utterance import LONGEST, Utterance, readable
from agent.understanding.weights import read_weights
from knowledge.requirements import Requirements
from knowledge.wording import Text, join, say
from tools.report.background import TASKS

_READERS = (
    read_waived,
    read_task,
    read_modality,
    read_domain,
    read_keyword_match,
    read_gpu,
    read_edge,
    read_named_gpu,
    read_best,
    read_weights,
    read_license,
    read_hosting,
    read_open_weights,
    read_languages,
    read_free,
    read_limits,
    read_withdrawals,
)
#: a message of at most so many words can be nothing but a greeting, a stop, a yes
_SHORT = 6
#: what an answer about a sample only seems to speak of
_OF_A_SAMPLE = frozenset({"hosting", "license"})
_SUMMARY = 500
_PASSED_OVER = 80


@dataclass(frozen=True)
class RulesRead:
    """What the rules made of a message.

    Attributes:
        utterance: the message without what only asks; its unread words are those that the rules know nothing of.
        found: what was found about requirements, whether it changes them or not.
        asking: where the sentences stand that only ask.
        whole: whether the message is nothing but the answer to the open question.
    """

    understood: Understood
    utterance: Utterance
    names: Names
    found: tuple[Finding, ...] = ()
    asking: tuple[tuple[int, int], ...] = ()
    whole: bool = False

    def shown(self) -> str:
        """The message without paths, addresses and what only asks, each character of them masked."""
        return _without(self.utterance.text, (*self.names.outside, *self.asking))


class RuleUnderstanding:
    """Implements `agent.understanding.base.Understanding`.

    A number without a unit says nothing unless a question is open; a sentence that asks changes nothing unless it is
    a what-if; nothing is read from words that give a language model orders. Reads the first 10,000 characters.
    """

    def __init__(self) -> None:
        self._lexicon = load_lexicon()
        tables = self._lexicon.tables
        self._names = NameReader(tables["model_family"], tables["model_family_word"], tables["not_a_model"])

    def understand(self, text: str, requirements: Requirements, asked: Asked | None) -> Understood:
        """See `Understanding`."""
        return self.read(text, requirements, asked).understood

    def stated(self, text: str) -> Utterance:
        """The message without names, orders, asides and what only asks."""
        return self.read(text, Requirements(), None).utterance

    def as_answer(self, text: str, about: str) -> Finding | None:
        """What a piece of a message would say as an answer to a question, a mere yes or no apart; None: nothing."""
        said = readable(text)
        names = self._names.read(said)
        utterance = Utterance(said, self._lexicon, names.spans)
        if not utterance.tokens:
            return None
        found = self._findings(utterance, Requirements(), Asked(about=about), names, None)
        return next((f for f in found if f.about == about and f.value is not None), None)

    def read(self, text: str, requirements: Requirements, asked: Asked | None) -> RulesRead:
        """The same, with what the rules left unread."""
        said = readable(text)
        names = self._names.read(said)
        order = addressed_from(_without(said, names.outside), self._lexicon)
        if order is not None:
            names = names.before(order)
        masked = names.spans if order is None else [*names.spans, (order, len(said))]
        utterance = Utterance(said, self._lexicon, masked)
        if not utterance.tokens:
            return RulesRead(Understood(requirements=requirements), utterance, names)
        sentences = read_sentences(utterance, names)
        question = as_question(utterance, names, sentences)
        asking = [utterance.span(s.start, s.end) for s in sentences if s.kind and s.kind != "what_if"]
        unsaid = [*asking, *read_asides(utterance)]
        stated = Utterance(said, self._lexicon, [*masked, *unsaid]) if unsaid else utterance
        if asked and question is not None and self._answers_in_the_form_of_a_question(utterance, question, asked):
            question, asking, stated = None, [], utterance
        reply = read_reply(stated, asked) if asked and (question is None or question.kind == "other") else None
        if reply and reply.whole:
            question = None
        found = list(self._findings(stated, requirements, asked, names, reply))
        if asked and reply and reply.interjected and any(finding.about != asked.about for finding in found):
            found, reply = [finding for finding in found if finding is not reply.finding], None
        if asked and reply is None and not any(finding.about == asked.about for finding in found):
            reply = read_no_preference(stated, asked) if question is None or question.kind == "other" else None
        if asked and asked.about == "data" and not names.paths:  # "不上传" and "put together later" speak of a sample
            short = len(stated.tokens) <= _SHORT
            found = [f for f in found if not (f.about == "task" or (f.about in _OF_A_SAMPLE and (f.rule or short)))]
        updated, changes = apply(requirements, found)
        about = {finding.about for finding in found}
        answered = reply is not None or (is_about_requirement(asked) and asked is not None and asked.about in about)
        yields = answered and is_about_requirement(asked)
        informs = bool(found or names.paths)
        intent: Intent = "question" if question else self._intent(stated, answered, informs=informs, yields=yields)
        if asked and asked.about == "data" and intent in ("unknown", "confirm") and says_not_now(stated):
            intent = "decline"
        elif question and question.kind == "other" and asked and asked.about == "data" and postpones(utterance):
            intent, question = "decline", None  # "can I send it later?"
        elif intent == "unknown" and is_about_requirement(asked) and not _wonders(stated):
            intent = "inform"  # a reply that could not be read is not a question about the field
        if changes and intent == "inform" and not updated.summary:
            updated = updated.model_copy(update={"summary": said.strip()[:_SUMMARY]})
        ignored = stated.ignored(every=not (found or names.paths)) + (" …" if len(text) > LONGEST else "")
        understood = Understood(
            requirements=updated,
            changes=changes,
            intent=intent,
            question=question,
            answered=answered,
            indifferent_to=tuple(sorted({f.about for f in found if f.value is None} - {"margin", "task"})),
            data_path=names.paths[0].text if names.paths else None,
            ignored=ignored.strip(),
            note=_besides(stated, updated, changes) if order is None else _passed_over(said[order:]),
        )
        whole = reply is not None and reply.whole
        return RulesRead(understood, stated, names, tuple(found), tuple(asking), whole=whole)

    @staticmethod
    def _answers_in_the_form_of_a_question(utterance: Utterance, question: Question, asked: Asked) -> bool:
        """Whether what looks like a question answers the open one: "sure, why not", "how should I know?"."""
        if question.models or not is_about_requirement(asked) or question.kind not in ("other", "why", "why_not"):
            return False
        if question.kind == "other" and not utterance.of_category("rhetorical"):
            return False
        return len(utterance.tokens) <= _SHORT + _SHORT and bool(read_reply(utterance, asked))

    def _findings(
        self, utterance: Utterance, requirements: Requirements, asked: Asked | None, names: Names, reply: Reply | None
    ) -> Iterator[Finding]:
        if reply and reply.finding:
            yield reply.finding
        if reply and reply.whole:
            return
        about = asked.about if asked and is_about_requirement(asked) else None
        quantities = NumberReader(utterance).read()
        reading = Reading(utterance, requirements, about, detect_language(utterance.text), quantities)
        found = [f for reader in (*_READERS, incumbent_reader(names, utterance.text)) for f in reader(reading)]
        yield from found
        yield from read_storage(reading, found)

    def _intent(self, utterance: Utterance, answered: bool, *, informs: bool, yields: bool) -> Intent:
        """What a message that asks nothing wants; `yields`: "you decide" leaves only the open question to us."""
        left = {hit.start for hit in utterance.of_category("whatever")} if yields else set()
        if any(hit.start not in left for hit in utterance.of_category("decide")):
            return "decide"
        if answered or informs:
            return "inform"
        words = [t for t in utterance.tokens if t.text[0].isalnum()]
        if len(words) <= _SHORT and not utterance.of_category("license_name"):  # "no GPL" declines nothing
            plain: tuple[tuple[str, Intent], ...] = (
                ("stop", "stop"),
                ("yes", "confirm"),
                ("no", "decline"),
                ("greeting", "greeting"),
            )
            for category, intent in plain:
                opening = utterance.starting(0, category)
                if opening:
                    utterance.use(opening[0].start, opening[0].end)
                    return intent
        return "inform" if utterance.of_category("request") else "unknown"


def _wonders(utterance: Utterance) -> bool:
    """Whether a short message may ask for an explanation: "what does dimension mean here", or no more than a term."""
    asks = utterance.of_category("interrogative", "show_model", "why", "compare")
    return len(utterance.tokens) == 1 or (len(utterance.tokens) <= _SHORT and bool(asks))


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with some of its characters masked."""
    characters = list(text)
    for start, end in spans:
        characters[start:end] = [MASK] * (end - start)
    return "".join(characters)


def _besides(stated: Utterance, updated: Requirements, changes: Sequence[Change]) -> Text | None:
    """That a task was named beside the one that is taken; who wants two should not believe that both are decided."""
    if not any(change.slot == "task" for change in changes):
        return None
    reading = Reading(stated, updated, None, detect_language(stated.text), NumberReader(stated).read())
    others = other_tasks(reading, updated.task.value)
    if not others:
        return None
    return say(
        "You name more than one task. I decide one at a time, as each is measured by labels of its own: this is for "
        "{task}. For {others} begin another conversation.",
        task=TASKS[updated.task.value],
        others=join([TASKS[task] for task in others], Text(template=", ")),
    )


def _passed_over(words: str) -> Text:
    """What was passed over because it gives orders."""
    shortened = " ".join(words.split())
    shortened = shortened if len(shortened) <= _PASSED_OVER else shortened[:_PASSED_OVER] + "…"
    return say("I took nothing from “{words}”: it gives orders instead of saying what you need.", words=shortened)
