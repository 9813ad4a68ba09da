"""The user's configuration file: TOML, one line a setting, by the names of `Settings`."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from platformdirs import user_config_path

from knowledge.errors import UserError
from knowledge.wording import Text, say

#: it is written by hand: more than this is another file
LARGEST = 2**20


def default_file() -> Path:
    """Where it is looked for, unless another is named."""
    return user_config_path("embedding-advisor") / "config.toml"


def read_config(named: Path | None, known: Mapping[str, Collection[str]]) -> dict[str, Any]:
    """The settings in a file; none where nobody named one and there is none.

    Args:
        named: the file; None: `default_file`.
        known: setting -> the other names it goes by, such as its environment variables.

    Raises:
        UserError: it is named and not there, cannot be read, is no TOML, or has a key that is no setting.
    """
    file = (named or default_file()).expanduser()
    try:
        if named is None and not file.is_file():
            return {}
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise UserError(
                say("{file} is too large for a file of settings.", file=str(file)),
                say("Name another one with --config, or see “advisor config show --help”."),
            )
        found = tomllib.loads(content.decode("utf-8"))
    except (OSError, ValueError) as error:  # not there, a broken line, or another encoding than UTF-8
        why = error.strerror if isinstance(error, OSError) and error.strerror else " ".join(str(error).split())[:200]
        raise UserError(
            say("The configuration file {file} cannot be read: {why}.", file=str(file), why=why.rstrip(".")),
            say("Name a file that can be read: --config FILE, or ADVISOR_CONFIG.")
            if isinstance(error, OSError)
            else say('It is TOML in UTF-8, a setting a line, for example: language = "en".'),
        ) from error
    for key in found:
        if key not in known:
            cause = say("{file} sets “{key}”, which is no setting.", file=str(file), key=key[:100])
            raise UserError(cause, _meant(key, known))
    return found


def unknown_setting(name: str, known: Mapping[str, Collection[str]]) -> UserError:
    """What to say of a name that is no setting's."""
    return UserError(say("There is no setting “{name}”.", name=name[:100]), _meant(name, known))


def _meant(key: str, known: Mapping[str, Collection[str]]) -> Text:
    names = {other.lower(): name for name, others in known.items() for other in (name, *others)}
    close = difflib.get_close_matches(key.lower()[:100], names, n=1, cutoff=0.5)
    if close:
        return say("Did you mean “{column}”?", column=names[close[0]])
    return say("“advisor config show” lists all settings.")
