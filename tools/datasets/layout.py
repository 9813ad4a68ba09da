"""What a path holds: which files are documents, queries and judgments."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from knowledge.errors import DatasetError
from knowledge.wording import how_to, say
from tools.datasets.columns import column_list
from tools.datasets.examples import part_named
from tools.datasets.files import DataFile, LeadsOutside, data_file, is_folder, listed
from tools.datasets.limits import Limits, too_much
from tools.datasets.problems import Problems, shown
from tools.datasets.tables import SUFFIXES, Table

TEXT_SUFFIXES = (".txt", ".md", ".markdown")
SIDECAR = "dataset.json"

_DOCUMENTS = ("corpus", "documents", "docs", "passages", "collection")
_QUERIES = ("queries", "questions", "query")
_JUDGMENTS = ("qrels", "judgments", "judgements", "labels")
_LAYOUTS = "BEIR, JSONL, JSON, CSV, TSV, Parquet, .txt/.md"


@dataclass(frozen=True)
class Layout:
    """The files of a dataset by what they hold.

    Attributes:
        table: one table of documents, labelled or not, of query-document pairs, or of pairs of texts.
        parts: tables of the same rows for training and for testing, which their names say.
        documents: the table of documents, where there is one besides queries.
        texts: text files, each one document.
    """

    root: Path
    format: str
    table: DataFile | None = None
    parts: tuple[DataFile, ...] = ()
    documents: DataFile | None = None
    texts: tuple[DataFile, ...] = ()
    queries: DataFile | None = None
    judgments: tuple[DataFile, ...] = ()
    sidecar: DataFile | None = field(default=None)


def recognise(path: Path, limits: Limits, problems: Problems) -> Layout:
    """Look at a file or folder.

    Raises:
        DatasetError: it is missing or unreadable, or nothing in it looks like a dataset.
    """
    if not is_folder(path):
        file = data_file(path)
        if file.suffix in TEXT_SUFFIXES:
            raise DatasetError(
                say("{file} is a single text, so there is nothing to search in.", file=file.shown),
                say("Put one text file per document into a folder, and give the folder."),
            )
        if file.suffix not in SUFFIXES:
            raise DatasetError(
                say(
                    "{file} has no known format: its suffix is “{suffix}”.", file=file.shown, suffix=shown(file.suffix)
                ),
                say("Known are: {formats}.", formats=_LAYOUTS),
            )
        return Layout(path.parent, _format(file), table=file)

    entries = listed(path)
    tables = [p for p in entries if _suffix(p) in SUFFIXES and p.name != SIDECAR]
    documents, queries = _called(tables, _DOCUMENTS), _called(tables, _QUERIES)
    judgments = _judgments(path, tables)
    others = [p for p in tables if p not in (documents, queries, *judgments)]

    def look(file: Path | None) -> DataFile | None:
        return data_file(file, inside=path) if file else None

    rest = {
        "queries": look(queries),
        "judgments": tuple(data_file(p, inside=path) for p in judgments),
        "sidecar": look(path / SIDECAR if path / SIDECAR in entries else None),
    }
    if documents:
        corpus = data_file(documents, inside=path)
        name = "BEIR" if corpus.stem == "corpus" and corpus.suffix == ".jsonl" else _format(corpus)
        return Layout(path, name, documents=corpus, **rest)  # type: ignore[arg-type]
    if len(others) == 1 and not queries:
        only = data_file(others[0], inside=path)
        return Layout(path, _format(only), table=only)
    if others and not queries and all(part_named(_stem(p)) for p in others):
        parts = tuple(data_file(p, inside=path) for p in others)
        return Layout(path, _format(parts[0]), parts=parts)
    if others:
        raise _several(shown(path, 200), others)
    _refuse_nested(path, entries)
    texts = tuple(_text_files(path, limits, problems))
    if not texts and not problems.total:
        raise DatasetError(
            say("{folder} holds no documents that this program can read.", folder=shown(path, 200)),
            say("Known are: {formats}.", formats=_LAYOUTS),
        )
    return Layout(path, "text files", texts=texts, **rest)  # type: ignore[arg-type]


def not_alone(table: Table) -> DatasetError:
    """Why tables called train and test are not read where they hold neither classes nor two texts a row."""
    return DatasetError(
        say("{file} holds neither texts with classes nor two texts a row.", file=table.file.shown),
        say(
            "Name the columns ({classes}, or {first}, and the same for text2); for search, give one table, or "
            "call the files documents.*, queries.* and qrels.tsv.",
            classes=how_to("column", role="label"),
            first=how_to("column", role="text1"),
        ),
    )


def _several(folder: str, tables: list[Path]) -> DatasetError:
    return DatasetError(
        say("{folder} holds several tables: {names}.", folder=folder, names=_names(tables)),
        say("Give one of them, or call them documents.*, queries.* and qrels.tsv."),
    )


def _suffix(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).suffix


def _stem(path: Path) -> str:
    return Path(path.name.lower().removesuffix(".gz")).stem


def _format(file: DataFile) -> str:
    name = file.suffix.removeprefix(".")
    return {"parquet": "Parquet", "ndjson": "JSONL"}.get(name, name.upper())


def _names(paths: list[Path]) -> str:
    return column_list([p.name for p in paths])


def _called(tables: list[Path], names: tuple[str, ...]) -> Path | None:
    return next((p for name in names for p in tables if _stem(p) == name), None)


def _judgments(root: Path, tables: list[Path]) -> list[Path]:
    """The judgments: one file, or the test split of a ``qrels`` folder (all of its splits where none is called so)."""
    single = _called(tables, _JUDGMENTS)
    if single:
        return [single]
    folder = root / "qrels"
    if not folder.is_dir():
        return []
    splits = [p for p in listed(folder) if _suffix(p) in SUFFIXES]
    return [p for p in splits if _stem(p) == "test"] or splits


def _refuse_nested(root: Path, entries: list[Path]) -> None:
    nested = [p for p in entries if p.is_dir() and not p.is_symlink() and _called(listed(p), _DOCUMENTS)]
    if nested:
        raise DatasetError(
            say("{folder} holds several datasets: {names}.", folder=shown(root, 200), names=_names(nested)),
            say("Give one of these folders."),
        )


def _text_files(root: Path, limits: Limits, problems: Problems) -> Iterator[DataFile]:
    count = 0

    def unreadable(error: OSError) -> None:
        name = shown(error.filename, 200)
        problems.add("unreadable_file", say("{file} cannot be read: {why}.", file=name, why=str(error.strerror)))

    for folder, folders, names in os.walk(root, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith(".") or Path(name).suffix.lower() not in TEXT_SUFFIXES:
                continue
            try:
                file = data_file(Path(folder) / name, inside=root)
            except DatasetError as error:
                problems.add("outside_link" if isinstance(error, LeadsOutside) else "unreadable_file", error.cause)
                continue
            count += 1
            if count > limits.documents:
                raise too_much(
                    say(
                        "The data holds more than {limit} documents, the most this program reads.",
                        limit=limits.documents,
                    )
                )
            yield file
