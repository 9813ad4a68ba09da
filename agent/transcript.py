"""What was said in each conversation, so that any door can show it again: one JSON line an event, one file a thread."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from agent import events
from knowledge.errors import ResourceError, make_room
from knowledge.wording import say

_EVENT: TypeAdapter[events.Event] = TypeAdapter(events.Event)


#: bytes at the start of a transcript in which its first words are looked for
_OPENING_BYTES = 64 * 2**10


@dataclass(frozen=True)
class Opening:
    """How a conversation began; `words` is empty where it began with data, `changed` is seconds since 1970."""

    thread: str
    words: str
    changed: float


class Transcript:
    """The events of all threads, in a folder. Progress and queueing are not kept: only news while they last."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._openings: dict[str, str] = {}

    def add(self, thread: str, event: events.Event) -> None:
        """Append an event; a crash loses at most this one.

        Raises:
            ResourceError: the disk is full or the folder is not writable.
        """
        if isinstance(event, events.Progressed | events.Queued):
            return
        if isinstance(event, events.Shortlisted):
            # the rejected models, some 900 with their reasons, stay in the conversation's state
            event = event.model_copy(update={"shortlist": event.shortlist.model_copy(update={"rejected": ()})})
        # the first line break closes a line that a crash cut short
        line = b"\n" + _EVENT.dump_json(event) + b"\n"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # one write to a file opened for appending, so that two processes' lines never mix
            handle = os.open(self._file(thread), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line)
            finally:
                os.close(handle)
        except OSError as error:
            raise ResourceError(
                say("{folder} cannot be written: {why}.", folder=str(self._folder), why=str(error)),
                make_room(error),
            ) from error

    def read(self, thread: str, start: int = 0) -> tuple[list[events.Event], int]:
        """The events from a byte offset on, and the offset to go on from.

        A line that a crash cut short, or that an older version wrote in another form, is passed over.
        """
        try:
            with self._file(thread).open("rb") as file:
                file.seek(start)
                content = file.read()
        except FileNotFoundError:
            return [], start
        whole = content.rfind(b"\n") + 1
        found = []
        for line in filter(None, content[:whole].split(b"\n")):
            try:
                found.append(_EVENT.validate_json(line))
            except ValidationError:
                continue
        return found, start + whole

    def recent(self, most: int = 50) -> list[Opening]:
        """The conversations in which something was said, the latest first."""
        try:
            files = [(entry.stat().st_mtime, entry) for entry in os.scandir(self._folder) if entry.is_file()]
        except FileNotFoundError:
            return []
        files.sort(key=lambda found: found[0], reverse=True)
        found = (
            Opening(thread=entry.name.removesuffix(".jsonl"), words=words, changed=changed)
            for changed, entry in files
            if entry.name.endswith(".jsonl") and (words := self._words_of(entry.path)) is not None
        )
        return list(islice(found, most))

    def _words_of(self, path: str) -> str | None:
        words = self._openings.get(path) or _opening_words(Path(path))
        if words:  # they stay what they are
            self._openings[path] = words
        return words

    def size(self, thread: str) -> int:
        """Bytes written so far: changes when there is something new to read."""
        try:
            return self._file(thread).stat().st_size
        except FileNotFoundError:
            return 0

    def _file(self, thread: str) -> Path:
        return self._folder / f"{thread}.jsonl"


def _opening_words(file: Path) -> str | None:
    """The user's first words; None where the user has said nothing."""
    with file.open("rb") as lines:
        begun = lines.read(_OPENING_BYTES)
    heard = False
    for line in begun.split(b"\n"):
        if not line.startswith(b'{"kind":"heard"'):
            continue
        try:
            event = _EVENT.validate_json(line)
        except ValidationError:
            continue
        heard = True
        if isinstance(event, events.Heard) and event.text.strip():
            return " ".join(event.text.split())
    return "" if heard else None


def shown(told: Iterable[events.Event]) -> list[events.Event]:
    """The events without those that were set aside, and without what says so."""
    found: list[events.Event] = []
    for event in told:
        if isinstance(event, events.SetAside):
            numbers = [e.number if isinstance(e, events.Heard) else None for e in found]
            if event.since in numbers:
                del found[numbers.index(event.since) :]
        else:
            found.append(event)
    return found
