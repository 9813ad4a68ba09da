"""Lines broken to a terminal's width, where wide characters take two columns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tools.report.wrapped import wrapped

MIXED = (
    "  · 训练数据包含这 14 个基准任务中的 9 个（MIRACLRetrievalHardNegatives，DuRetrieval）；其成绩可能偏高，"
    "请在自己的数据上实测。"
)


@pytest.mark.parametrize("width", [24, 33, 50, 79, 80, 100])
def test_a_mixed_line_is_broken_between_words_and_characters(width):
    lines = wrapped(MIXED, width).split("\n")
    assert all(cell_len(line) <= width or " " not in line.strip() for line in lines)
    assert all(line.startswith("    ") for line in lines[1:]), "set in as the text of the first line is"
    assert not any(line.strip()[0] in "，；。）" for line in lines), "a mark that closes begins no line"
    assert not any(line.endswith("（") for line in lines)
    assert any("MIRACLRetrievalHardNegatives" in line for line in lines), "a name is not broken"
    if width >= 50:
        # full lines: only what does not fit goes to the next
        assert all(cell_len(line) > width - 30 for line in lines[:-1])


def test_english_is_broken_at_spaces_and_short_lines_stay():
    assert wrapped("? 1. one\n\n  two  three", 80) == "? 1. one\n\n  two  three"
    assert wrapped(" 1. " + "word " * 10, 29) == " 1. word word word word word\n    word word word word word"
    address = "https://example.org/" + "x" * 60
    assert wrapped(f"see {address} there", 40) == f"see\n{address}\nthere"
    assert wrapped("as it is, however long", 10) == "as it is, however long", "nothing is gained in so few columns"


@given(st.text(alphabet="ab ，。（）中文字「」·-1.\t", max_size=200), st.integers(20, 60))
def test_nothing_is_lost_but_space_where_a_line_ends(text, width):
    made = wrapped(text, width)
    assert "".join(made.split()) == "".join(text.split())
