"""A golden file for each question the shortlist must answer well.

After a wanted change, look at ``git diff`` of what ``python -m tests.golden.rewrite`` writes, line by line.
"""

from pathlib import Path

import pytest

from tests.golden.picture import picture
from tests.golden.questions import QUESTIONS, Question

FOLDER = Path(__file__).parent / "shortlist"


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_the_answer_is_the_one_that_was_looked_at(question: Question):
    assert picture(question) == (FOLDER / f"{question.name}.txt").read_text("utf-8")


def test_there_is_no_file_without_its_question():
    assert {path.stem for path in FOLDER.glob("*.txt")} == {question.name for question in QUESTIONS}
