"""`/v1/datasets`: data handed over file by file and chunk by chunk, and looked at once it is complete."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import shutil
import time
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from filelock import FileLock, Timeout

from app.api.documented import LOCATION, Responses, problems, with_body
from app.api.given import DatasetList, DatasetRecord, FileRecord
from app.api.paging import Cursor, Limit, cursor_of, place_of
from app.api.problems import ProblemError
from app.api.rendering import answer, moment
from app.api.sent import CompleteIn, DatasetIn
from app.api.service import Caller, IdempotencyKey, Lang, Reader, Service, Use, Writer, make_once, once, own
from app.uploads import KINDS, MOST_FILES, Uploads, is_read, safe_name
from knowledge.errors import DatasetError, ResourceError, make_room
from knowledge.wording import Text, say
from tools.data_source import DataSource
from tools.datasets import Preview
from tools.job_store import Thing

router = APIRouter(tags=["datasets"])
DatasetPath = Annotated[str, InPath(pattern=r"^data-[0-9a-f]{24}$")]
FileName = Annotated[str, InPath(min_length=1, max_length=200, pattern=r"^[^/\\\x00]+$")]
#: bytes that are gathered before they are written
GATHERED = 2**20
#: seconds after which an upload that was never completed is forgotten
STALE = 86_400.0
#: datasets of one caller, complete or not
MOST_DATASETS = 500
#: of one caller's datasets together, as many times what one dataset may have
MOST_TIMES = 20
_MADE: Responses = {201: {"model": DatasetRecord, "headers": LOCATION}}


@router.post("/v1/datasets", status_code=201, responses={**_MADE, **with_body(409)})
def begin_dataset(
    body: DatasetIn,
    request: Request,
    service: Use,
    caller: Writer,
    language: Lang,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Begin a dataset; its files are sent one by one, and then it is completed."""
    wanted = once(idempotency_key, request, body)

    def make() -> str:
        _check_room(service, caller)
        name = f"data-{secrets.token_hex(12)}"
        service.store.keep("dataset", name, caller.owner, {"note": body.note}, once=wanted)
        return name

    record = _record(service, own(service, caller, "dataset", make_once(service, caller, wanted, make)))
    return answer(record, language, 201, {"Location": record.url})


@router.get("/v1/datasets", responses={200: {"model": DatasetList}, **problems()})
def list_datasets(
    service: Use, caller: Reader, language: Lang, limit: Limit = 20, cursor: Cursor = None
) -> JSONResponse:
    """Your datasets, the latest first, without their previews."""
    found = service.store.things("dataset", caller.owner, limit + 1, place_of(cursor))
    following = cursor_of(found[limit - 1].number) if len(found) > limit else None
    data = [_record(service, thing).model_copy(update={"preview": None}) for thing in found[:limit]]
    return answer(DatasetList(data=data, next_cursor=following), language)


@router.get("/v1/datasets/{dataset}", responses={200: {"model": DatasetRecord}, **problems(404)})
def show_dataset(dataset: DatasetPath, service: Use, caller: Reader, language: Lang) -> JSONResponse:
    """A dataset: how much of each file is there, and what it looks like once it is complete."""
    return answer(_record(service, own(service, caller, "dataset", dataset)), language)


