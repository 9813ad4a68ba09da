"""``manifest.json``: what a catalog was built from, and the size and hash of each of its files."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path

from knowledge.manifest import FILES, NAME, VERSION, FileFacts, Manifest
from tools.catalog_build.writing import write_text


def build_manifest(out: Path, built: dt.datetime, mteb: str, results: str) -> Manifest:
    """Write the manifest of the files in `out`; it is written last, so a folder without one is not finished."""
    files = {}
    for name in FILES:
        content = (out / name).read_bytes()
        files[name] = FileFacts(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    manifest = Manifest(format="catalog", version=VERSION, built=built, mteb=mteb, results=results, files=files)
    write_text(out / NAME, manifest.model_dump_json(indent=1) + "\n")
    return manifest
