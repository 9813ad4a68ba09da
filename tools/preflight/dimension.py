"""The dimension that comes back, against what the model states and what the candidate asks for."""

from __future__ import annotations

from knowledge.candidate import Leg
from knowledge.model_card import ModelCard
from knowledge.results import Finding
from knowledge.wording import say
from tools.encoders import dimension_of
from tools.preflight.model_files import ModelFiles
from tools.preflight.probe import Figures


def dimension_findings(leg: Leg, files: ModelFiles, card: ModelCard | None, found: int, cut: Figures) -> list[Finding]:
    """Where dimensions do not fit together.

    Args:
        leg: the candidate, with the dimension it asks for.
        files: the model's own.
        card: the catalog's.
        found: dimensions that came back.
        cut: reciprocal rank and margin with all dimensions and with those asked for, where both were measured.
    """
    wanted = dimension_of(leg)
    findings = []
    if wanted and wanted > found:
        findings.append(
            Finding(
                check="dimension",
                severity="fails",
                finding=say(
                    "{spec} asks for {wanted} dimensions, but the model has {has}.",
                    spec=leg.spec,
                    wanted=wanted,
                    has=found,
                ),
                remedy=say("Ask for at most {has}.", has=found),
                figures={"wanted": float(wanted), "found": float(found)},
            )
        )
    shortened = files.sbert.get("truncate_dim")
    if card and card.dimension and card.dimension != found:
        findings.append(
            Finding(
                check="dimension",
                severity="notes" if found in card.matryoshka_dimensions or shortened == found else "warns",
                finding=say(
                    "It gives {found} dimensions, but its catalog card says {stated}.",
                    found=found,
                    stated=card.dimension,
                ),
                remedy=say("Check that this is the model you mean, and that all its layers are there."),
                figures={"found": float(found), "stated": float(card.dimension)},
            )
        )
    if wanted and wanted < found and (card is None or wanted not in card.matryoshka_dimensions):
        findings.append(_not_trained_for(card, wanted, found, cut))
    return findings


def _not_trained_for(card: ModelCard | None, wanted: int, found: int, cut: Figures) -> Finding:
    trained = ", ".join(map(str, card.matryoshka_dimensions)) if card else ""
    what = (
        say(
            "It was trained to be cut to {trained} dimensions, not to {wanted}.",
            trained=trained,
            wanted=wanted,
        )
        if trained
        else say(
            "Nothing says that it was trained to be cut to {wanted} of its {found} dimensions.",
            wanted=wanted,
            found=found,
        )
    )
    return Finding(
        check="dimension",
        severity="warns",
        finding=what,
        remedy=say("Measure it at its full dimension as well: the difference is what the cut costs."),
        figures={"wanted": float(wanted), "found": float(found), **{k: round(v, 4) for k, v in cut.items()}},
    )
