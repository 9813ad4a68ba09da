"""`advisor rag`: answers written from what candidates found, judged by a language model through Ragas."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from agent.query_writer import query_writer
from agent.settings import Settings
from app.cli.measuring import named_once, tell_remarks
from app.cli.printed import print_json
from app.cli.terminal import ProgressLine, console, shown
from knowledge.candidate import parse_candidate
from knowledge.errors import ConsentNeeded, UserError
from knowledge.results import Consent, Interval, RagEstimate, RagJudgement
from knowledge.wording import Text, say
from tools import encoders, rag_judge
from tools import evaluate as quality
from tools.data_source import DataSource
from tools.encoding import ensure, vectors
from tools.metrics import scoring
from tools.rag_judge import words
from tools.rag_judge.own_answers import read_answers
from tools.workspace import Workspace


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
    told = _estimated(size, writer.model, writer.host)
    if dry_run:
        print_json(size) if as_json else sys.stdout.write(f"{shown(told)}\n")
        return
    if writer.host not in consent.hosts:
        raise ConsentNeeded(told, say("Agree to it with --send-to {host}.", host=writer.host))
    rag_judge.require()
    by = embedder or _embedder(specs)
    embed = _embed(by, workspace, consent)
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


def _estimated(size: RagEstimate, model: str, host: str) -> Text:
    return say(
        "{model} at {host} would get {queries} questions with the documents that {candidates} candidates find for "
        "them: {calls} requests (never more than {most}), about {tokens} tokens to read. What that costs, its price "
        "list says.",
        model=model,
        host=host,
        queries=size.queries,
        candidates=size.candidates,
        calls=size.calls,
        most=size.most_calls,
        tokens=f"{size.tokens:,}",
    )


def _embedder(specs: Sequence[str]) -> str:
    """The first encoder of the candidates: one for all, so that no candidate is measured by a ruler of its own."""
    legs = (
        leg for spec in specs for leg in parse_candidate(spec).searched if leg.backend in ("st", "static", "openai")
    )
    found = next(legs, None)
    if found is None:
        raise UserError(
            say("No candidate has an encoder, by which questions could be compared."),
            say("Name one with --embedder, for instance --embedder static:wordllama."),
        )
    return found.spec


def _embed(spec: str, workspace: Workspace, consent: Consent) -> Callable[[Sequence[str]], Any]:
    leg = parse_candidate(spec).legs[0]
    resolved = quality.obtain(encoders.resolve(leg, workspace), leg, workspace, consent)

    def embed(texts: Sequence[str]) -> Any:
        ensure(resolved, {"query": list(texts)}, workspace)
        return vectors(resolved, texts, "query", workspace)

    return embed
