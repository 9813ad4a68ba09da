"""A short program that uses a candidate as it was measured: its encoder, prompts, dimension and length, with Milvus.

Each line is a statement of its own, without indentation, so that a chat that joins or trims lines leaves it whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.candidate import Candidate, Fusion, Leg, Rerank
from knowledge.errors import SpecError
from knowledge.wording import how_to, say
from tools import chunking, encoders, leg_use, retrieval
from tools.bm25 import K1, B, stemmer_for
from tools.encoders.base import Kind, Resolved
from tools.setups import OPTIONS
from tools.workspace import Workspace

_DTYPES = {"bf16": "bfloat16", "fp16": "float16"}
#: encoders that compare queries and documents themselves
_BY_LIBRARY = {"splade": "SparseEncoder", "multi": "MultiVectorEncoder"}
#: documents found
FOUND = 10
_EXAMPLE = (
    'documents = ["To change a flat tyre, take off the wheel first.", "Our shop opens at nine."]',
    'query = "how do I fix a puncture"',
)


def snippet(candidate: Candidate, workspace: Workspace, language: str | None = None) -> str:
    """The program as text.

    Args:
        candidate: the set-up.
        workspace: where its encoders are.
        language: of the documents, by code: words are brought to stems as they were.

    Raises:
        SpecError: nothing is written for such a set-up yet.
        AdvisorError: an encoder of it is not to be found here, so nothing is known of how it was used.
    """
    base = candidate.base if isinstance(candidate, Rerank) else candidate
    _refuse(candidate, base)
    legs, limit = base.legs, retrieval.reach(candidate, FOUND)
    lines = [f"# pip install {' '.join(dict.fromkeys(name for leg in candidate.legs for name in _packages(leg)))}"]
    lines += _EXAMPLE
    for number, leg in enumerate(legs, 1):
        lines += _leg(leg, number, limit, workspace, language)
    lines += _fused(base) if len(legs) > 1 else ["found = found_1"]
    if isinstance(candidate, Rerank):
        lines += _reranked(candidate, workspace)
    lines.append("print([documents[row] for row in found])")
    return "\n".join(dict.fromkeys(lines))


def _refuse(candidate: Candidate, base: Candidate) -> None:
    inner = base.parts if isinstance(base, Fusion) else (base,)
    unwritten = [leg.spec for leg in candidate.legs if leg.backend == "m3" or chunking.rules_of(leg)]
    if unwritten or not all(isinstance(part, Leg) for part in inner):
        raise SpecError(
            say("No program can be written yet for {spec}.", spec=(unwritten or [candidate.spec])[0]),
            say(
                "I write them for single legs without chunks or m3, their fusions, and re-rankings of these. {how}",
                how=how_to("deploy"),
            ),
        )


def _leg(leg: Leg, number: int, limit: int, workspace: Workspace, language: str | None) -> Iterator[str]:
    if leg.backend == "bm25":
        return _words(leg, number, limit, leg.options.get("stem") or stemmer_for(language))
    if leg.backend in _BY_LIBRARY:
        return _by_library(leg, number, limit, workspace)
    return _vectors(leg, number, limit, workspace)


def _packages(leg: Leg) -> tuple[str, ...]:
    in_milvus = leg.backend not in ("bm25", "ce", *_BY_LIBRARY)
    return (*leg_use.packages_of(leg), *(['"pymilvus[milvus-lite]"'] if in_milvus else ()))


def _words(leg: Leg, number: int, limit: int, stemmer: str) -> Iterator[str]:
    """Word matching, by the library and with the parameters that it was measured with."""
    yield "import re, bm25s, Stemmer"
    yield f'stem = Stemmer.Stemmer("{stemmer}").stemWords' if stemmer != "none" else "stem = list"
    unspaced = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
    yield f'pieces = r"[^\\W{unspaced}]+", r"(?=([{unspaced}]{{2}}))"'
    yield "words = lambda text: stem(re.findall(pieces[0], text.lower())) + re.findall(pieces[1], text)"
    yield (
        f'index = bm25s.BM25(method="lucene", k1={leg.options.get("k1", K1)}, b={leg.options.get("b", B)})'
        "  # Milvus has a BM25 function of its own, which ranks a little differently"
    )
    yield "index.index([words(text) for text in documents], show_progress=False)"
    yield "asked = [word for word in words(query) if word in index.vocab_dict]"
    yield f"most = min({limit}, len(documents))"
    yield "best = index.retrieve([asked], k=most, show_progress=False) if asked else [[[]], [[]]]"
    yield f"scores_{number} = [float(score) for score in best[1][0] if score > 0]"
    yield f"found_{number} = [int(row) for row in best[0][0][:len(scores_{number})]]"


def _by_library(leg: Leg, number: int, limit: int, workspace: Workspace) -> Iterator[str]:
    """Sparse weights or vectors of tokens, compared with every document by sentence-transformers itself."""
    resolved, what = encoders.resolve(leg, workspace), _BY_LIBRARY[leg.backend]
    yield f"from sentence_transformers import {what}"
    yield f"model = {what}({_arguments(leg, resolved)})"
    if "max_tokens" in leg.options:
        yield f"model.max_seq_length = {leg.options['max_tokens']}"
    plain = ', prompt=""' if leg.options.get("prompts") == "none" else ""
    yield f"vectors_{number} = model.encode_document(documents{plain})"
    yield f"asked_{number} = model.encode_query([query]{plain})"
    yield (
        f"best = model.similarity(asked_{number}, vectors_{number})[0].topk(min({limit}, len(documents)))"
        "  # an index of your own for more documents than memory holds"
    )
    yield f"found_{number}, scores_{number} = best.indices.tolist(), best.values.tolist()"


def _reranked(candidate: Rerank, workspace: Workspace) -> Iterator[str]:
    """The first documents in the order of a cross-encoder."""
    leg, top = candidate.reranker, retrieval.top_of(candidate)
    yield "from sentence_transformers import CrossEncoder"
    yield f"ranker = CrossEncoder({_arguments(leg, encoders.resolve(leg, workspace))})"
    if "max_tokens" in leg.options:
        yield f"ranker.max_seq_length = {leg.options['max_tokens']}"
    yield f"first = found[:{top}]"
    yield "given = ranker.predict([(query, documents[row]) for row in first]) if first else []"
    yield f"found = [row for _, row in sorted(zip(given, first), key=lambda pair: -pair[0])] + found[{top}:]"


def _vectors(leg: Leg, number: int, limit: int, workspace: Workspace) -> Iterator[str]:
    """An encoder, and Milvus with its vectors."""
    resolved = encoders.resolve(leg, workspace)
    yield "from pymilvus import MilvusClient"
    if leg.backend == "st":
        yield from _sentence_transformers(leg, resolved, number)
    else:
        yield "import numpy as np"
        yield from _table(leg) if leg.backend == "static" else _endpoint(leg)
        dimension = encoders.dimension_of(leg)
        cut = f"[:, :{dimension}]" if dimension else ""
        yield f"unit = lambda vectors: vectors{cut} / np.linalg.norm(vectors{cut}, axis=1, keepdims=True)"
        yield f"vectors_{number}, asked_{number} = unit(encode(documents)), unit(encode([query]))"
    yield 'milvus = MilvusClient("documents.db")  # or the address of your server'
    if saving := sorted((OPTIONS - {"dim"}) & set(leg.options)):
        measured = ", ".join(f"{name}={leg.options[name]}" for name in saving)
        yield f"# measured with {measured}; this keeps float32 vectors and compares every one: nothing lost or saved"
    yield (
        f'milvus.create_collection("documents_{number}", dimension=vectors_{number}.shape[1], metric_type="IP",'
        ' consistency_level="Strong")'
    )
    yield (
        f'milvus.insert("documents_{number}", [{{"id": row, "vector": vector}} for row, vector in'
        f" enumerate(vectors_{number}.tolist())])"
    )
    yield (f'hits = milvus.search("documents_{number}", data=asked_{number}.tolist(), limit={limit})[0]')
    yield f'found_{number}, scores_{number} = [hit["id"] for hit in hits], [hit["distance"] for hit in hits]'


def _sentence_transformers(leg: Leg, resolved: Resolved, number: int) -> Iterator[str]:
    yield "from sentence_transformers import SentenceTransformer"
    engine, precision = leg_use.engine_of(leg)
    if engine != "torch":
        yield f"# measured with {engine} in {precision}; this runs PyTorch in fp32: vectors come close, speed does not"
    yield f"model = SentenceTransformer({_arguments(leg, resolved)})"
    if "max_tokens" in leg.options:
        yield f"model.max_seq_length = {leg.options['max_tokens']}"
    unit = ", normalize_embeddings=True" if resolved.normalise else ""
    yield f"vectors_{number} = {_encoding(resolved, 'document')}(documents{_prompt(resolved, 'document')}{unit})"
    yield f"asked_{number} = {_encoding(resolved, 'query')}([query]{_prompt(resolved, 'query')}{unit})"


def _arguments(leg: Leg, resolved: Resolved) -> str:
    """What a model is loaded with: its name, the commit where there is one, dimension and precision."""
    arguments = [repr(leg.name)]
    if leg_use.pinned(resolved):
        arguments.append(f"revision={resolved.revision!r}")
    if "dim" in leg.options:
        arguments.append(f"truncate_dim={leg.options['dim']}")
    if dtype := _DTYPES.get(leg_use.precision_of(leg)):
        arguments.append(f'model_kwargs={{"dtype": "{dtype}"}}')
    return ", ".join(arguments)


def _encoding(resolved: Resolved, kind: Kind) -> str:
    """What encodes a kind of text: with the model's own prompts, or with one that is given."""
    return f"model.encode_{kind}" if resolved.prompts[kind] is None else "model.encode"


