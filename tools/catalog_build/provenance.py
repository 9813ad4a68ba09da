"""The hand-kept files of the catalog (licences, prices, sources) and ``SOURCES.md``, which is made from them."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from importlib.resources import as_file, files
from pathlib import Path

from tools.catalog_build.writing import write_text

CURATED = ("licenses.json", "prices.json", "sources.json")


def copy_curated(out: Path) -> None:
    """Put the hand-kept files beside the built ones; they already are where `out` is the shipped folder."""
    out.mkdir(parents=True, exist_ok=True)
    for name in CURATED:
        with as_file(files("knowledge") / "data" / name) as path:
            if path.parent.resolve() != out.resolve():
                shutil.copyfile(path, out / name)


def date_sources(out: Path, mteb: str, results: str, day: dt.date) -> None:
    """Note in ``sources.json`` which mteb and which results the figures now come from, and that they hold today."""
    path = out / "sources.json"
    content = json.loads(path.read_text("utf-8"))
    content["sources"]["mteb"] |= {"title": f"mteb {mteb}, metadata of models and tasks", "date": str(day)}
    content["sources"]["mteb-results"] |= {"title": f"MTEB's published results, {results}", "date": str(day)}
    write_text(path, json.dumps(content, ensure_ascii=False, indent=0) + "\n")


def build_sources(out: Path) -> None:
    """Write ``SOURCES.md`` from ``sources.json`` in the same folder."""
    sources = json.loads((out / "sources.json").read_text("utf-8"))["sources"]
    lines = [
        "# Where the figures come from",
        "",
        "Made by `python -m tools.catalog_build` from `sources.json`; change that file instead.",
        "The id is what `ModelCard.sources`, `licenses.json` and `prices.json` refer to.",
        "",
        "| id | source | date | licence | note |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, source in sorted(sources.items()):
        title = f"[{source['title']}]({source['url']})" if "url" in source else source["title"]
        lines.append(f"| {name} | {title} | {source['date']} | {source['license']} | {source.get('note', '')} |")
    write_text(out / "SOURCES.md", "\n".join(lines) + "\n")
