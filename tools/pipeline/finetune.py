"""Train the encoder on pairs of yours: ``python -m pipeline.finetune --pairs pairs.jsonl --documents documents.jsonl``.

A pair is a line ``{"query": "...", "positive": "..."}``: a question and a text that answers it. The evaluation's own
queries (evaluation/verify.json) are left out of the training, and asked before and after it: only what is better on
them is better. One pair in ten is set apart for the loss, all pairs of one text on the same side.

The loss is MultipleNegativesRankingLoss (Henderson et al., 2017), over the other pairs of a batch and a hard negative:
a document that the untrained model ranks high and that is no more than 95 % as near as the right answer, for what is
nearer may be right as well (Moreira et al., NV-Retriever, 2024).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .chunks import cutter
from .encoders import Kind, SentenceTransformers, finished
from .errors import PipelineError
from .ingest import read_documents
from .ledger import hash_of
from .ranking import with_ties_broken
from .settings import HERE, Settings, read_settings, rules_of

DEV_SHARE, FEWEST = 0.1, 10
#: hard negatives are looked for among so many, and may be so near, as a share of the right answer's similarity
LOOKED_AT, NEAREST = 50, 0.95
DEPTH, RESAMPLES, SEED = 10, 2_000, 42
Vectors = NDArray[np.float32]
#: query, right answer
Pair = tuple[str, str]


@dataclass(frozen=True)
class Outcome:
    """nDCG@10 of the encoder alone on the evaluation's queries; `low` to `high`: 95 % interval of the difference."""

    before: float
    after: float
    difference: float
    low: float
    high: float
    queries: int
    trained_pairs: int
    dev_pairs: int
    left_out: int
    dev_loss_before: float
    dev_loss_after: float

    @property
    def better(self) -> bool:
        """Whether the new weights are shown to be better."""
        return self.low > 0


