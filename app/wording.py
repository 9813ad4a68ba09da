"""Records in words, for any door: as lines of text, or as Markdown in which nothing but our own marks is markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from agent import events
from agent.descriptions import SLOTS, slot_name
from knowledge import quantities
from knowledge.constraints import CONSTRAINTS, make_constraint
from knowledge.measured_task import NAMES, counted
from knowledge.progress import Progress
from knowledge.requirements import Requirements, Slot
from knowledge.results import DatasetSummary, Pick, Plan, PlannedCandidate, Recommendation, Shortlist
from knowledge.wording import Language, Text, say
from tools.report import figures
from tools.report.background import ORIGINS, TASKS, domain_name

#: more about one model than a reader of a list takes in
LINES_A_PICK = 8
#: a line break that Markdown would take for a space
_BREAK = re.compile(r"(?<!\n)\n(?!\n)")


@dataclass(frozen=True)
class Line:
    """One line: `mark` stands before it ("·", "?", "!" or a number), `depth` is how far it is set in."""

    text: str
    mark: str = ""
    depth: int = 0


def as_text(lines: Iterable[Line]) -> str:
    """Lines as a terminal shows them."""
    return "\n".join(_plain(line) for line in lines)


def _plain(line: Line) -> str:
    if line.depth == 0:
        return f"{line.mark:>3} {line.text}" if line.mark else line.text
    indent = "  " if line.depth == 1 else "      "
    return f"{indent}{line.mark} {line.text}" if line.mark else f"{indent}{line.text}"


def as_markdown(lines: Iterable[Line]) -> str:
    """Lines as paragraphs and lists."""
    written: list[str] = []
    in_list = False
    for line in lines:
        item = bool(line.mark or line.depth)
        if written and not (item and in_list):
            written.append("")
        mark = {"?": "❔ ", "!": "⚠️ "}.get(line.mark, "")
        bullet = f"{line.mark} " if line.mark.rstrip(".").isdigit() else "- "
        indent = "    " * (line.depth - 1)
        text = _BREAK.sub("  \n", escape(line.text))
        written.append(f"{indent}{bullet}{mark}{text}" if item else text)
        in_list = item
    return "\n".join(written)


def escape(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no image that would be fetched."""
    safe = re.sub(r"([\\`*_\[\]|~$#])", r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    safe = re.sub(r"(?=://|@)|(?<=www)(?=\.)", r"\\", safe)  # or addresses become links
    # what means a list, a rule or code at the start of a line
    return "\n".join(re.sub(r"^(\d+)?([-+=.)])", r"\1\\\2", line.strip()) for line in safe.splitlines())


def duration(seconds: float) -> str:
    """Seconds as people read them."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"


def progress_line(progress: Progress, language: Language) -> str:
    """How far a step has come, and when it will be done."""
    share = f"{min(progress.done / max(progress.total, 1), 1):4.0%}"
    ending = time_left(progress, language)
    return f"{progress.label.render(language)}: {share}{', ' if ending else ''}{ending}"


def time_left(progress: Progress, language: Language) -> str:
    """When a step will be done, or how long it took; empty where that is not known yet."""
    if progress.done >= progress.total:
        return say("done after {seconds}", seconds=duration(progress.elapsed_seconds)).render(language)
    if progress.eta_seconds is not None:
        return say("about {seconds} left", seconds=duration(progress.eta_seconds)).render(language)
    return ""


def noted_lines(event: events.Noted, language: Language) -> Iterator[Line]:
    """What was understood."""
    if event.note is not None:
        yield Line(event.note.render(language))
    if event.changes:
        yield Line(say("Noted:").render(language))
    for change in event.changes:
        yield Line(change.render(language), "·", 1)
    if event.ignored:
        yield Line(say("I did not understand: {words}", words=event.ignored).render(language))


def dataset_counts(dataset: DatasetSummary) -> Text:
    """How much of what a dataset holds."""
    if dataset.pairs:
        said = say("{count} pairs of texts", count=dataset.pairs)
    elif dataset.classes and not dataset.judgments:
        said = say("{count} texts of {classes} classes", count=dataset.labelled, classes=dataset.classes)
    else:
        return say(
            "{documents} documents, {queries} queries, {judgments} judgments",
            documents=dataset.documents,
            queries=dataset.queries,
            judgments=dataset.judgments,
        )
    return say("{said}, {count} of them for testing", said=said, count=dataset.tested) if dataset.tested else said


def dataset_lines(dataset: DatasetSummary, language: Language) -> Iterator[Line]:
    """What was read, how its columns were taken, and what was left out."""
    yield Line(say("Your data: {counts}.", counts=dataset_counts(dataset)).render(language))
    found: list[Text] = []
    if dataset.columns:
        columns = ", ".join(f"{k} ← {v}" for k, v in sorted(dataset.columns.items()))
        found.append(say("Columns read: {columns}.", columns=columns))
    if dataset.skipped:
        found.append(say("Left out: {count} entries that cannot be used.", count=dataset.skipped))
    if dataset.label_origin:
        found.append(say("How the labels came about: {origin}", origin=dataset.label_origin))
    for text in found:
        yield Line(text.render(language), "", 1)
    for note in dataset.notes:
        yield Line(note.render(language), "!", 1)


def profiled_lines(event: events.Profiled, language: Language) -> Iterator[Line]:
    """What the data is like."""
    p = event.profile
    yield from dataset_lines(p.dataset, language)
    if p.document_tokens:
        lengths = say(
            "Documents have {mean:.0f} tokens on average, 95 % have at most {p95:.0f}.",
            mean=p.document_tokens.mean,
            p95=p.document_tokens.p95,
        )
        yield Line(lengths.render(language), "", 1)
    for warning in (w for w in p.warnings if w not in p.dataset.notes):
        yield Line(warning.render(language), "!", 1)


def shortlist_lines(found: Shortlist, language: Language) -> Iterator[Line]:
    """The shortlist with its predictions and reasons, and apart from it what to measure with it."""
    yield Line(
        say(
            "{kept} of {considered} models are worth measuring (predicted {metric}, 80 % interval):",
            kept=len(found.kept),
            considered=found.considered,
            metric=found.kept[0].predicted.metric if found.kept else "",
        ).render(language)
    )
    for place, pick in enumerate(found.kept, start=1):
        yield from _pick_lines(pick, f"{place}.", language)
    if found.beside:
        yield Line(say("To be measured too, outside the ranking:").render(language))
    for pick in found.beside:
        yield from _pick_lines(pick, "+", language)
    if any(len(pick.reasons) + len(pick.unknown) > LINES_A_PICK for pick in (*found.kept, *found.beside)):
        yield Line(say("Of each model only the main reasons are shown; JSON and report have all.").render(language))
    for note in found.notes:
        yield Line(note.render(language))


def _pick_lines(pick: Pick, mark: str, language: Language) -> Iterator[Line]:
    """A model and its main reasons; what is not known of it is shown whatever else is left out."""
    p = pick.predicted
    cut = pick.spec.rpartition("?dim=")[2] if pick.spec and "?dim=" in pick.spec else ""
    name = say("{model} at {size} dimensions", model=pick.model, size=cut).render(language) if cut else pick.model
    yield Line(f"{name}  {p.mean:.3f} ({p.low:.3f} – {p.high:.3f})", mark)
    if pick.spec is None:
        yield Line(say("Cannot be run by this program, so it cannot be measured here.").render(language), "!", 2)
    unknown = pick.unknown[: LINES_A_PICK // 2]
    for reason in pick.reasons[: LINES_A_PICK - len(unknown)]:
        yield Line(reason.render(language), "·", 2)
    for text in unknown:
        yield Line(text.render(language), "?", 2)


def plan_lines(plan: Plan, language: Language) -> Iterator[Line]:
    """The plan, and what it costs."""
    yield Line(_plan_head(plan).render(language))
    width = max(len(c.spec) for c in plan.candidates)
    for c in plan.candidates:
        yield Line(f"{c.spec:{width}}  {c.minutes:5.1f} min  {c.why.render(language)}", "", 1)
        for note in c.notes:
            yield Line(f"{'':{width}}  {note.render(language)}", "", 1)
    yield from plan_costs(plan, language)
    yield from unmeasured_lines(plan, language)


def plan_table(plan: Plan, language: Language) -> tuple[str, str]:
    """The plan's heading, and its candidates as a table in Markdown."""
    head, *rows = plan_cells(plan, language)
    table = [f"| {' | '.join(head)} |", "| --- | ---: | ---: | --- |"]
    table += [f"| {code(spec)} | {time} | {download} | {escape(why)} |" for spec, time, download, why in rows]
    return _plan_head(plan).render(language).rstrip(".。"), "\n".join(table)


def plan_cells(plan: Plan, language: Language) -> list[tuple[str, str, str, str]]:
    """The plan's candidates as rows of a table, the first one its head."""

    def row(c: PlannedCandidate) -> tuple[str, str, str, str]:
        download = f"{c.download_gb:.2f} GB" if c.download_gb else figures.NOTHING
        why = "; ".join(text.render(language).rstrip(".。") for text in (c.why, *c.notes))
        return c.spec, f"{c.minutes:.1f} min", download, why

    heads = (say("candidate"), say("time"), say("download"), say("why"))
    candidate, time, download, why = (head.render(language) for head in heads)
    return [(candidate, time, download, why), *map(row, plan.candidates)]


def plan_card(plan: Plan, language: Language) -> str:
    """What saying yes costs: time, download, money, and which machines get to see the texts."""
    nothing = say("nothing").render(language)
    hosts = _hosts(plan)
    cells = (
        (say("Time"), say("about {time}", time=duration(plan.minutes * 60)).render(language)),
        (say("Download"), f"{plan.download_gb:.2f} GB" if plan.download_gb else nothing),
        (say("Money"), say("up to {usd:.2f} US dollars", usd=plan.usd).render(language) if plan.usd else nothing),
        (say("Texts that leave this machine"), ", ".join(hosts) if hosts else say("none").render(language)),
    )
    rows = (" | ".join(title.render(language) for title, _ in cells), " | ".join(["---"] * len(cells)))
    table = "\n".join(f"| {row} |" for row in (*rows, " | ".join(f"**{escape(value)}**" for _, value in cells)))
    remarks = [*_load(plan), _leaving(plan), *_alone(plan)]
    return "\n\n".join([table, *(escape(remark.render(language)) for remark in remarks)])


def _candidates(count: int) -> Text:
    return say("1 candidate") if count == 1 else say("{count} candidates", count=count)


def _plan_head(plan: Plan) -> Text:
    if plan.task != "ranking":
        return say(
            "Plan: measure {count} on {items} ({task}).",
            count=_candidates(len(plan.candidates)),
            items=counted(plan.task, plan.queries),
            task=NAMES[plan.task],
        )
    if plan.silver:
        return say(
            "Plan: measure {count} candidates on {queries} silver queries, made from your documents, over {documents} "
            "documents.",
            count=len(plan.candidates),
            queries=plan.queries,
            documents=plan.documents,
        )
    if len(plan.candidates) == 1:
        return say(
            "Plan: measure 1 candidate on {queries} queries over {documents} documents.",
            queries=plan.queries,
            documents=plan.documents,
        )
    return say(
        "Plan: measure {count} candidates on {queries} queries over {documents} documents.",
        count=len(plan.candidates),
        queries=plan.queries,
        documents=plan.documents,
    )


def _alone(plan: Plan) -> Iterator[Text]:
    """What measuring a single candidate cannot tell."""
    if len(plan.candidates) == 1:
        yield say(
            "Measured alone, it will show how well it does on your data, and nothing about any other: to choose, name "
            "at least one more to measure."
        )


def plan_costs(plan: Plan, language: Language) -> Iterator[Line]:
    """What saying yes costs: time, download, money, and which machines get to see the texts."""
    for remark in _alone(plan):
        yield Line(remark.render(language), "!")
    yield Line(
        say(
            "About {time}, {gb:.1f} GB to download, {usd:.2f} US dollars.",
            time=quantities.duration(60 * plan.minutes),
            gb=plan.download_gb,
            usd=plan.usd,
        ).render(language)
    )
    for remark in _load(plan):
        yield Line(remark.render(language))
    yield Line(_leaving(plan).render(language))


def _load(plan: Plan) -> Iterator[Text]:
    """What of the time load tests take."""
    if plan.load_minutes:
        yield say(
            "Of that up to {time} of load: those that tie answer your queries at the rate you named.",
            time=duration(plan.load_minutes * 60),
        )


def _hosts(plan: Plan) -> list[str]:
    return sorted({c.sends_text_to for c in plan.candidates if c.sends_text_to})


def _leaving(plan: Plan) -> Text:
    hosts = _hosts(plan)
    if not hosts:
        return say("No text leaves this machine.")
    if plan.hard_cases:
        return say(
            "Your documents and queries, and variants of them (a fact altered, typing mistakes), would be sent to: "
            "{hosts}.",
            hosts=", ".join(hosts),
        )
    return say("Your documents and queries would be sent to: {hosts}.", hosts=", ".join(hosts))


def unmeasured_lines(plan: Plan, language: Language) -> Iterator[Line]:
    """What the plan leaves out, and why; the first line is the heading."""
    if plan.not_measured:
        yield Line(say("Cannot be measured here:").render(language))
        for c in plan.not_measured:
            yield Line(f"{c.spec}: {c.obstacle.render(language) if c.obstacle else ''}", "", 1)


def recommendation_markdown(found: Recommendation, language: Language) -> str:
    """The decision: headline, how sure, why."""
    parts = [f"**{escape(found.headline.render(language))}**", escape(found.confidence.render(language))]
    parts.append(as_markdown(Line(reason.render(language), "·", 1) for reason in found.reasons))
    return "\n\n".join(filter(None, parts))


def code(text: str) -> str:
    """A name as code, inside a table cell too."""
    return "`" + text.replace("`", "'").replace("|", "\\|").replace("\n", " ") + "`"


@dataclass(frozen=True)
class Need:
    """One requirement as it is shown: what it is about (a field or a kind of demand), how much, and who said so."""

    about: str
    name: str
    value: str
    origin: str
    assumed: bool
    because: str = ""


def needs(requirements: Requirements, language: Language) -> Iterator[Need]:
    """The requirements and assumptions, one by one."""

    def need(about: str, title: Text, value: str, slot: Any) -> Need:
        origin = ORIGINS[slot.origin].render(language)
        return Need(about, title.render(language), value, origin, slot.origin == "assumed", slot.because)

    yield need("task", slot_name("task"), TASKS[requirements.task.value].render(language), requirements.task)
    for constraint in requirements.constraints:
        title = say("must") if constraint.hard else say("preferred")
        yield need(constraint.kind, title, constraint.describe().render(language), constraint)
    for about in SLOTS:
        slot: Slot[Any] | None = getattr(requirements, about)
        if about != "task" and slot is not None:
            yield need(about, slot_name(about), _slot_value(about, slot.value, language), slot)


def as_answer(requirements: Requirements, about: str, language: Language) -> str | None:
    """What is demanded now, in words that are read as an answer about it; None where nothing is."""
    if about in CONSTRAINTS:
        found = requirements.constraint(CONSTRAINTS[about])
        if found is None:
            return None
        offered = (answer for answer in CONSTRAINTS[about].answers if answer.parameters)
        same = (a.label for a in offered if make_constraint(about, **a.parameters or {}).describe() == found.describe())
        return next(same, found.describe()).render(language)
    slot: Slot[Any] | None = getattr(requirements, about)
    if slot is None:
        return None
    return TASKS[slot.value].render(language) if about == "task" else _slot_value(about, slot.value, language)


def _slot_value(about: str, value: Any, language: Language) -> str:
    if isinstance(value, bool):
        return (say("yes") if value else say("no")).render(language)
    if isinstance(value, int):
        return f"{value:,}"
    return domain_name(value).render(language) if about == "domain" else str(value)
