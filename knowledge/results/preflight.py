"""What is found of an encoder before anything is encoded in earnest."""

from __future__ import annotations

from typing import Literal

from knowledge.results.base import Record
from knowledge.results.evidence import Interval
from knowledge.results.usage import Usage
from knowledge.wording import Text


class Finding(Record):
    """What one check of an encoder found, before anything is encoded in earnest.

    Attributes:
        check: prompts, pooling, limits, truncation, parity, sanity, language, dimension, served, or run (it cannot be
            used).
        severity: "fails" makes the candidate's figures meaningless; "warns" makes them worse, or not what they seem;
            "notes" is good to know.
        figures: the evidence, by name.
    """

    check: str
    severity: Literal["fails", "warns", "notes"]
    finding: Text
    remedy: Text | None = None
    figures: dict[str, float] = {}


class Truncation(Record):
    """What a model does not read of the user's texts, by its own tokenizer, prompt and special tokens included.

    Attributes:
        sbert_limit: ``max_seq_length``, which sentence-transformers goes by.
        tokenizer_limit: ``model_max_length``.
        position_limit: positions the weights have.
        option_limit: what the candidate asks for (``max_tokens``).
        effective_limit: the smallest of these; None where nothing is ever cut, or nobody knows.
        counted: documents counted; all, or an evenly spread sample where that would take long.
        share_cut: of the documents, with its interval (of no width where all were counted).
        tokens_lost: share of the documents' tokens beyond the limit.
        queries_cut: share of the queries.
        unknown_tokens: share of the documents' tokens that the tokenizer has no entry for.
    """

    sbert_limit: int | None = None
    tokenizer_limit: int | None = None
    position_limit: int | None = None
    option_limit: int | None = None
    effective_limit: int | None = None
    documents: int
    counted: int
    share_cut: Interval
    tokens_lost: float
    longest: int
    queries_counted: int = 0
    queries_cut: float = 0.0
    unknown_tokens: float = 0.0


class Preflight(Record):
    """One encoder, looked at on a small sample of the user's data before the rest is encoded.

    Attributes:
        documents, queries: size of the sample; its vectors are kept, so that an evaluation does not make them again.
        extra_texts: texts encoded that an evaluation has no use for.
        tokens: read in all, where the encoder counts them (endpoints bill them).
        usage: of these, those of the sample, by kind of text.
        seconds: all of it, loading the model included.
    """

    spec: str
    findings: tuple[Finding, ...] = ()
    truncation: Truncation | None = None
    documents: int = 0
    queries: int = 0
    extra_texts: int = 0
    tokens: int | None = None
    usage: dict[str, Usage] = {}
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether the candidate's figures would mean something."""
        return all(finding.severity != "fails" for finding in self.findings)


class RecallByCut(Record):
    """Recall of relevant documents that the model read whole, against those it read only the beginning of.

    Attributes:
        whole, cut: share of the (query, relevant document) pairs found; None where there is no such pair.
    """

    k: int
    whole: float | None
    cut: float | None
    whole_pairs: int
    cut_pairs: int
