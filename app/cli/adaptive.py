"""`advisor evaluate --adaptive`: the winner without encoding everything for everyone, and who went on what evidence."""

from __future__ import annotations

import json
import sys

from rich.table import Table

from agent.settings import Settings
from app.cli.terminal import ProgressLine, console, language, shown
from app.wording import as_text, dataset_lines
from knowledge.results import AdaptiveEvaluation, Consent, Round, Screening
from knowledge.wording import Text, say
from tools.adaptive import MARGIN, find_winner
from tools.data_source import DataSource
from tools.metrics import scoring


def evaluate(
    settings: Settings,
    source: DataSource,
    candidates: list[str],
    metrics: list[str] | None,
    consent: Consent,
    *,
    budget_minutes: float | None,
    margin: float = MARGIN,
    preflight: bool = True,
    as_json: bool,
    quiet: bool,
) -> None:
    """Find the winner and print the rounds, the eliminations and the answer."""
    line = ProgressLine(quiet)
    dataset = source.read()
    line.note(as_text(dataset_lines(dataset.summary, language())))
    found = find_winner(
        dataset,
        candidates,
        settings.workspace(),
        margin=margin,
        budget_minutes=budget_minutes,
        metrics=metrics or scoring.DEFAULT,
        consent=consent,
        preflight=preflight,
        on_progress=line.show,
        on_round=lambda done: line.note(shown(_round(done))),
    )
    line.end()
    if as_json:
        dumped = found.model_dump(mode="json", context={"language": language()})
        sys.stdout.write(json.dumps(dumped, ensure_ascii=False, indent=2) + "\n")
        return
    console().print(_table(found))
    for sentence in answer(found):
        sys.stdout.write(shown(sentence) + "\n")
    for f in found.evaluation.failed if found.evaluation else ():
        sys.stderr.write(f"{f.spec}: {shown(f.reason)}\n  → {shown(f.next_step)}\n")


def _round(done: Round) -> Text:
    said = say(
        "Round {number}: {candidates} candidates, {queries} queries, {documents} documents ({share:.0%} of the text)",
        number=done.number,
        candidates=len(done.taking_part),
        queries=done.queries,
        documents=done.documents,
        share=done.pool_share,
    )
    if done.completed is None:
        return said
    return say("{round}; then {spec} read everything", round=said, spec=done.completed)


def _table(found: AdaptiveEvaluation) -> Table:
    """Every candidate: what is known of it, and what became of it."""
    screening = found.screening
    measured = {c.spec: c.interval for c in found.evaluation.candidates} if found.evaluation else {}
    table = Table(title=shown(_method(screening)), title_justify="left")
    table.add_column(shown(say("candidate")), overflow="fold")
    table.add_column(f"{screening.primary} (95 %)", justify="right", no_wrap=True)
    table.add_column(shown(say("what became of it")), overflow="fold")
    gone = {e.spec: e.reason for e in screening.eliminated}
    for known in sorted(screening.screened, key=lambda s: -measured.get(s.spec, s.score).mean):
        score = measured.get(known.spec, known.score)
        bound = "" if known.exact else "≤ "
        fate = gone.get(known.spec) or _standing(known.spec, found, known.exact)
        table.add_row(known.spec, f"{bound}{score.mean:.3f} [{score.low:.3f}, {score.high:.3f}]", shown(fate))
    return table


def _standing(spec: str, found: AdaptiveEvaluation, exact: bool) -> Text:
    if spec == found.winner:
        return say("the winner")
    if found.evaluation and any(c.spec == spec for c in found.evaluation.candidates):
        return say("measured in full")
    return say("read everything in the screening precision") if exact else say("still open")


def _method(screening: Screening) -> Text:
    return say(
        "{rounds} rounds; a score marked ≤ comes from part of the corpus and can only be too high.",
        rounds=len(screening.rounds),
    )


def answer(found: AdaptiveEvaluation) -> tuple[Text, ...]:
    """The outcome in sentences: the winner, how far the rounds came, what they cost."""
    screening = found.screening
    said: list[Text] = []
    if found.winner:
        said.append(
            say(
                "{spec}: the cheapest not worse than the best by more than {margin}.",
                spec=found.winner,
                margin=screening.margin,
            )
            if screening.end == "settled"
            else say("{spec} is the best answer so far; it is not settled.", spec=found.winner)
        )
    if screening.end == "budget":
        said.append(say("The time allowed is used up: run it again with more, and it goes on where it stopped."))
    elif screening.end == "stopped":
        said.append(say("It was stopped: run it again, and it goes on where it stopped."))
    work = screening.work
    if work.share is not None:
        said.append(
            say(
                "Encoding took {spent:.0f} s; all for everyone would have taken about {full:.0f} s ({share:.0%}).",
                spent=work.spent_seconds,
                full=work.full_seconds or 0.0,
                share=work.share,
            )
        )
    for parity in screening.parities:
        if not parity.accepted:
            said.append(
                say(
                    "{spec} was read in its own precision throughout: {fast} ranked a sample differently.",
                    spec=parity.spec,
                    fast=parity.fast,
                )
            )
    return tuple(said)
