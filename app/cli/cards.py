"""`advisor models`: the catalog on a terminal."""

from __future__ import annotations

import json
import sys

from rich.table import Table

from app.cli.terminal import console, shown
from knowledge.catalog import load_catalog
from knowledge.wording import say


def list_models(words: str, limit: int, *, as_json: bool) -> None:
    """The models whose names match."""
    found = load_catalog().search(words, limit)
    if as_json:
        sys.stdout.write(json.dumps([c.model_dump(mode="json") for c in found], ensure_ascii=False, indent=2) + "\n")
        return
    if not found:
        sys.stderr.write(shown(say("No model's name has “{words}” in it.", words=words)) + "\n")
        return
    table = Table()
    for name, justify in (
        (say("model"), "left"),
        (say("parameters"), "right"),
        (say("dimension"), "right"),
        (say("max tokens"), "right"),
        (say("licence"), "left"),
        (say("languages"), "right"),
    ):
        table.add_column(shown(name), justify=justify, overflow="fold")  # type: ignore[arg-type]
    for c in found:
        size = f"{c.parameters / 1e6:.0f} M" if c.parameters else "?"
        table.add_row(
            c.model,
            size,
            str(c.dimension or "?"),
            str(c.max_tokens or "?"),
            c.license or "?",
            str(len(c.languages) or "?"),
        )
    console().print(table)


def show_card(name: str, *, as_json: bool) -> None:
    """One model, each figure with its source and date."""
    catalog = load_catalog()
    card = catalog.card(name)
    facts = card.model_dump(mode="json", exclude_defaults=True, exclude={"sources"})
    sources = {field: catalog.source_of(card, field) for field in facts}
    if as_json:
        found = facts | {
            "sources": {f: {"title": s.title, "url": s.url, "date": str(s.date)} for f, s in sources.items()}
        }
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) + "\n")
        return
    table = Table(title=card.model, title_justify="left")
    for column in (say("fact"), say("value"), say("source"), say("date")):
        table.add_column(shown(column), overflow="fold")
    for field, value in facts.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        table.add_row(
            field, text if len(text) < 300 else text[:297] + "…", sources[field].title, str(sources[field].date)
        )
    console().print(table)
