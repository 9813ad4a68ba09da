"""A connection to Milvus: a server's, or Milvus Lite's in a file."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from .errors import PipelineError

SECONDS = 20.0


class Connection:
    """Open until it is closed.

    Attributes:
        client: pymilvus's.
        is_lite: whether it is Milvus Lite, which one process at a time may have open.
        version: of the server, as it tells it; None of Milvus Lite.
    """

    def __init__(self, uri: str) -> None:
        """Open it.

        Raises:
            PipelineError: it does not answer, or another process has it open.
        """
        from pymilvus import MilvusClient
        from pymilvus.exceptions import MilvusException

        self._uri, self.is_lite = uri, not uri.startswith(("http://", "https://", "tcp://", "unix:"))
        if self.is_lite:
            Path(uri).parent.mkdir(parents=True, exist_ok=True)
        # Milvus Lite takes pings for an attack, and says so on the terminal
        quiet: dict[str, int] = {"grpc.keepalive_time_ms": 2**31 - 1} if self.is_lite else {}
        logging.getLogger("milvus_lite").setLevel(logging.CRITICAL)  # what fails is said below, without a traceback
        token = os.environ.get("MILVUS_TOKEN", "")
        try:
            self.client: Any = MilvusClient(uri=uri, token=token, timeout=SECONDS, grpc_options=quiet)
            self.version = None if self.is_lite else str(self.client.get_server_version(timeout=SECONDS))
        except MilvusException as error:
            raise self._not_opened(error) from error

    def close(self) -> None:
        """Close it; Milvus Lite's server thread and its lock too."""
        self.client.close()
        if self.is_lite:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(self._uri)

    def _not_opened(self, error: Exception) -> PipelineError:
        """What to do; without a password that stands in the address."""
        why = (str(getattr(error, "message", error)).splitlines() or [type(error).__name__])[0]
        if self.is_lite:
            return PipelineError(
                f"{self._uri} cannot be opened ({why}): one process at a time may, so end the one that serves or "
                "ingests, or use a Milvus server (MILVUS_URI)"
            )
        where = self._uri.partition("://")[2].rpartition("@")[2]
        return PipelineError(
            f"Milvus at {where} cannot be opened ({why.replace(self._uri, where)}): start it (docker compose up -d "
            "--wait milvus), or look at MILVUS_URI and MILVUS_TOKEN"
        )
