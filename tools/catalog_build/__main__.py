"""``python -m tools.catalog_build SOURCE_DIR [--out knowledge/data]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from knowledge.errors import AdvisorError
from tools.catalog_build.languages import build_languages
from tools.catalog_build.models import build_models
from tools.catalog_build.provenance import build_sources, copy_curated
from tools.catalog_build.tasks import build_tasks

SHIPPED = Path(__file__).parents[2] / "knowledge" / "data"


def build(source: Path, out: Path) -> None:
    """Write every file of the catalog into `out`, from the tables in `source`.

    Raises:
        CatalogError: a table is missing, unreadable or lacks a column.
    """
    from tools.catalog_build.scores import build_scores

    copy_curated(out)
    build_sources(out)
    build_models(source, out)
    build_tasks(source, out)
    build_languages(source, out)
    build_scores(source, out / "scores.npz")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.catalog_build", description="Build the shipped catalog.")
    parser.add_argument("source", type=Path, help="folder with models.parquet, tasks.parquet and the score tables")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder to write to (default: knowledge/data)")
    options = parser.parse_args(arguments)
    try:
        build(options.source, options.out)
    except AdvisorError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    for path in sorted(options.out.iterdir()):
        if path.is_file():
            sys.stdout.write(f"{path.stat().st_size:>9,}  {path.name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
