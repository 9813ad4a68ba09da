"""`advisor probes` and `advisor robustness`: hard cases of the user's own data, and labelled contrast sets."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from rich.table import Table
from rich.text import Text as Plain

from agent.settings import Settings
from app.cli.measuring import named_once, show_evaluation
from app.cli.printed import print_json
from app.cli.records import ProbedEvaluation
from app.cli.terminal import ProgressLine, console, language, shown
from app.wording import as_text, dataset_lines
from knowledge.errors import DatasetError
from knowledge.results import Consent, FailedCandidate, Interval, Probes, Robustness
from knowledge.wording import Text, join, say
from tools import evaluate as quality
from tools.data_source import DataSource
from tools.hard_cases import SHARE, ask_contrasts, ask_hard_cases, make_hard_cases, read_contrasts
from tools.hard_cases.words import TOO_FEW_FACTS, all_kinds, gains_told, verdict, worst
from tools.label_store import with_given
from tools.metrics import scoring

_NOTHING = say(
    "The data gives too few cases: they may add no more than {share:.0%} to what is encoded, and facts are altered in "
    "English and Chinese only."
)


def hard_cases(
    settings: Settings,
    source: DataSource,
    candidates: list[str],
    metrics: list[str] | None,
    consent: Consent,
    *,
    kinds: tuple[str, ...] = ("probes", "robustness"),
    with_evaluation: bool = False,
    preflight: bool = True,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure candidates, ask them hard cases, and print what was asked for.

    Raises:
        DatasetError: the data gives nothing to ask, or its labels are for no ranking.
    """
    line = ProgressLine(quiet)
    workspace = settings.workspace()
    candidates = named_once(candidates, workspace, line)
    dataset = with_given(source.read(), workspace)
    line.note(as_text(dataset_lines(dataset.summary, language())))
    evaluation = quality.evaluate(
        dataset,
        candidates,
        workspace,
        metrics=metrics or scoring.DEFAULT,
        consent=consent,
        preflight=preflight,
        on_progress=line.show,
        task="search",
    )
    specs = [c.spec for c in sorted(evaluation.candidates, key=lambda c: -c.primary_mean)]
    cases = make_hard_cases(dataset, kinds)
    if not cases and not with_evaluation:
        raise DatasetError(
            _NOTHING.model_copy(update={"values": {"share": SHARE}}),
            say("Hand over more documents and queries, or a contrast set of your own: advisor probes --contrast FILE."),
        )
    found = ask_hard_cases(cases, evaluation, specs, workspace, consent=consent, on_progress=line.show)
    line.end()
    if as_json:
        told = evaluation if with_evaluation else None
        print_json(ProbedEvaluation(evaluation=told, probes=found.probes, robustness=found.robustness))
        return
    if with_evaluation:
        show_evaluation(evaluation)
    if not cases:
        sys.stderr.write(shown(_NOTHING.model_copy(update={"values": {"share": SHARE}})) + "\n")
    show(found.probes, found.robustness, specs[0])
    if cases and "probes" in kinds and not (found.probes and found.probes.kinds):
        sys.stderr.write(shown(TOO_FEW_FACTS) + "\n")


def contrasts(
    settings: Settings, file: Path, candidates: list[str], consent: Consent, *, as_json: bool, quiet: bool
) -> None:
    """Score candidates on a labelled contrast set."""
    line = ProgressLine(quiet)
    candidates = named_once(candidates, settings.workspace(), line)
    found = ask_contrasts(
        read_contrasts(file), candidates, settings.workspace(), consent=consent, on_progress=line.show
    )
    line.end()
    if as_json:
        print_json(ProbedEvaluation(evaluation=None, probes=found, robustness=None))
    else:
        show(found, None, candidates[0])


def show(probes: Probes | None, robustness: Robustness | None, first: str) -> None:
    """Both as tables, with what they say of the first candidate."""
    if probes is not None and probes.kinds:
        title = say("Probes: share right, one fact altered (chance 50 %, 95 % intervals)")
        table = _table(title, say("fact"), [score.spec for score in probes.kinds[0].scores])
        for kind in all_kinds(probes):
            shares = (_share(score.accuracy) for score in kind.scores)
            table.add_row(Plain(shown(kind.name)), str(kind.probes), *shares)
        console().print(table)
        _say((verdict(first, probes), *gains_told(probes), *_left_out(probes.left_out, probes.fewest)))
        _cost(probes.characters, probes.share)
    if robustness is not None and robustness.kinds:
        title = say(
            "Perturbed queries: change of {metric} (95 % intervals; *: a change is shown, corrected for all kinds)",
            metric=robustness.metric,
        )
        table = _table(title, say("queries with"), [change.spec for change in robustness.kinds[0].changes])
        for of in robustness.kinds:
            changes = (_change(change.change, change.p) for change in of.changes)
            table.add_row(Plain(shown(of.name)), str(of.queries), *changes)
        console().print(table)
        _say((worst(first, robustness), *_left_out(robustness.left_out, robustness.fewest)))
        _cost(robustness.characters, robustness.share)
    for found in (probes, robustness):
        _skipped(found.skipped if found else ())


def _table(title: Text, what: Text, specs: Iterable[str]) -> Table:
    table = Table(title=Plain(shown(title)), title_justify="left")
    table.add_column(shown(what))
    table.add_column(shown(say("count")), justify="right", no_wrap=True)
    for spec in specs:
        table.add_column(Plain(spec), justify="right", overflow="fold")
    return table


def _share(of: Interval) -> str:
    return f"{of.mean:.0%} [{of.low:.0%}, {of.high:.0%}]"


def _change(of: Interval, p: float) -> str:
    return f"{of.mean:+.3f}{'*' if p < 0.05 else ''} [{of.low:+.3f}, {of.high:+.3f}]"


def _left_out(names: tuple[Text, ...], fewest: int) -> tuple[Text, ...]:
    if not names:
        return ()
    listed = join(names, Text(template=", "))
    return (say("Not shown, with fewer than {fewest} cases: {names}.", fewest=fewest, names=listed),)


def _cost(characters: int, share: float | None) -> None:
    if share is not None:
        told = say(
            "Beyond the evaluation's own, each encoder read {characters:,} characters for this: {share:.1%} more.",
            characters=characters,
            share=share,
        )
        sys.stderr.write(shown(told) + "\n")


def _skipped(skipped: tuple[FailedCandidate, ...]) -> None:
    for one in skipped:
        sys.stderr.write(f"{one.spec}: {shown(one.reason)}\n  → {shown(one.next_step)}\n")


def _say(texts: Iterable[Text]) -> None:
    for text in texts:
        sys.stdout.write(shown(text) + "\n")
