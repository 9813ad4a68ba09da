"""What the answer rests on: the catalog, the data, the requirements."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from knowledge.requirements import Requirements, Slot
from knowledge.results import Pick
from knowledge.wording import Text, say
from tools.report import figures
from tools.report.document import (
    Block,
    Cell,
    Fold,
    Paragraph,
    Table,
    cells,
    plain,
)
from tools.report.figures import NOTHING
from tools.report.voice import LABELS, Voice

ORIGINS = {"stated": say("stated by you"), "inferred": say("inferred"), "assumed": say("assumed")}
TASKS = {
    "search": say("semantic search"),
    "rag": say("retrieval for generation (RAG)"),
    "recommendation": say("recommending similar items"),
    "classification": say("classifying texts"),
    "clustering": say("clustering texts"),
    "deduplication": say("finding duplicates"),
    "similarity": say("text similarity"),
    "reranking": say("reranking results"),
    "code_search": say("searching code"),
    "cross_modal": say("search across text and images"),
}


DOMAINS = {
    "legal": say("legal"),
    "medical": say("medical"),
    "finance": say("finance"),
    "code": say("programming"),
    "e-commerce": say("e-commerce"),
    "support": say("customer support"),
    "academic": say("academic"),
    "news": say("news"),
    "education": say("education"),
    "government": say("government"),
    "technical": say("technical"),
    "social": say("social media"),
    "patents": say("patents"),
    "recruitment": say("recruitment"),
    "travel": say("travel"),
    "sound": say("sounds"),
    "music": say("music"),
}


def domain_name(domain: str) -> Text:
    """A domain's name; one that is not here goes by its own."""
    return DOMAINS.get(domain) or Text.model_validate(domain)


#: why models are left out that break none of the user's demands
NO_DEMAND = {
    "architecture": say("another kind of model"),
    "modality": say("reads something else"),
    "evidence": say("too little evidence"),
    "rank": say("others are placed before them"),
    "baseline": say("yardsticks of the benchmark"),
    "parameters": say("too large for a CPU"),
}


#: reasons are alike where only these differ: "4.02 billion parameters, you allow 600 million"
_FIGURES = re.compile(r"\d[\d,.]*(?: (?:million|billion|ms|s|MB|GB)\b| ?[万亿]| ?(?:毫秒|秒))?")
#: models named for each reason, and reasons for each demand
_EXAMPLES, _REASONS = 5, 12


def shortlist(voice: Voice) -> tuple[Block, ...]:
    """The models kept, with their predictions and reasons."""
    found = voice.report.shortlist
    told = say(
        "{considered} models considered, {kept} kept, {rejected} rejected.",
        considered=figures.count(found.considered),
        kept=figures.count(len(found.kept)),
        rejected=figures.count(len(found.rejected)),
    )
    blocks: tuple[Block, ...] = (Paragraph(voice.t(told)), *voice.bullets(found.notes))
    if not found.kept:
        return blocks
    first = found.kept[0].predicted
    note = say(
        "Predictions rest on published figures; small print: {level} intervals.", level=figures.share(first.level)
    )
    table = _picks(voice, say("Models kept, best prediction first"), found.kept)
    shown: Block = table if len(table.rows) <= 12 else Fold(voice.t(say("All models kept")), (table,))
    beside: tuple[Block, ...] = ()
    if found.beside:
        beside = (_picks(voice, say("To be measured too, outside the ranking"), found.beside),)
    return (*blocks, shown, *beside, Paragraph(voice.t(note), aside=True))


def _picks(voice: Voice, title: Text, picks: Sequence[Pick]) -> Table:
    """Models with their predictions, the published scores they rest on, and the reasons."""
    rows = (
        (
            Cell(plain(pick.model), note=plain(pick.spec or voice.t(say("cannot be run by this program")))),
            Cell(
                figures.score(pick.predicted.mean),
                note=f"{figures.score(pick.predicted.low)}–{figures.score(pick.predicted.high)}",
                sort=pick.predicted.mean,
                cite=voice.cited("predicted", pick.model),
            ),
            Cell(
                f"{figures.count(pick.predicted.tasks_in_language)} / {figures.count(pick.predicted.tasks_in_all)}",
                sort=pick.predicted.tasks_in_all,
                cite=voice.cited("predicted", pick.model),
            ),
            Cell(voice.sentence(pick.reasons)),
            Cell(voice.sentence(pick.unknown) or NOTHING),
        )
        for pick in picks
    )
    titles = (
        say("Model"),
        say("Predicted {metric}", metric=picks[0].predicted.metric),
        say("Tasks in the language / in all"),
        say("Why it was kept"),
        say("Not known"),
    )
    return voice.table(title, voice.heads(*titles, numeric=(1, 2)), rows, sortable=True)