@router.patch(
    "/v1/datasets/{dataset}/files/{name}",
    responses={200: {"model": DatasetRecord}, **problems(404, 409, 413)},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def send_chunk(
    dataset: DatasetPath,
    name: FileName,
    request: Request,
    service: Use,
    caller: Writer,
    language: Lang,
    upload_offset: Annotated[
        int, Header(alias="Upload-Offset", ge=0, le=2**50, description="Bytes of the file that are there already.")
    ] = 0,
) -> JSONResponse:
    """Send a file, or the next chunk of it. What has arrived stays when the connection breaks: its size says where to
    go on.
    """
    thing = await run_in_threadpool(own, service, caller, "dataset", dataset)
    folder = await run_in_threadpool(_open_folder, service, thing)
    lock = FileLock(folder / ".lock", thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise _conflict(say("Another chunk of this dataset is on its way."), await _size(folder / name)) from error
    try:
        await _append(service, caller.owner, folder, _named(name, folder), upload_offset, request)
    finally:
        lock.release()
    return answer(await run_in_threadpool(_record, service, thing), language)


@router.post("/v1/datasets/{dataset}/complete", responses={200: {"model": DatasetRecord}, **with_body(404, 409)})
def complete_dataset(
    dataset: DatasetPath, body: CompleteIn, service: Use, caller: Writer, language: Lang
) -> JSONResponse:
    """All files are there: check their hashes, look at them, and let requests name the dataset.

    Said again, with other `columns` or `skip_bad`, the same files are read in that way from then on.
    """
    thing = own(service, caller, "dataset", dataset)
    if "source" in thing.content:
        _read_otherwise(service, thing, body)
    else:
        _complete(service, thing, body)
    thing = own(service, caller, "dataset", dataset)
    return answer(_record(service, thing), language)


@router.delete("/v1/datasets/{dataset}", status_code=204, responses=problems(404))
def forget_dataset(dataset: DatasetPath, service: Use, caller: Writer) -> Response:
    """Delete a dataset and its files; what was measured with it stays known."""
    thing = own(service, caller, "dataset", dataset)
    service.store.remove(thing)
    for folder in (_incoming(service, thing.id), _kept(service, thing.id)):
        shutil.rmtree(folder, ignore_errors=True)
    return Response(status_code=204)


def _check_room(service: Service, caller: Caller) -> None:
    """Forget uploads that were never completed; refuse another dataset where there are too many."""
    found = service.store.things("dataset", caller.owner, MOST_DATASETS + 1)
    for thing in found:
        if "source" not in thing.content and thing.created < time.time() - STALE:
            service.store.remove(thing)
            shutil.rmtree(_incoming(service, thing.id), ignore_errors=True)
    if len(found) > MOST_DATASETS:
        raise ProblemError(
            "upload-conflict",
            say("You have {count} datasets.", count=MOST_DATASETS),
            say("Delete some that you need no more: DELETE /v1/datasets/ID."),
        )


def _room_left(service: Service, owner: str) -> int:
    """Bytes that a caller may still upload."""
    found = service.store.things("dataset", owner, MOST_DATASETS + 1)
    complete = sum(size for thing in found for size, _ in thing.content.get("files", {}).values())
    folders = (_incoming(service, thing.id) for thing in found if "source" not in thing.content)
    gathering = sum(f.stat().st_size for folder in folders if folder.is_dir() for f in folder.iterdir())
    return int(MOST_TIMES * service.uploads.most_bytes - complete - gathering)


def _open_folder(service: Service, thing: Thing) -> Path:
    """Where the files of a dataset gather."""
    if "source" in thing.content:
        raise ProblemError(
            "upload-conflict",
            say("The dataset {name} is complete; its files stay as they are.", name=thing.id),
            say("Begin another dataset for other files: POST /v1/datasets."),
        )
    folder = _incoming(service, thing.id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return folder


def _named(name: str, folder: Path) -> Path:
    if not is_read(name) or safe_name(name) != name:
        raise DatasetError(
            say("{name} is no name of a file that is read here.", name=safe_name(name)),
            say("Name it in letters, digits, “-”, “_” and “.”, with one of: {kinds}.", kinds=", ".join(KINDS)),
        )
    path = folder / name
    if not path.exists() and len(list(folder.iterdir())) > MOST_FILES:
        raise DatasetError(
            say("A dataset has at most {count} files.", count=MOST_FILES), say("Put more into each of them.")
        )
    return path


async def _append(service: Service, owner: str, folder: Path, path: Path, offset: int, request: Request) -> None:
    size = await _size(path)
    if offset != size:
        raise _conflict(say("{size} bytes of {name} are here.", size=size, name=path.name), size)
    others = await run_in_threadpool(lambda: sum(f.stat().st_size for f in folder.iterdir() if f.is_file()))
    room = min(service.uploads.most_bytes - others, await run_in_threadpool(_room_left, service, owner))
    gathered = bytearray()
    try:
        path.touch()
        async for piece in request.stream():
            gathered += piece
            room -= len(piece)
            if room < 0:
                raise ProblemError(
                    "body-too-large",
                    say(
                        "A dataset may have {mb} MB, and all of yours together {all} MB.",
                        mb=service.uploads.most_bytes // 2**20,
                        all=MOST_TIMES * service.uploads.most_bytes // 2**20,
                    ),
                    say(
                        "Take a sample of it: some thousand documents are enough to compare models. Delete datasets "
                        "that you need no more."
                    ),
                )
            if len(gathered) >= GATHERED:
                await run_in_threadpool(_write, path, bytes(gathered))
                gathered.clear()
        await run_in_threadpool(_write, path, bytes(gathered))
    except OSError as error:
        raise _unwritable(folder, error) from error


def _write(path: Path, content: bytes) -> None:
    with path.open("ab") as file:
        file.write(content)


async def _size(path: Path) -> int:
    try:
        return (await run_in_threadpool(path.stat)).st_size
    except OSError:
        return 0


def _complete(service: Service, thing: Thing, body: CompleteIn) -> None:
    folder = _open_folder(service, thing)
    lock = FileLock(folder / ".lock", thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise _conflict(say("A chunk of this dataset is on its way."), 0) from error
    try:
        files = [file for file in sorted(folder.iterdir()) if not file.name.startswith(".")]
        if not files:
            raise DatasetError(
                say("No file has arrived."), say("Send one: PATCH /v1/datasets/{id}/files/NAME.", id=thing.id)
            )
        sizes = {file.name: file.stat().st_size for file in files}
        hashes = {file.name: _sha256(file) for file in files}
        _check_hashes(hashes, body)
        kept = Uploads(_kept(service, thing.id), service.uploads.most_bytes).keep(files)
        source = kept.model_copy(update={"columns": body.columns, "skip_bad": body.skip_bad})
        content = thing.content | {
            "source": source.model_dump(mode="json"),
            "hash": Path(source.path).parent.name,
            "files": {name: [size, hashes[name]] for name, size in sizes.items()},
            "preview": source.preview().model_dump(mode="json"),
        }
        service.store.change(thing, content)
    finally:
        lock.release()
        with contextlib.suppress(OSError):
            (folder / ".lock").unlink(missing_ok=True)
            folder.rmdir()


def _read_otherwise(service: Service, thing: Thing, body: CompleteIn) -> None:
    """What a complete dataset's columns mean, or whether bad rows are left out, is said anew; its files stay."""
    _check_hashes({name: hash_ for name, (_, hash_) in thing.content["files"].items()}, body)
    before = DataSource.model_validate(thing.content["source"])
    source = before.model_copy(update={"columns": body.columns, "skip_bad": body.skip_bad})
    if source != before:
        read = {"source": source.model_dump(mode="json"), "preview": source.preview().model_dump(mode="json")}
        service.store.change(thing, thing.content | read)


def _check_hashes(hashes: dict[str, str], body: CompleteIn) -> None:
    wrong = sorted(name for name, wanted in body.sha256.items() if hashes.get(name) != wanted)
    if wrong:
        raise DatasetError(
            say("Not as you sent it, by its SHA-256: {names}.", names=", ".join(wrong)[:300]),
            say("Delete the dataset and upload it again."),
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _incoming(service: Service, name: str) -> Path:
    return service.uploads.folder / "incoming" / name


def _kept(service: Service, name: str) -> Path:
    return service.uploads.folder / name


def _record(service: Service, thing: Thing) -> DatasetRecord:
    content: dict[str, Any] = thing.content
    ready = "source" in content
    if ready:
        files = [FileRecord(name=name, size=size, sha256=hash_) for name, (size, hash_) in content["files"].items()]
    else:
        with contextlib.suppress(FileNotFoundError):
            there = sorted(_incoming(service, thing.id).iterdir())
        files = [
            FileRecord(name=file.name, size=file.stat().st_size)
            for file in (there if _incoming(service, thing.id).is_dir() else [])
            if not file.name.startswith(".")
        ]
    created = moment(thing.created)
    assert created
    return DatasetRecord(
        id=thing.id,
        note=content.get("note", ""),
        state="ready" if ready else "open",
        created=created,
        url=f"/v1/datasets/{thing.id}",
        files=files,
        hash=content.get("hash"),
        preview=Preview.model_validate(content["preview"]) if ready else None,
    )


def _conflict(what: Text, size: int) -> ProblemError:
    return ProblemError(
        "upload-conflict",
        what,
        say("Look at the dataset for the size of each file, and go on from there with Upload-Offset."),
        headers={"Upload-Offset": str(size)},
        more={"offset": size},
    )


def _unwritable(folder: Path, error: OSError) -> ResourceError:
    return ResourceError(
        say("{folder} cannot be written: {why}.", folder=folder.name, why=str(error.strerror)), make_room(error)
    )
