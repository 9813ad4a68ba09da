"""`advisor evaluate --adaptive`: the winner without encoding everything for everyone, and who went on what evidence."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from rich.table import Table

from agent.settings import Settings
from app.cli.measuring import named_once, tell_remarks
from app.cli.printed import print_json
from app.cli.terminal import ProgressLine, console, language, shown
from app.wording import as_text, dataset_lines
from knowledge.results import AdaptiveEvaluation, Comparison, Consent, Round, Screening
from knowledge.wording import Text, say
from tools.adaptive import MARGIN, find_winner
from tools.data_source import DataSource
from tools.evaluate import query_scores
from tools.metrics import scoring
from tools.recommend.contest import compare_all, independent
from tools.report.comparison import VERDICTS
from tools.workspace import Workspace


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
    candidates = named_once(candidates, settings.workspace(), line)
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
        print_json(found)
        return
    compared = _compared(found, settings.workspace(), margin)
    console().print(_table(found, {c.spec: c.verdict for c in compared}))
    for sentence in (*answer(found), *_undecided(compared)):
        sys.stdout.write(shown(sentence) + "\n")
    if found.evaluation:
        tell_remarks(found.evaluation)


def _compared(found: AdaptiveEvaluation, workspace: Workspace, margin: float) -> tuple[Comparison, ...]:
    """Those measured in full against the best of them."""
    if found.evaluation is None:
        return ()
    scores = independent(query_scores(found.evaluation, workspace), found.evaluation.same_queries)
    specs = [c.spec for c in found.evaluation.candidates]
    return compare_all(specs, scores, margin, len(found.screening.eliminated))


def _undecided(compared: tuple[Comparison, ...]) -> tuple[Text, ...]:
    left = [c for c in compared if c.verdict == "undecided"]
    if not left:
        return ()
    names, needed = ", ".join(c.spec for c in left), max((c.queries_needed or 0 for c in left), default=0)
    if needed:
        return (say("Too few queries to place {names}; about {needed} would settle it.", names=names, needed=needed),)
    return (say("Too few queries to place {names}.", names=names),)


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


def _table(found: AdaptiveEvaluation, verdicts: Mapping[str, str]) -> Table:
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
        fate = gone.get(known.spec) or _standing(known.spec, found, known.exact, verdicts)
        table.add_row(known.spec, f"{bound}{score.mean:.3f} [{score.low:.3f}, {score.high:.3f}]", shown(fate))
    reached = {known.spec for known in screening.screened}
    for spec in screening.open:
        if spec not in reached:
            table.add_row(spec, "", shown(say("not measured yet")))
    return table


def _standing(spec: str, found: AdaptiveEvaluation, exact: bool, verdicts: Mapping[str, str]) -> Text:
    if spec == found.winner:
        return say("the winner") if found.screening.end == "settled" else say("the best so far")
    if spec in verdicts:
        return say("measured in full: {verdict}", verdict=VERDICTS[verdicts[spec]])
    return say("read everything in the screening precision") if exact else say("still open")


def _method(screening: Screening) -> Text:
    if len(screening.rounds) == 1:
        return say(
            "1 round; a score marked ≤ comes from part of the corpus and can only be too high (in fusions: as a rule)."
        )
    return say(
        "{rounds} rounds; a score marked ≤ comes from part of the corpus and can only be too high (in fusions: as a "
        "rule).",
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
    if screening.end == "settled" and screening.stood_in:
        off = max(
            (max(abs(p.difference.low), abs(p.difference.high)) for p in screening.parities if p.accepted), default=0.0
        )
        said.append(
            say(
                "Known by a faster precision only, which may be off by about {off:.3f}: {names}. Measure them without "
                "--adaptive if that matters.",
                off=off,
                names=", ".join(screening.stood_in),
            )
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
                    "{spec} was read in its own precision throughout: {fast} is not faster here.",
                    spec=parity.spec,
                    fast=parity.fast,
                )
                if parity.speed_up is not None and parity.speed_up <= 1
                else say(
                    "{spec} was read in its own precision throughout: {fast} ranked a sample differently, or the "
                    "sample was too small to tell.",
                    spec=parity.spec,
                    fast=parity.fast,
                )
            )
    return tuple(said)
