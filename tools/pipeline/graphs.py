"""A model's transformer as an ONNX graph: exported here from the model's own files, checked against them, and kept.

ONNX Runtime or OpenVINO runs it; what follows the transformer (pooling, dense layers, normalisation) stays the model's
own. A folder holds an export, and its name all that decides what is in it. It appears whole or not at all (made aside,
then renamed) and under a lock, so two processes make it once and a kill leaves nothing that is taken for an export.
Neither ever sees anything but graphs that were made here. Of OpenVINO only the runtime is used: its converter, the one
part that reports usage to its makers, is never called.
"""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import PipelineError

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

#: changes when graphs are made differently, and so do their vectors
RECIPE = "1"
OPSET = 17
GRAPH, REPORT = "model.onnx", "export.json"
#: protobuf's limit; a larger graph keeps its weights beside it
MAX_GRAPH_BYTES = 2**31
#: what an export is tried on: other lengths than the example it was traced with, and other scripts
TRIED_ON = (
    "a",
    "How long may a passage be before its end is cut off?",
    "猫在垫子上睡觉，窗外下着雨。",
    "Die Suche vergleicht 1.024 Vektoren je Anfrage; the rest is arithmetic. " * 6,
    "def mean(values): return sum(values) / len(values)  # raises ZeroDivisionError",
)
#: smallest cosine to the model itself on `TRIED_ON`; beyond it the graph is another model. MiniLM: fp32 1.0000, int8
#: 0.9917 (2026-11-22). How far int8 is off on the user's own texts is measured before it is chosen.
SAME = {"fp32": 0.9999, "bf16": 0.99, "int8": 0.9}
#: how OpenVINO's kernels are told to calculate; bf16 where the processor has it, else it calculates in fp32
_HINTS = {"fp32": "f32", "bf16": "bf16"}


class GraphError(PipelineError):
    """A model cannot be exported, or what runs its graph gives other vectors.

    Attributes:
        engine: what does not run it: onnx or openvino.
    """

    def __init__(self, why: str, engine: str = "onnx") -> None:
        super().__init__(why)
        self.engine = engine


@dataclass(frozen=True)
class Export:
    """Where an export is kept, or will be.

    Attributes:
        folder: holds the graph and a report of how it was made.
        precision: fp32 or int8.
        reduce_range: whether int8 weights keep to 7 bits.
        about: what else the report is to say.
    """

    folder: Path
    precision: str
    reduce_range: bool
    about: Mapping[str, str] = field(default_factory=dict)


def use(model: SentenceTransformer, export: Export, engine: str = "onnx", precision: str = "fp32") -> None:
    """Let a loaded model run its transformer as a graph, exported first where it is not kept yet.

    Args:
        model: in fp32 on the CPU; changed in place.
        export: where its graph is kept.
        engine: what runs the graph: onnx (ONNX Runtime), or openvino.
        precision: that OpenVINO calculates in; for ONNX Runtime the export decides.

    Raises:
        GraphError: it cannot be exported, or its graph gives other vectors.
        OSError: the export cannot be written.
    """
    from filelock import FileLock

    transformer = _transformer(model)
    export.folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(export.folder.with_suffix(".lock")):
        graph = _kept(export, transformer)
        if graph is None:
            _make(model, transformer, export)
            graph = _kept(export, transformer)
    if graph is None:
        raise GraphError("ONNX Runtime cannot read the graph")
    if engine == "onnx":
        transformer.model = graph
        return
    expected = _vectors(model)
    transformer.model = _in_openvino(export.folder / GRAPH, precision, transformer.config)
    cosine = float((expected * _vectors(model)).sum(dim=1).min())
    if not cosine >= SAME[precision]:
        raise GraphError(f"it gives other vectors (cosine {cosine:.4f} to its own)", "openvino")


def _transformer(model: SentenceTransformer) -> Any:
    """The model's first module, if it is a transformer that reads tokens and gives one vector for each."""
    from sentence_transformers.base.modules import Transformer

    first = model[0]
    text = first.modality_config.get("text", {}) if isinstance(first, Transformer) else {}
    if text.get("method") != "forward" or text.get("method_output_name") != "last_hidden_state":
        raise GraphError(f"its first module ({type(first).__name__}) is no plain text transformer")
    return first


def _kept(export: Export, transformer: Any) -> torch.nn.Module | None:
    """The graph kept in a folder; None where there is none or it is damaged, and then it is removed."""
    try:
        if (export.folder / REPORT).is_file():
            return _in_onnx_runtime(export.folder / GRAPH, transformer)
    except Exception:  # noqa: BLE001, S110 - whatever ONNX Runtime says of a damaged file, it is made again
        pass
    shutil.rmtree(export.folder, ignore_errors=True)
    return None


