"""A user's own copy of the catalog: built from an installed mteb and the newest published results, swapped in whole."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.catalog import Catalog
from knowledge.catalog_diff import CatalogDiff, compare
from knowledge.catalog_in_use import CURRENT, CatalogInUse, current_copy
from knowledge.errors import AdvisorError, CatalogError, ProviderError, ResourceError, make_room
from knowledge.manifest import Manifest, check_hashes, read_manifest
from knowledge.progress import Meter, OnProgress
from knowledge.scores import Scores, load_scores
from knowledge.wording import say
from tools.catalog_build import mteb_package
from tools.catalog_build.build import build
from tools.catalog_build.from_mteb import read_mteb
from tools.catalog_build.rows import Rows

#: where the same file lies when the first address only has a pointer to it (Git LFS)
_LARGE_FILES = ("https://raw.githubusercontent.com/", "https://media.githubusercontent.com/media/")
_POINTER = b"version https://git-lfs"
MOST_BYTES = 1_000_000_000
PATIENCE_SECONDS = 30.0
#: a copy with less than this share of the models, tasks or scores of the one before is a mistake, not news
LEAST_SHARE = 0.8

#: gives the rows of a catalog, from the scores so far (whose groups and suspects stay)
Reading = Callable[[Scores], Rows]


@dataclass(frozen=True)
class Offer:
    """What would be downloaded: from where, and how many bytes (0: the server does not say)."""

    url: str
    bytes: int


@dataclass(frozen=True)
class Refreshed:
    """A finished copy: where it is, and what differs from the catalog that was used before."""

    folder: Path
    manifest: Manifest
    diff: CatalogDiff
    notes: tuple[str, ...]


def offer(url: str, *, offline: bool) -> Offer:
    """Ask how large the published results are; nothing is downloaded.

    Raises:
        MissingExtraError: mteb is not installed, so the results would be of no use.
        ProviderError: the address cannot be reached, or does not have them.
    """
    mteb_package.needed()
    if offline:
        raise ProviderError(
            say("The catalog cannot be refreshed: this program is set to work offline."),
            say("Unset ADVISOR_OFFLINE and HF_HUB_OFFLINE, or build from a folder: advisor catalog build."),
        )
    with _asked(url) as answer:
        pointer = next(answer.iter_raw(), b"").startswith(_POINTER)
        size = answer.headers.get("content-length", "")
    if pointer and url.startswith(_LARGE_FILES[0]):
        return offer(url.replace(*_LARGE_FILES), offline=offline)
    return Offer(url, int(size) if size.isdecimal() else 0)


def refresh(found: Offer, home: Path, in_use: CatalogInUse, now: dt.datetime, report: OnProgress) -> Refreshed:
    """Download, build, check and swap; whoever is killed on the way leaves the catalog as it was.

    Args:
        found: from `offer`; the caller has asked for consent.
        home: the user's folder; the copy goes to ``home/catalog``.
        in_use: the catalog so far, to compare with.
        now: the time to note in the copy.
        report: told how far it has come.

    Raises:
        ProviderError: the download failed.
        CatalogError: what was downloaded or built is not whole.
        ResourceError: another refresh is running, or the disk is full.
    """
    with _workroom(home) as room:
        file = room / "results.json.gz"
        digest = _download(found, file, report)
        snapshot = f"{now:%Y-%m-%d} sha256 {digest[:12]}"
        return _made(room, lambda before: read_mteb(file, snapshot, before), home, in_use, now, report)


def rebuild(read: Reading, home: Path, in_use: CatalogInUse, now: dt.datetime, report: OnProgress) -> Refreshed:
    """The same from what is on this disk.

    Args:
        read: gives the rows, from results or tables; `from_mteb.read_mteb`, for one.
        home: the user's folder; the copy goes to ``home/catalog``.
        in_use: the catalog so far, to compare with.
        now: the time to note in the copy.
        report: told how far it has come.

    Raises:
        AdvisorError: as `read` has it.
        CatalogError: what was built is not whole.
        ResourceError: another refresh is running, or the disk is full.
    """
    with _workroom(home) as room:
        return _made(room, read, home, in_use, now, report)


def _made(
    room: Path, read: Reading, home: Path, in_use: CatalogInUse, now: dt.datetime, report: OnProgress
) -> Refreshed:
    meter = Meter("catalog", say("building the catalog"), 3, report)
    before = in_use.catalog, in_use.scores
    rows = read(before[1])
    meter.advance()
    manifest = build(rows, room / "catalog", now)
    diff = compare(before, _checked(room / "catalog", manifest))
    _not_much_smaller(before, diff)
    meter.advance()
    kept = home / "catalog" / f"{now:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"
    for path in (room / "catalog").iterdir():
        _to_disk(path)
    (room / "catalog").rename(kept)
    _point_to(kept)
    meter.advance()
    return Refreshed(kept, manifest, diff, tuple(rows.notes))


def build_folder(rows: Rows, out: Path, now: dt.datetime) -> Manifest:
    """Build a catalog into a folder of the caller's; the user's copy stays as it is.

    Raises:
        ResourceError: the folder cannot be written.
    """
    try:
        return build(rows, out, now)
    except OSError as error:
        raise _disk(error) from error


def snapshot_of(folder: Path, now: dt.datetime) -> str:
    """What to call the results of a folder: the commit, where it is a clone, else the day they were read."""
    for root in (folder, folder / "remote", folder.parent):
        head = root / ".git" / "HEAD"
        with contextlib.suppress(OSError, UnicodeDecodeError):
            text = head.read_text("utf-8").strip()
            if text.startswith("ref: "):
                text = (root / ".git" / text.removeprefix("ref: ")).read_text("utf-8").strip()
            return text[:12]
    return f"{now:%Y-%m-%d} folder"


def _checked(folder: Path, manifest: Manifest) -> tuple[Catalog, Scores]:
    """Read the copy with the loaders that will read it."""
    if read_manifest(folder) != manifest:
        raise AssertionError("the manifest is not what was written")
    check_hashes(folder, manifest)
    catalog = Catalog(folder)
    _ = catalog.tasks, catalog.sources
    return catalog, load_scores(folder / "scores.npz")


def _not_much_smaller(before: tuple[Catalog, Scores], diff: CatalogDiff) -> None:
    shares = (
        (say("models"), 1 - len(diff.models.gone) / max(len(before[0].cards), 1)),
        (say("tasks"), 1 - len(diff.tasks.gone) / max(len(before[0].tasks), 1)),
        (say("scores"), diff.scores_new / max(diff.scores_old, 1)),
    )
    for what, share in shares:
        if share < LEAST_SHARE:
            raise CatalogError(
                say("The new catalog would lose {percent:.0f} % of the {what}.", percent=100 * (1 - share), what=what),
                say("It was not put in place. Try again with a current mteb, or when the results are complete."),
            )


# ---------------------------------------------------------------- the folder


@contextlib.contextmanager
def _workroom(home: Path) -> Iterator[Path]:
    """A temporary folder beside the copies, for one refresh at a time; leftovers of killed ones are cleared."""
    from filelock import FileLock, Timeout

    root = home / "catalog"
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home / "catalog.lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        raise ResourceError(
            say("Another refresh of the catalog is running."),
            say(
                "Wait until it is done; if none is running, the file {file} can be deleted.",
                file=str(home / "catalog.lock"),
            ),
        ) from error
    except OSError as error:
        raise _disk(error) from error
    try:
        _clear(home)
        room = root / f"building-{uuid.uuid4().hex[:8]}"
        room.mkdir()
        try:
            yield room
        finally:
            shutil.rmtree(room, ignore_errors=True)
    except OSError as error:
        raise _disk(error) from error
    finally:
        lock.release()


def _clear(home: Path) -> None:
    """Remove all but the copy in use and the latest other one, which a running program may still be reading."""
    try:
        current = current_copy(home)
    except CatalogError:
        current = None
    others = sorted((f for f in (home / "catalog").iterdir() if f.is_dir() and f != current), key=_age)
    unfinished = [f for f in others if f.name.startswith("building-")]
    finished = [f for f in others if f not in unfinished]
    for folder in (*unfinished, *finished[:-1]):
        shutil.rmtree(folder, ignore_errors=True)


def _age(folder: Path) -> int:
    return folder.stat().st_mtime_ns


def _point_to(folder: Path) -> None:
    """From here on this copy counts: one rename."""
    half = folder.parent / f"{CURRENT}.part"
    half.write_text(folder.name + "\n", "utf-8")
    _to_disk(half)
    half.replace(folder.parent / CURRENT)


def _to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _disk(error: OSError) -> ResourceError:
    return ResourceError(
        say("The catalog could not be written: {why}.", why=str(error)),
        make_room(error),
    )


# ---------------------------------------------------------------- the network


@contextlib.contextmanager
def _asked(url: str) -> Iterator[Any]:
    """An answer as it streams in, through the same proxy as the model hub's."""
    import httpx2
    from huggingface_hub import get_session

    headers = {"Accept-Encoding": "identity"}
    try:
        with get_session().stream(
            "GET", url, headers=headers, timeout=PATIENCE_SECONDS, follow_redirects=False
        ) as answer:
            if answer.status_code != 200:
                raise _unreachable(url, f"HTTP {answer.status_code}")
            yield answer
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, ConnectionError, TimeoutError) as error:
        raise _unreachable(url, (str(error).splitlines() or [type(error).__name__])[0][:200]) from error


def _download(found: Offer, file: Path, report: OnProgress) -> str:
    """Fetch the results; returns their hash."""
    digest, done = hashlib.sha256(), 0
    meter = Meter("catalog", say("downloading results"), found.bytes, report)
    with _asked(found.url) as answer, file.open("wb") as out:
        for chunk in answer.iter_raw():
            done += len(chunk)
            if done > MOST_BYTES:
                raise _unreachable(found.url, "more than a gigabyte")
            digest.update(chunk)
            out.write(chunk)
            meter.advance(len(chunk))
    if found.bytes and done != found.bytes:
        raise _unreachable(found.url, f"{done} of {found.bytes} bytes came")
    return digest.hexdigest()


def _unreachable(url: str, why: str) -> AdvisorError:
    return ProviderError(
        say("The published results could not be fetched from {url}: {why}.", url=url, why=why),
        say("Nothing was changed. Try again with a network, or build from a folder: advisor catalog build."),
    )
