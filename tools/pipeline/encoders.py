"""What makes vectors of texts, weights of entries, or scores of pairs: as they were measured."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from .errors import PipelineError
from .forms import Vectors, cut

Kind = Literal["query", "document"]
#: entry of the vocabulary -> its weight
Weights = dict[int, float]
_DTYPES = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}
#: of an OpenAI-compatible server: texts and characters a request, tries of a failed one
_REQUEST_TEXTS, _REQUEST_CHARACTERS, _TRIES = 256, 250_000, 6


class Dense(Protocol):
    """Makes a vector of each text, as the model gives it: shape (texts, its own dimension), float32."""

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors: ...


def dense(leg: dict[str, Any], state: Path) -> Dense:
    """The encoder of a leg with one vector a text; `state` is the folder of what is made from a model's files once."""
    library = leg["library"]
    if library == "sentence-transformers" and (url := os.environ.get("EMBEDDING_URL")):
        return Endpoint(leg, url, os.environ.get("EMBEDDING_API_KEY"))
    if library == "endpoint":
        return Endpoint(leg, os.environ.get("OPENAI_BASE_URL") or None, os.environ.get("OPENAI_API_KEY"))
    if leg.get("graph"):
        from .graph_encoder import Graph

        return Graph(leg, state)
    makers: dict[str, Callable[[dict[str, Any]], Dense]] = {
        "sentence-transformers": SentenceTransformers,
        "wordllama": WordLlama,
        "model2vec": Model2Vec,
    }
    return makers[library](leg)


def finished(vectors: Vectors, leg: dict[str, Any]) -> Vectors:
    """Vectors cut to the leg's dimension, of unit length where it wants that.

    Raises:
        PipelineError: they are shorter than they were when it was measured: this is another model.
    """
    wanted = leg["dimension"]
    if vectors.shape[1] < wanted or not np.isfinite(vectors).all():
        raise PipelineError(
            f"{leg['model']} gives vectors of {vectors.shape[1]} numbers, and {wanted} finite ones were measured: "
            "this is another model, or another revision of it"
        )
    return cut(vectors, wanted, normalise=leg["normalise"])


