"""Faithfulness and answer relevance by Ragas (the extra ``ragas``), which asks through a function of ours.

Es et al., "RAGAS: Automated Evaluation of Retrieval Augmented Generation", EACL 2024. The only importer of ragas.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import MissingExtraError
from knowledge.wording import say

Write = Callable[[str], str]
Embed = Callable[[Sequence[str]], NDArray[np.floating]]

#: questions that are made of each answer; Ragas asks for 3 to 5, and each is a request
STRICTNESS = 3
#: requests an answer takes to be judged: its statements, their verdicts, the questions
CALLS = 2 + STRICTNESS


class Judged(NamedTuple):
    """An answer's scores; NaN where the model's reply had none."""

    faithfulness: float
    answer_relevance: float


class Judge:
    """Ragas' two metrics, ready to score.

    Args:
        write: asks the model; what it raises goes through.
        embed: vectors of texts, by which questions are compared.

    Raises:
        MissingExtraError: Ragas, or what it needs, is not installed.
    """

    def __init__(self, write: Write, embed: Embed) -> None:
        require()
        import ragas
        from ragas.dataset_schema import SingleTurnSample
        from ragas.metrics import Faithfulness, ResponseRelevancy

        self.library = f"ragas {ragas.__version__}"
        self._sample = SingleTurnSample
        llm, embeddings = _llm(write), _embeddings(embed)
        self._faithfulness = Faithfulness(llm=llm)
        self._relevance = ResponseRelevancy(llm=llm, embeddings=embeddings, strictness=STRICTNESS)

    def score(self, question: str, answer: str, contexts: Sequence[str]) -> Judged:
        """Judge one answer.

        Raises:
            Exception: what `write` raised, or Ragas' own where a reply could not be read after its retries.
        """
        sample = self._sample(user_input=question, response=answer, retrieved_contexts=list(contexts))
        return Judged(*(_run(metric, sample) for metric in (self._faithfulness, self._relevance)))


def require() -> None:
    """See that Ragas is there.

    Raises:
        MissingExtraError: it, or what it needs, is not installed.
    """
    # before it is imported: Ragas tells its makers of every evaluation otherwise, and this program tells nobody
    os.environ["RAGAS_DO_NOT_TRACK"] = "true"
    try:
        import ragas.metrics  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            say("Judging answers takes Ragas, which is not installed ({why}).", why=str(error)),
            say("Install it: {command}", command="pip install 'embedding-advisor[ragas]'"),
        ) from error


def _run(metric: Any, sample: Any) -> float:
    found = float(asyncio.run(metric.single_turn_ascore(sample)))
    return found if math.isnan(found) else min(1.0, max(0.0, found))


def _llm(write: Write) -> Any:
    from ragas.llms import base

    class Ours(base.BaseRagasLLM):  # type: ignore[misc]
        """Asks through `write`, one request a prompt; its retries are the caller's, so none are added here."""

        def generate_text(self, prompt: Any, n: int = 1, *_: Any, **__: Any) -> Any:
            text = prompt.to_string()
            return base.LLMResult(generations=[[base.Generation(text=write(text)) for _ in range(n)]])

        async def agenerate_text(self, prompt: Any, n: int = 1, *_: Any, **__: Any) -> Any:
            return self.generate_text(prompt, n)

        async def generate(self, prompt: Any, n: int = 1, *_: Any, **__: Any) -> Any:
            return self.generate_text(prompt, n)

    return Ours()


def _embeddings(embed: Embed) -> Any:
    from ragas.embeddings.base import BaseRagasEmbeddings

    class Ours(BaseRagasEmbeddings):  # type: ignore[misc]
        """Vectors by `embed`."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [[float(x) for x in row] for row in embed(texts)]

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

        async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
            return self.embed_documents(texts)

        async def aembed_query(self, text: str) -> list[float]:
            return self.embed_query(text)

    return Ours()
