"""``python -m tools.catalog_build TABLES [--out knowledge/data]``: the shipped catalog, from the distilled tables."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path

from knowledge.errors import AdvisorError
from tools.catalog_build.build import build
from tools.catalog_build.tables import read_tables

SHIPPED = Path(__file__).parents[2] / "knowledge" / "data"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.catalog_build", description="Build the shipped catalog.")
    parser.add_argument("source", type=Path, help="folder with models.parquet, tasks.parquet and the score tables")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder to write to (default: knowledge/data)")
    parser.add_argument("--built", type=dt.datetime.fromisoformat, help="time to note (default: now)")
    options = parser.parse_args(arguments)
    built = options.built or dt.datetime.now(dt.UTC).replace(microsecond=0)
    if built.tzinfo is None:
        built = built.replace(tzinfo=dt.UTC)
    try:
        build(read_tables(options.source), options.out, built)
    except AdvisorError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    for path in sorted(options.out.iterdir()):
        if path.is_file():
            sys.stdout.write(f"{path.stat().st_size:>9,}  {path.name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
