"""Vectors that cannot rank: not numbers, all alike, or blind to the very words that were put in."""

from __future__ import annotations

from collections.abc import Mapping

from knowledge.results import Finding
from knowledge.wording import say
from tools.preflight.probe import Figures

#: of documents that do not find themselves
BROKEN, DOUBTFUL = 0.5, 0.9
#: similarity of unrelated texts that leaves no room, where their spread is as small as this
ALIKE, NO_SPREAD = 0.97, 0.02
#: chance is 0.5: a model that knows the language puts relevant documents above nearly all others
NEAR_CHANCE = 0.65
ENOUGH_PAIRS = 12
#: of neighbouring results with the very same score
MANY_TIES = 0.05


def value_findings(values: Figures) -> list[Finding]:
    """NaN, infinity and zero vectors."""
    findings = []
    if values.get("finite", 1.0) < 1.0:
        findings.append(
            Finding(
                check="sanity",
                severity="fails",
                finding=say(
                    "{share:.0%} of the sample's vectors hold values that are not numbers.", share=1 - values["finite"]
                ),
                remedy=say("Half precision can overflow: try precision=fp32 or bf16."),
                figures=values,
            )
        )
    elif values.get("zero", 0.0) > 0.0:
        findings.append(
            Finding(
                check="sanity",
                severity="fails" if values["zero"] >= BROKEN else "warns",
                finding=say(
                    "{share:.0%} of the sample's texts get a vector of zeros: the model knows none of their words.",
                    share=values["zero"],
                ),
                remedy=say("Choose a model made for the language of your documents."),
                figures=values,
            )
        )
    return findings


def sanity_findings(figures: Mapping[str, Figures]) -> list[Finding]:
    """Openings that do not find their documents, texts that are all alike, scores that are all the same."""
    openings, spread, ties = (figures.get(name, {}) for name in ("openings", "spread", "ties"))
    findings = []
    found = openings.get("found_first", 1.0)
    # documents that begin alike are not found by their beginnings: no fault of a model that tells them apart by queries
    judges = spread.get("pairs", 0.0) >= ENOUGH_PAIRS and spread["relevant_above"] >= NEAR_CHANCE
    hopeless = found < BROKEN and not judges
    if found < DOUBTFUL:
        findings.append(
            Finding(
                check="sanity",
                severity="fails" if hopeless else "warns",
                finding=say(
                    "Only {share:.0%} of {texts:.0f} documents are found first by their own beginning, word for word.",
                    share=found,
                    texts=openings["texts"],
                ),
                remedy=say("Check the model's pooling and prompts, and that it was made for this language."),
                figures=openings,
            )
        )
    alike = spread.get("unrelated_mean", 0.0) >= ALIKE and spread.get("unrelated_std", 1.0) <= NO_SPREAD
    if alike:
        findings.append(
            Finding(
                check="sanity",
                severity="fails" if hopeless else "warns",
                finding=say(
                    "Unrelated documents are nearly all alike to it (cosine {mean:.3f} on average, spread"
                    " {spread:.3f}).",
                    mean=spread["unrelated_mean"],
                    spread=spread["unrelated_std"],
                ),
                remedy=say("Check the model's pooling and prompts, and that it was made for this language."),
                figures=spread,
            )
        )
    if spread.get("pairs", 0.0) >= ENOUGH_PAIRS and spread["relevant_above"] < NEAR_CHANCE:
        findings.append(
            Finding(
                check="sanity",
                severity="warns",
                finding=say(
                    "It puts relevant documents above {share:.0%} of the others on {pairs:.0f} queries, where guessing"
                    " gives 50%: it may not know this language, or the judgments may be wrong.",
                    share=spread["relevant_above"],
                    pairs=spread["pairs"],
                ),
                remedy=say("Choose a model made for the language of your documents."),
                figures=spread,
            )
        )
    if ties.get("ties", 0.0) >= MANY_TIES and not alike:
        findings.append(
            Finding(
                check="sanity",
                severity="warns",
                finding=say(
                    "{share:.0%} of neighbouring results have the very same score: its values are too coarse to rank"
                    " by.",
                    share=ties["ties"],
                ),
                remedy=say("Use a higher precision, or more dimensions."),
                figures=ties,
            )
        )
    return findings
