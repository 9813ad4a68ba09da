"""Whether a language model's reply says only what the evidence has; a reply that does not is never shown.

What the evidence is: the user's words, and what our own tools answered in this turn. Every name and every figure of
the reply has to be in it (a figure may be rounded, or be a count of one to three), a figure may not be carried from one
model to another, and none but the models that were decided for is recommended. No check of this kind can tell whether
a sentence without names and figures is true; the reply is bounded to what is harmless when it is not: no link, no
command, no deed that the program did not do, no question that a "yes" could answer by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from agent.llm_answers.figures import NAMED, Figure, comparable, figures_in, without_markers
from agent.llm_answers.names import Name, Names, pieces
from agent.understanding.language import detect_language
from knowledge.wording import Language

#: characters of a reply that is shown
LONGEST = 4000
#: what a model sees in the place of a path, an address or an order, and nobody else should
HIDDEN = "[-]"
Kind = Literal[
    "empty", "long", "refusal", "name", "figure", "swapped", "choice", "link", "command", "deed", "question", "language"
]

_LINK = re.compile(
    r"!\[|\]\s*[(\[]|<[A-Za-z/!]|\b(?:https?|ftp|file|data|javascript|mailto|vbscript):\S|\bwww\.|"
    r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}(?![A-Za-z])|\S+@\S+\.\w|(?<![\d.])\d+(?:\.\d+){3}|[\\/]{2}\w",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"```|\$\(|\b(?:pip3?|conda|npm|npx|curl|wget|sudo|chmod|bash|docker|git clone|rm -|powershell|export \w+=|"
    r"api[ _-]?keys?|passwords?|tokens? here)\b|密码|密钥|口令",
    re.IGNORECASE,
)
_DEEDS = (
    r"download|install|start|launch|chang|updat|modif|switch|sent|send|upload|delet|remov|sav(?:ed|ing)|writ|wrote|execut|"
    r"approv|agree|consent|record|schedul|order|paid|paying|purchas|deploy|train|encod|index|reset|cancel|begun|grant|"
    r"confirm|creat|notif|email|set\b|appl(?:y|ied)"
)
_DEED = re.compile(
    rf"\b(?:i|we)(?:'ve|'ll|'m| have| had| am| are| will| did| can now)?(?: (?:now|just|already|also|going to|"
    rf"successfully|gone ahead and|taken the liberty of))* (?:{_DEEDS}|run|ran\b|measur|benchmark|test|"
    rf"do(?:ne|ing)\b)|"
    rf"(?<!nothing )\b(?:has|have|had) (?:now |just |already |successfully )*been (?:{_DEEDS})|"
    rf"\b(?:is|are) (?:now|being) (?:\w+ )?(?:{_DEEDS})|\bdone[.!:]|"
    r"我们?(?:已经?|刚刚?|正在|将|会|马上)?(?:为您|为你|帮您|帮你|替您|替你|把|将)?[^。，,；\n]{0,12}?"
    r"(?:下载|安装|启动|开始|运行|修改|更改|更新|切换|发送|上传|删除|保存|执行|批准|同意|设置|部署|训练|测量|取消|授权)|"
    r"已经?(?:为您|为你|帮您|帮你|被|成功|自动|完成)?(?:下载|安装|启动|开始|修改|更改|更新|切换|发送|上传|删除|保存|执行|批准|"
    r"同意|设置|部署|授权|确认)",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\W*(?:i'?m sorry|i am sorry|sorry\b|i apologi[sz]e|"
    r"i (?:can't|cannot|can not|am unable|'?m unable|won't|will not)|"
    r"as an ai|unfortunately, i|抱歉|对不起|很遗憾|我(?:不能|无法|没办法)|作为(?:一个)?(?:ai|人工智能|大?语言模型))",
    re.IGNORECASE,
)
_CHOOSES = re.compile(
    r"\brecommend|\bbest\b|\bwinner|\bwins\b|\bchoose\b|\bpick\b|\bgo with\b|\bswitch to\b|\bshould use\b|\btop choice|"
    r"\bprefer|推荐|首选|最佳|最好|最优|胜出|选用|应该用|应选|建议(?:使用|用|选)|优先(?:用|选)",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"\bnot\b|n't\b|\bno\b|\bnone\b|\bnever\b|\binstead of\b|\brather than\b|\bworse\b|\bbehind\b|\bbelow\b|"
    r"不|没|未|非|无|低于|差于|逊|落后",
    re.IGNORECASE,
)
#: the other model may go without saying: it handles 900 documents per second against 500
_COMPARES = re.compile(r"\b(?:versus|vs|against|than|compared|while|whereas)\b|比|相对|对照|高于|而", re.IGNORECASE)
_QUESTION = re.compile(r"[?？](?![a-z_]+=)")
_ASKS_FOR_YES = re.compile(
    r"\b(?:say|reply|answer|type|write|respond with|confirm with)\s+[\"“'「]?(?:yes|ok|y)\b|"
    r"回复[“\"「]?(?:是|好|同意|确认)",
    re.IGNORECASE,
)
_FORBIDDEN: tuple[tuple[Kind, re.Pattern[str]], ...] = (("command", _COMMAND), ("deed", _DEED))
_QUOTED = re.compile(r"“[^”\n]*”|\"[^\"\n]*\"|「[^」\n]*」|‘[^’\n]*’")
_SENTENCE = re.compile(r"(?<=[!?。！？；;\n])(?![a-z_]+=)|(?<=\.)(?=\s|$)")
_IN_NAMES = re.compile(r"\d+")
_LATIN = re.compile(r"[a-z']+")
#: words that English hardly does without, and that its neighbours lack
_ENGLISH = frozenset(
    {"the", "is", "of", "and", "to", "it", "for", "that", "not", "with", "are", "as", "by", "than", "this", "its"}
    | {"has", "have", "was", "which", "but", "from", "because", "were", "what", "how"}
)
#: shorter texts have too few words to tell
_FEW_WORDS = 8
_ENGLISH_SHARE = 0.1


@dataclass(frozen=True)
class Objection:
    """Why a reply is not shown; `what` is for the log, it may hold what a stranger wrote."""

    kind: Kind
    what: str = ""


@dataclass(frozen=True)
class _Known:
    """A figure of the evidence, with the models of its line."""

    figure: Figure
    models: frozenset[str]


class Evidence:
    """What a reply may speak of."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.texts: list[str] = []
        self.words: set[str] = set()
        self.models: set[str] = set()
        self._figures: list[_Known] = []

    def add(self, text: str) -> None:
        """Add what the user said, or what a tool answered."""
        text = comparable(text)
        self.texts.append(text)
        for line in text.splitlines():
            words = self.names.words(line)
            models = frozenset(model for word in words if (model := self.names.model(word.text)))
            self.words.update(piece for word in words for piece in pieces(word.text))
            self.models.update(models)
            figures = figures_in(_without_words(line, words))
            for digits in (digits for word in words for digits in _IN_NAMES.findall(word.text)):
                figures.append(Figure(digits, float(digits), 1.0, NAMED, 0))
            self._figures += [_Known(figure, models) for figure in figures]

    def holds(self, text: str) -> bool:
        """Whether some words stand in the evidence as they are."""
        return any(text.casefold() in known.casefold() for known in self.texts)

    def name(self, word: Name) -> bool:
        """Whether a name is known; several joined by a slash are each."""
        if word.key in self.words or self.names.model(word.text) in self.models:
            return True
        parts = word.key.split("/")
        return len(parts) > 1 and all(part in self.words for part in parts)

    def stands_out(self, word: Name, text: str, *, foreign: bool) -> bool:
        """Whether an unknown word looks like a name."""
        return self.names.stands_out(word, text, self.words, foreign=foreign)

    def figure(self, figure: Figure) -> list[frozenset[str]] | None:
        """The models that stand beside a figure, one set a line; None: the evidence does not have it."""
        found = [known.models for known in self._figures if figure.stands_for(known.figure)]
        counts = figure.is_way_of_speaking or figure.counts_models_up_to(len(self.models))
        return found or ([frozenset()] if counts else None)


