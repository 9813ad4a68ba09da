"""What a deployment is made of besides this project: images, servers, published figures (``data/deployment.json``)."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def facts() -> dict[str, Any]:
    """The file."""
    found: dict[str, Any] = json.loads((files("knowledge") / "data" / "deployment.json").read_text("utf-8"))
    return found
