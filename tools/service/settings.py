"""How a service is set up, beside the candidate itself."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

#: no service holds more queries than this: what comes on top is refused at once, as by any server that is overrun
MOST_WAITING = 4096


class Settings(BaseModel):
    """Settings of a service.

    Attributes:
        threads: of numerical libraries (torch, OpenBLAS); None: as many as they take themselves.
        max_batch: queries encoded together at most.
        max_wait_ms: milliseconds that a query waits for others to be encoded with, when the encoder is free. At 0 a
            batch is what came while the one before was encoded: a lone query waits for nobody.
        lite: whether Milvus Lite is searched where there is no server. Its floor of some ten milliseconds a search is
            Python's and no index's; without it every document is compared in memory, as benchmarks do.
        searches: batches that may be searched, fused and re-ranked at once, while the next is encoded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    threads: int | None = Field(default=None, ge=1)
    max_batch: int = Field(default=16, ge=1, le=4096)
    max_wait_ms: float = Field(default=0.0, ge=0, le=10_000, allow_inf_nan=False)
    searches: int = Field(default=2, ge=1, le=64)
    lite: bool = True
