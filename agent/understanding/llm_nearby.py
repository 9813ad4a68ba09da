"""Whether Ollama runs on this machine. It is named, never used unasked: whoever runs a model has other plans for it."""

from __future__ import annotations

import ipaddress
import json
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from agent.settings import Settings
from agent.understanding.choice import ollama_url
from knowledge.wording import Text, say

#: loopback answers at once, or nobody is there
_PATIENCE = 0.3
_MOST_BYTES = 1_000_000
_MOST_NAMES = 5


def nearby_models(settings: Settings) -> tuple[str, ...]:
    """The models of an Ollama on this machine; none where it does not answer, or is not on this machine."""
    try:
        parts = urlsplit(ollama_url(settings))
        host, port = parts.hostname or "", parts.port
        if parts.scheme != "http" or not _is_loopback(host):
            return ()
        connection = HTTPConnection(host, port, timeout=_PATIENCE)
        try:
            connection.request("GET", "/api/tags")
            answer = connection.getresponse()
            listed = json.loads(answer.read(_MOST_BYTES)) if answer.status == 200 else {}
        finally:
            connection.close()
        return tuple(str(model["name"]) for model in listed["models"])
    except (OSError, HTTPException, ValueError, TypeError, KeyError):  # somebody else's server, or none
        return ()


def notice(settings: Settings) -> Text | None:
    """What to tell somebody who has set no language model up, where one is at hand."""
    names = nearby_models(settings) if settings.llm is None else ()
    if not names:
        return None
    return say(
        "Ollama runs on this machine ({names}). I understand you by rules and do not use it; to have it help, set "
        "ADVISOR_LLM=ollama:{first}.",
        names=", ".join(names[:_MOST_NAMES]) + (" …" if len(names) > _MOST_NAMES else ""),
        first=names[0],
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
