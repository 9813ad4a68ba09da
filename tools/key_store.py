"""Keys of callers: shown once when they are made, and kept as hashes."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import JSON, Column, Float, Integer, MetaData, String, Table, insert, select, update

from tools.database import Database

#: what a key may be for: looking, changing, starting what costs time or money, reading the server's own figures
SCOPES = ("read", "write", "measure", "metrics")
DEFAULT_SCOPES = ("read", "write", "measure")
#: requests a minute
DEFAULT_RATE = 600
_PREFIX = "adv"

_METADATA = MetaData()
_KEYS = Table(
    "api_keys",
    _METADATA,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("hash", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("rate", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("revoked", Float),
)
_COLUMNS = [_KEYS.c[name] for name in ("id", "name", "scopes", "rate", "created", "revoked")]


@dataclass(frozen=True)
class Key:
    """What is known of a key without knowing it.

    Attributes:
        name: whose it is; keys of one name see the same things.
        rate: requests a minute.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    rate: int
    created: float
    revoked: float | None


class KeyStore(Database):
    """The keys, in an open database.

    Raises:
        ResourceError: from every method, when the database cannot be opened, read or written.
    """

    def __init__(self, where: Path | str) -> None:
        super().__init__(where, _METADATA)

    def add(self, name: str, scopes: Sequence[str] = DEFAULT_SCOPES, rate: int = DEFAULT_RATE) -> tuple[Key, str]:
        """Make a key; it is returned beside what is known of it, and can not be read again."""
        key, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        now = time.time()
        with self._writing() as connection:
            connection.execute(
                insert(_KEYS).values(
                    id=key, name=name, hash=_hash(secret), scopes=list(scopes), rate=rate, created=now, revoked=None
                )
            )
        return Key(key, name, tuple(scopes), rate, now, None), f"{_PREFIX}_{key}_{secret}"

    def keys(self) -> list[Key]:
        """All keys, the oldest first, revoked ones too."""
        return [_key(row) for row in self._all(select(*_COLUMNS).order_by(_KEYS.c.created))]

    def any_valid(self) -> bool:
        """Whether there is a key that is not revoked."""
        return bool(self._all(select(_KEYS.c.id).where(_KEYS.c.revoked.is_(None)).limit(1)))

    def revoke(self, name: str) -> list[Key]:
        """Take away the keys of this id or name; returns those it took away."""
        mine = ((_KEYS.c.id == name) | (_KEYS.c.name == name)) & _KEYS.c.revoked.is_(None)
        found = [_key(row) for row in self._all(select(*_COLUMNS).where(mine))]
        with self._writing() as connection:
            connection.execute(update(_KEYS).where(mine).values(revoked=time.time()))
        return found

    def who(self, given: str) -> Key | None:
        """Whose key this is; None where it is nobody's. Comparing takes as long whatever is wrong with it."""
        prefix, _, rest = given.partition("_")
        key, _, secret = rest.partition("_")
        query = select(*_COLUMNS, _KEYS.c.hash).where(_KEYS.c.id == key, _KEYS.c.revoked.is_(None))
        found = self._all(query) if key.isascii() else []
        kept = found[0].hash if found else _hash("")
        same = secrets.compare_digest(_hash(secret), kept)
        return _key(found[0]) if same and found and prefix == _PREFIX else None


def _key(row: object) -> Key:
    values = row._mapping  # type: ignore[attr-defined]
    return Key(
        **{name: values[name] for name in ("id", "name", "rate", "created", "revoked")}, scopes=tuple(values["scopes"])
    )


def _hash(secret: str) -> str:
    # 256 random bits cannot be guessed, so that a slow hash would only slow every request down
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
