"""Units: 5 km against 5 miles, 3 days against 3 weeks."""

from __future__ import annotations

import re
from functools import cache

from knowledge.wording import say
from tools.probes.base import Change, Language, Source, words

NAME = say("unit")
OF_QUERIES = True
_NUMBER = r"\d[\d.,]*(?:\s(?:thousand|million|billion))?"


def change(sentence: str, source: Source) -> Change | None:
    """Another unit of the same kind after the same number; a calendar year (2019年) is none."""
    language, passage, draw = source.language, source.passage, source.draw
    for found in _finder(language).finditer(sentence):
        number, gap, unit = found["number"], found["gap"], found["unit"]
        if _is_a_date(number, gap, unit, sentence[found.end() :]):
            continue
        group = _groups(language)[unit]
        spelled = len(unit) > 2 or language == "zh"
        others = [forms for forms in group if unit not in forms and _same_style(forms, spelled) is not None]
        if number in ("1", "0") or not others:
            continue
        into = others[int(draw(found.group()) * len(others))]
        same = next(forms for forms in group if unit in forms)
        new = number + gap + str(_same_style(into, spelled))
        if new in passage:
            continue
        return Change(
            found.start(), found.end(), new, True, _other(number, gap, same, unit), _other(number, gap, into, new)
        )
    return None


def _is_a_date(number: str, gap: str, unit: str, after: str) -> bool:
    """The 1960s and 2019年 measure nothing; 10年内 and 20年来 do."""
    if unit == "年":
        return len(number) > 2 or re.match("[内间来后前的以左之多]", after) is None
    return unit == "s" and not gap


@cache
def _groups(language: Language) -> dict[str, list[list[str]]]:
    """Unit as written -> the units of its kind; a unit of two kinds belongs to the first."""
    found: dict[str, list[list[str]]] = {}
    for entry in words(language)["units"]:
        for forms in entry["forms"]:
            for form in forms:
                found.setdefault(form, entry["forms"])
    return found


@cache
def _finder(language: Language) -> re.Pattern[str]:
    units = "|".join(sorted(map(re.escape, _groups(language)), key=len, reverse=True))
    # 3个月 but no 3个月份, 5米 but no 5米饭; in English a unit stands by itself, and m/s is none
    after = r"(?![A-Za-z/²³^-])" if language == "en" else r"(?![A-Za-z/²³份代级龄轮])"
    before = r"(?<![A-Za-z0-9_.,/–－～~-])"
    return re.compile(rf"{before}(?P<number>{_NUMBER})(?P<gap>\s?)(?P<unit>{units}){after}")


def _same_style(forms: list[str], spelled: bool) -> str | None:
    """The form of a unit that is written out, or its symbol."""
    fitting = [form for form in forms if (len(form) > 2 or not form.isascii()) == spelled]
    return fitting[0] if fitting else None


def _other(number: str, gap: str, forms: list[str], written: str) -> str | None:
    """The same measure with the unit's other name."""
    others = [form for form in forms if not written.endswith(form) and not (len(form) == 1 and form.isascii())]
    if not others:
        return None
    spaced = " " if others[0].isascii() else gap.strip()
    return number + spaced + others[0]
