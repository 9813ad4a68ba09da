"""The figures that an answer cites, numbered as they come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Literal

from knowledge.results import Evidence
from knowledge.wording import Text


class EvidenceList:
    """Collects evidence; each entry gets the prefix and the next number as its id."""

    def __init__(self, prefix: str = "E", found: Sequence[Evidence] = ()) -> None:
        self.found = list(found)
        self._prefix = prefix

    def add(
        self,
        kind: Literal["published", "measured", "computed"],
        about: str,
        what: Text,
        value: float,
        unit: str = "",
        *,
        source: Text,
        date: dt.date | None = None,
        run_id: str | None = None,
        computed_from: tuple[str, ...] = (),
    ) -> str:
        """Keep a figure.

        Returns:
            its id.
        """
        id = f"{self._prefix}{len(self.found) + 1}"
        self.found.append(
            Evidence(
                id=id,
                kind=kind,
                about=about,
                what=what,
                value=value,
                unit=unit,
                source=source,
                date=date,
                run_id=run_id,
                computed_from=computed_from,
            )
        )
        return id
