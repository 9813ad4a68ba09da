"""Checkpoints of conversations: written packed, read tolerantly, and as few kept as going back needs."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import OrderedDict
from threading import Lock
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde.jsonplus import EXT_PYDANTIC_V2, JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from pydantic import BaseModel, ValidationError

from agent.state import ALLOWED, RECORDS
from knowledge.errors import ResourceError, UserError
from knowledge.wording import say

#: raised when an earlier version of this program would misread, or lose, what this one writes; then
#: ``python -m tests.conversations.checkpoints.make`` makes the store that keeps this promise
FORMAT = 1
_KIND = "records-"
#: what versions before 1 wrote: not packed
_FORMAT_0 = "msgpack"
_DROP = tuple(
    f"DELETE FROM {table} WHERE thread_id = ? AND checkpoint_id < "  # noqa: S608 - two tables' names, no input
    "(SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?) "
    "AND checkpoint_id NOT IN (SELECT value FROM json_each(?))"
    for table in ("writes", "checkpoints")
)
#: bytes from which on a record is remembered, and how many are: a shortlist takes some 2 MB
_LARGE, _REMEMBERED = 4096, 16
#: as LangGraph packs
_PACKING = (
    ormsgpack.OPT_NON_STR_KEYS
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_UUID
    | ormsgpack.OPT_REPLACE_SURROGATES
)
#: by name alone: a record that has moved to another module since is still known
_RECORDS: dict[str, type[BaseModel]] = {kind.__name__: kind for kind in RECORDS}


class Records:
    """LangGraph's serialiser, with the format's number beside each value.

    Only the records of the state come back to life. LangGraph's own way with a record that does not fit any more is to
    build it unchecked, its parts as plain dictionaries, which fails far from here; so records are validated here.
    Fields that they have lost since are passed over, fields that they have gained take their defaults.

    What is written is packed: a shortlist names some 900 rejected models, 217 kB, which become 22 kB in 1 ms. To
    validate it takes 25 ms and to dump it nearly as long, and answering one message reads and writes the state several
    times: so the last large records are remembered with their bytes. They are immutable.
    """

    def __init__(self) -> None:
        self._plain = JsonPlusSerializer(allowed_msgpack_modules=ALLOWED)
        self._known: OrderedDict[bytes, tuple[BaseModel, bytes]] = OrderedDict()
        self._keys: dict[int, bytes] = {}  # of those known, by identity
        self._lock = Lock()

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """The kind of value, and its bytes."""
        if obj is None or isinstance(obj, bytes | bytearray):
            return self._plain.dumps_typed(obj)
        packed = ormsgpack.packb(obj, default=self._packed, option=_PACKING)
        return f"{_KIND}{FORMAT}", zlib.compress(packed, 1)

    def _packed(self, part: Any) -> ormsgpack.Ext:
        """What msgpack has no form for: our records, remembered, and what LangGraph has a form for."""
        if not isinstance(part, BaseModel):
            _, content = self._plain.dumps_typed(part)
            found: ormsgpack.Ext = ormsgpack.unpackb(content, ext_hook=ormsgpack.Ext)
            return found
        with self._lock:
            key = self._keys.get(id(part))
            if key is not None:
                return ormsgpack.Ext(EXT_PYDANTIC_V2, self._known[key][1])
        kind = type(part)
        fields = (kind.__module__, kind.__name__, part.model_dump(), "model_validate_json")
        content = ormsgpack.packb(fields, default=self._packed, option=_PACKING)
        self._remember(_key(content), part, content)
        return ormsgpack.Ext(EXT_PYDANTIC_V2, content)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value again.

        Raises:
            UserError: a newer version of this program wrote it.
            ResourceError: it is damaged, or a record lacks what it must have.
        """
        kind, content = data
        if kind == _FORMAT_0:
            return self._unpacked(content)
        if not kind.startswith(_KIND):
            return self._plain.loads_typed(data)  # nothing, or bytes
        if int(kind.removeprefix(_KIND)) > FORMAT:
            raise UserError(
                say("A newer version of this program wrote this conversation."),
                say("Update this program and go on as before, or begin a new conversation. This one is left as it is."),
            )
        try:
            return self._unpacked(zlib.decompress(content))
        except zlib.error as error:
            raise _unreadable(error) from error

    def _unpacked(self, content: bytes) -> Any:
        misfits: list[ValidationError] = []  # of an error in a hook, ormsgpack says only that there was one

        def revive(code: int, part: bytes) -> Any:
            if code != EXT_PYDANTIC_V2:  # dates, sets and the like
                return self._plain.loads_typed((_FORMAT_0, ormsgpack.packb(ormsgpack.Ext(code, part))))
            key = _key(part)
            if known := self._remembered(key):
                return known
            _, name, fields, _ = ormsgpack.unpackb(part, ext_hook=revive, option=ormsgpack.OPT_NON_STR_KEYS)
            record = _RECORDS.get(name)
            if record is None:
                return fields  # not ours: nothing but data
            try:
                return self._remember(key, record.model_validate(fields, extra="ignore"), part)
            except ValidationError as error:
                misfits.append(error)
                raise

        try:
            return ormsgpack.unpackb(content, ext_hook=revive, option=ormsgpack.OPT_NON_STR_KEYS)
        except ValueError as error:
            raise _unreadable(next(iter(misfits), error)) from error

    def _remembered(self, key: bytes) -> BaseModel | None:
        with self._lock:
            found = self._known.get(key)
            if found is None:
                return None
            self._known.move_to_end(key)
            return found[0]

    def _remember(self, key: bytes, record: BaseModel, content: bytes) -> BaseModel:
        """The record, or the one that is remembered with the same content."""
        if not key:
            return record
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                return known[0]
            self._known[key] = record, content
            self._keys[id(record)] = key
            while len(self._known) > _REMEMBERED:
                _, (oldest, _) = self._known.popitem(last=False)
                del self._keys[id(oldest)]
        return record


def _key(content: bytes) -> bytes:
    """What a record is remembered by; empty where it is too small to be."""
    return hashlib.blake2b(content, digest_size=16).digest() if len(content) >= _LARGE else b""


class Checkpoints(SqliteSaver):
    """All conversations' checkpoints, in a SQLite file."""

    def newest(self, thread: str) -> str | None:
        """Name of a conversation's newest checkpoint; the state in it is not read."""
        with self.cursor(transaction=False) as cursor:
            cursor.execute(
                "SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ? AND checkpoint_ns = ''", (thread,)
            )
            found = cursor.fetchone()[0]
        return None if found is None else str(found)

    def keep(self, thread: str, needed: set[str]) -> None:
        """Drop a conversation's checkpoints but the newest and those needed: each holds the whole state."""
        with self.cursor() as cursor:
            for drop in _DROP:
                cursor.execute(drop, (thread, thread, json.dumps(sorted(needed))))


def _unreadable(error: Exception) -> ResourceError:
    return ResourceError(
        say("This conversation cannot be read any more: {why}.", why=" ".join(str(error).split())[:300]),
        say("Begin a new conversation. This one is left as it is, and what was measured is kept for all."),
    )
