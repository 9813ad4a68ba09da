"""How many tokens a batch holds, on a CPU and on a GPU; the batches themselves are made as in a deployment."""

from __future__ import annotations

from tools.pipeline.batches import batches as batches
from tools.pipeline.batches import part_of as part_of

#: tokens in a batch, padding counted. On a CPU small batches stay in its caches: MiniLM's documents of 237 tokens a
#: second of one core in ONNX Runtime fp32 at 512, 1,024 and 4,096 tokens: 27, 25 and 23; int8: 54, 51, 43; torch fp32
#: at 1,024 and 4,096: 13.2 and 12.4. A GPU wants to be filled: no measurement of ours yet.
CPU_TOKENS, GPU_TOKENS = 1024, 32_768