def _prompt(resolved: Resolved, kind: Kind) -> str:
    prompt = resolved.prompts[kind]
    # nothing to say where the model has no prompt of its own, unless that was left out on purpose
    return f", prompt={prompt!r}" if prompt or (prompt == "" and resolved.options.get("prompts") == "none") else ""


def _table(leg: Leg) -> Iterator[str]:
    if leg.name == "wordllama":
        yield "import os, wordllama"
        yield "folder = os.path.dirname(wordllama.__file__)  # the package carries the weights"
        yield "encode = wordllama.WordLlama.load(cache_dir=folder, disable_download=True).embed"
        return
    yield "from model2vec import StaticModel"
    yield f"encode = StaticModel.from_pretrained({leg.name!r}).encode"


def _endpoint(leg: Leg) -> Iterator[str]:
    yield "from openai import OpenAI"
    yield "client = OpenAI()  # reads OPENAI_API_KEY and OPENAI_BASE_URL"
    yield (
        f"encode = lambda texts: np.array([item.embedding for item in client.embeddings.create(model={leg.name!r},"
        " input=texts).data])"
    )


def _fused(candidate: Candidate) -> Iterator[str]:
    """What the legs found as one list: by reciprocal ranks, or by scores brought to one scale."""
    assert isinstance(candidate, Fusion)
    yield "from collections import Counter"
    yield "points = Counter()"
    weights = retrieval.weights_of(candidate) if candidate.method == "weighted" else []
    if weights:
        yield "scale = lambda s: [(x - min(s)) / (max(s) - min(s)) if max(s) > min(s) else 1.0 for x in s]"
    for number, leg in enumerate(candidate.parts):
        place = candidate.legs.index(leg) + 1
        yield (
            f"points.update({{row: {weights[number]:.6g} * score for row, score in"
            f" zip(found_{place}, scale(scores_{place}))}})"
            if weights
            else f"points.update({{row: 1 / ({candidate.options.get('k', retrieval.RRF_K)} + place) for place, row in"
            f" enumerate(found_{place}, 1)}})"
        )
    yield "found = [row for row, _ in points.most_common()]"
