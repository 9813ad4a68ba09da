"""`advisor judge`: pairs that would settle the decision, asked one by one, or given for scripts."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from agent.judging import lines, outcome, read_reply, standing
from agent.settings import Settings
from app.cli.exporting import put
from app.cli.measuring import named_once, show_evaluation
from app.cli.printed import print_json
from app.cli.terminal import ProgressLine, shown
from knowledge.errors import DatasetError, UserError
from knowledge.results import Consent, Evaluation, Judging, Label, PairToJudge
from knowledge.wording import say
from tools.data_source import DataSource
from tools.datasets.writer import qrels
from tools.evaluate.first_found import first_found
from tools.judging_desk import Desk, desk_of, updated
from tools.metrics import scoring
from tools.run_history import find_evaluation
from tools.silver import silver_set
from tools.workspace import Workspace

#: pairs that are printed for scripts
SHOWN = 10


def desk_for_run(
    workspace: Workspace, run: str, source: DataSource | None, margin: float, most: int
) -> tuple[Desk, Evaluation]:
    """The desk for a finished evaluation; its data is read again from where it was, unless it is named."""
    evaluation = find_evaluation(workspace, run)
    source = source or DataSource(path=evaluation.dataset.path or evaluation.dataset.name)
    dataset = source.read()
    if evaluation.dataset.silver is not None and not source.silver:
        dataset = silver_set(dataset)
    return desk_of(evaluation, dataset, workspace, margin=margin, most=most), evaluation


def desk_for_data(
    settings: Settings,
    source: DataSource,
    candidates: list[str],
    consent: Consent,
    margin: float,
    most: int,
    *,
    quiet: bool,
) -> Desk:
    """The desk for candidates on data whose queries need no judgments."""
    line = ProgressLine(quiet)
    workspace = settings.workspace()
    specs = named_once(candidates, workspace, line)
    dataset = source.read()
    found = first_found(dataset, specs, workspace, consent, line.show)
    line.end()
    for failed in found.failed:
        sys.stderr.write(f"{failed.spec}: {shown(failed.reason)}\n  → {shown(failed.next_step)}\n")
    return Desk(found.rankings, dataset, workspace, scoring.DEFAULT[0], margin, most=most)


def judge(
    desk: Desk,
    evaluation: Evaluation | None,
    *,
    who: str,
    given: Path | None,
    export: Path | None,
    as_json: bool,
) -> None:
    """Take judgments, and print what they come to.

    Args:
        desk: what is judged.
        evaluation: that is scored again at the end; None: there is none.
        who: under which name.
        given: a file of judgments (query, document and grade or ``?``, by tabs), ``-`` for standard input; nobody is
            asked then.
        export: a file for all judgments, those of the data included.
        as_json: print JSON and ask nobody.
    """
    if given is not None:
        desk.give(read_labels(given, who))
    if not as_json and given is None and export is None:
        _ask(desk, who)
    look = desk.look(SHOWN)
    if export is not None:
        put("".join(qrels(desk.labelled().judgments)).encode(), export)
    again = None
    if evaluation is not None and given is None and export is None and not as_json:
        again = _again(desk, evaluation)
    if as_json:
        print_json(look)
        return
    sys.stdout.write(shown(standing(look)) + "\n")
    for line in lines(look)[1:]:
        sys.stdout.write(f"  {shown(line)}\n")
    if again is not None:
        show_evaluation(again)


def _ask(desk: Desk, who: str) -> None:
    """Ask pair by pair until it is settled, or nobody answers any more."""
    skipped: set[tuple[str, str]] = set()
    before: list[PairToJudge] = []
    sys.stderr.write(
        shown(say("y: it answers the query, n: it does not, u: unsure, s: skip, b: back, q: quit.")) + "\n"
    )
    look = desk.look(1)
    pair = _first(look, skipped)
    while pair is not None and look.status == "open":
        reply = _reply(pair, look)
        if reply is None or reply == "stop":
            return
        if reply == "back":
            pair = before.pop() if before else pair
            continue
        if reply == "skip":
            skipped.add((pair.query, pair.document))
        else:
            grade = {"yes": 1, "no": 0, "unsure": None}[reply] if isinstance(reply, str) else reply
            desk.give([_label(pair.query, pair.document, grade, who)])
            before.append(pair)
        look = desk.look(1 + len(skipped))
        sys.stderr.write(f"  {shown(lines(look)[0])}. {shown(outcome(look))}\n")
        pair = _first(look, skipped)


def _first(look: Judging, skipped: set[tuple[str, str]]) -> PairToJudge | None:
    return next((pair for pair in look.next if (pair.query, pair.document) not in skipped), None)


def _reply(pair: PairToJudge, look: Judging) -> str | int | None:
    """What somebody answers to a pair; None: there is nobody any more."""
    sys.stdout.write(f"\n{shown(say('Query'))}: {pair.query_text}\n{shown(say('Passage'))}: {pair.text}\n")
    sys.stdout.flush()
    while True:
        sys.stderr.write(shown(say("Does it answer the query? [y/n/u/s/b/q] ")))
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            return None
        reply = read_reply(line)
        if reply is not None:
            return reply
        sys.stderr.write(shown(say("Answer y, n, u, s, b or q.")) + "\n")


def _again(desk: Desk, evaluation: Evaluation) -> Evaluation | None:
    """The evaluation with the judgments; None, and why, where it cannot be scored again."""
    if not desk.labels():
        return None
    try:
        return updated(evaluation, desk, dt.datetime.now(dt.UTC))
    except (UserError, DatasetError) as error:
        sys.stderr.write(f"{shown(error.cause)}\n  → {shown(error.next_step)}\n")
        return None


def _label(query: str, document: str, grade: int | None, who: str) -> Label:
    return Label(query=query, document=document, grade=grade, who=who, given=dt.datetime.now(dt.UTC))


def read_labels(file: Path, who: str) -> list[Label]:
    """Judgments from a file of ours, or one in the form of qrels.tsv.

    Raises:
        UserError: it cannot be read, or a line of it is something else.
    """
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            say("{file} cannot be read: {why}.", file=str(file), why=str(error)[:200]),
            say("Hand over a text file (UTF-8): query id, document id and grade, with tabs between."),
        ) from error
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        cells = [cell.strip() for cell in line.split("\t")]
        if not line.strip() or (number == 1 and cells[0].casefold() in ("query-id", "query_id", "query")):
            continue
        grade = cells[-1]
        if len(cells) != 3 or not (grade == "?" or (grade.isascii() and grade.isdecimal() and len(grade) <= 3)):
            raise UserError(
                say("Line {number} of {file} is no judgment: {line}", number=number, file=str(file), line=line[:100]),
                say(
                    "Write the query's id, the document's id and a grade (0, 1, ...; ? for unsure), with tabs between."
                ),
            )
        found.append(_label(cells[0], cells[1], None if grade == "?" else int(grade), who))
    return found
