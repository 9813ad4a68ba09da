"""OpenVINO, which runs the graphs that are exported for ONNX Runtime (`tools.pipeline.graphs`).

Only its runtime is used, from its own wheel: the integration of sentence-transformers would bring back an older
transformers.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def runtime_version() -> str | None:
    """The installed OpenVINO's version; None where there is none."""
    try:
        return version("openvino")
    except PackageNotFoundError:
        return None
