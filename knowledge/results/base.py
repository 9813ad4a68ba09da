"""What all results have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Base of all results: immutable, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
