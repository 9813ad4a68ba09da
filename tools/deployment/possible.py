"""Whether files can be written for a set-up, and what is nearest to it where they cannot."""

from __future__ import annotations

from knowledge.candidate import parse_candidate
from knowledge.errors import SpecError
from knowledge.results import Report
from knowledge.wording import say
from tools import leg_use


def obstacle(report: Report, spec: str) -> SpecError | None:
    """Why no files are written for a candidate, and which one is nearest; None where they are.

    The nearest is the best by quality of those measured for which they are, and that break no demand.

    Args:
        report: of the decision, with its evaluation.
        spec: the candidate.
    """
    stuck = _stuck(spec)
    if stuck is None or report.evaluation is None:
        return None
    cause = say(
        "No files can be written yet for {spec}: a vector for each token ({leg}) is compared with every document.",
        spec=spec,
        leg=stuck,
    )
    quality = {one.spec: one.primary_mean for one in report.evaluation.candidates}
    out = {row.spec for row in report.recommendation.rows if row.excluded_by}
    others = [one for one in quality if one not in out and one != spec and _stuck(one) is None]
    if not others:
        return SpecError(
            cause,
            say("Measure one beside it that keeps one vector a document, such as {spec}.", spec="rrf(bm25, st:MODEL)"),
        )
    nearest = max(others, key=lambda one: quality[one])
    return SpecError(
        cause,
        say(
            "Deploy the nearest that can be: --candidate '{spec}' ({metric} {mean:.3f}, and {own:.3f} here); or deploy "
            "it with the library it comes from.",
            spec=nearest,
            metric=report.evaluation.primary,
            mean=quality[nearest],
            own=quality[spec],
        ),
    )


def _stuck(spec: str) -> str | None:
    """The leg that stands in the way."""
    return next((leg.spec for leg in parse_candidate(spec).legs if not leg_use.runs_in_files(leg)), None)