def loading(leg: dict[str, Any]) -> dict[str, Any]:
    """How a model is loaded: at its revision, its safetensors, none of its code, and without a bar on the terminal."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    arguments: dict[str, Any] = {
        "trust_remote_code": False,
        "model_kwargs": {"dtype": _DTYPES[leg["precision"]], "use_safetensors": True},
    }
    if leg.get("graph"):
        arguments["device"] = "cpu"
    return arguments | ({"revision": leg["revision"]} if leg.get("pinned") else {})


def files_of(leg: dict[str, Any]) -> str:
    """Where a model's files are: its id on the hub or its folder; or a folder in the package that they came from.

    Raises:
        PipelineError: that package is not installed.
    """
    package = leg.get("package")
    if not package:
        return str(leg["model"])
    found = find_spec(package["module"])
    if found is None or found.origin is None:
        raise PipelineError(
            f"the weights of {leg['model']} that were measured come from the package {leg['revision']}: install what "
            "requirements.txt names"
        )
    return str(Path(found.origin).parent / package["folder"])


def not_obtained(leg: dict[str, Any]) -> PipelineError:
    """What to do where a model is neither here nor to be had."""
    return PipelineError(
        f"{leg['model']} can be loaded neither from this machine nor from its hub: fetch it where the hub is reachable "
        "(HF_HOME, or HF_ENDPOINT for a mirror), or copy its folder here and write its path as `model` of this leg in "
        "config.yaml"
    )


def shorten(model: Any, leg: dict[str, Any]) -> None:
    """Let a model read no more tokens than it did."""
    if leg.get("max_tokens"):
        model.max_seq_length = min(leg["max_tokens"], model.max_seq_length or 10**6)


class SentenceTransformers:
    """A model in this process."""

    def __init__(self, leg: dict[str, Any]) -> None:
        from sentence_transformers import SentenceTransformer

        self._leg = leg
        try:
            self.model = SentenceTransformer(files_of(leg), **loading(leg))
        except OSError as error:
            raise not_obtained(leg) from error
        shorten(self.model, leg)

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        encode = self.model.encode_query if kind == "query" else self.model.encode_document
        made = encode(
            list(texts),
            prompt=self._leg["prompts"][kind],
            batch_size=self._leg["batch"],
            show_progress_bar=False,
            convert_to_tensor=True,
        )
        vectors: Vectors = made.float().cpu().numpy()  # bfloat16 is none of NumPy's
        return vectors


class WordLlama:
    """A table of word vectors, which its package carries."""

    def __init__(self, leg: dict[str, Any]) -> None:
        import logging

        handlers, level = list(logging.root.handlers), logging.root.level
        import wordllama

        # its import sets up logging for the whole process, and every library's messages would reach the terminal
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
        # without cache_dir it looks for its tokenizer where the package does not put it
        folder = Path(str(wordllama.__file__)).parent
        self._model = wordllama.WordLlama.load(cache_dir=folder, disable_download=True)

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        # an empty text has no tokens to average
        return np.nan_to_num(np.asarray(self._model.embed([text or " " for text in texts]), np.float32))


class Model2Vec:
    """A table of word vectors, by hub id or folder."""

    def __init__(self, leg: dict[str, Any]) -> None:
        from model2vec import StaticModel

        try:
            self._model = StaticModel.from_pretrained(leg["model"])
        except OSError as error:
            raise not_obtained(leg) from error

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        return np.asarray(self._model.encode(list(texts), use_multiprocessing=False), np.float32)


class Endpoint:
    """An OpenAI-compatible server, by the openai package (which waits as long as the server says)."""

    def __init__(self, leg: dict[str, Any], url: str | None, key: str | None) -> None:
        from openai import OpenAI

        self._leg = leg
        self._client = OpenAI(base_url=url, api_key=key or "none", max_retries=_TRIES, timeout=60.0)

    def embed(self, texts: Sequence[str], kind: Kind) -> Vectors:
        prompt = self._leg["prompts"][kind]
        batches: list[list[str]] = [[]]
        for text in texts:
            ready = prompt + text or " "  # empty strings are refused
            full = len(batches[-1]) >= _REQUEST_TEXTS or sum(map(len, batches[-1])) + len(ready) > _REQUEST_CHARACTERS
            if batches[-1] and full:
                batches.append([])
            batches[-1].append(ready)
        return np.asarray([vector for batch in batches for vector in self._ask(batch)], np.float32)

    def _ask(self, batch: list[str]) -> list[list[float]]:
        answer = self._client.embeddings.create(model=self._leg["model"], input=batch, encoding_format="float")
        found = [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
        if len(found) != len(batch):
            raise PipelineError(f"the embedding server returned {len(found)} vectors for {len(batch)} texts")
        return found


class Sparse:
    """Learned weights of vocabulary entries (SPLADE and its like)."""

    def __init__(self, leg: dict[str, Any]) -> None:
        from sentence_transformers import SparseEncoder

        self._leg = leg
        self._model = SparseEncoder(files_of(leg), **loading(leg))
        shorten(self._model, leg)
        self._cosine = self._model.similarity_fn_name == "cosine"

    def weights(self, texts: Sequence[str], kind: Kind) -> list[Weights]:
        """Entries and weights of each text; a text may have none."""
        encode = self._model.encode_query if kind == "query" else self._model.encode_document
        found = encode(
            list(texts),
            prompt=self._leg["prompts"][kind],
            batch_size=self._leg["batch"],
            show_progress_bar=False,
            save_to_cpu=True,
        ).coalesce()
        rows, entries = found.indices().numpy()
        weights = found.values().float().numpy()
        kept = weights > 0
        rows, entries, weights = rows[kept], entries[kept], weights[kept]
        ends = np.searchsorted(rows, np.arange(len(texts) + 1))
        return [
            dict(zip(entries[a:b].tolist(), self._unit(weights[a:b]).tolist(), strict=True))
            for a, b in pairwise(ends.tolist())
        ]

    def _unit(self, weights: NDArray[np.float32]) -> NDArray[np.float32]:
        length = float(np.linalg.norm(weights)) if self._cosine else 1.0
        return (weights / length if length > 0 else weights).astype(np.float32)


class Reranker:
    """A cross-encoder, which reads a query and a document together."""

    def __init__(self, leg: dict[str, Any]) -> None:
        import torch
        from sentence_transformers import CrossEncoder

        self._leg = leg
        # before any squashing, so that no two scores that differ become equal
        self._model = CrossEncoder(files_of(leg), activation_fn=torch.nn.Identity(), **loading(leg))
        shorten(self._model, leg)

    def scores(self, query: str, documents: Sequence[str]) -> NDArray[np.float64]:
        """A score for each document."""
        pairs = [(query or " ", document or " ") for document in documents]
        made = self._model.predict(pairs, batch_size=self._leg["batch"], show_progress_bar=False)
        return np.asarray(made, np.float64)
