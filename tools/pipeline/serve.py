"""Serve: ``python -m pipeline.serve [--host 127.0.0.1] [--port 8000]``.

``POST /search {"query": "...", "limit": 10}``, ``GET /health``, ``GET /metrics`` (Prometheus). Off this machine it
serves only with ``SEARCH_API_KEY`` set, which callers send as ``Authorization: Bearer KEY``.
"""

from __future__ import annotations

import argparse
import dataclasses
import hmac
import os
import sys
from typing import Any

from .errors import PipelineError
from .search import Pipeline
from .settings import read_settings

LONGEST_QUERY, MOST_RESULTS = 20_000, 100
_LOCAL = ("127.0.0.1", "::1", "localhost")


def make_app(pipeline: Pipeline, key: str | None = None) -> Any:
    """The server, around a pipeline that is ready."""
    from fastapi import Body, FastAPI, Header, HTTPException, Response
    from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

    registry = CollectorRegistry()
    seconds = Histogram(
        "search_seconds",
        "Seconds a query, by part",
        ["part"],
        registry=registry,
        buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
    )
    errors = Counter("search_errors", "Queries that failed", registry=registry)
    empty = Counter("search_empty", "Queries that found nothing", registry=registry)
    best = Histogram(
        "search_best_score",
        "Score of the first document",
        registry=registry,
        buckets=(0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 5, 10, 20),
    )
    app = FastAPI(title="search", openapi_url=None, docs_url=None, redoc_url=None)

    @app.post("/search")
    def search(
        query: str = Body(embed=True),
        limit: int | None = Body(default=None, embed=True),
        authorization: str = Header(default=""),
    ) -> dict[str, Any]:
        if key and not hmac.compare_digest(authorization.encode(), f"Bearer {key}".encode()):
            raise HTTPException(401, "send Authorization: Bearer KEY")
        if not query.strip() or len(query) > LONGEST_QUERY:
            raise HTTPException(422, f"a query has between 1 and {LONGEST_QUERY} characters")
        if limit is not None and not 1 <= limit <= MOST_RESULTS:
            raise HTTPException(422, f"between 1 and {MOST_RESULTS} results")
        try:
            answer = pipeline.ask(query, limit)
        except Exception:
            errors.inc()
            raise
        for part, took in answer.milliseconds.items():
            seconds.labels(part).observe(took / 1000)
        if answer.results:
            best.observe(answer.results[0].score)
        else:
            empty.inc()
        return dataclasses.asdict(answer)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    return app


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    import uvicorn

    parser = argparse.ArgumentParser(prog="python -m pipeline.serve", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    given = parser.parse_args(arguments)
    key = os.environ.get("SEARCH_API_KEY")
    if given.host not in _LOCAL and not key:
        parser.error("set SEARCH_API_KEY to serve other machines")
    try:
        pipeline = Pipeline(read_settings())
    except PipelineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    try:
        uvicorn.run(make_app(pipeline, key), host=given.host, port=given.port)
    finally:
        pipeline.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
