"""The settings as the command line reads them: its own options go before everything else."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic import ValidationError

    from agent.settings import Explained, Settings
    from knowledge.errors import UserError
    from knowledge.wording import Language

_given: dict[str, Any] = {}
_language: Language | None = None


def give(config: Path | None = None, values: Mapping[str, str] | None = None) -> None:
    """Take the options that hold for this run: ``--config FILE`` and each ``--set NAME=VALUE``.

    Raises:
        UserError: no setting has that name, or it is a secret, which other users of this machine would see.
    """
    _given.clear()
    language_set.cache_clear()
    if config is not None:
        _given["config"] = config
    for name, value in (values or {}).items():
        _given[name] = _value(name.strip(), value)


def give_language(wanted: Language | None) -> None:
    """Take ``--lang``, which goes before the setting; None: it was not given."""
    global _language
    language_set.cache_clear()
    _language = wanted


def _value(name: str, value: str) -> Any:
    from agent.config_file import unknown_setting
    from agent.settings import Settings, is_secret, names_in_files, variables_of
    from knowledge.errors import UserError
    from knowledge.wording import say

    field = Settings.model_fields.get(name)
    if field is None or name == "config":
        raise unknown_setting(name, names_in_files())
    if is_secret(name):
        raise UserError(
            say("{name} is a secret, and others on this machine see what is typed in a command.", name=name),
            say("Set the environment variable {variable}, or write it into the configuration file.",
                variable=variables_of(name)[0]),
        )  # fmt: skip
    return value if value.strip() else field.get_default(call_default_factory=True)


def given() -> dict[str, Any]:
    """What the options of this run set."""
    return _given | ({"language": _language} if _language else {})


def read_settings() -> Settings:
    """The settings; a wrong one is the user's to correct."""
    from agent.settings import Settings as Made

    with _understood():
        return Made(**given())


def explained() -> tuple[Path, tuple[Explained, ...]]:
    """The configuration file, and every setting with what decided it."""
    from agent.config_file import default_file
    from agent.settings import explain

    with _understood():
        found = explain(given())
    named = next(e.value for e in found if e.name == "config")
    return named or default_file(), found


@contextmanager
def _understood() -> Iterator[None]:
    from pydantic import ValidationError

    try:
        yield
    except ValidationError as error:
        raise _wrong(error) from error


@cache
def language_set() -> Language | None:
    """The language by option or setting; None also where the settings cannot be read, which is told elsewhere."""
    from knowledge.errors import UserError

    if _language:
        return _language
    try:
        return read_settings().language
    except UserError:
        return None


def _wrong(error: ValidationError) -> UserError:
    from agent.settings import Settings, names_in_files, set_by
    from knowledge.errors import UserError
    from knowledge.wording import say

    first = error.errors(include_url=False)[0]
    said = str(first["loc"][0])
    name = said if said in Settings.model_fields else next(n for n, v in names_in_files().items() if said in v)
    origin, where = set_by(name, given())
    remedy = say("Correct the environment variable, or unset it.")
    if origin == "flag":
        remedy = say("Correct it behind --set, or leave it out.")
    elif origin == "file":
        remedy = say("Correct it in {file}, or take the line out.", file=where or "")
    return UserError(say("The setting {name} is wrong: {why}.", name=name, why=first["msg"]), remedy)
