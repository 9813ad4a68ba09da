"""`advisor models`: the catalog on a terminal."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text as Styled

from app.cli.card_facts import grouped
from app.cli.printed import print_json
from app.cli.terminal import console, language, shown
from app.model_view import ModelsFound, shown_model
from knowledge.catalog import Catalog, Source
from knowledge.licensing import PARTS, USES, Chain, Status, Use
from knowledge.model_card import ModelCard
from knowledge.scores import Scores
from knowledge.trust import Trust
from knowledge.wording import Text, join, say

if TYPE_CHECKING:
    from rich.console import Console

_STATUS: dict[Status, tuple[str, str, Text]] = {
    "allowed": ("✓", "green", say("allowed")),
    "forbidden": ("✗", "red", say("forbidden")),
    "unknown": ("?", "yellow", say("not known")),
    "none": ("·", "dim", say("none named")),
}
_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}


def list_models(catalog: Catalog, words: str, limit: int, *, as_json: bool) -> None:
    """The models whose names match."""
    found = catalog.search(words, limit)
    if as_json:
        print_json(ModelsFound(tuple(found)))
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


def uses_in(text: str) -> tuple[Use, ...]:
    """`commercial,redistribution` as uses; raises ValueError with the words that are none."""
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    wrong = [word for word in words if word not in USES]
    if wrong or not words:
        raise ValueError(", ".join(wrong) or text)
    return tuple(use for use in USES if use in words)


def show_card(catalog: Catalog, scores: Scores, name: str, uses: tuple[Use, ...], *, as_json: bool) -> None:
    """One model: each figure with its source and date, its licences, its files, its standing."""
    found = shown_model(catalog, scores, name, uses, language(), dt.date.today())
    if as_json:
        print_json(found)
        return
    card = catalog.card(name)
    out = console()
    out.print(Styled(card.model, style="bold"))
    _print_facts(out, card, catalog)
    _print_chain(out, found.license_chain)
    _print_trust(out, found.trust)
    out.print()
    out.print(_heading(shown(say("How established it is"))))
    out.print(_list([("·", "dim", found.standing.summary)]))


def _print_facts(out: Console, card: ModelCard, catalog: Catalog) -> None:
    """The facts in groups, each with the number of its source, and the sources below."""
    groups = grouped(card, language())
    width = max((cell_len(fact.label) for group in groups for fact in group.facts), default=0)
    numbers: dict[Source, int] = {}
    for group in groups:
        out.print()
        out.print(_heading(group.heading))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=2)
        table.add_column(width=min(width, out.width // 3))
        table.add_column(overflow="fold", ratio=1)
        for fact in group.facts:
            number = numbers.setdefault(catalog.source_of(card, fact.field), len(numbers) + 1)
            value = Styled.assemble(fact.value, (f" [{number}]", "dim"))
            table.add_row("", Styled(fact.label, style="dim"), value)
        out.print(table)
    out.print()
    out.print(_heading(shown(say("Sources of these figures"))))
    out.print(_list((f"[{number}]", "dim", _cited(source)) for source, number in numbers.items()))


def _cited(source: Source) -> str:
    return ", ".join(part for part in (source.title, str(source.date), source.url) if part)


def _print_chain(out: Console, chain: Chain) -> None:
    """Each link with its mark, its reason, what it rests on and what to check."""
    asked = join([USES[use] for use in chain.uses], Text(template=", "))
    out.print()
    out.print(_heading(shown(say("Licences: {uses}", uses=asked))))
    lines = []
    for link in chain.links:
        mark, style, word = _STATUS[link.status]
        told = say("{part}: {status}. {reason}", part=PARTS[link.part], status=word, reason=_sentence(link.reason))
        lines.append((mark, style, shown(told)))
        deciding = [terms for terms in link.evidence if terms.says == link.says]
        if deciding and deciding[0].source:
            first = deciding[0]
            rest = say("Says {source}, {date}.", source=first.source or "", date=str(first.date))
            lines.append(("", "", shown(rest)))
        if link.check:
            lines.append(("→", "cyan", _sentence(link.check)))
    out.print(_list(lines))


def _print_trust(out: Console, trust: Trust) -> None:
    out.print()
    out.print(_heading(shown(say("Trust in its files"))))
    lines = []
    for note in trust.notes:
        lines.append((*_MARKS[note.good], shown(note.text)))
        if note.advice:
            lines.append(("→", "cyan", shown(note.advice)))
    out.print(_list(lines))


def _sentence(text: Text) -> str:
    """A reason as a sentence of its own; names at its start keep their spelling."""
    words = shown(text)
    first = words.split(" ", 1)[0]
    begun = words[0].upper() + words[1:] if first.isalpha() and first.islower() else words
    return begun if begun.endswith((".", "。", "?", "？")) else begun + ("。" if language() == "zh" else ".")


def _heading(words: str) -> Styled:
    return Styled(words, style="bold")


def _list(lines: Iterable[tuple[str, str, str]]) -> Table:
    """Lines with a mark in front, set in alike when they are long."""
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(min_width=3, justify="right")
    table.add_column(overflow="fold", ratio=1)
    for mark, style, words in lines:
        table.add_row(Styled(mark, style=style), Styled(words))
    return table
