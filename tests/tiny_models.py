"""Real models with random weights, small enough for a test: what sentence-transformers and model2vec load."""

import json
import string
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

DIMENSION = 32
WORDS = "the a of in is to and cat dog sea ship apple pear code memory garbage collection server web suite query"
CHINESE = "猫狗海船苹果梨代码内存垃圾回收服务器的是在坐垫上睡觉"

MODULES = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))


def write_tokenizer(folder: Path) -> int:
    """Write tokenizer.json and its configuration; returns the size of the vocabulary."""
    letters = string.ascii_lowercase + string.digits + ".,?!'-:"
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    tokens += [*WORDS.split(), *dict.fromkeys(CHINESE)]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64, **special},
    )
    return len(vocabulary)


def write_json(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), "utf-8")


def make_st(folder: Path, *, prompts: dict[str, str] | None = None, similarity: str = "cosine", seed: int = 0) -> Path:
    """A sentence-transformers folder: one BERT layer, mean pooling, normalisation."""
    folder.mkdir(parents=True)
    size = write_tokenizer(folder)
    config = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "vocab_size": size,
        "hidden_size": DIMENSION,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
        "type_vocab_size": 2,
        "pad_token_id": 0,
    }
    write_json(folder / "config.json", config)
    write_json(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{name}"}
            for i, (path, name) in enumerate(MODULES)
        ],
    )
    write_json(
        folder / "1_Pooling" / "config.json", {"word_embedding_dimension": DIMENSION, "pooling_mode_mean_tokens": True}
    )
    (folder / "2_Normalize").mkdir()
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": False})
    write_json(
        folder / "config_sentence_transformers.json",
        {"prompts": prompts or {"query": "", "document": ""}, "similarity_fn_name": similarity},
    )
    save_file(_bert(size, np.random.default_rng(seed)), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _bert(size: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    weights: dict[str, np.ndarray] = {}

    def linear(name: str, rows: int, columns: int) -> None:
        weights[f"{name}.weight"] = rng.normal(0, 0.3, (rows, columns)).astype(np.float32)
        weights[f"{name}.bias"] = np.zeros(rows, np.float32)

    def norm(name: str) -> None:
        weights[f"{name}.weight"] = np.ones(DIMENSION, np.float32)
        weights[f"{name}.bias"] = np.zeros(DIMENSION, np.float32)

    for name, rows in (("word", size), ("position", 64), ("token_type", 2)):
        scale = 1.0 if name == "word" else 0.05
        table = rng.normal(0, scale, (rows, DIMENSION)).astype(np.float32)
        weights[f"embeddings.{name}_embeddings.weight"] = table
    norm("embeddings.LayerNorm")
    layer = "encoder.layer.0"
    for part in ("query", "key", "value"):
        linear(f"{layer}.attention.self.{part}", DIMENSION, DIMENSION)
    linear(f"{layer}.attention.output.dense", DIMENSION, DIMENSION)
    norm(f"{layer}.attention.output.LayerNorm")
    linear(f"{layer}.intermediate.dense", 64, DIMENSION)
    linear(f"{layer}.output.dense", DIMENSION, 64)
    norm(f"{layer}.output.LayerNorm")
    linear("pooler.dense", DIMENSION, DIMENSION)
    return weights


def make_static(folder: Path, *, seed: int = 0) -> Path:
    """A model2vec folder: a table of word vectors."""
    folder.mkdir(parents=True)
    size = write_tokenizer(folder)
    table = np.random.default_rng(seed).normal(0, 1, (size, DIMENSION)).astype(np.float32)
    save_file({"embeddings": table}, folder / "model.safetensors")
    write_json(folder / "config.json", {"model_type": "model2vec", "normalize": True, "hidden_dim": DIMENSION})
    return folder
