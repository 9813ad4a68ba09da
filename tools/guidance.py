"""Which notes answer a question: names and example questions by BM25, meaning in Milvus, fused by ranks.

WordLlama gives the vectors: it comes as a package, loads in half a second and needs no torch. Where it or Milvus is
missing, the names alone answer. How often this finds the right note, and how often it answers what it should not, is
measured in ``benchmarks/guidance``.
"""

from __future__ import annotations

import difflib
import math
import queue
import re
import threading
import weakref
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from knowledge.candidate import Leg, parse_candidate
from knowledge.errors import AdvisorError
from knowledge.guidance import Note, load_notes
from tools import encoders, retrieval
from tools.bm25 import BM25Index
from tools.pipeline.words import tokenise
from tools.retrieval import Rankings
from tools.workspace import Workspace

if TYPE_CHECKING:
    from tools.encoders import Encoder, Vectors
    from tools.milvus_collection import Collection

#: with b = 0.3 a note with many names is hardly punished for them
WORDS, MEANING = Leg(backend="bm25", options={"b": "0.3", "stem": "english"}), Leg(backend="static", name="wordllama")
FUSED = parse_candidate(f"rrf({WORDS.spec}, {MEANING.spec})")
#: how many notes each leg puts forward, at least: on the tuned half, more of them only brought noise
DEPTH = 3
#: rows of the vector index that are looked at; a note has about eight, and its best one counts
ROWS = 200
LONGEST = 2_000

#: The weights and thresholds of `_sureness` are set on the tuned half of the golden set; the other half is what
#: the benchmark's figures are for.
KNOWN, COVERED = 0.7, 1.0
SURE, SURE_BY_WORDS = 1.04, 0.6
#: below this share of what would be sure, the hits have nothing to do with the question
NEAR = 0.65

_HAN = re.compile("[\u4e00-\u9fff]")
_PARTS = re.compile(r"[^\s,.;:?!\"'“”‘’()，。；：？！（）、]+")
_LATIN = re.compile(r"[A-Za-z]{7,}")
#: words that only make a question of it
_ASKING = re.compile(
    r"\b(?:a|an|and|any|are|as|at|be|been|but|by|can|could|describe|did|do|does|don|explain|for|from|get|had|has|have|"
    r"how|i|if|in|into|is|isn|it|its|just|like|me|my|of|on|or|our|out|should|so|some|such|than|that|the|their|them|then|there|these|they|"
    r"this|those|to|up|us|was|we|what|whats|when|where|which|who|why|will|with|would|you|your)\b|"
    "为什么|为啥|解释|介绍|说说|讲讲|意思|有没有|怎么|怎样|什么|如何|是否|可以|需要|哪个|哪些|多少|啥|[吗呢的了么我你在能要有是]"
)


@dataclass(frozen=True)
class Hit:
    """A note that may answer, and its fused score."""

    note: Note
    score: float


@dataclass(frozen=True)
class LookUp:
    """What was found.

    Attributes:
        hits: best first.
        known: whether the notes have it; where not, the hits are only the nearest.
        near: whether the hits have to do with the question at all.
        sureness: what was decided by: 1 is the threshold of `known`.
    """

    hits: tuple[Hit, ...] = ()
    known: bool = False
    near: bool = False
    sureness: float = 0.0


@dataclass
class Guidance:
    """The notes, searchable. The index is built at the first question and kept; threads may share it."""

    workspace: Workspace
    meaning: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _index: _Index | None = None

    def look_up(self, question: str, k: int = 3) -> LookUp:
        """The k notes that answer a question best, in whatever language it is put; reads 2,000 characters of it."""
        with self._lock:
            self._index = self._index or _Index(self.workspace, meaning=self.meaning)
            return self._index.look_up(question[:LONGEST].encode("utf-8", "replace").decode(), k)

    def close(self) -> None:
        """Let go of the index; the next question builds it anew."""
        with self._lock:
            if self._index is not None:
                self._index.close()
            self._index = None


