"""What a child is to do with untrusted files, and how large they may be."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from tools.datasets import Limits

#: of untrusted data; what is read has to fit into the server's memory beside everything else
LIMITS = Limits(
    total_bytes=512 * 2**20, json_bytes=64 * 2**20, rows=5_000_000, documents=1_000_000, columns=2_000, problems=1_000
)
#: the child's: resident, and of address space (libraries take about 300 of it)
MEMORY_MB, ADDRESS_MB = 768, 1_536
#: of processor time; and of waiting, for all of it to be read and for a preview
PROCESSOR_SECONDS, READ_SECONDS, LOOK_SECONDS = 180, 300, 30
#: of a file that the child writes
FILE_BYTES = 2**32


class Task(BaseModel):
    """One child's work.

    Attributes:
        folder: where the data lies; the child works there, so that its messages name files without their folders.
        name: of the file or folder in it.
        copy_to: where the copy goes; it appears complete or not at all.
        look: make a preview too, and the copy only where the data is small.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    name: str
    columns: dict[str, str] = {}
    skip_bad: bool = False
    copy_to: Path
    look: bool = False
