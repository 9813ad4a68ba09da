"""Published results: one model's scores on one task, from a results folder or from mteb's cached file of all.

A folder is laid out as mteb writes it, ``results/<org__model>/<revision>/<Task>.json``, or is a clone of the published
repository. The cached file is one JSON object with everything, gzipped; it is a gigabyte unpacked, so it is
read a model at a time.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.catalog import ALSO_PUBLISHED_BY
from knowledge.errors import CatalogError
from knowledge.wording import say
from tools.catalog_build.mteb_package import needed

#: unpacked, the cached file is about one gigabyte; more than this is not it
MOST_CHARACTERS = 8_000_000_000
_CHUNK = 1 << 20
#: keys of a score that are not metrics
_NO_METRIC = frozenset({"hf_subset", "languages", "main_score", "mteb_version", "date", "evaluation_time"})


@dataclass(frozen=True)
class Result:
    """What one file of results says: subset (tags of its languages, by comma) -> mean score over the splits.

    `broken` holds why a file could not be read; it has no scores then.
    """

    model: str
    revision: str
    task: str
    scores: Mapping[str, float]
    broken: str = ""


class Reader:
    """Turns raw results into `Result`s.

    Args:
        models: every model of the catalog; results of others are left out.
        tasks: task name -> its metadata (`main_score`, `eval_splits`, `languages`).
    """

    def __init__(self, models: Mapping[str, Any], tasks: Mapping[str, Any]) -> None:
        self._tasks = tasks
        self._names = {_as_path(name): name for name in models}
        for name in models:
            publisher, _, rest = name.partition("/")
            for also, ours in ALSO_PUBLISHED_BY.items():
                if ours == publisher:
                    self._names.setdefault(_as_path(f"{also}/{rest}"), name)

    def model(self, name: str) -> str | None:
        """The catalog's name of a model, given as a name or as a folder; None if it is not in the catalog."""
        return self._names.get(_as_path(name))

    def result(self, model: str, revision: str, task: str, splits: Mapping[str, Any]) -> Result:
        """The scores of one task; a task that is not known has none."""
        metadata = self._tasks.get(task)
        if metadata is None:
            return Result(model, revision, task, {})
        found: dict[str, list[float]] = {}
        for split in metadata.eval_splits:
            for entry in splits.get(split) or ():
                score = _score(entry, metadata.main_score)
                subset = ",".join(entry.get("languages") or ()) or _only(metadata)
                if score is not None and subset:
                    found.setdefault(subset, []).append(score)
        return Result(model, revision, task, {subset: math.fsum(s) / len(s) for subset, s in found.items()})


def read_folder(folder: Path, reader: Reader) -> Iterator[Result]:
    """Every result below a folder.

    Raises:
        CatalogError: there are no results in it.
    """
    root = next((f for f in (folder / "remote" / "results", folder / "results", folder) if f.is_dir()), folder)
    paths = sorted(root.glob("*/*/*.json"))
    if not paths:
        raise CatalogError(
            say("There are no results in {folder}.", folder=str(folder)),
            say("Give a folder laid out as results/<organisation__model>/<revision>/<Task>.json, as mteb writes it."),
        )
    load = needed().TaskResult.from_disk
    for path in paths:
        model = reader.model(path.parts[-3])
        if path.name != "model_meta.json" and model is not None:
            yield _from_file(path, model, reader, load)


def _from_file(path: Path, model: str, reader: Reader, load: Callable[[Path], Any]) -> Result:
    """Read by mteb itself: its own files, and those from before version 1.11 too."""
    revision = path.parts[-2]
    try:
        found = load(path)
        return reader.result(model, revision, found.task_name, found.scores)
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        return Result(model, revision, path.stem, {}, broken=f"{path.name}: {type(error).__name__}")


def read_cached(file: Path, reader: Reader) -> Iterator[Result]:
    """Every result of the cached file.

    Raises:
        CatalogError: it is not that file, is cut short, or is far too large.
    """
    try:
        for entry in _entries(file):
            model = reader.model(str(entry["model_name"]))
            if model is None or entry.get("experiment_name"):  # another set-up of a model is not the model
                continue
            for task in entry["task_results"]:
                yield reader.result(model, str(entry.get("model_revision")), task["task_name"], task["scores"])
    except (OSError, EOFError, zlib.error, ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise CatalogError(
            say("{file} is not a file of mteb's cached results: {why}.", file=file.name, why=_first_line(error)),
            say("Try again later, or build from a results folder: advisor catalog build --results FOLDER."),
        ) from error


def _entries(file: Path) -> Iterator[dict[str, Any]]:
    """The objects of the list ``model_results``, one at a time."""
    decoder = json.JSONDecoder()
    with gzip.open(file, "rt", encoding="utf-8") as text:
        buffer, read = "", 0
        start = -1
        while start < 0:
            chunk = text.read(_CHUNK)
            buffer, read = buffer + chunk, read + len(chunk)
            start = buffer.find("[")
            if not chunk or read > 10 * _CHUNK:
                break
        if start < 0 or '"model_results"' not in buffer[:start]:
            raise ValueError("it has no model_results")
        buffer = buffer[start + 1 :]
        wanted = _CHUNK
        while True:
            buffer = buffer.lstrip(" \t\r\n,")
            if buffer.startswith("]"):
                return
            try:
                entry, end = decoder.raw_decode(buffer)
            except ValueError:
                chunk = text.read(wanted)
                if not chunk:
                    raise
                buffer, read, wanted = buffer + chunk, read + len(chunk), wanted * 2
                if read > MOST_CHARACTERS:
                    raise ValueError("it is too large") from None
                continue
            buffer, wanted = buffer[end:], _CHUNK
            yield entry


def _score(entry: Mapping[str, Any], main_score: str) -> float | None:
    """The task's main score as it is defined today, where the file has it.

    The main metric of some tasks changed over the years. A file that has metrics, but not today's, says nothing; one
    with the main score alone has to be believed.
    """
    value = entry.get(main_score)
    if value is None and not any(isinstance(entry[key], int | float) for key in entry.keys() - _NO_METRIC):
        value = entry.get("main_score")
    if not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1:
        return None  # nothing but speeds is above 1
    return float(value)


def _only(metadata: Any) -> str:
    """The task's language, where it has one."""
    languages = list(metadata.languages or ())
    return str(languages[0]) if len(languages) == 1 else ""


def _as_path(name: str) -> str:
    return name.replace("/", "__").replace(" ", "_")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
