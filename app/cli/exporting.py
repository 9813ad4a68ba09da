"""`advisor runs export`: the score of each query in each measure, for other programs."""

from __future__ import annotations

import csv
import io
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from app.cli.mistyped import usage_error
from app.cli.printed import json_of
from app.cli.records import RunExported, ScoreShown
from app.cli.terminal import shown
from knowledge.errors import ResourceError
from knowledge.results import Evaluation
from knowledge.wording import say
from tools.run_scores import ScoreRow, score_rows
from tools.workspace import Workspace

#: what a spreadsheet takes for the beginning of a formula
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(
    workspace: Workspace,
    evaluation: Evaluation,
    form: str,
    out: Path | None,
    specs: Sequence[str],
    metrics: Sequence[str],
) -> None:
    """Write the scores in a form to a file, or to standard output.

    Raises:
        UserError: a candidate or measure that was not measured.
        ResourceError: the file cannot be written.
    """
    rows = list(score_rows(workspace, evaluation, specs, metrics))
    if form == "parquet":
        if out is None and sys.stdout.isatty():
            raise usage_error(say("Parquet is no text: name a file with --out"))
        put(_parquet(rows), out)
    elif form == "json":
        exported = RunExported(
            run_id=evaluation.run_id,
            dataset=evaluation.dataset,
            scores=tuple(ScoreShown(**row._asdict()) for row in rows),
        )
        put(json_of(exported).encode(), out)
    elif form == "ir-measures":
        put(_as_ir_measures(rows, evaluation).encode(), out)
    else:
        put(_csv(rows).encode(), out)


def _csv(rows: Sequence[ScoreRow]) -> str:
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(ScoreRow._fields)
    for row in rows:
        # a query's name comes from the user's data, and a spreadsheet would run it
        table.writerow([f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in row])
    return written.getvalue()


def _as_ir_measures(rows: Sequence[ScoreRow], evaluation: Evaluation) -> str:
    """The lines of ``ir_measures --by_query``: query, measure, value; and the means of all queries at the end."""
    specs = list(dict.fromkeys(row.spec for row in rows))
    if len(specs) > 1:
        raise usage_error(say("this form has room for one candidate: name it with --candidate {spec}", spec=specs[0]))
    means = next((c.metrics for c in evaluation.candidates if [c.spec] == specs), {})
    measures = dict.fromkeys(row.measure for row in rows)
    lines = [f"{row.query_id}\t{row.measure}\t{row.value:.4f}" for row in rows]
    return "\n".join([*lines, *(f"all\t{measure}\t{means[measure]:.4f}" for measure in measures)]) + "\n"


def _parquet(rows: Sequence[ScoreRow]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: [getattr(row, name) for row in rows] for name in ScoreRow._fields}
    written = io.BytesIO()
    pq.write_table(pa.table(columns), written)
    return written.getvalue()


def put(content: bytes, out: Path | None) -> None:
    """To standard output, or all at once into a file."""
    if out is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).chmod(0o644)
            Path(name).replace(out)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ResourceError(
            say("{folder} cannot be written: {why}.", folder=str(out), why=str(error.strerror or error)),
            say("Name another file with --out."),
        ) from error
    sys.stderr.write(shown(say("Written: {file}", file=str(out))) + "\n")