def _make(model: SentenceTransformer, transformer: Any, export: Export) -> None:
    """Export, quantise where asked, compare with the model itself, and put in place."""
    for left in export.folder.parent.glob(f".{export.folder.name}-*"):
        shutil.rmtree(left)  # of one that was killed: the lock is ours
    aside = Path(tempfile.mkdtemp(dir=export.folder.parent, prefix=f".{export.folder.name}-"))
    own = transformer.model
    attention = own.config._attn_implementation
    try:
        expected = _vectors(model)
        own.set_attn_implementation("eager")  # the fused kernels do not export
        _trace(model, transformer, aside / GRAPH)
        if export.precision == "int8":
            _quantise(aside, export.reduce_range)
        transformer.model = _in_onnx_runtime(aside / GRAPH, transformer)
        cosine = float((expected * _vectors(model)).sum(dim=1).min())
        transformer.model = own
        if not cosine >= SAME[export.precision]:  # nor is not-a-number the same
            raise GraphError(f"the exported graph gives other vectors (cosine {cosine:.4f} to its own)")
        report = {**export.about, "precision": export.precision, "cosine": cosine, "recipe": RECIPE}
        (aside / REPORT).write_text(json.dumps(report, indent=1), "utf-8")
        aside.rename(export.folder)
    except (OSError, GraphError):
        raise
    except Exception as error:  # whatever an exporter stumbles over, this model does not export
        raise GraphError((str(error).splitlines() or [""])[0][:200] or type(error).__name__) from error
    finally:
        transformer.model = own
        own.set_attn_implementation(attention)
        shutil.rmtree(aside, ignore_errors=True)


def _vectors(model: SentenceTransformer) -> torch.Tensor:
    """Unit vectors of `TRIED_ON`, together and one by one: padding must not matter."""
    import torch

    with torch.inference_mode():
        found = [model(model.preprocess(list(texts)))["sentence_embedding"] for texts in (TRIED_ON, *zip(TRIED_ON))]
    return torch.nn.functional.normalize(torch.cat(found).double(), dim=1)


def _trace(model: SentenceTransformer, transformer: Any, file: Path) -> None:
    import torch

    names = _inputs(model, transformer)
    features = model.preprocess(list(TRIED_ON[:2]))

    class TokenVectors(torch.nn.Module):  # type: ignore[misc]
        """From token ids to a vector for each token."""

        def __init__(self) -> None:
            super().__init__()
            self.model = transformer.model

        def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
            found = self.model(**dict(zip(names, tensors, strict=True)), return_dict=True)
            vectors: torch.Tensor = found["last_hidden_state"]
            return vectors

    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tracer, about branches on shapes: `_make` compares what came out
        torch.onnx.export(
            TokenVectors().eval(),
            tuple(features[name] for name in names),
            str(file),
            input_names=names,
            output_names=["last_hidden_state"],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in (*names, "last_hidden_state")},
            opset_version=OPSET,
            dynamo=False,  # the other exporter needs onnxscript and takes five times as long (11 s and 2 s, MiniLM)
        )


def _inputs(model: SentenceTransformer, transformer: Any) -> list[str]:
    """Names of the tensors a transformer reads, of those its tokenizer makes."""
    features = model.preprocess([TRIED_ON[0]])
    return [name for name in ("input_ids", "attention_mask", "token_type_ids") if name in features]


def _quantise(folder: Path, reduce_range: bool) -> None:
    """Weights of matrix products in eight bits with a scale per column; activations in eight bits as they come."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    full = folder / "fp32.onnx"
    (folder / GRAPH).rename(full)
    handlers, quiet = list(logging.root.handlers), logging.root.manager.disable
    logging.disable(logging.WARNING)  # it advises to rearrange the graph first
    try:
        quantize_dynamic(
            full,
            folder / GRAPH,
            weight_type=QuantType.QInt8,
            per_channel=True,  # with one scale for a whole matrix MiniLM's cosine falls to 0.908
            reduce_range=reduce_range,
            op_types_to_quantize=["MatMul"],
            use_external_data_format=sum(f.stat().st_size for f in folder.iterdir()) >= MAX_GRAPH_BYTES,
        )
    finally:
        logging.disable(quiet)
        logging.root.handlers[:] = handlers  # its advice set up logging for the whole process
    for file in folder.iterdir():
        if not file.name.startswith(GRAPH):
            file.unlink()


def _in_onnx_runtime(file: Path, transformer: Any) -> torch.nn.Module:
    """A graph as a module that stands where the transformers model stood."""
    import onnxruntime
    import torch

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # several texts at once, each on one core, beat one text on several
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_inputs()]

    class Graph(torch.nn.Module):  # type: ignore[misc]
        """Runs in ONNX Runtime."""

        config = transformer.config

        def forward(self, **features: torch.Tensor) -> Mapping[str, torch.Tensor]:
            found = session.run(None, {name: features[name].numpy() for name in names})
            return {"last_hidden_state": torch.from_numpy(found[0])}

    return Graph()


def _in_openvino(file: Path, precision: str, model_config: Any) -> torch.nn.Module:
    """The same graph, run by OpenVINO in fp32 or bf16."""
    import openvino
    import torch

    try:
        core = openvino.Core()
        settings = {"INFERENCE_PRECISION_HINT": _HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
        compiled = core.compile_model(core.read_model(str(file)), "CPU", settings)
    except RuntimeError as error:
        raise GraphError((str(error).splitlines() or [""])[0][:200], "openvino") from error
    names = [port.any_name for port in compiled.inputs]

    class Graph(torch.nn.Module):  # type: ignore[misc]
        """Runs in OpenVINO."""

        config = model_config

        def forward(self, **features: torch.Tensor) -> Mapping[str, torch.Tensor]:
            found = compiled({name: features[name].numpy() for name in names})
            return {"last_hidden_state": torch.from_numpy(found[compiled.output(0)].copy())}

    return Graph()
