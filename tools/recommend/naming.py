"""Names, counts and p values, as the sentences of a decision have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from knowledge.wording import Text, say
from tools.recommend.contest import Contest

#: so many names read well in a sentence
MOST_NAMES = 3


def so_many(count: int) -> Text:
    """So many candidates, in words."""
    return say("1 candidate") if count == 1 else say("{count} candidates", count=count)


def p_text(value: float) -> str:
    """A p value with its sign, never written as zero."""
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def names_of(specs: Sequence[str]) -> Text:
    """The candidates by name, or the first of them and a count: the table has them all."""
    if len(specs) <= MOST_NAMES:
        return Text(template="{names}", values={"names": ", ".join(specs)})
    named = ", ".join(specs[: MOST_NAMES - 1])
    return say("{names} and {count} others", names=named, count=len(specs) - MOST_NAMES + 1)


def ids(cites: Mapping[str, str], *names: str) -> str:
    """The evidence of these figures."""
    return ", ".join(cites[name] for name in names if name in cites)


def alike_but_undecided(best: str, field: Contest) -> list[str]:
    """Those that score as the best on every query, which are too few to show that they are tied."""
    return [
        spec
        for spec, c in field.comparisons.items()
        if spec != best and c.verdict == "undecided" and c.wins + c.losses == 0
    ]


def queries_needed(undecided: Sequence[str], field: Contest) -> int | None:
    """The most queries that any of them needs, those left out that no number would settle."""
    return max((n for spec in undecided if (n := field.comparisons[spec].queries_needed)), default=None)
