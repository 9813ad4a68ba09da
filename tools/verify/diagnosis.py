"""Why a vector is not what it should be: each usual mistake is made on purpose here, and the one that fits is named.

A vector is taken for the same from a cosine of `SERVED` on (int8 has been measured at 0.98); a mistake is named where
making it fits clearly better than not making it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.results.verification import Fault
from knowledge.wording import Text, say
from tools.encoders import Kind, Vectors
from tools.encoders.base import cut
from tools.preflight.parity import SAME, SERVED
from tools.verify.own_model import OwnModel

#: a mistake that fits by so much better than none is the cause, where rounding explains the rest
CLEARLY, FITS = 0.002, 0.99
#: what many applications put before texts out of habit: the prompts of E5 and of Nomic's models (their model cards)
USUAL = ("query: ", "passage: ", "search_query: ", "search_document: ")
#: words after which a text may have been cut off
CUTS = (8, 16, 32, 64, 128, 256, 512, 1024)
LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Diagnosis:
    """How near vectors are to the right ones, and what is wrong where they are not.

    Attributes:
        cosine: mean over the texts; `lowest` of them.
        fault: None where nothing is wrong.
    """

    cosine: float
    lowest: float
    fault: Fault | None = None
    reason: Text | None = None
    remedy: Text | None = None

    @property
    def figures(self) -> dict[str, float]:
        """For scripts."""
        return {"mean_cosine": round(self.cosine, 5), "lowest_cosine": round(self.lowest, 5)}


def diagnose(seen: Vectors, texts: Sequence[str], kind: Kind, model: OwnModel) -> Diagnosis:
    """What is wrong with vectors that somebody else made of these texts; of fewer numbers, they count as cut."""
    right = model.decided(texts, kind)
    if seen.shape[1] > right.shape[1]:
        return Diagnosis(
            0.0,
            0.0,
            "model",
            say(
                "they have {seen} numbers, and those of {model} {right}: another model made them",
                seen=seen.shape[1],
                right=right.shape[1],
                model=model.resolved.model,
            ),
            say("Serve {model}, or fill the collection with it.", model=model.resolved.model),
        )
    near = cosines(seen, right)
    found = Diagnosis(float(near.mean()), float(near.min()))
    if found.lowest >= SAME:
        return found
    other = _by_prompt(seen, texts, kind, model, found.cosine)
    if other:
        return Diagnosis(found.cosine, found.lowest, "prompt", *other)
    if found.lowest >= SERVED:
        return found
    cut_off = _by_length(seen, texts, kind, model, near)
    if cut_off:
        return Diagnosis(found.cosine, found.lowest, "truncation", *cut_off)
    return Diagnosis(
        found.cosine,
        found.lowest,
        "model",
        say(
            "they are not those of {model} (cosine {mean:.3f} on average), with no prompt and no length it was tried "
            "with: another model, revision or pooling",
            model=model.resolved.model,
            mean=found.cosine,
        ),
        say("Compare model, revision and pooling with those of the recommendation: {spec}.", spec=model.leg.spec),
    )


def cosines(seen: Vectors, right: Vectors) -> Vectors:
    """Of each row, the right one cut to the length of the other."""
    one, two = cut(seen, None), cut(right, seen.shape[1])
    found: Vectors = (one * two).sum(axis=1)
    return found


def _by_prompt(
    seen: Vectors, texts: Sequence[str], kind: Kind, model: OwnModel, decided: float
) -> tuple[Text, Text] | None:
    """The prompt that fits better than the right one."""
    own, others = model.prompt(kind), model.prompt("document" if kind == "query" else "query")
    tried = [prompt for prompt in dict.fromkeys(("", others, own + own, *USUAL)) if prompt != own]
    fits = {prompt: float(cosines(seen, made).mean()) for prompt, made in model.with_prompts(tried, texts).items()}
    best = max(fits, key=fits.__getitem__, default=own)
    if fits.get(best, 0.0) < max(FITS, decided + CLEARLY):
        return None
    reason = say(
        "they are made with the prompt {used} instead of {own} (cosine {fits:.3f} with it, {decided:.3f} without)",
        used=_quoted(best),
        own=_quoted(own),
        fits=fits[best],
        decided=decided,
    )
    if kind == "query":
        return reason, say("Let one place alone, application or server, put {own} before queries.", own=_quoted(own))
    return reason, say("Put {own} before documents, and fill the collection again.", own=_quoted(own))


def _by_length(
    seen: Vectors, texts: Sequence[str], kind: Kind, model: OwnModel, near: Vectors
) -> tuple[Text, Text] | None:
    """Where short texts are right and long ones wrong, the number of words that were read."""
    wrong = [i for i in range(len(texts)) if near[i] < SERVED]
    lengths = [len(text) for text in texts]
    longest_right = max((lengths[i] for i in range(len(texts)) if near[i] >= SERVED), default=0)
    if not longest_right or sum(lengths[i] > longest_right for i in wrong) < max(1, 0.6 * len(wrong)):
        return None
    cuts = [words for words in CUTS if any(len(texts[i].split()) > words for i in wrong)]
    if not cuts:
        return None
    shortened = {words: [" ".join(texts[i].split()[:words]) for i in wrong] for words in cuts}
    made = model.decided([text for of in shortened.values() for text in of], kind)
    each = np.split(made, len(cuts))
    fits = {words: float(cosines(seen[wrong], of).mean()) for words, of in zip(cuts, each, strict=True)}
    best = max(fits, key=fits.__getitem__)
    if fits[best] < float(near[wrong].mean()) + CLEARLY:
        return None
    return (
        say(
            "short texts are right and long ones are not: they are cut off after some {words} words ({wrong} of "
            "{texts} texts)",
            words=best,
            wrong=len(wrong),
            texts=len(texts),
        ),
        say("Raise the server's limit of tokens to the model's own, or cut documents into chunks."),
    )


def _quoted(prompt: str) -> Text:
    return say("“{prompt}”", prompt=prompt[:LONGEST_SHOWN]) if prompt else say("none")


def lengths_of(seen: Vectors) -> tuple[float, float]:
    """The shortest and the longest."""
    norms = np.linalg.norm(seen.astype(np.float64), axis=1)
    return float(norms.min()), float(norms.max())
