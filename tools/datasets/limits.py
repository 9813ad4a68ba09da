"""How much a dataset may hold, so that a hostile or mistaken file costs neither the memory nor the evening."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge.errors import DatasetError
from knowledge.wording import Text, say


@dataclass(frozen=True)
class Limits:
    """Caps on what is read; beyond one of them a `DatasetError` names it.

    Attributes:
        total_bytes: of all files together, after decompression.
        json_bytes: of one ``.json`` file, which has to be read at once (JSONL is streamed).
        line_bytes: of one line, one row's field or one text file; a longer one is a problem of that line only.
        rows: of all tables together.
        columns: of one table or one JSON object.
        documents: in the end.
        depth: of nested JSON.
        compression_ratio: decompressed to compressed size, from 16 MiB on; real text stays below 30.
        problems: after so many, reading stops without ``skip_bad``.
        head: of each file, about how many bytes are read; None means all (a preview reads less).
    """

    total_bytes: int = 2 * 2**30
    json_bytes: int = 128 * 2**20
    line_bytes: int = 8 * 2**20
    rows: int = 20_000_000
    columns: int = 10_000
    documents: int = 5_000_000
    depth: int = 32
    compression_ratio: int = 100
    problems: int = 1_000
    head: int | None = None


class Budget:
    """What has been read so far, against the limits."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.bytes = 0
        self.rows = 0

    def spend_bytes(self, count: int, file: str) -> None:
        """Count bytes read.

        Raises:
            DatasetError: more than `Limits.total_bytes`.
        """
        self.bytes += count
        if self.bytes > self.limits.total_bytes:
            raise too_much(
                say(
                    "{file}: the data holds more than {limit} MB of text, the most this program reads.",
                    file=file,
                    limit=self.limits.total_bytes // 2**20,
                )
            )

    def spend_row(self, file: str) -> None:
        """Count one row.

        Raises:
            DatasetError: more than `Limits.rows`.
        """
        self.rows += 1
        if self.rows > self.limits.rows:
            raise too_much(
                say(
                    "{file}: the data holds more than {limit} rows, the most this program reads.",
                    file=file,
                    limit=self.limits.rows,
                )
            )


def too_much(cause: Text) -> DatasetError:
    """The error for data beyond a limit."""
    return DatasetError(cause, say("Take a sample of it: some thousand documents are enough to compare models."))