def ungrounded(text: str, evidence: Evidence) -> Objection | None:
    """What a model wants to hand to a tool and has from nowhere; a model of the catalog it may look up.

    Or a tool that repeats what it was asked for would make evidence of it.
    """
    text = comparable(text)
    words = evidence.names.words(text)
    for word in words:
        known = evidence.name(word) or evidence.names.in_catalog(word.text)
        if not known and evidence.stands_out(word, text, foreign=False):
            return Objection("name", word.text)
    unknown = (f.text for f in figures_in(_without_words(text, words)) if evidence.figure(f) is None)
    strange = next(unknown, None)
    return None if strange is None else Objection("figure", strange)


def objection(reply: str, evidence: Evidence, *, language: Language, chosen: Iterable[str]) -> Objection | None:
    """The first reason not to show a reply; None: it may be shown.

    `chosen` are the specs or models that were decided for, or that are left to choose from.
    """
    text = comparable(reply)
    if not text.strip():
        return Objection("empty")
    if len(reply) > LONGEST:
        return Objection("long")
    if _REFUSAL.match(text):
        return Objection("refusal", text[:80])
    picked = {
        model
        for spec in chosen
        for word in evidence.names.words(comparable(spec))
        if (model := evidence.names.model(word.text))
    }
    for found in (
        _harmful(text, evidence),
        _unknown(text, evidence, language),
        _misplaced(text, evidence, picked),
        _other_language(text, evidence, language),
    ):
        if found is not None:
            return found
    return None


