"""The peer: mteb's own evaluation of the same model on the same data. Prints its scores and seconds.

python benchmarks/evaluate/peer.py FOLDER BATCH MODEL_FOLDER
"""

import csv
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

begun = time.perf_counter()

import mteb  # noqa: E402
from datasets import Dataset  # noqa: E402
from mteb.abstasks.retrieval import AbsTaskRetrieval  # noqa: E402
from mteb.abstasks.task_metadata import TaskMetadata  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402

FOLDER = Path(sys.argv[1])
NOTHING = dict.fromkeys(
    ["reference", "date", "domains", "task_subtypes", "license", "annotations_creators", "dialect", "sample_creation"]
)


class Local(AbsTaskRetrieval):
    """The folder as a task of mteb's."""

    metadata = TaskMetadata(
        name="Local",
        description="local data",
        dataset={"path": "local/data", "revision": "1"},
        type="Retrieval",
        category="t2t",
        modalities=["text"],
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score="ndcg_at_10",
        bibtex_citation=None,
        **NOTHING,
    )

    def load_data(self, **_: Any) -> None:
        if self.data_loaded:
            return
        corpus, queries = (
            [json.loads(line) for line in (FOLDER / f"{p}.jsonl").open(encoding="utf-8")] for p in ("corpus", "queries")
        )
        qrels: dict[str, dict[str, int]] = {}
        with (FOLDER / "qrels.tsv").open(encoding="utf-8") as file:
            for row in list(csv.reader(file, delimiter="\t"))[1:]:
                qrels.setdefault(row[0], {})[row[1]] = int(row[2])
        documents = [{"id": r["id"], "title": r.get("title") or "", "text": r["text"]} for r in corpus]
        asked = [{"id": r["id"], "text": r["text"]} for r in queries if r["id"] in qrels]
        part = {
            "corpus": Dataset.from_list(documents),
            "queries": Dataset.from_list(asked),
            "relevant_docs": qrels,
            "top_ranked": None,
        }
        self.dataset = {"default": {"test": part}}
        self.data_loaded = True


def main(batch: int) -> None:
    """Evaluate."""
    model = SentenceTransformer(sys.argv[3], device="cpu", local_files_only=True)
    with tempfile.TemporaryDirectory() as folder:
        loaded = time.perf_counter()
        found = mteb.evaluate(
            model,
            tasks=[Local()],
            cache=None,
            encode_kwargs={"batch_size": batch},
            prediction_folder=folder,
            show_progress_bar=False,
        )
    done = time.perf_counter()
    scores = found.task_results[0].scores["test"][0]
    wanted = {"nDCG@10": "ndcg_at_10", "R@10": "recall_at_10", "R@100": "recall_at_100", "P@10": "precision_at_10"}
    print(
        json.dumps(
            {
                "evaluate": done - loaded,
                "process": done - begun,
                "version": mteb.__version__,
                "scores": {ours: scores[theirs] for ours, theirs in wanted.items()},
            }
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[2]))
