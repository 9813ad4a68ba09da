"""Which edition of an endpoint's model vectors are of: a provider may change a model under the name it has.

What an endpoint gives is kept by address and name. Where it was seen to give other vectors than before
(`tools.recheck.asked_again`), a new edition begins: from then on it is encoded anew, and what is new is never compared
with what is old. The first edition is as the endpoint was met; a later one is named by the moment it was noticed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path

from filelock import FileLock

from knowledge.errors import UserError
from knowledge.wording import say
from tools.whole_files import write_whole

FILE = "editions.json"


def current(first: str, home: Path) -> str:
    """The fingerprint that an endpoint's vectors have today; `first` is that of its first edition."""
    since = _read(home).get(first, [])
    return _fingerprint(first, since[-1]) if since else first


def as_of(fingerprint: str, moment: dt.datetime, home: Path) -> str:
    """The fingerprint that the same endpoint's vectors had at a moment."""
    for first, since in _read(home).items():
        if fingerprint == first or fingerprint in (_fingerprint(first, one) for one in since):
            begun = [one for one in since if dt.datetime.fromisoformat(one) <= moment]
            return _fingerprint(first, begun[-1]) if begun else first
    return fingerprint


def begin(fingerprint: str, now: dt.datetime, home: Path) -> None:
    """From now on an endpoint's vectors are others than those of this fingerprint, which is its current one.

    Raises:
        ResourceError: that cannot be written down.
    """
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / f"{FILE}.lock"):
        known = _read(home)
        first = next((one for one in known if current(one, home) == fingerprint), fingerprint)
        known.setdefault(first, []).append(now.isoformat())
        write_whole({home / FILE: json.dumps(known, indent=1).encode()})


def _fingerprint(first: str, since: str) -> str:
    return hashlib.sha256(f"{first}\0{since}".encode()).hexdigest()[: len(first)]


def _read(home: Path) -> dict[str, list[str]]:
    """First edition -> beginnings of the later ones, in order."""
    file = home / FILE
    try:
        found = json.loads(file.read_bytes())
        for since in found.values():
            for one in since:
                dt.datetime.fromisoformat(one)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise UserError(
            say("{file} cannot be read: {why}.", file=str(file), why=str(error)[:200]),
            say("Remove it; an endpoint whose model was changed is then noticed again by advisor recheck."),
        ) from error
    return dict(found)
