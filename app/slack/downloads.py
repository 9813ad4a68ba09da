"""Files that were shared in Slack, fetched with the app's token: from Slack's own file host and nowhere else."""

from __future__ import annotations

import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from app.slack.records import SlackFile
from app.uploads import MOST_FILES, safe_name
from knowledge.errors import AdvisorError, DatasetError, ProviderError
from knowledge.wording import say

#: where Slack keeps files
HOSTS = frozenset({"files.slack.com", "files.slack-gov.com"})
TIMEOUT = 60
_CHUNK = 2**20


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes to the host that was checked and to no other."""

    def redirect_request(self, *redirect: Any) -> None:
        return None


class Downloads:
    """Fetches files.

    Args:
        token: of the app.
        api_url: of the Web API; another host than Slack's own, with its port, is also where its files are.
        most_bytes: of all files of one message.
        folder: where they lie until they are kept.
    """

    def __init__(self, token: str, api_url: str, most_bytes: int, folder: Path) -> None:
        self._token, self._most_bytes, self._folder = token, most_bytes, folder
        api = urlsplit(api_url)
        self._origins = {("https", host) for host in HOSTS}
        if not (api.hostname or "").endswith(("slack.com", "slack-gov.com")):
            self._origins.add((api.scheme, api.netloc))
        self._open = urllib.request.build_opener(_NoRedirect).open

    @contextmanager
    def fetched(self, files: Sequence[SlackFile]) -> Iterator[list[Path]]:
        """The files, in a folder that is gone afterwards.

        Raises:
            DatasetError: there are too many, or they are too large.
            ProviderError: Slack does not hand one out.
        """
        if len(files) > MOST_FILES or sum(file.size for file in files) > self._most_bytes:
            raise self._too_much()
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".slack-") as folder:
            yield list(self._fetch_all(files, Path(folder)))

    def _fetch_all(self, files: Sequence[SlackFile], folder: Path) -> Iterator[Path]:
        left = self._most_bytes
        for number, file in enumerate(files):
            own = folder / str(number)  # two may have one name
            own.mkdir()
            target = own / safe_name(file.name)
            try:
                left -= self._fetch(file, target, left)
            except AdvisorError:
                raise
            except urllib.error.HTTPError as error:
                error.close()
                raise _refused(file, f"HTTP {error.code}") from error
            except (OSError, HTTPException, ValueError) as error:
                raise _refused(file, str(error)[:200] or type(error).__name__) from error
            yield target

    def _fetch(self, file: SlackFile, target: Path, most: int) -> int:
        url = urlsplit(file.url)
        if (url.scheme, url.netloc) not in self._origins:
            raise ProviderError(
                say("The file {name} does not lie with Slack.", name=file.name[:100]),
                say("Upload the file itself to the thread; I follow no links."),
            )
        # the origin was looked at above
        request = urllib.request.Request(file.url, headers={"Authorization": f"Bearer {self._token}"})  # noqa: S310
        with self._open(request, timeout=TIMEOUT) as answer, target.open("wb") as opened:
            if answer.headers.get_content_type() == "text/html":  # its page for signing in
                raise _refused(file, "text/html")
            return self._copy(answer, opened, most)

    def _copy(self, answer: Any, opened: IO[bytes], most: int) -> int:
        size = 0
        while chunk := answer.read(_CHUNK):
            size += len(chunk)
            if size > most:
                raise self._too_much()
            opened.write(chunk)
        return size

    def _too_much(self) -> DatasetError:
        return DatasetError(
            say("That is more than {mb} MB or {count} files.", mb=self._most_bytes // 2**20, count=MOST_FILES),
            say("Take a sample of it: some thousand documents are enough to compare models."),
        )


def _refused(file: SlackFile, why: str) -> ProviderError:
    return ProviderError(
        say("Slack does not hand out the file {name} ({why}).", name=file.name[:100], why=why),
        say("Upload it again; if that does not help, the app needs the right “files:read” (advisor slack --manifest)."),
    )