def _harmful(text: str, evidence: Evidence) -> Objection | None:
    if HIDDEN in text:
        return Objection("link", HIDDEN)
    for match in _LINK.finditer(text):
        around = re.compile(r"\S+").match(text, match.start())
        if match[0].startswith(("!", "]", "<")) or not evidence.holds((around or match)[0].rstrip(".,;:)。，；")):
            return Objection("link", match[0])
    for kind, pattern in _FORBIDDEN:
        strange = next((match[0] for match in pattern.finditer(text) if not evidence.holds(match[0])), None)
        if strange is not None:
            return Objection(kind, strange)
    for sentence in _new_sentences(text, evidence):
        asks = _QUESTION.search(_QUOTED.sub(" ", sentence)) or _ASKS_FOR_YES.search(sentence)
        if asks:
            return Objection("question", asks[0])
    return None


def _unknown(text: str, evidence: Evidence, language: Language) -> Objection | None:
    words = evidence.names.words(text)
    for word in words:
        if not evidence.name(word) and evidence.stands_out(word, text, foreign=language == "zh"):
            return Objection("name", word.text)
    for figure in figures_in(without_markers(_without_words(text, words))):
        if evidence.figure(figure) is None:
            return Objection("figure", figure.text)
    return None


def _misplaced(text: str, evidence: Evidence, picked: set[str]) -> Objection | None:
    """A figure beside a model that it is not of, or a model recommended that nothing was decided for."""
    for sentence in _new_sentences(text, evidence):
        words = evidence.names.words(sentence)
        models = {model for word in words if (model := evidence.names.model(word.text))}
        if not models:
            continue
        if not models & picked and _CHOOSES.search(sentence) and not _NOT.search(sentence):
            return Objection("choice", sentence.strip()[:80])
        if len(models) > 1:
            continue
        figures = [(f, evidence.figure(f) or []) for f in figures_in(_without_words(sentence, words))]
        own = [figure for figure, beside in figures if any(line & models for line in beside)]
        others = [figure for figure, beside in figures if beside and all(line and not line & models for line in beside)]
        if others and not (own and _COMPARES.search(sentence)):
            return Objection("swapped", f"{others[0].text}: {', '.join(models)}")
    return None


def _new_sentences(text: str, evidence: Evidence) -> Iterator[str]:
    """The sentences that the evidence does not have word for word."""
    return (s for s in _SENTENCE.split(without_markers(text)) if s.strip() and not evidence.holds(s.strip()))


def _other_language(text: str, evidence: Evidence, language: Language) -> Objection | None:
    strange = next((c for c in text if c.isalpha() and not _is_ours(c) and not evidence.holds(c)), None)
    if strange:
        return Objection("language", strange)
    words = evidence.names.words(text)
    named = [w for w in words if evidence.name(w) and (language == "zh" or evidence.names.model(w.text) is not None)]
    plain = _blanked(text, named)
    if any(c.isalpha() for c in plain) and detect_language(plain) != language:
        return Objection("language", detect_language(plain))
    latin = _LATIN.findall(plain.casefold())
    spoken = sum(word in _ENGLISH for word in latin)
    if language == "en" and len(latin) >= _FEW_WORDS and spoken < _ENGLISH_SHARE * len(latin):
        return Objection("language", "neither")
    return None


def _is_ours(c: str) -> bool:
    """Whether a letter is Latin, Han, or one of the Greek that formulas use."""
    return c < "\u0250" or "\u3400" <= c <= "\u9fff" or c in "αβγδεθλμρσφ"


def _without_words(text: str, words: Iterable[Name]) -> str:
    """The text with the words blanked whose digits are no figures."""
    return _blanked(text, [word for word in words if any(c.isdigit() for c in word.text)])


def _blanked(text: str, words: Iterable[Name]) -> str:
    """The text with some words blanked; the length stays."""
    characters = list(text)
    for word in words:
        characters[word.start : word.end] = "\0" * (word.end - word.start)
    return "".join(characters)
