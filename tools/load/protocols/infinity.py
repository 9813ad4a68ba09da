"""Infinity: OpenAI's forms at the server's root (its default, without ``--url-prefix``).

Source: the README of infinity-emb on PyPI ("API are aligned to OpenAI's Embedding specs"), read 2026-11-29. Its version
3 also has ``/v1/embeddings``, which is found first.
"""

from __future__ import annotations

from dataclasses import replace

from tools.load.protocols import openai

WIRE = replace(openai.WIRE, path="/embeddings", names_path="/models", parts={})
