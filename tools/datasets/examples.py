"""Texts with their classes, and pairs of texts: what is gathered row by row, and what it turns out to be at the end."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal

from knowledge.dataset import Pair, Part
from knowledge.errors import DatasetError
from knowledge.wording import Text, how_to, say
from tools.datasets.problems import shown

Wanted = Literal["train", "test", "dev"]
#: of fewer rows, that most values differ says nothing
FEW = 10
_NAMES: dict[Wanted, re.Pattern[str]] = {
    "train": re.compile(r"(train|training|trn|训练|训练集)([-_.].*)?"),
    "test": re.compile(r"(test|testing|tst|测试|测试集)([-_.].*)?"),
    "dev": re.compile(r"(dev|development|val|valid|validate|validation|eval|evaluation|验证|验证集)([-_.].*)?"),
}


def part_named(name: str) -> Wanted | None:
    """What rows marked so, or in a file called so (``train-00000-of-00001``), are for; None where it says nothing."""
    plain = name.strip().lower()
    return next((part for part, names in _NAMES.items() if names.fullmatch(plain)), None)


class Examples:
    """Labelled texts and pairs, as far as they were read.

    Attributes:
        classes: document id -> class.
        pairs: id -> pair.
        marks: id -> what the data says it is for, in its own words.
    """

    def __init__(self) -> None:
        self.classes: dict[str, str] = {}
        self.pairs: dict[str, Pair] = {}
        self.marks: dict[str, str] = {}

    @property
    def scores(self) -> Literal["graded", "binary", "translations"] | None:
        """What is known of the pairs (`DatasetSummary.scores`)."""
        if not self.pairs:
            return None
        found = {pair.score for pair in self.pairs.values()}
        if None in found:
            return "translations"
        return "binary" if found <= {0.0, 1.0} else "graded"

    def settle_classes(self, column: str, *, stated: bool) -> Text | None:
        """Drop what turns out to be no classes; a note where that happened.

        Raises:
            DatasetError: the user named that column, so nothing else can be meant.
        """
        count, distinct = len(self.classes), len(set(self.classes.values()))
        if distinct * 2 <= count or (distinct < count < FEW):
            return None
        if stated:
            cause = (
                say("Column “{column}” is empty.", column=shown(column))
                if not count
                else say(
                    "Column “{column}” holds {distinct} different values in {count} rows: these are ids or texts, no "
                    "classes.",
                    column=shown(column),
                    distinct=distinct,
                    count=count,
                )
            )
            raise DatasetError(
                cause,
                say(
                    "Name the column with the classes ({how}); each needs several texts.",
                    how=how_to("column", role="label"),
                ),
            )
        self.classes = {}
        return say(
            "Column “{column}” was not taken for classes: it holds {distinct} different values in {count} rows. If it "
            "does hold classes, there have to be several texts of each.",
            column=shown(column),
            distinct=distinct,
            count=count,
        )

    def parts(self, *, stated: bool) -> tuple[dict[str, Part], Text | None]:
        """Which texts or pairs are for training and which for testing, and what is to be said of it.

        What is for validation counts as training where there is a test set, else as the test set.

        Raises:
            DatasetError: the user named the column, and its values say nothing.
        """
        wanted = {item: part_named(mark) if mark else "train" for item, mark in self.marks.items()}
        unknown = next((self.marks[item] for item, part in wanted.items() if part is None), None)
        if unknown is not None:
            return {}, _unknown_mark(unknown, stated=stated)
        counts = Counter(wanted.values())
        test: Wanted = "test" if counts["test"] else "dev"
        if not 0 < counts[test] < len(wanted):
            return {}, None
        parts: dict[str, Part] = {item: "test" if part == test else "train" for item, part in wanted.items()}
        note = say("Rows for validation ({count}) count as training.", count=counts["dev"])
        return parts, note if counts["dev"] and test == "test" else None


def _unknown_mark(mark: str, *, stated: bool) -> Text:
    cause = say("“{mark}” does not say whether a row is for training or for testing.", mark=shown(mark))
    if stated:
        raise DatasetError(
            cause,
            say(
                "Write train, test or dev in that column, or leave it out ({how}).",
                how=how_to("no_column", role="split"),
            ),
        )
    return say("{cause} The division is made here instead.", cause=cause)


def unlabelled(documents: Mapping[str, str], classes: Mapping[str, str]) -> Text | None:
    """How many texts of a labelled table have no class."""
    count = len(documents) - len(classes)
    return (
        say("Texts without a class, which are left out of what is measured: {count}.", count=count) if count else None
    )
