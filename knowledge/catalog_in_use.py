"""Which catalog this program uses: the user's own copy where it is whole and newer, else the one that is shipped.

A user's copy lives in ``<home>/catalog``: one folder for each build and the file ``current``, which names the one that
counts. Changing that file is one rename, so whoever reads it sees the old copy or the new one and nothing between.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

from knowledge.catalog import Catalog, load_catalog
from knowledge.errors import CatalogError
from knowledge.manifest import Manifest, check_hashes, parse_manifest, read_manifest
from knowledge.scores import Scores, load_scores
from knowledge.wording import Text, say

#: the file that names the folder in use
CURRENT = "current"


@dataclass(frozen=True)
class CatalogInUse:
    """Cards and scores of one folder.

    Attributes:
        folder: None for the catalog that is shipped.
        refused: why a user's copy that is there is not used.
    """

    folder: Path | None = None
    refused: Text | None = None

    @property
    def catalog(self) -> Catalog:
        """The models, tasks, licences and prices."""
        return load_catalog(self.folder)

    @property
    def scores(self) -> Scores:
        """The published scores."""
        return load_scores(self.folder / "scores.npz") if self.folder else load_scores()

    @cached_property
    def manifest(self) -> Manifest:
        """When and from what it was built."""
        return parse_manifest(self.folder or shipped_folder())

    def describe(self) -> Text:
        """Which one it is, and when it was built."""
        about = self.manifest.describe()
        return say("your own copy, {about}", about=about) if self.folder else say("as shipped, {about}", about=about)


def shipped_folder() -> Path:
    """The folder of the catalog that comes with the program."""
    return Path(str(files("knowledge") / "data"))


def current_copy(home: Path) -> Path | None:
    """The folder of the user's copy that counts; None where there is none.

    Raises:
        CatalogError: the file that names it is damaged.
    """
    pointer = home / "catalog" / CURRENT
    try:
        name = pointer.read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(pointer) from error
    if not re.fullmatch(r"[\w-]{1,100}", name, re.ASCII):
        raise _damaged(pointer)
    return pointer.parent / name


def usable_catalog(home: Path) -> CatalogInUse:
    """The catalog to use.

    A copy that is broken, unfinished, of another version or not newer than the shipped catalog is refused with the
    reason; the shipped one stays. Sizes and hashes are compared on every load (4 ms).

    Args:
        home: the user's folder (`Settings.home`); it need not exist.
    """
    try:
        copy = current_copy(home)
        if copy is None:
            return CatalogInUse()
        manifest = read_manifest(copy)
        shipped = parse_manifest(shipped_folder())
        if manifest.built <= shipped.built:
            return CatalogInUse(refused=_older(copy, manifest, shipped))
        check_hashes(copy, manifest)
        load_catalog(copy)
        load_scores(copy / "scores.npz")
    except CatalogError as error:
        return CatalogInUse(refused=error.cause)
    return CatalogInUse(folder=copy)


def _older(copy: Path, manifest: Manifest, shipped: Manifest) -> Text:
    return say(
        "The catalog in {folder} is of {day}, not newer than the shipped one of {shipped}.",
        folder=str(copy),
        day=f"{manifest.built:%Y-%m-%d}",
        shipped=f"{shipped.built:%Y-%m-%d}",
    )


def _damaged(pointer: Path) -> CatalogError:
    return CatalogError(
        say("{file} does not name a copy of the catalog.", file=str(pointer)),
        say("Delete it, or make a new copy with: advisor catalog refresh."),
    )
