"""``python -m tests.golden.rewrite``: write the golden files again, to be looked at before they are committed."""

from __future__ import annotations

from tests.golden.picture import picture
from tests.golden.questions import QUESTIONS
from tests.golden.test_shortlists import FOLDER


def main() -> None:
    """Write every file."""
    for question in QUESTIONS:
        (FOLDER / f"{question.name}.txt").write_text(picture(question), "utf-8")


if __name__ == "__main__":
    main()
