"""How many tokens a model reads: what each of its files says, and which of them counts."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.results import Finding
from knowledge.wording import say
from tools.encoders import Resolved
from tools.preflight.model_files import ModelFiles, limit

#: what model2vec cuts at where the model's configuration says nothing (model2vec 0.8, ``DEFAULT_MAX_LENGTH``)
MODEL2VEC_LIMIT = 512


@dataclass(frozen=True)
class Limits:
    """Limits in tokens; None where none is stated."""

    sbert: int | None = None
    tokenizer: int | None = None
    position: int | None = None
    option: int | None = None

    @property
    def effective(self) -> int | None:
        """The smallest counts."""
        return min((x for x in (self.sbert, self.tokenizer, self.position, self.option) if x), default=None)


def limits(resolved: Resolved, files: ModelFiles) -> Limits:
    """What the candidate and the model's files say; nothing for endpoints."""
    if resolved.backend == "static":
        if resolved.model == "wordllama":
            return Limits()  # it looks up every word
        stated = files.config.get("max_length", MODEL2VEC_LIMIT)
        return Limits(tokenizer=limit(stated))
    option = resolved.options.get("max_tokens", "")
    return Limits(
        sbert=files.sbert_limit,
        tokenizer=files.tokenizer_limit,
        position=files.position_limit,
        option=int(option) if option.isdecimal() else None,
    )


def limit_findings(found: Limits, longest: int) -> list[Finding]:
    """Where the limits disagree.

    Args:
        found: the limits.
        longest: tokens of the longest document counted; 0 where none was.
    """
    figures = {
        name: float(value)
        for name, value in (
            ("max_seq_length", found.sbert),
            ("model_max_length", found.tokenizer),
            ("positions", found.position),
            ("max_tokens", found.option),
        )
        if value
    }
    shown = ", ".join(f"{name} {value:.0f}" for name, value in figures.items())
    # sentence-transformers goes by max_seq_length alone, where there is one
    reads = min((x for x in (found.sbert or found.tokenizer, found.option) if x), default=None)
    if found.position and reads and reads > found.position:
        return [
            Finding(
                check="limits",
                severity="fails" if longest > found.position else "warns",
                finding=say(
                    "The model is told to read {told} tokens, but has positions for {positions} only ({limits}): a"
                    " longer text ends the encoding with an error.",
                    told=reads,
                    positions=found.position,
                    limits=shown,
                ),
                remedy=say("Ask for max_tokens={limit}.", limit=found.position),
                figures=figures,
            )
        ]
    if found.sbert and found.tokenizer and found.sbert > found.tokenizer:
        return [
            Finding(
                check="limits",
                severity="warns",
                finding=say(
                    "The limits disagree ({limits}): it is set to read more than its tokenizer was made for.",
                    limits=shown,
                ),
                remedy=say("Ask for max_tokens={limit}.", limit=found.tokenizer),
                figures=figures,
            )
        ]
    stated = {value for value in (found.sbert, found.tokenizer, found.position) if value}
    if len(stated) < 2:
        return []
    return [
        Finding(
            check="limits",
            severity="notes",
            finding=say(
                "Its files state several limits ({limits}); the smallest counts, {limit} tokens.",
                limits=shown,
                limit=found.effective or 0,
            ),
            figures=figures,
        )
    ]
