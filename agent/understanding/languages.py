"""The languages of the user's texts, and whether queries and documents differ in theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.understanding.findings import Finding
from agent.understanding.negation import dropped, negated, soft
from agent.understanding.reading import Reading
from agent.understanding.utterance import Hit, Utterance
from knowledge.constraints import CONSTRAINTS
from knowledge.constraints.languages import MULTILINGUAL
from knowledge.languages import language_code
from knowledge.wording import say

#: characters of a list of languages that is still quoted as a whole
_LONGEST_QUOTE = 80
#: nobody writes in more
_MOST_LANGUAGES = 7000
#: names and joining words in a list
_LONGEST_LIST = 40
#: codes in running text: what joins them, and those that are no English words (in, is, it, no, so, am, as, he, my, to)
_CODE_JOINERS = frozenset("/+&,|、")
_CODE_WORDS = frozenset({"and", "plus", "or", "和", "与", "加"})
_CODE_LENGTH = 2
_UNMISTAKABLE = frozenset(
    {
        "en",
        "de",
        "fr",
        "es",
        "zh",
        "ja",
        "ko",
        "pt",
        "nl",
        "pl",
        "ru",
        "ar",
        "tr",
        "sv",
        "cs",
        "jp",
        "kr",
        "cn",
        "ua",
        "cz",
    }
    | {"dk", "uk", "hu", "eng", "ger", "jpn"}
)
_ENGLISH_WORDS = frozenset(
    {"in", "is", "it", "no", "so", "am", "as", "he", "my", "to", "or", "be", "do", "us", "me", "if"}
)
_REGION = re.compile(r"[a-z]{2}[-_][A-Z]{2}")
#: what a lone code is a language after: "source is en, targets sv, da"
_BEFORE_CODES = frozenset({"is", "are", "source", "target", "language", "languages", "lang", ":", "="})
#: words that may stand between a language and what says whose it is
_SIDE, _DETERMINERS = 5, frozenset({"a", "an", "the", "our", "their", "all", "any", "old"})
_ASKING = frozenset("和与或跟来去搜查问说也都能就")
#: in a list of characters: what joins them, and how many need an ending, and how many none
_HAN_JOINERS, _PAIR, _RUN = frozenset("、/和,"), 2, 3


def codes_of(hit: Hit) -> tuple[str, ...]:
    """The codes a term stands for; 中英文 stands for two."""
    if hit.value != "name":
        return tuple(hit.value.split(","))
    code = language_code(hit.term)
    return (code,) if code else ()


def read_languages(reading: Reading) -> Iterator[Finding]:
    """Languages named, taken back, and suggested by a place."""
    u = reading.utterance
    hits = sorted([*u.of_category("language"), *_listed(u)], key=lambda hit: hit.start)
    hits = [h for h in hits if not u.starting(h.end, "not_texts")]
    unwanted = [h for h in hits if negated(u, h) or dropped(u, h) or _is_past(u, h)]
    wanted = [h for h in hits if h not in unwanted]
    if unwanted:
        gone = tuple(code for h in unwanted for code in codes_of(h))
        yield Finding("languages", {"languages": gone}, reading.use(unwanted[0]), merge="remove")
    if wanted:
        yield from _wanted(reading, wanted)
    yield from _many(reading, wanted)
    for hit in u.of_category("cross_lingual"):
        if not negated(u, hit):
            yield Finding("languages", {"cross_lingual": True}, reading.use(hit))
    yield from _suggested(reading)


def _is_past(utterance: Utterance, hit: Hit) -> bool:
    """Whether texts in it were there once, or it was said by mistake: "formerly also Russian", "I said Polish"."""
    clause = utterance.clauses[hit.start]
    mistaken = utterance.in_clause(clause, "retracted") and utterance.of_category("correction")
    return bool(mistaken or utterance.in_clause(clause, "formerly"))


def _listed(utterance: Utterance) -> list[Hit]:
    """Languages in lists of their own: "en/es/fr", "JP, EN, ZH", "de-CH and fr-CH", 英法德三语."""
    known = {i for hit in utterance.of_category("language") for i in range(hit.start, hit.end)}
    return [hit for hit in (*_code_list(utterance), *_character_list(utterance)) if hit.start not in known]


def _code(utterance: Utterance, i: int) -> str | None:
    """The code that a token stands for as a member of a list, which may be a country's: jp, cz, ua."""
    tokens = utterance.tokens
    if i >= len(tokens) or not (tokens[i].text.isascii() and tokens[i].text.isalpha()):
        return None
    meant = utterance.lexicon.tables["country_codes"].get(tokens[i].text)
    code = meant or (tokens[i].text if len(tokens[i].text) == _CODE_LENGTH else None)
    return language_code(code) if code else None


