"""Faster ways to run an encoder on this machine, each a candidate to be measured like any other."""

from __future__ import annotations

from knowledge.candidate import Leg
from tools import openvino_graph
from tools.hardware import cpu_features, gpus
from tools.onnx_export import runtime_version

#: what a processor needs for products in bf16; without it they are emulated, more slowly than fp32
BF16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def options_here(leg: Leg) -> list[Leg]:
    """Variants of an encoder that this machine may run faster than fp32; none where the user chose a precision."""
    if leg.backend != "st" or {"backend", "precision"} & set(leg.options):
        return []
    found: list[dict[str, str]] = []
    on_gpu = bool(gpus())
    if on_gpu or cpu_features() & BF16:
        found.append({"precision": "bf16"})
    if on_gpu:
        found.append({"precision": "fp16"})
    elif runtime_version() is not None:
        found += [{"backend": "onnx"}, {"backend": "onnx", "precision": "int8"}]
        if openvino_graph.runtime_version() is not None:
            found.append({"backend": "openvino", "precision": "bf16" if cpu_features() & BF16 else "fp32"})
    return [leg.model_copy(update={"options": leg.options | more}) for more in found]
