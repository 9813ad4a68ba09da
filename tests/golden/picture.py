"""A shortlist as text that can be kept and compared: who is in, who is out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from agent.understanding.rules import RuleUnderstanding
from knowledge.catalog import load_catalog
from knowledge.requirements import Requirements
from knowledge.results import Pick, Shortlist
from knowledge.scores import load_scores
from tests.golden.questions import Question
from tools.shortlist import shortlist


def picture(question: Question) -> str:
    """The answer to a question as ``advisor shortlist --text`` finds it, with the rules and without an LLM."""
    requirements = RuleUnderstanding().understand(question.text, Requirements(summary=question.text), None).requirements
    found = shortlist(requirements, load_catalog(), load_scores())
    demands = [f"{'must' if c.hard else 'wish'}: {c.describe()}" for c in requirements.constraints]
    lines = [
        f"“{question.text}”",
        f"task: {requirements.task.value}" + (f", {requirements.domain.value}" if requirements.domain else ""),
        *demands,
        "",
        *(line for place, pick in enumerate(found.kept, 1) for line in _pick(f"{place}.", pick)),
        *(line for pick in found.beside for line in _pick("+", pick)),
        "",
        *(f"note: {note}" for note in found.notes),
        "",
        "out, by what kept them out: "
        + ", ".join(f"{kind} {n}" for kind, n in sorted(Counter(r.constraint for r in found.rejected).items())),
        *(f"expected {name}: {_fate(name, found)}" for name in question.expected),
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _pick(mark: str, pick: Pick) -> Sequence[str]:
    p = pick.predicted
    head = (
        f"{mark} {pick.model}  {p.metric} {p.mean:.2f} ({p.low:.2f} to {p.high:.2f})  {pick.spec or '(not built here)'}"
    )
    return [head, *(f"   - {reason}" for reason in pick.reasons), *(f"   ? {what}" for what in pick.unknown)]


def _fate(name: str, found: Shortlist) -> str:
    for place, pick in enumerate(found.kept, 1):
        if pick.model == name:
            return f"number {place}"
    if any(pick.model == name for pick in found.beside):
        return "beside the list"
    return next(f"{r.constraint}: {r.reason}" for r in found.rejected if r.model == name)