def read_pairs(file: Path, evaluated: Sequence[str]) -> tuple[list[Pair], int]:
    """Pairs, each once, without queries of the evaluation; and how many were left out for that.

    Raises:
        PipelineError: the file cannot be read, a line lacks something, or too few are left.
    """
    asked = {_plain(text) for text in evaluated}
    found: dict[Pair, None] = {}
    out = 0
    try:
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            if not line.strip():
                continue
            row = json.loads(line)
            query, positive = (row.get(name) if isinstance(row, dict) else None for name in ("query", "positive"))
            if not isinstance(query, str) or not isinstance(positive, str) or not query.strip() or not positive.strip():
                raise PipelineError(f"{file}, line {number}: a pair has a query and a positive, both texts")
            if _plain(query) in asked:
                out += 1
                continue
            found[query, positive] = None
    except (OSError, ValueError) as error:
        raise PipelineError(f"{file} cannot be read: {error}") from error
    if len(found) < FEWEST:
        raise PipelineError(
            f"{len(found)} pairs are left ({out} ask what the evaluation asks), and {FEWEST} are the fewest to train on"
        )
    return list(found), out


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def split(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """For training and for the loss; pairs of one text are on the same side, at least one pair on each."""
    place = {pair: hashlib.sha256(_plain(pair[1]).encode("utf-8", "surrogatepass")).digest() for pair in pairs}
    order = sorted(pairs, key=lambda pair: place[pair])
    border = place[order[min(max(1, round(DEV_SHARE * len(order))), len(order) - 1)]]
    dev = [pair for pair in order if place[pair] < border]
    return [pair for pair in order if place[pair] >= border], dev or order[:1]


class Documents:
    """The documents, and their vectors by the encoder as it was when they were last read."""

    def __init__(self, leg: dict[str, Any], texts: Mapping[str, str]) -> None:
        cut = cutter(rules_of(leg))
        first: dict[str, str] = {}
        for name, text in texts.items():
            first.setdefault(hash_of(text), name)  # texts that differ in blanks are one document, as measured
        texts = {name: texts[name] for name in first.values()}
        self.ids, self.texts = list(texts), list(texts.values())
        self._leg, parts = leg, [cut(text) for text in self.texts]
        self._parts = [part for of in parts for part in of]
        self._starts = np.cumsum([0, *map(len, parts[:-1])])

    def read(self, encoder: SentenceTransformers) -> None:
        """Make the vectors: before the training, and again after it."""
        self._made = self._vectors(encoder, self._parts, "document")

    def similarities(self, encoder: SentenceTransformers, queries: Sequence[str]) -> NDArray[np.float64]:
        """Of each query with each document's best part: shape (queries, documents)."""
        asked = self._vectors(encoder, queries, "query")
        return np.maximum.reduceat(asked.astype(np.float64) @ self._made.T, self._starts, axis=1)

    def _vectors(self, encoder: SentenceTransformers, texts: Sequence[str], kind: Kind) -> Vectors:
        return finished(encoder.embed(texts, kind), self._leg)


def hard_negatives(documents: Documents, encoder: SentenceTransformers, pairs: Sequence[Pair]) -> list[str]:
    """For each pair the highest document that is not too near; where there is none, one from further down."""
    similar = documents.similarities(encoder, [query for query, _ in pairs])
    place = {_plain(text): row for row, text in enumerate(documents.texts)}
    found = []
    for (_, positive), of in zip(pairs, similar, strict=True):
        own = place.get(_plain(positive))
        limit = NEAREST * of[own] if own is not None else np.sort(of)[::-1][: LOOKED_AT // 10][-1]
        order = [row for row in np.argsort(-of, kind="stable")[:LOOKED_AT].tolist() if row != own]
        far = [row for row in order if of[row] <= limit]
        found.append(documents.texts[(far or order[-1:] or [0])[0]])
    return found


def ndcg(similar: NDArray[np.float64], ids: Sequence[str], queries: Sequence[dict[str, Any]]) -> NDArray[np.float64]:
    """nDCG@10 of each query, with the grades as gains."""
    discounts = 1.0 / np.log2(np.arange(2, DEPTH + 2))
    scores = []
    for query, of in zip(queries, similar, strict=True):
        out, grades = set(query["left_out"]), query["relevant"]
        order = [(ids[row], float(of[row])) for row in np.argsort(-of, kind="stable").tolist() if ids[row] not in out]
        ranked = [document for document, _ in with_ties_broken(order)][:DEPTH]
        gains = np.array([max(grades.get(document, 0), 0) for document in ranked], float)
        best = np.array(sorted((max(grade, 0) for grade in grades.values()), reverse=True)[:DEPTH], float)
        ideal = float(best @ discounts[: len(best)])
        scores.append(float(gains @ discounts[: len(gains)]) / ideal if ideal else 0.0)
    return np.array(scores)


def interval(differences: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval of the mean, by bootstrap over queries."""
    random = np.random.default_rng(SEED)
    rows = random.integers(0, len(differences), (RESAMPLES, len(differences)))
    low, high = np.percentile(differences[rows].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


@dataclass(frozen=True)
class Training:
    """How long and how fast: `steps` ends it early, None after `epochs`."""

    epochs: float = 1.0
    batch: int = 32
    learning_rate: float = 2e-5
    steps: int | None = None


def finetune(
    settings: Settings, pairs_file: Path, documents: Mapping[str, str], out: Path, training: Training
) -> Outcome:
    """Train, save the weights under `out`, and say what they are worth.

    Raises:
        PipelineError: nothing in the configuration can be trained, or the pairs cannot be used.
    """
    leg = next((leg for leg in settings.legs.values() if leg.get("library") == "sentence-transformers"), None)
    if leg is None:
        raise PipelineError("no encoder in config.yaml is one that sentence-transformers trains")
    queries = json.loads((HERE / "evaluation" / "verify.json").read_text("utf-8"))["queries"]
    queries = [query for query in queries if any(grade > 0 for grade in query["relevant"].values())]
    pairs, left_out = read_pairs(pairs_file, [query["text"] for query in queries])
    train, dev = split(pairs)
    encoder, texts = SentenceTransformers(leg), Documents(leg, documents)
    asked = [query["text"] for query in queries]
    texts.read(encoder)
    before = ndcg(texts.similarities(encoder, asked), texts.ids, queries)
    losses = _train(encoder, leg, _rows(train, texts, encoder), _rows(dev, texts, encoder), training)
    texts.read(encoder)
    after = ndcg(texts.similarities(encoder, asked), texts.ids, queries)
    encoder.model.save_pretrained(str(out))
    low, high = interval(after - before)
    outcome = Outcome(
        before=float(before.mean()),
        after=float(after.mean()),
        difference=float((after - before).mean()),
        low=low,
        high=high,
        queries=len(queries),
        trained_pairs=len(train),
        dev_pairs=len(dev),
        left_out=left_out,
        dev_loss_before=losses[0],
        dev_loss_after=losses[1],
    )
    (out / "outcome.json").write_text(json.dumps(asdict(outcome), indent=1) + "\n", "utf-8")
    return outcome


def _rows(pairs: Sequence[Pair], documents: Documents, encoder: SentenceTransformers) -> dict[str, list[str]]:
    queries, positives = ([pair[side] for pair in pairs] for side in (0, 1))
    return {"anchor": queries, "positive": positives, "negative": hard_negatives(documents, encoder, pairs)}


def _train(
    encoder: SentenceTransformers, leg: dict[str, Any], train: Any, dev: Any, training: Training
) -> tuple[float, float]:
    """The loss on the pairs set apart, before and after."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.losses import MultipleNegativesRankingLoss
    from sentence_transformers.sentence_transformer.training_args import BatchSamplers

    prompts = {name: leg["prompts"]["query" if name == "anchor" else "document"] or "" for name in train}
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=folder,
            num_train_epochs=training.epochs,
            max_steps=training.steps or -1,
            per_device_train_batch_size=training.batch,
            per_device_eval_batch_size=training.batch,
            learning_rate=training.learning_rate,
            warmup_steps=0.1,  # of all steps
            batch_sampler=BatchSamplers.NO_DUPLICATES,  # the same answer twice would count as wrong
            prompts=prompts,
            save_strategy="no",
            report_to="none",
            dataloader_pin_memory=False,  # warns where there is no GPU
            disable_tqdm=True,
            seed=SEED,
        )
        trainer = SentenceTransformerTrainer(
            model=encoder.model,
            args=arguments,
            train_dataset=Dataset.from_dict(train),
            eval_dataset=Dataset.from_dict(dev),
            loss=MultipleNegativesRankingLoss(encoder.model),
        )
        before = float(trainer.evaluate()["eval_loss"])
        trainer.train()
        after = float(trainer.evaluate()["eval_loss"])
    encoder.model.eval()
    return before, after


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.finetune", description=__doc__)
    parser.add_argument("--pairs", type=Path, required=True, help='lines of {"query": ..., "positive": ...}')
    parser.add_argument("--documents", type=Path, required=True, help="what the evaluation was made on")
    parser.add_argument("--out", type=Path, default=Path("model"), help="folder for the new weights")
    parser.add_argument("--epochs", type=float, default=Training.epochs)
    parser.add_argument("--batch", type=int, default=Training.batch)
    parser.add_argument("--learning-rate", type=float, default=Training.learning_rate)
    parser.add_argument("--steps", type=int, help="end after so many")
    given = parser.parse_args(arguments)
    training = Training(given.epochs, given.batch, given.learning_rate, given.steps)
    try:
        found = finetune(read_settings(), given.pairs, dict(read_documents(given.documents)), given.out, training)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"trained on {found.trained_pairs} pairs ({found.left_out} left out: the evaluation asks the same); loss on "
        f"{found.dev_pairs} others {found.dev_loss_before:.3f} -> {found.dev_loss_after:.3f}\n"
        f"nDCG@{DEPTH} of the encoder alone on the evaluation's {found.queries} queries: {found.before:.3f} -> "
        f"{found.after:.3f}, difference {found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f})\n"
        + (
            f"better: measure st:{given.out.resolve()} beside the old one, and deploy it if it wins"
            if found.better
            else "not shown to be better: keep the weights as they are"
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
