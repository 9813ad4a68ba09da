"""Ask the HTTP API which embedding model to use for your data, and wait for the answer.

    advisor serve                                                # in another terminal
    python examples/recommend_over_http.py --text "English search, no GPU" --data FOLDER

Needs httpx, nothing of the advisor itself: copy it and change it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import httpx

#: what is sent at once: small enough for any proxy on the way
CHUNK = 4 * 2**20


def upload(api: httpx.Client, folder: Path) -> str:
    """Hand a folder's files over, chunk by chunk; returns the dataset's id."""
    dataset = made(api.post("/v1/datasets", json={"note": folder.name}))
    hashes = {}
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        content = path.read_bytes()
        hashes[path.name] = hashlib.sha256(content).hexdigest()
        for start in range(0, len(content) or 1, CHUNK):
            # when the connection breaks: GET the dataset, and go on from the size that its file has
            made(
                api.patch(
                    f"{dataset['url']}/files/{path.name}",
                    content=content[start : start + CHUNK],
                    headers={"Upload-Offset": str(start)},
                )
            )
    ready = made(api.post(f"{dataset['url']}/complete", json={"sha256": hashes}))
    if problem := ready["preview"]["problem"]:
        raise SystemExit(f"{problem['cause']} {problem['next_step']}")
    return str(ready["id"])


def follow(api: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """Tell what happens in a job until it has ended; a connection that breaks is taken up where it was."""
    last = "0"
    while job["state"] in ("queued", "running"):
        try:
            with api.stream("GET", job["events"], headers={"Last-Event-ID": last}, timeout=60) as events:
                for line in events.iter_lines():
                    name, _, value = line.partition(": ")
                    if name == "id":
                        last = value
                    elif name == "data":
                        tell(json.loads(value))
        except httpx.TransportError:
            print("  (the connection broke; going on)")
        job = made(api.get(job["url"]))
    return job


def tell(event: dict[str, Any]) -> None:
    """Print what is news."""
    if event["kind"] == "progressed":
        progress = event["progress"]
        print(f"  {progress['label']}: {progress['done'] / max(progress['total'], 1):.0%}")
    elif event["kind"] == "stage_started":
        print(event["text"])


def made(response: httpx.Response) -> dict[str, Any]:
    """What a response holds; a problem ends the program with what to do about it."""
    found: dict[str, Any] = response.json()
    if response.is_error:
        raise SystemExit(f"{found['title']}: {found['detail']} {found['next_step']}")
    return found


def main() -> None:
    """Upload, ask, wait, print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--api", default="http://127.0.0.1:7860", help="address of the server")
    options.add_argument("--key", help="made with: advisor keys add NAME; not needed on the same machine")
    options.add_argument("--text", required=True, help="what you need, in your own words")
    options.add_argument("--data", type=Path, help="folder with corpus.jsonl, queries.jsonl and qrels.tsv")
    options.add_argument("--candidate", action="append", default=[], help="such as bm25; repeatable")
    given = options.parse_args()

    headers = {"Authorization": f"Bearer {given.key}"} if given.key else {}
    with httpx.Client(base_url=given.api, headers=headers, timeout=60) as api:
        wanted: dict[str, Any] = {"text": given.text, "candidates": given.candidate, "consent": {"measure": True}}
        if given.data:
            wanted["dataset"] = upload(api, given.data)
        # the key makes it safe to send the same request again when no answer came
        job = made(api.post("/v1/recommendations", json=wanted, headers={"Idempotency-Key": str(uuid.uuid4())}))
        job = follow(api, job)
        if job["problem"]:
            raise SystemExit(f"{job['problem']['detail']} {job['problem']['next_step']}")
        result = job["result"]
        print(f"\n{result['headline']}")
        for reason in result["reasons"]:
            print(f"- {reason}")
        print(f"\nThe whole report: {given.api}{job['report']}?format=html")


if __name__ == "__main__":
    try:
        main()
    except httpx.ConnectError as error:
        raise SystemExit(
            f"No server answers there ({error}). Start one with: advisor serve, or name it with --api."
        ) from None
