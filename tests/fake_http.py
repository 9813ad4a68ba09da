"""Servers on loopback that speak real protocols: a model hub, an OpenAI-compatible embeddings endpoint."""

import hashlib
import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

import numpy as np


class Server:
    """An HTTP server in a thread; a subclass answers each request."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                path = unquote(urlsplit(self.path).path)
                outer.requests.append((self.command, path))
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, content = outer.answer(self.command, path, body)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_HEAD = do_POST = _answer

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, str], bytes]:
        raise NotImplementedError


Answer = tuple[int, dict[str, str], bytes]


def as_json(content: object, status: int = 200, **headers: str) -> Answer:
    return status, {"Content-Type": "application/json", **headers}, json.dumps(content).encode()


class FakeHub(Server):
    """Models by id; each a mapping of file name -> content, at one commit."""

    COMMIT = "1" * 40

    def __init__(self, models: dict[str, dict[str, bytes]]) -> None:
        super().__init__()
        self.models = models
        self.fail: Callable[[str, str], Answer | None] = lambda method, path: None

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        failure = self.fail(method, path)
        if failure:
            return failure
        match = re.fullmatch(r"/api/models/((?:[^/]+/)?[^/]+)(?:/(?:revision|tree)/([^/]+))?", path)
        if match:
            files = self.models.get(match[1])
            if files is None:
                return as_json({"error": "Repository not found"}, 404, **{"X-Error-Code": "RepoNotFound"})
            if match[2] not in (None, "main", self.COMMIT):
                return as_json({"error": "Invalid rev id"}, 404, **{"X-Error-Code": "RevisionNotFound"})
            if "/tree/" in path:
                entries = [{"type": "file", "path": n, "size": len(c), "oid": _etag(c)} for n, c in files.items()]
                return as_json(entries)
            siblings = [{"rfilename": n, "size": len(c), "blobId": _etag(c)} for n, c in files.items()]
            return as_json({"id": match[1], "sha": self.COMMIT, "siblings": siblings, "private": False})
        match = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        content = self.models.get(match[1], {}).get(match[3]) if match else None
        if content is None:
            return 404, {"X-Error-Code": "EntryNotFound"}, b""
        headers = {"ETag": f'"{_etag(content)}"', "X-Repo-Commit": self.COMMIT, "Accept-Ranges": "bytes"}
        return 200, headers, content

    @property
    def fetched(self) -> set[str]:
        """The files that were asked for."""
        return {path.split("/", 5)[5] for _, path in self.requests if "/resolve/" in path}


def _etag(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


class FakeEmbeddings(Server):
    """Embeds by hashed words, so texts with words in common are near each other and a wrong ranking shows."""

    DIMENSION = 64

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        #: answers given, one each, before the real ones
        self.instead: list[Answer] = []
        self.change: Callable[[dict[str, object]], object] = lambda answer: answer
        self.on_request: Callable[[int], None] = lambda number: None
        self.keys: set[str] = set()

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        if (method, path) != ("POST", "/v1/embeddings"):
            return as_json({"error": {"message": "no such route"}}, 404)
        self.on_request(len(self.requests))
        if self.instead:
            return self.instead.pop(0)
        asked = json.loads(body)
        if "" in asked["input"]:
            return as_json({"error": {"message": "input cannot be an empty string"}}, 400)
        assert asked["encoding_format"] == "float"
        self.texts.extend(asked["input"])
        data = [
            {"object": "embedding", "index": i, "embedding": self.vector(text).tolist()}
            for i, text in enumerate(asked["input"])
        ]
        tokens = sum(len(text.split()) for text in asked["input"])
        answer = {"object": "list", "model": asked["model"], "data": data[::-1], "usage": {"total_tokens": tokens}}
        answer["usage"] |= {"prompt_tokens": tokens}
        return as_json(self.change(answer))

    def vector(self, text: str) -> np.ndarray:
        vector = np.full(self.DIMENSION, 0.01)
        for word in re.findall(r"[a-z0-9]+|[^\x00-\x7f]", text.lower()):
            vector[int(hashlib.sha256(word.encode()).hexdigest(), 16) % self.DIMENSION] += 1
        return vector / np.linalg.norm(vector)
