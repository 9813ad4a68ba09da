"""“Just compare A with B”, “measure C too”, “all of them again”: which candidates a message wants measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from agent.answering.cards import card_of
from agent.understanding.lexicon import load_lexicon
from agent.understanding.names import NameReader
from knowledge.candidate import parse_candidate
from knowledge.catalog import Catalog
from knowledge.errors import SpecError
from knowledge.wording import say
from tools import encoders
from tools.workspace import Workspace

How = Literal["only", "also", "all"]

#: where one sentence ends: a full stop within a name ends none
_ENDS = re.compile(r"[;。；！!？?\n]+|\.(?=\s|$)")
_ASKS = re.compile(
    r"\b(?:why|what|how|which|should|would|did|does|is|are|if)\b|为什么|为何|什么|如果|要是|哪|怎么|是否", re.I
)
_MEASURE = r"(?:measure|evaluate|test|benchmark|try|consider)"
_VERB = rf"(?:compare|{_MEASURE})"
_HOW: tuple[tuple[How, re.Pattern[str]], ...] = (
    (
        "all",
        re.compile(
            rf"\b(?:all (?:of them|candidates|models|the others)|everything|the usual (?:ones|candidates)"
            rf"|your own (?:choice|candidates))\b(?=.*\b(?:again|after all|instead)\b)"
            rf"|\b{_VERB} (?:all|everything|all (?:of them|candidates|models))\W*$|\ball candidates\W*$"
            r"|(?:还是|恢复|重新)?(?:全部|所有|全都)的?(?:候选|模型|方案)?(?:都|再|重新|一起)*(?:测|比较|评测|恢复)|恢复(?:全部|所有|默认)"
            r"|(?:候选|模型)(?:还是)?由?你(?:来)?(?:选|定)",
            re.I,
        ),
    ),
    (
        "only",
        re.compile(
            rf"\b(?:only|just|solely)\b.*\b{_VERB}\b|\b{_VERB}\b.*\b(?:only|alone|nothing else)\b"
            r"|^\W*(?:(?:the|my|as) )?candidates?\b(?! (?:is|are) (?:good|bad|fine))|\bcandidates?:"
            r"|(?:只|仅|就)(?:需要?|要|想)?(?:比较|对比|比一比|测|评|考虑|跑)|候选(?:模型|方案)?(?:只|仅|就|为|用|是|：|:)",
            re.I,
        ),
    ),
    (
        "also",
        re.compile(
            rf"\b(?:also|additionally)\b.*\b{_VERB}\b|\b{_VERB}\b.*\b(?:too|as well|in addition|also)\b"
            rf"|^\W*(?:please |and |now )*(?:{_MEASURE}|add|include)\b"
            r"|(?:也|再|还|顺便|另外|一并|同时)(?:要|想|请|帮我)?(?:比较|测|评|加|跑|试|把)|(?:加上|加入|添加|算上)|把.*(?:也|加)",
            re.I,
        ),
    ),
)
_REQUEST = re.compile(r"^\W*(?:can|could|would|will) you\b|^\W*please\b|^\W*(?:能不能|能否|可以|请|麻烦)", re.I)
_COMBINED = re.compile(
    r"(?:rrf|weighted|rerank)\((?:[^()]|\((?:[^()]|\([^()]*\))*\)){1,2000}\)(?:\?[a-z_]+=[^\s,，;；。)]+)?"
)
#: of any backend, so that one that there is not is told of
_LEG = re.compile(
    r"(?<![\w/.:-])(?:bm25(?:\?[a-z_]+=[\w.&=-]+)?(?![\w-])|(?!https?:|file:|s3:)[a-z][a-z0-9_]{1,20}:(?=[A-Za-z.~])"
    r"[^\s,，;；。、和与跟()（）]+)"
)


@dataclass(frozen=True)
class Named:
    """What a message says of candidates.

    Attributes:
        how: these and no others, these too, or again those that the plan chooses.
        names: as the user wrote them.
        rest: the message without it.
    """

    how: How
    names: tuple[str, ...]
    rest: str


def read_candidates(text: str, *, narrowed: bool) -> Named | None:
    """What a message says of the candidates to measure; None where it says nothing.

    Args:
        text: the message.
        narrowed: whether candidates were named before, so that “all of them” takes that back.
    """
    for start, end in _sentences(text):
        sentence = text[start:end]
        if _ASKS.search(sentence) and not _REQUEST.search(sentence):
            continue
        names = _names(sentence)
        how = next((how for how, _ in _HOW if bool(names) == (how != "all") and _says(how, sentence, names)), None)
        if how is None or (how == "all" and not narrowed):
            continue
        first, last = _clauses_of(how, sentence, names)
        rest = (text[: start + first], text[start + last : end], text[end:])
        kept = (part.strip(" ,，;；。.!！?？\n") for part in rest)
        return Named(how, tuple(names), "; ".join(filter(None, kept)))
    return None


def _says(how: How, part: str, names: Sequence[str]) -> bool:
    """Whether a part of a message says this of all these candidates."""
    if _names(part) != list(names):
        return False
    for name in names:  # "only" within a name says nothing
        part = part.replace(name, " X ")
    return dict(_HOW)[how].search(part) is not None


def _clauses_of(how: How, sentence: str, names: Sequence[str]) -> tuple[int, int]:
    """Where in a sentence the clauses that say it begin and end; the others are about something else."""
    marks = [0, *(mark.end() for mark in re.finditer(r"[,，]\s*", sentence)), len(sentence)]
    first = max(mark for mark in marks[:-1] if _says(how, sentence[mark:], names))
    return first, min(mark for mark in marks if mark > first and _says(how, sentence[first:mark], names))


def specs_of(names: Sequence[str], catalog: Catalog, workspace: Workspace) -> list[str]:
    """The specs of candidates as the user named them.

    Raises:
        SpecError: one cannot be read, or nothing here can run it.
        UnknownModelError: the catalog has no model of this name; similar ones are offered.
        AdvisorError: one cannot be had here, such as a model that was not downloaded where there is no hub.
    """
    found = []
    for name in names:
        spec = name if _is_spec(name) else card_of(name, catalog).spec
        if spec is None:
            raise SpecError(
                say("Nothing here can run {model}: it is an API, or has an architecture of its own.", model=name),
                say("Name another one, or go on with those that the plan chooses."),
            )
        candidate = parse_candidate(spec)
        for leg in candidate.legs:
            if leg.backend != "bm25":
                encoders.resolve(leg, workspace)
        found.append(candidate.spec)
    return list(dict.fromkeys(found))


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _ENDS.finditer(text):
        if "?" in match.group() and re.match(r"[a-z_]+=", text[match.end() :]):
            continue  # an option of a spec
        yield start, match.end()
        start = match.end()
    if start < len(text):
        yield start, len(text)


def _names(sentence: str) -> list[str]:
    """The candidates that a sentence names, in its order: specs as they are written, and models by their names."""
    found: list[tuple[int, str]] = []
    left = sentence
    for pattern in (_COMBINED, _LEG):
        for match in pattern.finditer(left):
            found.append((match.start(), match.group().rstrip(".:?!")))
        left = pattern.sub(lambda match: " " * len(match.group()), left)
    tables = load_lexicon().tables
    reader = NameReader(tables["model_family"], tables["model_family_word"], tables["not_a_model"])
    found += [(name.start, name.text) for name in reader.read(left).models]
    return [name for _, name in sorted(found)]


def _is_spec(name: str) -> bool:
    return name.startswith(("rrf(", "weighted(", "rerank(", "bm25")) or re.match(r"[a-z][a-z0-9_]*:", name) is not None
