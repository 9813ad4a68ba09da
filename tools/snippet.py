"""A short program that uses a candidate as it was measured: its encoder, prompts, dimension and length, with Milvus.

Each line is a statement of its own, without indentation, so that a chat that joins or trims lines leaves it whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge.candidate import Candidate, Fusion, Leg
from tools import encoders
from tools.bm25 import K1, B
from tools.encoders.base import Kind, Resolved
from tools.retrieval import RRF_K
from tools.workspace import Workspace

#: a commit, which pins weights on the hub; other revisions are of packages and folders
_COMMIT = re.compile(r"[0-9a-f]{40}")
_DTYPES = {"bf16": "torch.bfloat16", "fp16": "torch.float16"}
_EXAMPLE = (
    'documents = ["To change a flat tyre, take off the wheel first.", "Our shop opens at nine."]',
    'query = "how do I fix a puncture"',
)


def snippet(candidate: Candidate, workspace: Workspace) -> str:
    """The program as text.

    Raises:
        AdvisorError: an encoder of it is not to be found here, so nothing is known of how it was used.
    """
    legs = candidate.legs
    lines = [f"# pip install {' '.join(dict.fromkeys(name for leg in legs for name in _packages(leg)))}"]
    lines += _EXAMPLE
    for number, leg in enumerate(legs, 1):
        lines += _words(leg, number) if leg.backend == "bm25" else _vectors(leg, number, workspace)
    lines += _fused(candidate) if len(legs) > 1 else ["found = found_1"]
    lines.append("print([documents[row] for row in found])")
    return "\n".join(dict.fromkeys(lines))


def _packages(leg: Leg) -> tuple[str, ...]:
    if leg.backend == "bm25":
        return ("bm25s", "PyStemmer")
    encoder = {
        "st": "sentence-transformers",
        "openai": "openai",
        "static": "wordllama" if leg.name == "wordllama" else "model2vec",
    }[leg.backend]
    return (encoder, '"pymilvus[milvus-lite]"')


def _words(leg: Leg, number: int) -> Iterator[str]:
    """Word matching, by the library and with the parameters that it was measured with."""
    language = leg.options.get("stem", "english")
    yield "import re, bm25s, Stemmer"
    yield f'stem = Stemmer.Stemmer("{language}").stemWords' if language != "none" else "stem = list"
    yield 'pieces = r"[^\\W\\u3040-\\u30ff\\u3400-\\u9fff]+", r"(?=([\\u3040-\\u30ff\\u3400-\\u9fff]{2}))"'
    yield "words = lambda text: stem(re.findall(pieces[0], text.lower())) + re.findall(pieces[1], text)"
    yield (
        f'index = bm25s.BM25(method="lucene", k1={leg.options.get("k1", K1)}, b={leg.options.get("b", B)})'
        "  # Milvus has a BM25 function of its own, which ranks a little differently"
    )
    yield "index.index([words(text) for text in documents], show_progress=False)"
    yield "asked = [word for word in words(query) if word in index.vocab_dict]"
    yield (
        f"found_{number} = index.retrieve([asked], k=min(10, len(documents)), show_progress=False)[0][0].tolist()"
        " if asked else []"
    )


def _vectors(leg: Leg, number: int, workspace: Workspace) -> Iterator[str]:
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
    yield (
        f'milvus.create_collection("documents_{number}", dimension=vectors_{number}.shape[1], metric_type="IP",'
        ' consistency_level="Strong")'
    )
    yield (
        f'milvus.insert("documents_{number}", [{{"id": row, "vector": vector}} for row, vector in'
        f" enumerate(vectors_{number}.tolist())])"
    )
    yield (
        f'found_{number} = [hit["id"] for hit in milvus.search("documents_{number}", data=asked_{number}.tolist(),'
        " limit=10)[0]]"
    )


def _sentence_transformers(leg: Leg, resolved: Resolved, number: int) -> Iterator[str]:
    yield "from sentence_transformers import SentenceTransformer"
    arguments = [repr(leg.name)]
    if resolved.revision and _COMMIT.fullmatch(resolved.revision):
        arguments.append(f"revision={resolved.revision!r}")
    if "dim" in leg.options:
        arguments.append(f"truncate_dim={leg.options['dim']}")
    engine, precision = leg.options.get("backend", "torch"), leg.options.get("precision", "fp32")
    if engine == "torch" and precision in _DTYPES:
        yield "import torch"
        arguments.append(f'model_kwargs={{"dtype": {_DTYPES[precision]}}}')
    if engine != "torch":
        yield f"# measured with {engine} in {precision}; this runs PyTorch in fp32: vectors come close, speed does not"
    yield f"model = SentenceTransformer({', '.join(arguments)})"
    if "max_tokens" in leg.options:
        yield f"model.max_seq_length = {leg.options['max_tokens']}"
    unit = ", normalize_embeddings=True" if resolved.normalise else ""
    yield f"vectors_{number} = {_encoding(resolved, 'document')}(documents{_prompt(resolved, 'document')}{unit})"
    yield f"asked_{number} = {_encoding(resolved, 'query')}([query]{_prompt(resolved, 'query')}{unit})"


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
    """Reciprocal rank fusion of what the legs found."""
    k = candidate.options.get("k", RRF_K) if isinstance(candidate, Fusion) else RRF_K
    yield "from collections import Counter"
    yield "points = Counter()"
    for number in range(1, len(candidate.legs) + 1):
        yield f"points.update({{row: 1 / ({k} + place) for place, row in enumerate(found_{number}, 1)}})"
    yield "found = [row for row, _ in points.most_common()]"
