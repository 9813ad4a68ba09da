"""A copy of a dataset in the BEIR layout, with the summary of the files it was read from."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

from knowledge.dataset import Dataset
from knowledge.errors import DatasetError, ResourceError
from knowledge.results import DatasetSummary
from knowledge.wording import say
from tools.datasets import Limits, read_dataset, save_dataset

#: begins the names of copies that are being written
UNFINISHED = ".writing-"
_DATA, _SUMMARY = "data", "summary.json"
# written as JSON a character takes up to six, so our own lines may be longer than those we take from strangers
_OURS = replace(Limits(), total_bytes=2**34, line_bytes=2**28)


class Damaged(Exception):
    """A copy that is not what was written: it is to be made again."""


def write_copy(dataset: Dataset, place: Path) -> None:
    """Write a copy, complete or not at all; one that is there already stays.

    Raises:
        ResourceError: it cannot be written.
    """
    try:
        work = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=place.parent))
        try:
            save_dataset(dataset, work / _DATA)
            (work / _SUMMARY).write_text(dataset.summary.model_dump_json(), "utf-8")
            if not place.exists():
                os.replace(work, place)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise ResourceError(
            say("{folder} cannot be written: {why}.", folder=str(place.parent), why=str(error.strerror or error)),
            say("Choose another folder, or make room."),
        ) from error


def read_summary(place: Path) -> DatasetSummary:
    """The summary of the files that a copy was made of.

    Raises:
        Damaged: there is none, or none that can be read.
    """
    try:
        return DatasetSummary.model_validate_json((place / _SUMMARY).read_bytes())
    except (OSError, ValueError) as error:
        raise Damaged from error


def read_copy(place: Path) -> Dataset:
    """Read a copy back: the same data, with the summary of the files it was made of.

    Raises:
        Damaged: it is not there, or not what was written.
    """
    summary = read_summary(place)
    try:
        found = read_dataset(place / _DATA, limits=_OURS)
    except DatasetError as error:
        raise Damaged from error
    if found.summary.hash != summary.hash:
        raise Damaged
    return replace(found, summary=summary)
