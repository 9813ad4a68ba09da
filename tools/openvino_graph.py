"""A model's transformer in OpenVINO: the graph that was exported for ONNX Runtime, read as it is.

Only OpenVINO's runtime is used, from its own wheel: the integration of sentence-transformers would bring back an older
transformers. Its converter, the one part that reports usage to its makers, is never called.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.errors import SpecError
from knowledge.wording import say

if TYPE_CHECKING:
    import torch

#: how its kernels are told to calculate; bf16 where the processor has it, else it calculates in fp32
_HINTS = {"fp32": "f32", "bf16": "bf16"}


def runtime_version() -> str | None:
    """The installed OpenVINO's version; None where there is none."""
    try:
        return version("openvino")
    except PackageNotFoundError:
        return None


def graph(file: Path, precision: str, config: Any, name: str) -> torch.nn.Module:
    """A graph as a module that stands where the transformers model stood.

    Args:
        file: of the ONNX export in fp32.
        precision: fp32 or bf16.
        config: of the transformers model, which pooling may ask for.
        name: the model's, for messages.

    Raises:
        SpecError: OpenVINO cannot run it.
    """
    import openvino
    import torch

    try:
        core = openvino.Core()
        settings = {"INFERENCE_PRECISION_HINT": _HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
        compiled = core.compile_model(core.read_model(str(file)), "CPU", settings)
    except RuntimeError as error:
        why = (str(error).splitlines() or [""])[0][:200]
        raise SpecError(
            say("{model} does not run in OpenVINO: {why}.", model=name, why=why),
            say("Leave backend=openvino out; precision=bf16 is fast too where the processor has it."),
        ) from error
    names = [port.any_name for port in compiled.inputs]
    settings_of_model = config

    class Graph(torch.nn.Module):  # type: ignore[misc]
        """Runs in OpenVINO."""

        config = settings_of_model

        def forward(self, **features: torch.Tensor) -> Mapping[str, torch.Tensor]:
            found = compiled({name: features[name].numpy() for name in names})
            return {"last_hidden_state": torch.from_numpy(found[compiled.output(0)].copy())}

    return Graph()
