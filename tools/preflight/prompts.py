"""What a candidate puts before queries and documents, what its model asks for, and what a change does on the sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.model_card import ModelCard
from knowledge.results import Finding
from knowledge.wording import Text, say
from tools.encoders import Resolved
from tools.preflight.model_files import ModelFiles

#: names that models give the prompt of queries and that of documents
QUERY_NAMES = ("query", "search_query", "retrieval_query", "queries", "web_search_query", "retrieval.query")
DOCUMENT_NAMES = ("document", "passage", "corpus", "search_document", "retrieval_document", "retrieval.passage")
#: fewer judged queries show nothing about prompts
ENOUGH = 8
#: a difference counts as clear at this many standard errors, and at so many deviations of the other documents' scores
CLEAR_ERRORS = 3.0
CLEAR_MARGIN = 0.2

#: characters of a prompt that are shown
LONGEST_SHOWN = 200

Pair = tuple[str, str]
PerQuery = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Prompts:
    """Prompts before queries and before documents.

    Attributes:
        used: what the candidate puts there.
        listed: what the model asks for; None where nobody says.
        source: who says so.
        certain: whether it is said of this very model, and not of one it was made from.
    """

    used: Pair
    listed: Pair | None = None
    source: Text | None = None
    certain: bool = True

    @property
    def trials(self) -> dict[str, Pair]:
        """Other prompts worth trying on the sample."""
        query, document = self.used
        tried: dict[str, Pair] = {}
        if self.listed and self.listed != self.used:
            tried["listed"] = self.listed
        if (query or document) and tried.get("listed") != ("", ""):
            tried["off"] = ("", "")
        if query != document:
            tried["swapped"] = (document, query)
        elif query:
            tried["query_only"] = (query, "")
        return {name: pair for name, pair in tried.items() if pair != self.used}


def prompts_of(resolved: Resolved, files: ModelFiles, card: ModelCard | None, base: ModelCard | None) -> Prompts:
    """What is used, and what is asked for: by the catalog's card, else the model's files, else its base's card."""
    own = files.prompts
    # sentence-transformers goes by the names "query" and "document" alone: it adds an empty "document" of its own
    used = tuple(
        own.get(kind, "") if resolved.prompts[kind] is None else resolved.prompts[kind] or ""
        for kind in ("query", "document")
    )
    assert len(used) == 2
    by_files = (_named(own, QUERY_NAMES), _named(own, DOCUMENT_NAMES))
    if card and (card.query_prompt or card.document_prompt):
        listed: Pair = (card.query_prompt or "", card.document_prompt or "")
        return Prompts(used, listed, say("the catalog's card of {model}", model=card.model))
    if any(by_files):
        return Prompts(used, by_files, say("the model's own configuration"))
    if base and (base.query_prompt or base.document_prompt):
        listed = (base.query_prompt or "", base.document_prompt or "")
        source = say("the catalog's card of {model}, which it was made from", model=base.model)
        return Prompts(used, listed, source, certain=False)
    return Prompts(used)


def _named(prompts: Mapping[str, str], names: Sequence[str]) -> str:
    return next((prompts[name] for name in names if prompts.get(name)), "")


def prompt_findings(
    prompts: Prompts,
    resolved: Resolved,
    files: ModelFiles,
    card: ModelCard | None,
    measured: Mapping[str, PerQuery],
) -> list[Finding]:
    """What is wrong with the prompts, by what is written and by what was measured.

    Args:
        prompts: used and listed.
        resolved: the encoder.
        files: the model's own.
        card: of this very model.
        measured: (reciprocal rank, margin) of each judged query, by trial; "used" with the candidate's own prompts.
    """
    trials = {name: compare(measured["used"], scores) for name, scores in measured.items() if name != "used"}
    findings = _written(prompts, resolved, trials)
    told = {"listed"} if findings else set()
    if prompts.used[0] and prompts.used[0] == prompts.used[1]:
        findings.append(_same_on_both(prompts, trials.get("query_only")))
        told.add("query_only")
    if prompts.used == ("", "") and prompts.listed is None and card and card.uses_instructions:
        findings.append(
            Finding(
                check="prompts",
                severity="notes",
                finding=say(
                    "Its card says that it was trained with instructions, but nobody says which; none is used."
                ),
                remedy=say("See the model's own page for its prompts."),
            )
        )
    swapped = prompts.listed is not None and prompts.used == prompts.listed[::-1] and prompts.used[0] != prompts.used[1]
    findings += [
        _better(name, trials[name], prompts.trials.get(name, ("", "")))
        for name in ("off", "swapped", "listed", "query_only")
        if name in trials and name not in told and trials[name].clear and not (swapped and name == "swapped")
    ]
    default = files.sbert.get("default_prompt_name")
    if isinstance(default, str) and files.prompts.get(default):
        findings.append(
            Finding(
                check="prompts",
                severity="notes",
                finding=say(
                    "Its configuration makes “{name}” the default prompt: programs that do not tell queries from"
                    " documents put it before both.",
                    name=default,
                ),
                remedy=say("In production, encode queries and documents by separate calls, as was done here."),
            )
        )
    return findings