def _code_list(utterance: Utterance) -> list[Hit]:
    """Codes in a list: "en/es/fr", "de + en", "EN FR". A lone "is" or "no" is a word, and so is "it / is"."""
    found: list[Hit] = []
    at = 0
    while at < len(utterance.tokens):
        members, end = _members(utterance, at)
        surely = any(utterance.tokens[i].text in _UNMISTAKABLE for i in members)
        if members and ((surely and len(members) > 1) or _is_named(utterance, at, end)):
            codes = ((i, _code(utterance, i)) for i in members)
            found += [Hit("language", code, code, i, i + 1) for i, code in codes if code]
        at = max(end, at + 1)
    return found


def _members(utterance: Utterance, at: int) -> tuple[list[int], int]:
    """The tokens of a list of codes from a token on, and where it ends."""
    tokens, members, end = utterance.tokens, list[int](), at
    while _code(utterance, end):
        members.append(end)
        end += 1 + bool(_REGION.fullmatch(utterance.words(end, end + 2)) if end + 1 < len(tokens) else None)
        joint = tokens[end].text if end < len(tokens) else ""
        if joint in _CODE_JOINERS and _code(utterance, end + 1):
            end += 1
        elif joint in _CODE_WORDS and (tokens[at].text in _UNMISTAKABLE or _in_capitals(utterance, members)):
            if not _code(utterance, end + 1) or tokens[end + 1].text in _ENGLISH_WORDS:
                break
            end += 1
        elif not (_in_capitals(utterance, members) and _code(utterance, end) and _in_capitals(utterance, [end])):
            break
    return members, end


def _in_capitals(utterance: Utterance, members: list[int]) -> bool:
    return all(utterance.words(i, i + 1).isupper() for i in members)


def _is_named(utterance: Utterance, at: int, end: int) -> bool:
    """Whether a code alone is a language's: with its region ("de-CH"), or "EN only"."""
    if _REGION.fullmatch(utterance.words(at, min(at + 2, len(utterance.tokens)))):
        return utterance.tokens[at].text in _UNMISTAKABLE
    named = at > 0 and utterance.tokens[at - 1].text in _BEFORE_CODES and utterance.tokens[at].text in _UNMISTAKABLE
    if named and end - at == 1 and (end == len(utterance.tokens) or not utterance.tokens[end].text[0].isalnum()):
        return True
    capital = utterance.tokens[at].text in _UNMISTAKABLE and utterance.words(at, at + 1).isupper()
    return capital and end - at == 1 and bool(utterance.starting(end, "only", "role"))


def _character_list(utterance: Utterance) -> list[Hit]:
    """Languages by their first characters: 英法德, 中、英、日, 韩英双语; two need an ending that says so."""
    tokens, tables = utterance.tokens, utterance.lexicon.tables
    characters: dict[str, str] = tables["language_characters"]
    found: list[Hit] = []
    at = 0
    while at < len(tokens):
        end, members = at, list[int]()
        while end < len(tokens) and tokens[end].text in characters:
            members.append(end)
            end += 1
            end += end + 1 < len(tokens) and tokens[end].text in _HAN_JOINERS and tokens[end + 1].text in characters
        after = "".join(token.text for token in tokens[end : end + 2])
        before = tokens[at - 1] if at else None
        ended = after.startswith(tuple(tables["language_endings"]))
        free = not (before and before.han) and (end >= len(tokens) or not tokens[end].han)
        apart = any(tokens[i + 1].text in _HAN_JOINERS for i in members[:-1])
        if (len(members) >= _PAIR and ended) or (len(members) >= _RUN and (free or apart)):
            found += [Hit("language", characters[tokens[i].text], tokens[i].text, i, i + 1) for i in members]
        at = max(end, at + 1)
    return found


