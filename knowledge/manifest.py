"""What a catalog folder says of itself: when and from what it was built, and what its files must be."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from knowledge.errors import CatalogError
from knowledge.wording import Text, say

VERSION = 1
NAME = "manifest.json"
#: every file of a catalog, besides the manifest
FILES = (
    "fits.npz",
    "languages.json",
    "licenses.json",
    "models.jsonl",
    "prices.json",
    "scores.npz",
    "sources.json",
    "tasks.jsonl",
)


class FileFacts(BaseModel):
    """Size and hash of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Manifest(BaseModel):
    """One catalog.

    Attributes:
        built: when it was built; of two catalogs, the one built later is newer.
        mteb: the version of mteb whose metadata it has.
        results: the snapshot of MTEB's published results.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["catalog"]
    version: int
    built: AwareDatetime
    mteb: str
    results: str
    files: dict[str, FileFacts]

    def describe(self) -> Text:
        """In one line."""
        return say(
            "built {day} from mteb {mteb} and results {results}",
            day=f"{self.built:%Y-%m-%d}",
            mteb=self.mteb,
            results=self.results,
        )


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a folder, when every file it names is there in its full size.

    Raises:
        CatalogError: it is missing, broken or of another version, or a file is missing or of another size.
    """
    manifest = parse_manifest(folder)
    _check_sizes(folder, manifest)
    return manifest


def parse_manifest(folder: Path) -> Manifest:
    """The manifest alone, whatever the files beside it are.

    Raises:
        CatalogError: it is missing, broken or of another version.
    """
    path = folder / NAME
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise _refused(folder, say("it has no readable {file}", file=NAME)) from error
    except ValidationError as error:
        raise _refused(folder, say("its {file} is broken", file=NAME)) from error
    if manifest.version != VERSION:
        raise _refused(folder, say("it is of version {found}, not {wanted}", found=manifest.version, wanted=VERSION))
    return manifest


def _check_sizes(folder: Path, manifest: Manifest) -> None:
    for name in FILES:
        facts = manifest.files.get(name)
        if facts is None:
            raise _refused(folder, say("{file} is not in its list of files", file=name))
        try:
            size = (folder / name).stat().st_size
        except OSError as error:
            raise _refused(folder, say("{file} is missing", file=name)) from error
        if size != facts.bytes:
            raise _refused(
                folder, say("{file} has {size} bytes instead of {wanted}", file=name, size=size, wanted=facts.bytes)
            )


def check_hashes(folder: Path, manifest: Manifest) -> None:
    """Read every file and compare its hash (3 ms for the shipped catalog).

    Raises:
        CatalogError: a file is not what the manifest says.
    """
    for name in FILES:
        try:
            found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError as error:
            raise _refused(folder, say("{file} is missing", file=name)) from error
        if found != manifest.files[name].sha256:
            raise _refused(folder, say("{file} is not the file that was built", file=name))


def _refused(folder: Path, why: Text) -> CatalogError:
    return CatalogError(
        say("The catalog in {folder} cannot be used: {why}.", folder=str(folder), why=why),
        say("Build it again with: advisor catalog refresh."),
    )