def rejected(voice: Voice) -> tuple[Block, ...]:
    """The models left out: by demand, then by reason, each with how many and a few examples.

    There are hundreds, of which a reader looks for one; the JSON report names them all.
    """
    groups: dict[str, dict[str, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for one in voice.report.shortlist.rejected:
        reason = voice.t(one.reason)
        groups[one.constraint][_FIGURES.sub("#", reason)].append((reason, plain(one.model)))
    demands = {c.kind: voice.t(c.describe()) for c in voice.report.requirements.constraints}
    folds: list[Block] = []
    for kind, reasons in sorted(groups.items(), key=lambda g: -sum(map(len, g[1].values()))):
        n = sum(map(len, reasons.values()))
        name = voice.t(NO_DEMAND[kind]) if kind in NO_DEMAND else plain(kind.replace("_", " "))
        demand = name
        if kind in demands:  # whose name in the requirements file is English
            demand = f"{demands[kind]} ({plain(kind)})" if voice.language == "en" else demands[kind]
        ordered = sorted(reasons.values(), key=lambda models: (-len(models), models[0]))
        rows = [_reason(voice, models) for models in ordered[:_REASONS]]
        rest = ordered[_REASONS:]
        if rest:
            others = say("{count} other reasons", count=figures.count(len(rest)))
            rows.append(_reason(voice, [(voice.t(others), model) for models in rest for _, model in models]))
        heads = voice.heads(say("Reason"), say("Models"), say("Such as"), numeric=(1,))
        summary = voice.t(say("{demand}: {n} models", demand=demand, n=figures.count(n)))
        folds.append(Fold(summary, (voice.table(say("Rejected by this demand"), heads, rows, compact=True),)))
    if not folds:
        return (Paragraph(voice.t(say("No model was rejected."))),)
    told = say("Each model counts once, under one demand that it fails. The JSON report names them all.")
    return (Paragraph(voice.t(told), aside=True), *folds)


def _reason(voice: Voice, models: Sequence[tuple[str, str]]) -> tuple[Cell, ...]:
    """The row of models rejected for one reason, which may have other figures for each."""
    reasons = Counter(reason for reason, _ in models)
    reason, named = reasons.most_common(1)[0][0], [model for _, model in models]
    shown = ", ".join(named[:_EXAMPLES]) + (", …" if len(named) > _EXAMPLES else "")
    note = voice.t(say("and the like, with other figures")) if len(reasons) > 1 else ""
    return Cell(reason, note=note), Cell(figures.count(len(named)), sort=len(named)), Cell(shown)


#: what data is counted in; of data for search, the first three are shown though there be none
COUNTS = {
    "documents": say("Documents"),
    "queries": say("Queries"),
    "judgments": say("Judgments"),
    "labelled": say("Texts with a class"),
    "classes": say("Classes"),
    "pairs": say("Pairs"),
    "tested": say("For testing"),
}
SEARCHED = ("documents", "queries", "judgments")


def data(voice: Voice) -> tuple[Block, ...]:
    """The data profile."""
    profile = voice.report.profile
    if profile is None:
        return ()
    data = profile.dataset
    facts: list[tuple[Text, str] | tuple[Text, str, str | None]] = [
        (say("Dataset"), data.name),
        *(
            (title, figures.count(getattr(data, field)), voice.cited("data", field))
            for field, title in COUNTS.items()
            if getattr(data, field) or (field in SEARCHED and not data.labelled and not data.pairs)
        ),
        (say("Labels"), voice.named(LABELS, data.labels)),
    ]
    if data.label_origin:
        facts.append((say("Where the labels come from"), voice.t(data.label_origin)))
    for field, title in (
        ("languages", say("Languages of the documents")),
        ("query_languages", say("Languages of the queries")),
    ):
        shares = getattr(profile, field)
        if shares or field == "languages":
            facts.append((title, _shares(voice, shares), voice.cited("data", field)))
    for field, title in (
        ("document_tokens", say("Length of the documents, in tokens")),
        ("query_tokens", say("Length of the queries, in tokens")),
    ):
        lengths = getattr(profile, field)
        if lengths:
            told = say(
                "mean {mean}, median {p50}, 95th percentile {p95}, longest {max}",
                mean=figures.count(lengths.mean),
                p50=figures.count(lengths.p50),
                p95=figures.count(lengths.p95),
                max=figures.count(lengths.max),
            )
            facts.append((title, voice.t(told), voice.cited("data", field)))
    facts += [
        (title, figures.share(getattr(profile, field)), voice.cited("data", field))
        for field, title in (
            ("duplicate_share", say("Duplicated documents")),
            ("word_overlap", say("Query words found in the right document")),
            ("pii_share", say("Texts that look like personal data")),
        )
    ]
    facts.append((say("Rows left out while reading"), figures.count(data.skipped), voice.cited("data", "skipped")))
    return (voice.fact_table(say("What your data is like"), facts), *voice.bullets(profile.warnings))


def _shares(voice: Voice, shares: dict[str, float]) -> str:
    ordered = sorted(shares.items(), key=lambda s: -s[1])
    return ", ".join(f"{name} {figures.share(part)}" for name, part in ordered[:8]) or NOTHING


def requirements(voice: Voice) -> tuple[Block, ...]:
    """What the user needs, and where each entry came from."""
    needs = voice.report.requirements
    hard, soft = voice.t(say("must")), voice.t(say("preferred"))
    rows = [
        cells(voice.t(title), value, NOTHING, voice.named(ORIGINS, slot.origin), slot.because or NOTHING)
        for title, slot, value in _slots(voice, needs)
    ]
    rows += [
        cells(
            c.kind.replace("_", " "),
            voice.t(c.describe()),
            hard if c.hard else soft,
            voice.named(ORIGINS, c.origin),
            c.because or NOTHING,
        )
        for c in needs.constraints
    ]
    heads = voice.heads(say("Requirement"), say("Value"), say("Weight"), say("Origin"), say("Because"))
    words: tuple[Block, ...] = ()
    if needs.summary:
        words = (Paragraph(voice.t(say("In your words: “{words}”", words=needs.summary))),)
    return (*words, voice.table(say("What the answer is for"), heads, rows))


def _slots(voice: Voice, needs: Requirements) -> Iterable[tuple[Text, Slot[Any], str]]:
    yield say("Task"), needs.task, voice.named(TASKS, needs.task.value)
    yield say("Accepted loss for a cheaper model"), needs.margin, figures.score(needs.margin.value)
    yes, no = voice.t(say("yes")), voice.t(say("no"))
    optional: tuple[tuple[Text, Slot[Any] | None, Callable[[Any], str]], ...] = (
        (say("Domain"), needs.domain, lambda v: voice.t(domain_name(v))),
        (say("Documents to index"), needs.documents, figures.count),
        (say("Tokens per document"), needs.document_tokens, figures.count),
        (say("Tokens per query"), needs.query_tokens, figures.count),
        (say("Queries per second"), needs.queries_per_second, lambda v: f"{v:,g}"),
        (say("Price of a machine, USD an hour"), needs.machine_usd_per_hour, lambda v: f"{v:,g}"),
        (say("A GPU is available"), needs.gpu, lambda v: yes if v else no),
        (say("Exact words matter"), needs.keyword_match, lambda v: yes if v else no),
        (say("In use today"), needs.incumbent, str),
        (say("Weight of robustness beside quality"), needs.robustness, lambda v: f"{v:g}"),
        (say("Weight of correctness beside quality"), needs.correctness, lambda v: f"{v:g}"),
    )
    for title, slot, write in optional:
        if slot is not None:
            yield title, slot, write(slot.value)
