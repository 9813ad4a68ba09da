"""Values of single cells: ids, texts, grades, classes and scores; what is none of these is noted as a problem."""

from __future__ import annotations

import math

from knowledge.wording import say
from tools.datasets.files import is_unicode
from tools.datasets.problems import Problems, shown
from tools.datasets.roles import Roles
from tools.datasets.tables import Row, Table

_LARGEST_GRADE = 1_000
#: a class has a short name
_LONGEST_CLASS = 200
_YES, _NO = frozenset({"true", "yes", "是"}), frozenset({"false", "no", "否"})


class Cells:
    """Reads cells by the roles of their columns."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems

    def id(self, row: Row, roles: Roles, role: str, table: Table, number: int) -> str | None:
        """An id as text; rows without such a column are numbered."""
        if role not in roles:
            return str(number)
        value = row.get(roles[role])
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or not value.strip():
            why = say("there is no id in column “{column}”", column=shown(roles[role]))
        elif any(c in value for c in "\t\n\r\0") or not is_unicode(value):
            why = say("the id “{id}” holds a tab, a line break or a broken character", id=shown(value))
        else:
            return value
        self._problems.add("bad_id", table.at(number, why))
        return None

    def text(self, row: Row, roles: Roles, role: str, table: Table, number: int) -> str | None:
        """A text, empty where there is none; None where the value is no text (noted as a problem)."""
        value = row.get(roles[role]) if role in roles else None
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return ""
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str):
            if is_unicode(value):
                return value
            self._problems.add("encoding", table.at(number, say("the text holds half a surrogate pair")))
        else:
            why = say("column “{column}” holds no text", column=shown(roles[role]))
            self._problems.add("bad_text", table.at(number, why))
        return None

    def grade(self, row: Row, roles: Roles, table: Table, number: int) -> int | None:
        """How relevant a document is, 1 where no column says so; None where the value is no grade."""
        if "grade" not in roles:
            return 1
        value = row.get(roles["grade"])
        try:
            grade = float(value) if isinstance(value, str | int | float) else math.nan
        except (ValueError, OverflowError):
            grade = math.nan
        if grade.is_integer() and abs(grade) <= _LARGEST_GRADE:
            return int(grade)
        why = say("the grade “{grade}” is not a whole number", grade=shown(value))
        self._problems.add("bad_grade", table.at(number, why))
        return None

    def label(self, row: Row, roles: Roles, table: Table, number: int) -> str | None:
        """A class by its name or number, empty where there is none; None where the value is no class."""
        value = row.get(roles["label"])
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return ""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        name = str(value).strip() if isinstance(value, str | int | float) else None
        if name is not None and len(name) <= _LONGEST_CLASS and is_unicode(name):
            return name
        why = say("“{value}” is no class: it takes one short name or number a text", value=shown(value))
        self._problems.add("bad_label", table.at(number, why))
        return None

    def source(self, row: Row, roles: Roles) -> str:
        """Where it comes from, by a short name or number; empty where the cell has none."""
        value = row.get(roles.get("source", ""))
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        name = str(value).strip() if isinstance(value, str | int) else ""
        return name if len(name) <= _LONGEST_CLASS and is_unicode(name) else ""

    def score(self, row: Row, roles: Roles, table: Table, number: int) -> float | None:
        """How alike two texts are; None where the value is no number."""
        value = row.get(roles["score"])
        plain = str(value).strip().lower()
        if plain in _YES | _NO:
            return float(plain in _YES)
        try:
            found = float(value) if isinstance(value, str | int | float) else math.nan
        except (ValueError, OverflowError):
            found = math.nan
        if math.isfinite(found):
            return found
        why = say("the score “{score}” is not a number", score=shown(value))
        self._problems.add("bad_score", table.at(number, why))
        return None
