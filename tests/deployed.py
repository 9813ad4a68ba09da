"""A small search, deployed: a server that embeds, a search service, a collection; sound, or broken on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from knowledge.candidate import parse_candidate
from tests.fake_http import Answer, Server, as_json
from tools import encoders
from tools.workspace import Workspace

SPEC = "static:wordllama?dim=64"
ANIMALS = ("otter", "falcon", "badger", "salmon", "hedgehog", "lizard", "beaver", "raven", "walrus", "moth")
HABITS = (
    ("eats", "feeds at dawn on what the season offers", "what does the {animal} feed on"),
    ("sleeps", "rests during winter in a sheltered den", "where does the {animal} rest in winter"),
    ("moves", "travels far along rivers when food is scarce", "how far does the {animal} travel for food"),
)
#: what long documents go on with: another matter, so that cutting it off changes their vectors
MORE = (
    " Ministers signed a treaty about customs, tariffs and fishing quotas after long negotiations in the capital, and "
    "the parliament voted on the budget for railways, hospitals, schools and courts; newspapers argued about inflation."
)


def write(folder: Path) -> Path:
    """30 documents, some of them long; 30 queries; 30 judgments."""
    folder.mkdir(parents=True)
    documents, queries, judgments = [], [], ["query-id\tcorpus-id\tscore"]
    for i, animal in enumerate(ANIMALS):
        for habit, text, query in HABITS:
            name = f"{animal}-{habit}"
            long = MORE if i % 3 == 0 else ""
            documents.append({"_id": name, "text": f"The {animal} {text}.{long}"})
            queries.append({"_id": f"q-{name}", "text": query.format(animal=animal)})
            judgments.append(f"q-{name}\t{name}\t1")
    (folder / "corpus.jsonl").write_text("".join(json.dumps(d) + "\n" for d in documents), "utf-8")
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries), "utf-8")
    (folder / "qrels.tsv").write_text("\n".join(judgments) + "\n", "utf-8")
    return folder


class Model:
    """WordLlama in this process: what the deployment's servers embed with."""

    def __init__(self, home: Path) -> None:
        leg = parse_candidate(SPEC)
        resolved = encoders.resolve(leg, Workspace(home=home, offline=True))
        self._encoder = encoders.load(resolved)

    def embed(self, texts: list[str], *, dimension: int = 64, unit: bool = True) -> np.ndarray:
        """Vectors cut to a dimension."""
        made = encoders.cut(self._encoder.embed(texts, kind="document"), None)
        return encoders.cut(made, dimension, normalise=unit)


def fill(
    file: Path,
    vectors: Mapping[str, np.ndarray],
    *,
    metric: str = "IP",
    name: str = "docs",
    emptied: bool = False,
) -> str:
    """A collection in a file of Milvus Lite, its rows deleted again if so asked; returns its address."""
    from milvus_lite.server_manager import server_manager_instance
    from pymilvus import DataType, MilvusClient

    client = MilvusClient(uri=str(file), grpc_options={"grpc.keepalive_time_ms": 2**31 - 1})
    dimension = len(next(iter(vectors.values())))
    schema = client.create_schema(auto_id=False)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=200)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type=metric)
    client.create_collection(name, schema=schema, index_params=index, consistency_level="Strong")
    client.insert(name, [{"id": id, "vector": vector.tolist()} for id, vector in vectors.items()])
    if emptied:
        client.delete(name, ids=list(vectors))
    client.close()
    server_manager_instance.release_server(str(file))
    return str(file)


class Embeddings(Server):
    """An OpenAI-compatible server; `before` is put before every text, without anybody asking for it."""

    def __init__(self, model: Model, *, dimension: int = 256, before: str = "") -> None:
        super().__init__()
        self._model, self._dimension, self._before = model, dimension, before

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        if path == "/v1/models":
            return as_json({"data": [{"id": "wordllama"}]})
        if path != "/v1/embeddings":
            return as_json({"error": "no such route"}, 404)
        asked = json.loads(body)["input"]
        texts = [asked] if isinstance(asked, str) else asked
        if not all(text.strip() for text in texts):
            return as_json({"error": {"message": "input cannot be empty"}}, 400)
        rows = self._model.embed([self._before + text for text in texts], dimension=self._dimension)
        return as_json({"data": [{"index": i, "embedding": row.tolist()} for i, row in enumerate(rows)]})


class Search(Server):
    """A search service over vectors of documents; `embed` makes those of queries."""

    def __init__(self, documents: Mapping[str, np.ndarray], embed: Callable[[str], np.ndarray]) -> None:
        super().__init__()
        self._ids, self._vectors, self._embed = list(documents), np.stack(list(documents.values())), embed
        self.instead: Callable[[str], Answer | None] = lambda query: None
        self.most = 1_000

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        asked = json.loads(body)
        other = self.instead(asked["query"])
        if other:
            return other
        if not asked["query"].strip():
            return as_json({"detail": "an empty query"}, 422)
        scores = self._vectors @ self._embed(asked["query"])
        best = np.argsort(-scores, kind="stable")[: min(asked["limit"], self.most)]
        return as_json({"hits": [{"id": self._ids[i], "score": float(scores[i])} for i in best]})