class _Index:
    def __init__(self, workspace: Workspace, *, meaning: bool) -> None:
        self._notes = tuple(load_notes().values())
        heads = [" . ".join((n.title.en, n.title.zh, *n.names, *n.asked)) for n in self._notes]
        self._words = BM25Index(heads, WORDS)
        self._heads = [frozenset(_stems(head)) for head in heads]
        texts = [f"{head} . {n.text.en} . {n.text.zh}" for head, n in zip(heads, self._notes, strict=True)]
        self._weights, self._unknown = _weights(texts)
        self._vocabulary = sorted({w.lower() for head in heads for w in _LATIN.findall(head)})
        rows = [(i, text) for i, n in enumerate(self._notes) for text in _rows(n)]
        self._owner = np.array([i for i, _ in rows])
        self._called = [{name.casefold() for name in (n.title.en, n.title.zh, *n.names)} for n in self._notes]
        self._held: _Held | None = None
        self._meaning = self._open(workspace, [text for _, text in rows]) if meaning else None

    def _open(self, workspace: Workspace, rows: Sequence[str]) -> tuple[Encoder, Collection] | None:
        """The encoder and the notes' vectors in Milvus Lite; None where one of them is not to be had.

        Always the local one: an answer from the notes does not wait for a server, and leaves nothing on it.
        """
        try:
            found = encoders.resolve(MEANING, workspace)
            encoder = encoders.load(found)
        except (AdvisorError, ImportError):
            return None
        vectors = encoders.cut(encoder.embed(rows, kind="document"), None)
        self._held = _Held(replace(workspace, milvus_uri=None, milvus_token=None), vectors)
        weakref.finalize(self, self._held.stop.set).atexit = False
        collection = self._held.opened.get()
        return None if collection is None else (encoder, collection)

    def close(self) -> None:
        if self._held is not None:
            self._held.stop.set()
            self._held.join()

    def look_up(self, question: str, k: int) -> LookUp:
        question = self._corrected(question)
        stated = without_asking(question)
        if not stated:
            return LookUp()
        depth = max(k, DEPTH)
        rows, scores = self._words.search([stated], depth)
        of_leg = {WORDS: Rankings(rows, scores)}
        cosine = None
        if self._meaning is not None:
            of_leg[MEANING], cosine = self._by_meaning(*self._meaning, question, depth)
        ranked = retrieval.rank(FUSED if self._meaning is not None else WORDS, of_leg, depth)
        found = {int(r): float(s) for r, s in zip(ranked.rows[0], ranked.scores[0], strict=True) if r >= 0}
        # "what is RAG" asks for the note of that name, however often others mention it
        called = [row for row, names in enumerate(self._called) if stated in names]
        best = max(found.values(), default=0.0)
        found = dict.fromkeys(called, best) | {row: s for row, s in found.items() if row not in called}
        sureness = self._sureness(stated, cosine) / (SURE_BY_WORDS if cosine is None else SURE)
        known = bool(found) and (sureness >= 1 or bool(called))
        hits = tuple(Hit(self._notes[row], score) for row, score in list(found.items())[:k])
        return LookUp(hits, known, near=known or (bool(found) and sureness >= NEAR), sureness=sureness)

    def _by_meaning(
        self, encoder: Encoder, collection: Collection, question: str, depth: int
    ) -> tuple[Rankings, float]:
        """The notes by their nearest row, and the cosine of the nearest of all."""
        vectors = encoders.cut(encoder.embed([question], kind="query"), None)
        rows, scores = collection.search(vectors, ROWS)
        best: dict[int, float] = {}
        for row, score in zip(rows[0], scores[0], strict=True):
            if row >= 0:
                best.setdefault(int(self._owner[row]), float(score))
        order = list(best)[:depth]
        found = Rankings(np.array([order], dtype=np.int64), np.array([[best[i] for i in order]]))
        return found, max(best.values(), default=0.0)

    def _sureness(self, stated: str, cosine: float | None) -> float:
        """How near the notes are to a question: the nearest by meaning, and the words shared with them.

        Counted are the share of its words that any note has, and the largest share that one note's names and example
        questions have. A word weighs by its rarity among the notes, one that they lack as much as the rarest.
        """
        weight = {stem: self._weights.get(stem, self._unknown) for stem in _stems(stated)}
        total = sum(weight.values()) or 1.0
        known = sum(w for stem, w in weight.items() if stem in self._weights) / total
        covered = max(sum(w for stem, w in weight.items() if stem in head) for head in self._heads) / total
        return (cosine or 0.0) + KNOWN * known + COVERED * covered

    def _corrected(self, question: str) -> str:
        """The question with long words that are nearly one of the notes' names spelt as there."""

        def one(match: re.Match[str]) -> str:
            word = match.group()
            near = difflib.get_close_matches(word.lower(), self._vocabulary, 1, 0.85)
            return near[0] if near else word

        return _LATIN.sub(one, question)


class _Held(threading.Thread):
    """A collection kept open in a thread of its own, until it is told to stop.

    When the process ends without that, a daemon thread just ends with it: Milvus Lite has stopped by then, and to drop
    the collection would fail loudly. What is left on the disk is removed by the next process.
    """

    def __init__(self, workspace: Workspace, vectors: Vectors) -> None:
        super().__init__(name="notes-in-milvus", daemon=True)
        self._workspace, self._vectors = workspace, vectors
        self.stop = threading.Event()
        #: the collection, or None where there is none
        self.opened: queue.SimpleQueue[Collection | None] = queue.SimpleQueue()
        self.start()

    def run(self) -> None:
        try:
            from tools.vector_store import VectorStore

            with VectorStore(self._workspace) as store, store.collection(self._vectors) as collection:
                self.opened.put(collection)
                self.stop.wait()
        except (AdvisorError, ImportError):
            pass  # names alone have to do
        finally:
            self.opened.put(None)


def _rows(note: Note) -> list[str]:
    """The texts of a note that get a vector each: a question is like one of them, hardly ever like all together."""
    english = [name for name in note.names if not _HAN.search(name)]
    chinese = [name for name in note.names if _HAN.search(name)]
    return [
        f"{note.title.en}. {', '.join(english)}",
        note.text.en,
        *note.asked,
        f"{note.title.zh}。{'，'.join(chinese)}",
        note.text.zh,
    ]


def without_asking(question: str) -> str:
    """What is left of a question without the words that only make a question of it."""
    return " ".join(_PARTS.findall(_ASKING.sub(" ", question.lower())))


def _stems(text: str) -> list[str]:
    import Stemmer

    return tokenise(text, Stemmer.Stemmer("english").stemWords)


def _weights(texts: Sequence[str]) -> tuple[dict[str, float], float]:
    """Inverse document frequencies as BM25 has them, and that of a word in no text."""
    counts = Counter(stem for text in texts for stem in set(_stems(text)))
    return {stem: _rarity(len(texts), n) for stem, n in counts.items()}, _rarity(len(texts), 0)


def _rarity(texts: int, containing: int) -> float:
    return math.log(1 + (texts - containing + 0.5) / (containing + 0.5))
