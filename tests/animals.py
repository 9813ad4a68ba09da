"""A small labelled dataset, and candidates that are cheap to measure on it."""

import json
from pathlib import Path

#: cheap to run, and they differ
CANDIDATES = ["bm25", "static:wordllama?dim=64"]

ANIMALS = ("otter", "falcon", "badger", "salmon", "hedgehog", "lizard", "beaver", "raven", "walrus", "moth")
HABITS = (
    ("eats", "it feeds at dawn on what the season offers", "what does the {animal} feed on"),
    ("sleeps", "it rests during winter in a sheltered den", "where does the {animal} rest in winter"),
    ("moves", "it travels far along rivers when food is scarce", "how far does the {animal} travel for food"),
)


def write_dataset(folder: Path) -> Path:
    """30 documents, 60 queries, 60 judgments, in the BEIR layout."""
    folder.mkdir(parents=True)
    documents, queries, judgments = [], [], ["query-id\tcorpus-id\tscore"]
    for animal in ANIMALS:
        for habit, text, query in HABITS:
            name = f"{animal}-{habit}"
            documents.append({"_id": name, "title": animal, "text": f"About the {animal}: {text}."})
            for i, asked in enumerate((query.format(animal=animal), f"{animal}: {text.split(' ', 2)[2]}?")):
                queries.append({"_id": f"{name}-{i}", "text": asked})
                judgments.append(f"{name}-{i}\t{name}\t1")
    (folder / "corpus.jsonl").write_text("".join(json.dumps(d) + "\n" for d in documents), "utf-8")
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries), "utf-8")
    (folder / "qrels.tsv").write_text("\n".join(judgments) + "\n", "utf-8")
    return folder
