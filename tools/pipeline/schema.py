"""Collections in Milvus: ``python -m pipeline.schema show | switch | drop-old``.

``switch`` lets searches go to the collection of config.yaml from now on (the cut-over after an ingest with other
settings, and with the former config.yaml the way back), and says whether documents have changed since that collection
was filled; ``drop-old`` removes those that no search goes to.
"""

from __future__ import annotations

import argparse
import sys

from .collection import Collections
from .errors import PipelineError
from .ledger import Ledger
from .settings import Settings, read_settings


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.schema", description=__doc__)
    parser.add_argument("what", choices=["show", "switch", "drop-old"])
    what = parser.parse_args(arguments).what
    try:
        settings = read_settings()
        collections = Collections(settings)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    try:
        for line in lines(settings, collections, what):
            print(line)
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        collections.close()
    return 0


def lines(settings: Settings, collections: Collections, what: str) -> list[str]:
    """What was done, leg by leg."""
    told = []
    for leg in settings.legs.values():
        if leg["kind"] not in ("dense", "sparse"):
            continue
        alias, name = collections.alias(leg), collections.name(leg)
        if what == "switch":
            before = collections.switch(leg)
            told.append(f"{alias} -> {name} (before: {before or 'nothing'})")
            told += _behind(settings, name)
            continue
        told.append(f"{alias} -> {collections.standing(leg) or 'nothing'}; config.yaml makes {name}")
        for other in collections.others(leg):
            if what == "drop-old" and other != name:
                collections.drop(other)
            told.append(f"  {'dropped' if what == 'drop-old' and other != name else 'beside it'}: {other}")
    return told


def _behind(settings: Settings, name: str) -> list[str]:
    """What a collection that was filled long ago does not know of: the documents have gone on without it."""
    ledger = Ledger(settings.state)
    try:
        count = ledger.behind(name)
    finally:
        ledger.close()
    return [f"  {count} texts are new or gone since it was filled: run python -m pipeline.ingest"] if count else []


if __name__ == "__main__":
    sys.exit(main())
