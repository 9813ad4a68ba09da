"""Writing a dataset in the BEIR layout."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat
from pathlib import Path
from typing import Any

from knowledge.dataset import Dataset
from knowledge.errors import DatasetError, ResourceError
from knowledge.wording import say
from tools.datasets.layout import SIDECAR
from tools.datasets.problems import shown
from tools.datasets.sidecar import note_of


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Write ``corpus.jsonl``, ``queries.jsonl``, ``qrels.tsv`` and a note on where the labels came from.

    Texts with classes are written as ``texts.jsonl``, pairs as ``pairs.jsonl``.

    The folder appears complete or not at all: files are written beside it and renamed.

    Raises:
        DatasetError: the folder already holds something.
        ResourceError: it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DatasetError(
            say("{folder} already holds something.", folder=shown(folder, 200)), say("Choose a new folder.")
        )
    work: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        rows = map(_document, dataset.documents.items(), repeat(dataset))
        if dataset.pairs:
            _write_jsonl(work / "pairs.jsonl", _pairs(dataset))
        elif dataset.classes:
            _write_jsonl(work / "texts.jsonl", (row | _labels(row["_id"], dataset) for row in rows))
        else:
            _write_jsonl(work / "corpus.jsonl", rows)
        if dataset.queries:
            _write_jsonl(work / "queries.jsonl", map(_query, dataset.queries.items(), repeat(dataset)))
        if dataset.judgments:
            _write_qrels(work / "qrels.tsv", dataset.judgments)
        (work / SIDECAR).write_text(note_of(dataset.summary), "utf-8")
        work.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        os.replace(work, folder)
    except OSError as error:
        raise ResourceError(
            say("{folder} cannot be written: {why}.", folder=shown(folder, 200), why=str(error.strerror or error)),
            say("Choose another folder, or make room."),
        ) from error
    finally:
        if work is not None and work.exists():
            shutil.rmtree(work, ignore_errors=True)


def _document(item: tuple[str, str], dataset: Dataset) -> dict[str, str]:
    """A document's row, which is read back to the same text."""
    key, text = item
    title = dataset.titles.get(key, "")
    source = {"source": dataset.sources[key]} if key in dataset.sources else {}
    if title and (text == title or text.startswith(f"{title} ")):
        return {"_id": key, "title": title, "text": text[len(title) + 1 :]} | source
    return {"_id": key, "text": text} | source


def _query(item: tuple[str, str], dataset: Dataset) -> dict[str, str]:
    key, text = item
    return {"_id": key, "text": text} | ({"source": dataset.query_sources[key]} if key in dataset.query_sources else {})


def _labels(document: str, dataset: Dataset) -> dict[str, str]:
    """A document's class, and what it is for."""
    found = {"label": dataset.classes.get(document, "")}
    return found | {"split": dataset.parts[document]} if document in dataset.parts else found


def _pairs(dataset: Dataset) -> Iterator[dict[str, Any]]:
    for key, pair in dataset.pairs.items():
        row = {"id": key, "text1": dataset.documents[pair.first], "text2": dataset.documents[pair.second]}
        score = {} if pair.score is None else {"score": pair.score}
        yield row | score | ({"split": dataset.parts[key]} if key in dataset.parts else {})


def _write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def _field(key: str) -> str:
    # the reader takes an id inside quotes for a quoted one
    return '"' + key.replace('"', '""') + '"' if key.startswith('"') and key.endswith('"') else key


def qrels(judgments: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """The lines of ``qrels.tsv``."""
    yield "query-id\tcorpus-id\tscore\n"
    for query_id, grades in judgments.items():
        for document_id, grade in grades.items():
            yield f"{_field(query_id)}\t{_field(document_id)}\t{grade}\n"


def _write_qrels(path: Path, judgments: Mapping[str, Mapping[str, int]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(qrels(judgments))
