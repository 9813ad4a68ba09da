"""The questions whose shortlists are kept as files: what is asked, and which models people expect to hear of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One question; its file is ``shortlist/<name>.txt``.

    Attributes:
        expected: models that the field's guides name for it, or that everybody knows; each is on the list, or the file
            says what keeps it out.
    """

    name: str
    text: str
    expected: tuple[str, ...] = ()


QUESTIONS = (
    Question(
        "chinese-legal",
        "Chinese legal search, commercial, CPU only",
        ("BAAI/bge-m3", "BAAI/bge-small-zh-v1.5", "Qwen/Qwen3-Embedding-8B", "nvidia/NV-Embed-v2"),
    ),
    Question(
        "product-search",
        "e-commerce search at 50 QPS under 20 ms",
        (
            "intfloat/e5-small-v2",
            "intfloat/multilingual-e5-small",
            "intfloat/e5-base-v2",
            "intfloat/e5-mistral-7b-instruct",
        ),
    ),
    Question(
        "huge-index",
        "cost-sensitive index of 200 million vectors",
        ("nomic-ai/nomic-embed-text-v1.5", "Qwen/Qwen3-Embedding-0.6B", "google/embeddinggemma-300m"),
    ),
    Question(
        "part-numbers",
        "keyword and semantic search over part numbers",
        ("BAAI/bge-m3", "Alibaba-NLP/gte-multilingual-base", "mteb/baseline-bm25s"),
    ),
    Question(
        "support-faq",
        "multilingual support FAQ in 12 languages",
        ("BAAI/bge-m3", "Alibaba-NLP/gte-multilingual-base", "intfloat/multilingual-e5-large-instruct"),
    ),
    Question(
        "long-finance",
        "long financial documents (32k tokens) on one 24 GB GPU",
        ("nvidia/NV-Embed-v2", "Qwen/Qwen3-Embedding-8B", "Qwen/Qwen3-Embedding-4B"),
    ),
    Question(
        "edge",
        "edge device with 50 MB for the model",
        ("sentence-transformers/all-MiniLM-L6-v2", "minishlab/potion-base-8M", "BAAI/bge-small-en-v1.5"),
    ),
    Question(
        "biomedical", "biomedical claims", ("NeuML/pubmedbert-base-embeddings-8M", "dmis-lab/biobert-base-cased-v1.2")
    ),
    Question("code", "code search", ("Qwen/Qwen3-Embedding-8B", "nomic-ai/nomic-embed-code")),
    Question(
        "image-catalogue",
        "text-to-image catalogue",
        ("openai/clip-vit-base-patch32", "google/siglip-large-patch16-256"),
    ),
    Question("sound-effects", "sound effects", ("laion/larger_clap_general", "laion/clap-htsat-unfused")),
    Question(
        "in-house",
        "regulated data that may not leave the house",
        ("openai/text-embedding-3-large", "Qwen/Qwen3-Embedding-8B"),
    ),
    Question("the-best", "just the best, money is no object", ("google/gemini-embedding-001", "nvidia/NV-Embed-v2")),
)
