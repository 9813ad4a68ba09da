"""What the shell completes behind options: models, candidates, conversations, runs. Never an error, never slow."""

from __future__ import annotations

from collections.abc import Callable

from app.cli.settings import read_settings

#: so many suggestions fit on a screen
MOST = 50


def _quietly(find: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """The suggestions, or none where they cannot be found: a shell has no place for an error."""

    def complete(incomplete: str) -> list[str]:
        from knowledge.errors import AdvisorError

        try:
            return [found for found in find(incomplete) if found.startswith(incomplete)][:MOST]
        except AdvisorError:
            return []

    return complete


def _models(incomplete: str) -> list[str]:
    from knowledge.catalog_in_use import usable_catalog

    return [card.model for card in usable_catalog(read_settings().workspace().home).catalog.cards]


def _candidates(incomplete: str) -> list[str]:
    from knowledge.catalog_in_use import usable_catalog
    from tools.plan import BM25, PACKAGED

    cards = usable_catalog(read_settings().workspace().home).catalog.cards
    return list(dict.fromkeys([BM25, *PACKAGED, *(card.spec for card in cards if card.spec)]))


def _threads(incomplete: str) -> list[str]:
    from agent.transcript import Transcript

    return [opening.thread for opening in Transcript(read_settings().workspace().home / "threads").recent()]


def _runs(incomplete: str) -> list[str]:
    from tools.run_store import RunStore

    where = read_settings().workspace().store
    if not where.exists():
        return []
    store = RunStore(where)
    try:
        return ["latest", *store.run_ids(incomplete)]
    finally:
        store.close()


def _settings(incomplete: str) -> list[str]:
    from agent.settings import is_secret, names_in_files

    return [f"{name}=" for name in names_in_files() if not is_secret(name)]


def _commands(incomplete: str) -> list[str]:
    from app.cli.printed import FORMS

    return list(FORMS)


models, candidates, threads, runs = _quietly(_models), _quietly(_candidates), _quietly(_threads), _quietly(_runs)
settings, commands = _quietly(_settings), _quietly(_commands)
