"""Which faster ways to run an encoder this machine has."""

from knowledge.candidate import Leg, parse_candidate
from tools import fast
from tools.fast import options_here


def test_what_is_tried_follows_the_machine(monkeypatch):
    leg = Leg(backend="st", name="org/model")

    def tried(leg, features=(), gpu=(), runtime="1.0", openvino=None):
        monkeypatch.setattr(fast.openvino_graph, "runtime_version", lambda: openvino)
        monkeypatch.setattr(fast, "cpu_features", lambda: frozenset(features))
        monkeypatch.setattr(fast, "gpus", lambda: gpu)
        monkeypatch.setattr(fast, "runtime_version", lambda: runtime)
        return [one.options for one in options_here(leg)]

    onnx = [{"backend": "onnx"}, {"backend": "onnx", "precision": "int8"}]
    assert tried(leg) == onnx
    assert tried(leg, runtime=None) == []
    assert tried(leg, features=["avx512_bf16"]) == [{"precision": "bf16"}, *onnx]
    assert tried(leg, openvino="2026.4")[-1] == {"backend": "openvino", "precision": "fp32"}
    assert tried(leg, ["amx_bf16"], openvino="2026.4")[-1] == {"backend": "openvino", "precision": "bf16"}
    assert tried(leg, gpu=("H200",)) == [{"precision": "bf16"}, {"precision": "fp16"}]
    assert tried(parse_candidate(f"{leg.spec}?precision=bf16")) == []
    short = tried(parse_candidate(f"{leg.spec}?max_tokens=8"))
    assert short == [{"max_tokens": "8", **more} for more in onnx]
    assert tried(parse_candidate("openai:x")) == tried(parse_candidate("static:wordllama")) == []
