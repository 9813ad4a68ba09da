"""The user's own answers, from a table with a column of queries (their ids or texts) and one of answers."""

from __future__ import annotations

from pathlib import Path

from knowledge.dataset import Dataset
from knowledge.errors import DatasetError
from knowledge.wording import say
from tools.datasets.columns import column_list
from tools.datasets.files import data_file
from tools.datasets.limits import Budget, Limits
from tools.datasets.problems import Problems, shown
from tools.datasets.tables import SUFFIXES, read_table

_IDS = ("query_id", "query-id", "qid", "id", "_id", "query", "question", "查询", "问题")
_ANSWERS = ("answer", "response", "reference", "ground_truth", "答案", "回答")


def read_answers(path: Path, dataset: Dataset) -> dict[str, str]:
    """Answers by query id; those of queries that the data does not have are left out.

    Raises:
        DatasetError: it cannot be read, has no such columns, or not one answer is to a query of the data.
    """
    file = data_file(path)
    if file.suffix not in SUFFIXES:
        raise DatasetError(
            say("{file} is no table.", file=file.shown),
            say("Answers are read from one of: {suffixes}.", suffixes=", ".join(SUFFIXES)),
        )
    problems = Problems(skip=False, cap=1)
    table = read_table(file, Budget(Limits()), problems)
    names = {name.strip().casefold(): name for name in table.names}
    of, answer = (next((names[n] for n in wanted if n in names), None) for wanted in (_IDS, _ANSWERS))
    if of is None or answer is None:
        raise DatasetError(
            say(
                "{file} has no columns of queries and answers: {columns}.",
                file=file.shown,
                columns=column_list(table.names),
            ),
            say("Call them query_id (or query) and answer."),
        )
    by_text = {" ".join(text.split()): query for query, text in dataset.queries.items()}
    found = {}
    for _, row in table.rows:
        key, text = str(row.get(of) or "").strip(), str(row.get(answer) or "").strip()
        query = key if key in dataset.queries else by_text.get(" ".join(key.split()))
        if query is not None and text:
            found[query] = text
    problems.check()
    if not found:
        raise DatasetError(
            say("No answer in {file} is to a query of {data}.", file=file.shown, data=shown(dataset.summary.name)),
            say("Column “{column}” should hold the ids of the queries, or their texts.", column=shown(of)),
        )
    return found
