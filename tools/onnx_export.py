"""Where a model's exported graph is kept, and what decides its vectors; `tools.pipeline.graphs` makes and runs it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.errors import ResourceError, SpecError, make_room
from knowledge.wording import say
from tools.encoders.base import hash_files
from tools.hardware import cpu_features
from tools.pipeline import graphs
from tools.pipeline.graphs import Export
from tools.workers import out_of_memory

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

#: without these, the kernels of eight-bit products add in 16 bits and overflow unless weights keep to 7 bits (ONNX
#: Runtime, "Quantize ONNX models", looked up 2026-11-22); processors that are no x86 have other kernels
_WIDE_SUMS = frozenset({"avx512_vnni", "avx_vnni"})


def runtime_version() -> str | None:
    """The installed ONNX Runtime's version; None where it, or what writes graphs, is missing."""
    try:
        return version("onnx") and version("onnxruntime")
    except PackageNotFoundError:
        return None


def reduces_range(precision: str) -> bool:
    """Whether int8 weights keep to 7 bits on this processor."""
    features = cpu_features()
    return precision == "int8" and "avx2" in features and not features & _WIDE_SUMS


def settings(precision: str) -> dict[str, str]:
    """What decides an export's vectors, besides the model itself."""
    narrow = str(reduces_range(precision))
    return {"recipe": graphs.RECIPE, "onnxruntime": str(runtime_version()), "reduce_range": narrow}


def place(home: Path, model: str, revision: str, precision: str) -> Export:
    """Where the export of a model is kept under the workspace's home.

    Args:
        home: the workspace's.
        model: hub id or folder.
        revision: pins the content of its files.
        precision: fp32 or int8.
    """
    made_with = [(name, version(name)) for name in ("onnx", "torch", "transformers", "sentence-transformers")]
    chosen = settings(precision)
    identity = [("model", model), ("revision", revision), ("precision", precision), *made_with, *chosen.items()]
    folder = home / "onnx" / hash_files(identity)[:32]
    return Export(folder, precision, chosen["reduce_range"] == "True", {"model": model, **chosen})


def use(model: SentenceTransformer, export: Export, name: str, engine: str = "onnx", precision: str = "fp32") -> None:
    """As `tools.pipeline.graphs.use`.

    Args:
        model: in fp32 on the CPU; changed in place.
        export: where its graph is kept.
        name: the model's, for messages.
        engine: what runs the graph: onnx (ONNX Runtime), or openvino.
        precision: that OpenVINO calculates in; for ONNX Runtime the export decides.

    Raises:
        SpecError: it cannot be exported, or its graph gives other vectors.
        ResourceError: the export cannot be written.
    """
    try:
        graphs.use(model, export, engine, precision)
    except graphs.GraphError as error:
        if isinstance(error.__cause__, Exception) and out_of_memory(error.__cause__):
            raise error.__cause__ from None
        raise _impossible(name, error) from error
    except OSError as error:
        raise ResourceError(
            say("{folder} cannot be written: {why}.", folder=str(export.folder), why=str(error)),
            make_room(error),
        ) from error


def _impossible(name: str, error: graphs.GraphError) -> SpecError:
    if error.engine == "openvino":
        return SpecError(
            say("{model} does not run in OpenVINO: {why}.", model=name, why=str(error)),
            say("Leave backend=openvino out; precision=bf16 is fast too where the processor has it."),
        )
    return SpecError(
        say("{model} does not run in ONNX Runtime: {why}.", model=name, why=str(error)),
        say("Leave backend=onnx out; precision=bf16 is fast too where the processor has it."),
    )