def _wanted(reading: Reading, hits: list[Hit]) -> Iterator[Finding]:
    u = reading.utterance
    # One demand is hard or soft as a whole: where some languages are a must, the wishes among them stay outside.
    musts = [h for h in hits if not soft(u, h.start)]
    hits = musts or hits
    for hit in hits:
        reading.use(hit)
    asked_in = {code for h in hits if _role(reading, h) == "query" for code in codes_of(h)}
    written_in = {code for h in hits if _role(reading, h) != "query" for code in codes_of(h)}
    held = set(reading.requirements.languages)
    value: dict[str, object] = {"languages": tuple(dict.fromkeys(code for h in hits for code in codes_of(h)))}
    replaces = _replaces(reading)
    if replaces:
        value["at_least"] = None
    if _crosses(reading, hits):
        value["cross_lingual"] = True
    if asked_in and not asked_in <= (written_in or (set() if replaces else held) or asked_in):
        value["cross_lingual"] = True
    words = u.words(*_with_only(u, hits[0].start, hits[-1].end))
    words = words if len(words) <= _LONGEST_QUOTE else u.words(hits[0].start, hits[0].end)
    yield Finding("languages", value, words, hard=bool(musts), merge="set" if replaces else "add")


def _with_only(utterance: Utterance, start: int, end: int) -> tuple[int, int]:
    """A list of languages with the word that says that there are no others: "English only", 只有中文."""
    before, after = utterance.ending(start, "only"), utterance.starting(end, "only")
    return (before[0].start if before else start), (after[0].end if after else end)


def _crosses(reading: Reading, hits: list[Hit]) -> bool:
    """Whether what is asked in one language is to be found in another: "用中文搜也能找到英文的商品"."""
    u = reading.utterance
    sides = [(_side(reading, hit), codes_of(hit)) for hit in hits]
    asked_in = {code for side, codes in sides if side == "asked" for code in codes}
    written_in = {code for side, codes in sides if side == "written" for code in codes}
    if asked_in and written_in and not asked_in <= written_in:
        return True
    for finds in u.of_category("finds"):
        if negated(u, finds):
            continue
        near = [h for h in hits if u.sentences[h.start] == u.sentences[finds.start]]
        clause = [h for h in near if u.clauses[h.start] == u.clauses[finds.start]]
        before = {code for h in clause if h.end <= finds.start for code in codes_of(h)}
        after = {code for h in clause if h.start >= finds.end for code in codes_of(h)}
        if before and after and not before & after:
            return True
        asked = {code for h in near if _is_put_in(u, h) for code in codes_of(h)}
        if asked and after and not asked & after:
            return True
    return False


def _side(reading: Reading, hit: Hit) -> str | None:
    """Whether somebody asks in a language ("type in Italian", 拿韩语问) or it is that of the texts ("written in")."""
    u, tables = reading.utterance, reading.utterance.lexicon.tables["language_sides"]
    start, end = _list_of(u, hit)
    before = [token.text for token in u.tokens[max(start - _SIDE, 0) : start] if token.text not in _DETERMINERS]
    after = "".join(token.text for token in u.tokens[end : end + _SIDE])
    verbs = [h for h in u.in_clause(u.clauses[hit.start], "put_in") if not any(map(_is_language, u.starting(h.start)))]
    if before[-1:] == ["in"] and before[-2:-1] and before[-2] in tables["written_in"]:
        return "written"
    if (
        before
        and before[-1] in ("in", *tables["with"])
        and any(
            0 <= start - verb.end <= _SIDE or (u.tokens[hit.start].han and 0 <= verb.start - end <= _SIDE)
            for verb in verbs
        )
    ):
        return "asked"
    if before and before[-1] in tables["typed"]:
        return "asked"
    among = bool(before) and before[-1] in tables["among"]
    searched = any(verb.end == start and u.tokens[hit.start].han for verb in verbs)  # 搜法语馆藏
    if among or searched or after.removeprefix("的").startswith(tuple(tables["texts"])):
        return "written"
    role = next((r.value for r in u.starting(end, "role")), None)
    if role is None and _belongs_to_texts(u, start, end, before):
        return "written"
    return {"query": "asked", "document": "written"}.get(role or "")


def _belongs_to_texts(utterance: Utterance, start: int, end: int, before: list[str]) -> bool:
    """Whether texts are said to be in a language: "sheets in Danish", 藏语的唱本."""
    if end < len(utterance.tokens) and utterance.tokens[end].han and utterance.tokens[start].han:
        own = end + (utterance.tokens[end].text == "的")
        asks = [h for h in utterance.starting(own, "role", "put_in") if h.value != "document"]
        return not asks and utterance.tokens[own : own + 1] != [] and utterance.tokens[own].text not in _ASKING
    if before[-1:] != ["in"] or not start:
        return False
    at = start - 1
    stem = utterance.tokens[at - 1].stem if at else ""
    return utterance.lexicon.counted.get(stem) == "documents" or bool(utterance.ending(at, "unit"))


