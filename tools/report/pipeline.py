"""The set-up that won, as a drawing."""

from __future__ import annotations

from knowledge.candidate import Candidate, Fusion, Rerank, parse_candidate
from knowledge.errors import SpecError
from knowledge.results import Row
from knowledge.wording import Text, say
from tools.report import figures
from tools.report.document import (
    Block,
    Diagram,
    plain,
)
from tools.report.drawings import Box, Pipeline
from tools.report.voice import Voice, cut, short_candidate


def pipeline(voice: Voice) -> tuple[Block, ...]:
    """From texts to a score, with the parts of the winner."""
    row = voice.winning_row
    evaluation = voice.report.evaluation
    if row is None or not voice.is_measured or evaluation is None or evaluation.task != "ranking":
        return ()
    try:
        candidate = parse_candidate(row.spec)
    except SpecError:
        return ()
    return (Diagram(voice.t(say("From documents and queries to a score")), _stations(voice, candidate, row)),)


def _stations(voice: Voice, candidate: Candidate, row: Row) -> Pipeline:
    """One lane a leg: vectors go through Milvus; words are matched without it."""
    legs = candidate.searched
    boxes, arrows = [Box(0, 0.5, voice.t(say("Your texts")), _texts(voice))], []
    ends = []
    for i, leg in enumerate(legs):
        lane = 0.5 if len(legs) == 1 else i / (len(legs) - 1)
        options = ", ".join(f"{k}={v}" for k, v in sorted(leg.options.items()))
        name = cut(short_candidate(leg.model_copy(update={"options": {}})))
        title = voice.t(say("Word matching")) if leg.backend == "bm25" else voice.t(say("Encoder"))
        boxes.append(Box(1, lane, title, (name, cut(options)) if options else (name,), "winner"))
        arrows.append((0, len(boxes) - 1))
        if leg.backend != "bm25":
            boxes.append(Box(2, lane, "Milvus", (voice.t(say("vector search")),)))
            arrows.append((len(boxes) - 2, len(boxes) - 1))
        ends.append(len(boxes) - 1)
    boxes.append(Box(3, 0.5, voice.t(say("Ranked documents")), (voice.t(_put_together(candidate)),)))
    arrows += [(end, len(boxes) - 1) for end in ends]
    boxes.append(Box(4, 0.5, voice.t(say("Metrics")), (f"{voice.advice.primary} {figures.score(row.quality.mean)}",)))
    arrows.append((len(boxes) - 2, len(boxes) - 1))
    told = say(
        "Documents and queries go through {legs}; the ranked documents are scored with {metric}.",
        legs=" + ".join(plain(short_candidate(leg)) for leg in candidate.legs),
        metric=voice.advice.primary,
    )
    return Pipeline(tuple(boxes), tuple(arrows), voice.t(told))


def _put_together(candidate: Candidate) -> Text:
    """How what the legs found becomes one list."""
    if isinstance(candidate, Fusion):
        return say("merged by {method}", method=candidate.method)
    if isinstance(candidate, Rerank):
        return say("re-ranked by {model}", model=cut(short_candidate(candidate.reranker)))
    return say("top k")


def _texts(voice: Voice) -> tuple[str, str]:
    data = voice.report.evaluation.dataset if voice.report.evaluation else None
    return (
        voice.t(say("{n} documents", n=figures.count(data.documents if data else None))),
        voice.t(say("{n} queries", n=figures.count(data.queries if data else None))),
    )
