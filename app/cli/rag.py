"""`advisor rag`: answers written from what candidates found, judged by a language model through Ragas."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from agent.query_writer import query_writer
from agent.settings import Settings
from app.cli.measuring import named_once, tell_remarks
from app.cli.printed import print_json
from app.cli.terminal import ProgressLine, console, shown
from knowledge.errors import ConsentNeeded
from knowledge.results import Consent, Interval, RagJudgement
from knowledge.wording import how_to, say
from tools import evaluate as quality
from tools import rag_judge
from tools.data_source import DataSource
from tools.metrics import scoring
from tools.rag_judge import words
from tools.rag_judge.comparing import embed_by, embedder_of
from tools.rag_judge.own_answers import read_answers


def judge(
    settings: Settings,
    source: DataSource,
    candidates: Sequence[str],
    consent: Consent,
    *,
    queries: int,
    contexts: int,
    answers: Path | None,
    embedder: str | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure the candidates where they are not measured yet, have answers judged, and print that.

    Raises:
        ConsentNeeded: nobody agreed that the language model's host sees questions and documents.
        MissingExtraError: Ragas is not installed.
    """
    line = ProgressLine(quiet)
    workspace = settings.workspace()
    writer = query_writer(settings)
    specs = named_once(candidates, workspace, line)
    dataset = source.read()
    own = read_answers(answers, dataset) if answers else None
    size = rag_judge.estimate(dataset, len(specs), queries=queries, contexts=contexts, own_answers=own is not None)
    told = words.estimated(size, writer.model, writer.host)
    if dry_run:
        print_json(size) if as_json else sys.stdout.write(f"{shown(told)}\n")
        return
    if writer.host not in consent.hosts:
        raise ConsentNeeded(told, how_to("send_to", host=writer.host))
    rag_judge.require()
    by = embedder or embedder_of(specs)
    embed = embed_by(by, workspace, consent)
    evaluation = quality.evaluate(
        dataset, specs, workspace, task="rag", metrics=scoring.RAG, consent=consent, on_progress=line.show
    )
    found = rag_judge.judge(
        evaluation,
        dataset,
        workspace,
        writer.write,
        embed,
        model=writer.model,
        host=writer.host,
        embedder=by,
        queries=queries,
        contexts=contexts,
        answers=own,
        on_progress=line.show,
    )
    line.end()
    if as_json:
        print_json(found)
        return
    show(found)
    tell_remarks(evaluation)


def show(found: RagJudgement) -> None:
    """A judgement as a table, and how it came about."""
    table = Table(title=shown(words.how_judged(found)), title_justify="left")
    table.add_column(shown(say("candidate")), overflow="fold")
    for head in (
        say("faithfulness"),
        say("answer relevance"),
        say("context precision"),
        say("context recall"),
        say("judged"),
    ):
        table.add_column(shown(head), justify="right")
    for score in sorted(found.scores, key=lambda s: -(s.faithfulness.mean if s.faithfulness else -1.0)):
        values = (score.faithfulness, score.answer_relevance, score.context_precision, score.context_recall)
        table.add_row(score.spec, *map(_cell, values), f"{score.judged}/{score.judged + score.failed}")
    console().print(table)
    sys.stderr.write("".join(f"{shown(note)}\n" for note in words.notes(found)))


def _cell(value: Interval | None) -> str:
    return f"{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]" if value else "–"
