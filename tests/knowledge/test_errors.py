"""The tree of errors: drawn as it is, with the exit codes that the command line promises."""

import inspect
import re

import pytest

from knowledge import errors
from knowledge.errors import AdvisorError, UnknownModelError
from knowledge.wording import say

CLASSES = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, AdvisorError)]
#: name -> (depth, exit code or None), as drawn in the docstring
DRAWN = {
    match["name"]: (len(match["stem"]) // 4, match["code"] and int(match["code"]))
    for match in re.finditer(
        r"^    (?P<stem>(?:[ |`]   |[|`]-- )*)(?P<name>[A-Z]\w+)(?:.*\bexit (?P<code>\d+))?.*$", errors.__doc__, re.M
    )
}


def test_every_class_is_drawn_and_nothing_else():
    assert set(DRAWN) == {c.__name__ for c in CLASSES}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda c: c.__name__)
def test_the_drawing_is_true(kind):
    depth, code = DRAWN[kind.__name__]
    assert depth == len(kind.__mro__) - len(AdvisorError.__mro__)
    if code is None:
        assert "exit_code" not in vars(kind) or kind is AdvisorError
    else:
        assert kind.exit_code == code
    assert kind.__doc__


def test_exit_codes_are_unique_and_leave_those_of_the_shell_alone():
    codes = [c.exit_code for c in CLASSES if "exit_code" in vars(c)]
    assert len(set(codes)) == len(codes)
    own = {c.exit_code for c in CLASSES if c is not AdvisorError}
    assert own == {3, 4, 5, 6, 7, 8, 9}, "1 is a bug, 2 a mistyped command line"


def test_cause_and_next_step_in_both_languages():
    error = UnknownModelError(say("licence {license}", license="x"), say("There are: {names}.", names="a, b"))
    assert str(error) == error.render("en") == "licence x There are: a, b."
    assert error.render("zh").startswith("许可证 x ")
    assert "a, b" in error.render("zh")
    assert error.args == (error.cause, error.next_step)