@dataclass(frozen=True)
class Trial:
    """Other prompts against those used, over the judged queries of the sample."""

    queries: int
    used_rr: float
    other_rr: float
    used_margin: float
    other_margin: float
    errors: float

    @property
    def clear(self) -> bool:
        """Whether the other prompts are clearly better."""
        gained = self.other_margin - self.used_margin
        return (
            self.queries >= ENOUGH
            and self.errors >= CLEAR_ERRORS
            and gained >= CLEAR_MARGIN
            and self.other_rr >= self.used_rr
        )

    @property
    def figures(self) -> dict[str, float]:
        """The evidence."""
        return {
            "queries": float(self.queries),
            "used_rr": round(self.used_rr, 4),
            "other_rr": round(self.other_rr, 4),
            "used_margin": round(self.used_margin, 3),
            "other_margin": round(self.other_margin, 3),
        }


def compare(used: PerQuery, other: PerQuery) -> Trial:
    """Two sets of prompts, paired by query; `errors` is the gain in margin in standard errors."""
    n = min(len(used), len(other))
    if n == 0:
        return Trial(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    gains = [other[i][1] - used[i][1] for i in range(n)]
    mean = sum(gains) / n
    error = math.sqrt(sum((g - mean) ** 2 for g in gains) / max(n - 1, 1) / n)
    return Trial(
        queries=n,
        used_rr=sum(rr for rr, _ in used) / n,
        other_rr=sum(rr for rr, _ in other) / n,
        used_margin=sum(margin for _, margin in used) / n,
        other_margin=sum(margin for _, margin in other) / n,
        errors=mean / error if error > 0 else 0.0,
    )


def _written(prompts: Prompts, resolved: Resolved, trials: Mapping[str, Trial]) -> list[Finding]:
    """Prompts that differ from what the model asks for."""
    used, listed = prompts.used, prompts.listed
    if listed is None or used == listed or prompts.source is None:
        return []
    trial = trials.get("listed")
    figures = trial.figures if trial and trial.queries else {}
    # what is only said of the model it was made from is worth a warning where the sample bears it out
    doubted = not prompts.certain and not (trial and trial.clear)
    severity = "notes" if doubted else "warns"
    if resolved.endpoint is not None and used == ("", ""):
        what = say(
            "No prompt is put before queries (“{query}”) or documents (“{document}”) as {source} asks; the endpoint may"
            " or may not do it.",
            query=_short(listed[0]),
            document=_short(listed[1]),
            source=prompts.source,
        )
        remedy = say("Find out whether the endpoint adds prompts; many servers add none unless told to.")
    elif resolved.options.get("prompts") == "none":
        what = say(
            "The candidate switches the prompts off that {source} names (queries: “{query}”, documents: “{document}”).",
            query=_short(listed[0]),
            document=_short(listed[1]),
            source=prompts.source,
        )
        remedy = say("Leave out prompts=none, or measure both.")
    elif used == listed[::-1]:
        what = say(
            "The prompts are swapped: queries get “{query}” and documents “{document}”, the reverse of what {source}"
            " names.",
            query=_short(used[0]),
            document=_short(used[1]),
            source=prompts.source,
        )
        remedy = _mend()
    elif any(used[i] and used[i] not in (listed[i], "") and used[i] not in listed for i in (0, 1)):
        what = say(
            "Queries get “{query}” and documents “{document}”, which are not the prompts that {source} names for"
            " retrieval (“{listed_query}”, “{listed_document}”).",
            query=_short(used[0]),
            document=_short(used[1]),
            listed_query=_short(listed[0]),
            listed_document=_short(listed[1]),
            source=prompts.source,
        )
        remedy = _mend()
    elif used[0] and used[0] == used[1]:
        return []  # told by itself
    else:
        side = (
            say("queries and documents")
            if used == ("", "") and all(listed)
            else say("queries")
            if used[0] != listed[0]
            else say("documents")
        )
        missing = listed[0] if used[0] != listed[0] else listed[1]
        what = say(
            "A prompt is missing: {source} names “{prompt}”, but nothing of the kind is put before {side}.",
            source=prompts.source,
            prompt=_short(missing),
            side=side,
        )
        remedy = _mend()
    return [Finding(check="prompts", severity=severity, finding=what, remedy=remedy, figures=figures)]


def _short(prompt: str) -> str:
    """A prompt as it is shown; nobody reads more of one that fills a screen."""
    return prompt if len(prompt) <= LONGEST_SHOWN else prompt[: LONGEST_SHOWN - 1] + "…"


def _mend() -> Text:
    return say(
        "Name the prompts “query” and “document” in the model's config_sentence_transformers.json, so that they are"
        " used."
    )


def _same_on_both(prompts: Prompts, trial: Trial | None) -> Finding:
    meant = prompts.listed is not None and prompts.listed[0] == prompts.listed[1] and not (trial and trial.clear)
    return Finding(
        check="prompts",
        severity="notes" if meant else "warns",
        finding=say(
            "The same instruction, “{prompt}”, is put before queries and documents.", prompt=_short(prompts.used[0])
        ),
        remedy=None if meant else say("Most models want an instruction before queries only: leave documents plain."),
        figures=trial.figures if trial and trial.queries else {},
    )


def _better(name: str, trial: Trial, pair: Pair) -> Finding:
    what = say(
        "On {queries} judged queries of the sample, queries with “{query}” and documents with “{document}” before them"
        " find the right documents clearly better (mean reciprocal rank {other:.3f} instead of {used:.3f}).",
        queries=trial.queries,
        query=_short(pair[0]),
        document=_short(pair[1]),
        other=trial.other_rr,
        used=trial.used_rr,
    )
    remedy = (
        say("Measure the model with prompts=none as a candidate of its own.")
        if name == "off"
        else say("See the model's own page for its prompts.")
    )
    return Finding(check="prompts", severity="warns", finding=what, remedy=remedy, figures=trial.figures)
