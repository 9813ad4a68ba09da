"""Reading the user's data, whatever its layout, and writing it in the BEIR layout.

Read: a BEIR folder (``corpus.jsonl[.gz]``, ``queries.jsonl[.gz]``, ``qrels.tsv`` or ``qrels/*.tsv``), a folder with
``documents.*`` and ``queries.*`` tables, one JSONL, JSON, CSV, TSV or Parquet table (documents, or one query and one
document a row), or a folder of text and Markdown files. Queries and labels may be absent.
"""

from tools.datasets.limits import Limits
from tools.datasets.preview import FilePreview, Preview, Problem, preview_dataset
from tools.datasets.problems import problem_text
from tools.datasets.reader import read_dataset
from tools.datasets.writer import save_dataset

__all__ = [
    "FilePreview",
    "Limits",
    "Preview",
    "Problem",
    "preview_dataset",
    "problem_text",
    "read_dataset",
    "save_dataset",
]
