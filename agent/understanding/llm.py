"""Understanding with a language model beside the rules: it reads the words that the rules could make nothing of.

Precedence, from strongest to weakest:

1. The rules decide alone about yes and no, consent, choices by number, intents, questions, paths, and everything in a
   message that gives orders to a language model (``addressed``): none of these is shown to the model, or asked of it.
2. What the rules found in the message stands. The model may correct the task, the domain, and whether words have to be
   matched exactly, where its words hold those that the rules read, and one more that they did not.
3. What the model adds is checked by ``llm_grounding``: the user's words, numbers and names by our own parsers, values
   from our own lists. It can take nothing back and change no demand that the user stated, but add languages to it;
   a number of the use case (how many documents) may be another one that the user wrote.

A model that fails, or answers nonsense, leaves the message as the rules read it, and the user is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from agent.understanding.base import Asked, Change, Understood
from agent.understanding.findings import SLOTS, Finding, apply, value_of
from agent.understanding.llm_grounding import Grounding
from agent.understanding.llm_model import LanguageModel
from agent.understanding.llm_prompt import as_data, instructions
from agent.understanding.llm_schema import Extraction
from agent.understanding.rules import RulesRead, RuleUnderstanding
from knowledge.constraints import CONSTRAINTS
from knowledge.errors import AdvisorError
from knowledge.requirements import Requirements
from knowledge.wording import say

#: what the rules may have misread and the model may correct: no demand is among it
CORRECTABLE = frozenset({"task", "domain", "keyword_match"})
#: a message of these intents is decided by the rules alone
_DECIDED = frozenset({"confirm", "decline", "stop", "decide"})


class LlmUnderstanding:
    """Implements `agent.understanding.base.Understanding`."""

    def __init__(self, model: LanguageModel, rules: RuleUnderstanding) -> None:
        self.model = model
        self._rules = rules

    def understand(self, text: str, requirements: Requirements, asked: Asked | None) -> Understood:
        """See `Understanding`."""
        read = self._rules.read(text, requirements, asked)
        if not _worth_asking(read):
            return read.understood
        try:
            extraction = self.model.extract(instructions(), as_data(read, asked))
        except AdvisorError as error:
            note = say("I read this by rules alone. {cause} {next}", cause=error.cause, next=error.next_step)
            return read.understood.model_copy(update={"note": note})
        return self._merged(read, requirements, asked, self._believed(read, requirements, extraction))

    def _believed(self, read: RulesRead, before: Requirements, extraction: Extraction) -> list[Finding]:
        grounding = Grounding(self._rules, read)
        kept: dict[str, Finding] = {}
        words = {finding.about: finding.words for finding in read.found}
        for found in extraction.findings:
            finding = grounding.finding(found)
            if finding is None or finding.about in kept:
                continue
            if finding.about == "languages":
                finding = replace(finding, merge="add")
            else:
                found_by_rules = finding.about in words and not _corrects(finding, before, words[finding.about])
                if found_by_rules or _is_stated(before, finding.about):
                    continue
            kept[finding.about] = finding
        return list(kept.values())

    def _merged(
        self, read: RulesRead, before: Requirements, asked: Asked | None, findings: list[Finding]
    ) -> Understood:
        understood = read.understood
        corrected = {finding.about: getattr(before, finding.about) for finding in findings if finding.about in SLOTS}
        basis = understood.requirements.model_copy(update=corrected)
        after, changes = apply(basis, findings)
        words = {change.slot: change.words for change in (*understood.changes, *changes)}
        changed = tuple(_changes(before, after, words))
        if changed == understood.changes:
            return understood
        about = {change.slot for change in changes}
        informs = understood.intent in ("unknown", "greeting") and bool(changed)
        return understood.model_copy(
            update={
                "requirements": after,
                "changes": changed,
                "intent": "inform" if informs else understood.intent,
                "answered": understood.answered or (asked is not None and asked.about in about),
                "ignored": _still_ignored(understood.ignored, [f.words for f in findings if f.about in about]),
            }
        )


def _worth_asking(read: RulesRead) -> bool:
    """Whether there are words, not mere figures, that the rules made nothing of in a message that a model may see."""
    understood = read.understood
    open_ = not read.whole and understood.note is None and understood.intent not in _DECIDED
    tokens = read.utterance.tokens
    return open_ and any(tokens[i].text[0].isalpha() for i in read.utterance.unread())


def _is_stated(before: Requirements, about: str) -> bool:
    """Whether it is a demand that the user has made, which a model must not make laxer."""
    known = before.constraint(CONSTRAINTS[about]) if about in CONSTRAINTS else None
    return known is not None and known.origin == "stated"


def _corrects(finding: Finding, before: Requirements, words: str) -> bool:
    """Whether a finding may take the place of what the rules read: not of what was stated in an earlier message."""
    if finding.about not in CORRECTABLE or words not in finding.words:
        return False
    known = getattr(before, finding.about)
    return known is None or known.origin != "stated"


def _changes(before: Requirements, after: Requirements, words: dict[str, str]) -> Iterable[Change]:
    others = words.get("gpu") or next(iter(words.values()), "")
    for slot in (*SLOTS, *CONSTRAINTS):
        old, new = value_of(before, slot), value_of(after, slot)
        if old != new:
            yield Change(slot=slot, before=old, after=new, words=words.get(slot, others))


def _still_ignored(ignored: str, quoted: list[str]) -> str:
    """The phrases that are not wholly among the quoted words."""
    known = "\n".join(quoted)
    return "; ".join(p for p in ignored.split("; ") if not all(word in known for word in p.split()))