def _is_language(hit: Hit) -> bool:
    return hit.category == "language"


def _list_of(utterance: Utterance, hit: Hit) -> tuple[int, int]:
    """The list of languages that one stands in: where it begins and ends."""
    start, end = hit.start, hit.end
    for _ in range(_LONGEST_LIST):
        at = start - 1 if start and utterance.tokens[start - 1].text in utterance.lexicon.list_joiners else start
        previous = utterance.ending(at, "language")
        if not previous:
            break
        start = previous[0].start
    for _ in range(_LONGEST_LIST):
        joins = end < len(utterance.tokens) and utterance.tokens[end].text in utterance.lexicon.list_joiners
        following = utterance.starting(end + joins, "language")
        if not following:
            break
        end = following[0].end
    return start, end


def _is_put_in(utterance: Utterance, hit: Hit) -> bool:
    """Whether a language is what somebody types: 输入西班牙语, "type in Spanish"."""
    return bool(utterance.in_clause(utterance.clauses[hit.start], "put_in"))


def _many(reading: Reading, named: list[Hit]) -> Iterator[Finding]:
    """Many languages that are not all named: "in 12 languages", "multilingual"."""
    u = reading.utterance
    codes = {code for h in named for code in codes_of(h)}
    for quantity in reading.quantities:
        if quantity.unit == "languages" and len(codes) < quantity.value <= _MOST_LANGUAGES and quantity.value >= 2:
            u.use(quantity.start, quantity.end)
            for hit in u.of_category("multilingual"):
                reading.use(hit)
            words = u.words(quantity.start, quantity.end)
            yield Finding("languages", {"at_least": round(quantity.value)}, words, hard=not soft(u, quantity.start))
            return
    for hit in u.of_category("multilingual"):
        words = reading.use(hit)
        if negated(u, hit) or dropped(u, hit):
            yield Finding("languages", {"at_least": None}, words)
        elif not codes:
            rule = say("“{words}” taken as at least {count} languages", words=words, count=MULTILINGUAL)
            current = reading.requirements.constraint(CONSTRAINTS["languages"])
            because = None if current is not None and current.origin == "stated" else reading.because(rule)
            yield Finding("languages", {"at_least": MULTILINGUAL}, words, because, hard=not soft(u, hit.start))
            return


def _replaces(reading: Reading) -> bool:
    """Whether the languages named are instead of, not on top of, those stated before."""
    current = reading.requirements.constraint(CONSTRAINTS["languages"])
    if current is None or (current.origin != "stated" and not getattr(current, "at_least", None)):
        return True
    u = reading.utterance
    if u.of_category("addition") or u.tokens[0].text in ("and", "和", "plus"):
        return False
    clauses = {u.clauses[h.start] for h in u.of_category("language")}
    only = any(u.in_clause(c, "only") for c in clauses)
    return bool(u.of_category("correction")) or only or reading.asked == "languages"


def _role(reading: Reading, hit: Hit) -> str | None:
    """What is in this language: the noun right after it or its list, else the last one before it in its clause."""
    u = reading.utterance
    clause = u.clauses[hit.start]
    roles = u.in_clause(clause, "role")
    end = hit.end
    for _ in range(_LONGEST_LIST):
        joined = u.starting(end, "language")
        if not joined and (end >= len(u.tokens) or u.tokens[end].text not in u.lexicon.list_joiners):
            break
        end = joined[0].end if joined else end + 1
    after = next((r for r in roles if 0 <= r.start - end <= 1), None)
    before = next((r for r in reversed(roles) if r.end <= hit.start), None)
    found = after or before
    return found.value if found else None


def _suggested(reading: Reading) -> Iterator[Finding]:
    u = reading.utterance
    current = reading.requirements.constraint(CONSTRAINTS["languages"])
    others = {u.sentences[h.start] for h in u.of_category("elsewhere")}
    places = [h for h in u.of_category("place") if not negated(u, h) and u.sentences[h.start] not in others]
    places = [h for h in places if not u.starting(h.end, "not_texts")]  # 德国人
    if u.of_category("language") or not places or (current is not None and current.origin == "stated"):
        return
    words = [reading.use(h) for h in places]
    codes = tuple(dict.fromkeys(h.value for h in places))
    rule = say("“{words}” suggests the language spoken there", words=words[0])
    yield Finding("languages", {"languages": codes}, words[0], reading.because(rule), hard=False)
