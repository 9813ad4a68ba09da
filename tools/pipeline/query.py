"""Ask: ``python -m pipeline.query "how do I fix a puncture"``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

from .errors import PipelineError
from .search import Pipeline
from .settings import read_settings

_SHOWN = 100


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.query", description=__doc__)
    parser.add_argument("query")
    parser.add_argument("--results", type=int)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    try:
        pipeline = Pipeline(read_settings())
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    try:
        answer = pipeline.ask(given.query, given.results)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        pipeline.close()
    if given.json:
        print(json.dumps(dataclasses.asdict(answer), ensure_ascii=False))
        return 0
    for place, found in enumerate(answer.results, 1):
        print(f"{place:3} {found.score:9.4f}  {found.id}  {' '.join((found.text or '').split())[:_SHOWN]}")
    print(", ".join(f"{part} {ms:.1f} ms" for part, ms in answer.milliseconds.items()), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
