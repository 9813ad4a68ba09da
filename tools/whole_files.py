"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from knowledge.errors import ResourceError, is_full
from knowledge.wording import say


def write_whole(contents: dict[Path, bytes]) -> None:
    """Write files so that a reader sees each as it was or as it will be; folders are made when missing.

    All contents are on disk under temporary names before the first file gets its own name.

    Raises:
        ResourceError: the disk is full, or the folder is not writable; no file was replaced and none is left over.
    """
    # beside the target, because a rename is atomic only within one file system
    temporary = {path: path.with_name(f".{path.name}.{secrets.token_hex(4)}") for path in contents}
    try:
        for path, content in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "there is a folder of this name", str(path))
            with temporary[path].open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, whole in temporary.items():
            os.replace(whole, path)
    except OSError as error:
        raise _cannot_be_written(path.parent, error) from error
    finally:
        for whole in temporary.values():
            with suppress(OSError):
                whole.unlink(missing_ok=True)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """A block that writes into a folder: what the system refuses is told with what to do."""
    try:
        yield
    except OSError as error:
        raise _cannot_be_written(folder, error) from error


def _cannot_be_written(folder: Path, error: OSError) -> ResourceError:
    return ResourceError(
        say("{folder} cannot be written: {why}.", folder=str(folder), why=str(error.strerror)),
        say("Free some space there, or choose another folder.")
        if is_full(error)
        else say("Choose a folder that can be written."),
    )
