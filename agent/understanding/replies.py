"""Short replies read against the open question: yes, the second one, no preference, 第二个."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from agent.understanding.base import Asked
from agent.understanding.findings import SLOTS, Finding
from agent.understanding.utterance import Hit, Utterance
from knowledge.constraints import CONSTRAINTS, Answer
from knowledge.languages import language_code

_ORDINAL = re.compile(
    r"(?:option|answer|number|no\.?|choice|the|选|选择|我选|选项)?\s*#?(?P<number>\d{1,2})\s*[.)、。]?$"
    r"|(?:选|选择|我选)?第(?P<han>[一二两三四五六七八九\d])(?:个|项|种|条)?(?:吧|啊|的)?[。.]?$"
    r"|(?:i(?:'d)? (?:take|choose|pick|say) )?the (?P<word>\w+)(?: one| option| answer)?[.]?$"
)
_HAN_DIGITS = {c: i for i, c in enumerate("一二三四五六七八九", 1)} | {"两": 2}
#: what yes and no say where no suggested answer says it
_YES: dict[str, Any] = {
    "license": {"commercial": True},
    "open_weights": {},
    "gpu": True,
    "keyword_match": True,
}
_NO: dict[str, Any] = {"license": {"commercial": False}, "open_weights": None, "gpu": False, "keyword_match": False}
_SHORT = 8
#: a yes that also begins messages about something else
_INTERJECTIONS = frozenset({"ok", "okay", "sure", "right", "well", "fine", "好", "好的", "好吧", "行", "嗯", "对"})
#: questions of whether something is allowed
_MAY = frozenset({"hosting", "cost"})
#: what a demand is about by the kind of word that names it; a noun says so itself, and who refuses a licence by its
#: name has not said yes or no to anything
_ABOUT = {
    "gpu": "gpu",
    "open_weights": "open_weights",
    "license": "license",
    "license_name": "",
    "hosting": "hosting",
    "outside": "hosting",
    "secluded": "hosting",
    "language": "languages",
    "keyword": "keyword_match",
}
_ARTICLES = frozenset({"a", "an", "the", "any"})
#: after a no that refuses nothing
_NO_NEED = frozenset({"need", "needs", "reason", "rush", "hurry", "matter", "preference", "objection", "objections"})
#: before a yes that ends a reply
_CONCLUDING = frozenset({"so", "hence", "therefore", "then", "thus", "以", "算"})
#: what has to be done with the data before it can be handed over
_NOT_YET = frozenset({"first", "permission", "clean", "sort", "prepare"})


@dataclass(frozen=True)
class Reply:
    """A reply to the open question.

    Attributes:
        finding: what it says; None where it changes nothing ("I don't know").
        whole: whether it is all that the message says.
        interjected: whether it may be no reply at all, but how a message about something else begins ("ok then ...").
    """

    finding: Finding | None
    whole: bool = True
    interjected: bool = False


def is_about_requirement(asked: Asked | None) -> bool:
    """Whether the open question is about a field or a constraint, not about a plan."""
    return asked is not None and (asked.about in SLOTS or asked.about in CONSTRAINTS)


def read_reply(utterance: Utterance, asked: Asked) -> Reply | None:
    """The reply to a question about a requirement, or None where the message is no plain reply."""
    text = utterance.text.strip()
    if not utterance.tokens or not is_about_requirement(asked):
        return None
    choice = _ordinal(utterance, asked, text)
    if choice is None:
        choice = _label(asked, text)
    if choice is not None:
        utterance.use(0, len(utterance.tokens))
        return Reply(_chosen(asked, choice, text))
    if _passes(utterance):
        return _used(utterance, Reply(None))
    if len(utterance.tokens) > _SHORT:
        return _polar(utterance, asked, whole=False)
    accepted = {hit.start for hit in utterance.of_category("acceptable")} if utterance.of_category("unit") else set()
    careless = [hit for hit in utterance.of_category("indifferent", "whatever") if hit.start not in accepted]
    if careless and not utterance.of_category("noun"):
        return _used(utterance, Reply(_forgotten(asked, text)))
    counts = any(token.text[0].isdigit() for token in utterance.tokens)  # "not sure, maybe 20 thousand"
    if utterance.of_category("undecided") and not counts:
        return _used(utterance, Reply(None))
    return _polar(utterance, asked, whole=False) or _named_language(utterance, asked, text)


def read_no_preference(utterance: Utterance, asked: Asked) -> Reply | None:
    """The reply of a message that says at some length that it does not matter, or that they do not know.

    Only for a message in which nothing was read that answers the question.
    """
    if not is_about_requirement(asked):
        return None
    allowing = ("acceptable",) if asked.about in _MAY else ()
    hits = utterance.of_category("indifferent", "undecided", "whatever", *allowing)
    if not hits or any(_speaks_of_another(utterance, hit, asked) for hit in hits):
        return None
    return Reply(None, whole=False)


def _speaks_of_another(utterance: Utterance, hit: Hit, asked: Asked) -> bool:
    """Whether the clause names what does not matter, and it is not what was asked."""
    nouns = utterance.in_clause(utterance.clauses[hit.start], "noun")
    return bool(nouns) and not any(noun.value == asked.about for noun in nouns)


def says_not_now(utterance: Utterance) -> bool:
    """Whether a message says that there is no data, or none yet: "maybe next week", "I'm not allowed to share any"."""
    said = utterance.of_category("not_now", "negation", "no", "undecided", "indifferent")
    return bool(said) or _passes(utterance) or any(token.text in _NOT_YET for token in utterance.tokens)


def postpones(utterance: Utterance) -> bool:
    """Whether a question is about handing data over another time: "can I send it later?"."""
    return bool(utterance.of_category("not_now"))


def _passes(utterance: Utterance) -> bool:
    """Whether a message only passes over the question: "skip", "next one please", 跳过."""
    passed = {i for hit in utterance.of_category("skip") for i in range(hit.start, hit.end)}
    rest = (token for i, token in enumerate(utterance.tokens) if i not in passed)
    return bool(passed) and all(utterance.lexicon.says_nothing(token) for token in rest)


def _used(utterance: Utterance, reply: Reply) -> Reply:
    utterance.use(0, len(utterance.tokens))
    return reply


def _ordinal(utterance: Utterance, asked: Asked, text: str) -> int | None:
    match = _ORDINAL.match(text.lower())
    if match is None:
        return None
    word = match["word"]
    if word:
        number = utterance.lexicon.tables["ordinals"].get(word, 0)
        number = len(asked.answers) if number == -1 else number
    else:
        said = match["number"] or match["han"]
        number = _HAN_DIGITS.get(said) or int(said)
    return number - 1 if 1 <= number <= len(asked.answers) else None


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def _label(asked: Asked, text: str) -> int | None:
    """The suggested answer whose label the message repeats, in either language."""
    said = _plain(text)
    if not said:
        return None
    for i, answer in enumerate(asked.answers):
        if said in (_plain(answer.label.render("en")), _plain(answer.label.render("zh"))):
            return i
    return None


def _chosen(asked: Asked, choice: int, words: str) -> Finding:
    return _finding_of(asked, asked.answers[choice], words)


def _finding_of(asked: Asked, answer: Answer, words: str) -> Finding:
    if answer.parameters is None:
        declined = asked.about == "license"
        return Finding(asked.about, _NO["license"] if declined else None, words)
    value = answer.parameters.get("value") if asked.about in SLOTS else dict(answer.parameters)
    return Finding(asked.about, value, words)


def _forgotten(asked: Asked, words: str) -> Finding:
    return Finding(asked.about, None, words)


def _polar(utterance: Utterance, asked: Asked, *, whole: bool) -> Reply | None:
    """A reply that begins with yes or no: the suggested answer that begins so, else what a yes or no says."""
    openings = utterance.starting(0, "yes", "no") or _closing(utterance)
    if openings and openings[0].category == "no" and _text(utterance, openings[0].end) in _NO_NEED:
        return None
    if not openings or _refuses_something_else(utterance, openings[0], asked):
        return None
    said = openings[0].category
    first, last = openings[0].start, openings[0].end
    words = utterance.words(first, last)
    alone = not first and last == len([t for t in utterance.tokens if t.text not in ".!。！,，"])
    interjected = openings[0].term in _INTERJECTIONS and not alone
    utterance.use(first, last)
    if said == "yes" and asked.likely is not None and not interjected:
        return Reply(_finding_of(asked, asked.likely, words), whole=whole or alone)
    fitting = [i for i, a in enumerate(asked.answers) if _begins(a.label.render("en"), said)]
    if len(fitting) == 1:
        return Reply(_chosen(asked, fitting[0], words), whole=whole or alone, interjected=interjected)
    meanings = _YES if said == "yes" else _NO
    if asked.about in meanings:
        finding = Finding(asked.about, meanings[asked.about], words)
        return Reply(finding, whole=whole or alone, interjected=interjected)
    return Reply(_forgotten(asked, words), whole=True) if said == "no" and alone else None


def _text(utterance: Utterance, at: int) -> str:
    return utterance.tokens[at].text if at < len(utterance.tokens) else ""


def _closing(utterance: Utterance) -> list[Hit]:
    """The yes or no that a reply draws to at its end: "we take a cut of every booking, so yes"."""
    end = len(utterance.tokens)
    while end and not utterance.tokens[end - 1].text[0].isalnum():
        end -= 1
    hits = [h for h in utterance.ending(end, "yes", "no") if h.start]
    return [h for h in hits if utterance.tokens[h.start - 1].text in _CONCLUDING]


def _refuses_something_else(utterance: Utterance, opening: Hit, asked: Asked) -> bool:
    """Whether its "no" belongs to another demand: "no gpu" does not say that no text may be sent to a service."""
    at = opening.end
    while at < len(utterance.tokens) and utterance.tokens[at].text in _ARTICLES:
        at += 1
    if opening.category != "no" or at == len(utterance.tokens):
        return False
    if utterance.clauses[at] != utterance.clauses[opening.start]:
        return False
    about = {_ABOUT.get(hit.category, hit.value) for hit in utterance.starting(at, "noun", *_ABOUT)}
    return bool(about) and asked.about not in about


def _begins(label: str, said: str) -> bool:
    return bool(re.match(rf"{said}\b(?!\s+limit)", label.lower()))


def _named_language(utterance: Utterance, asked: Asked, text: str) -> Reply | None:
    """Names and codes that are too short or too rare to be looked for in running text: de, en; Sardinian."""
    if asked.about != "languages" or utterance.of_category("language"):
        return None
    parts = [p for p in re.split(r"[\s,，、/&和与]+|\band\b", text) if p.strip()]
    codes = [language_code(p.strip(" .。")) for p in parts]
    if not codes or None in codes:
        return None
    found = tuple(dict.fromkeys(code for code in codes if code))
    return _used(utterance, Reply(Finding("languages", {"languages": found}, text)))
