"""Real models with few weights for the legs beside dense ones: cross-encoder, sparse, multi-vector, BGE-M3's make."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel

from tests.tiny_models import MODULES, write_json, write_tokenizer

WORDS = ("cat", "dog", "sea", "ship", "apple", "pear", "code", "memory", "garbage", "collection", "server", "web")
DIMENSION = 32


def _config(size: int, **more: object) -> BertConfig:
    return BertConfig(
        vocab_size=size,
        hidden_size=DIMENSION,
        num_hidden_layers=more.pop("layers", 1),
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        **more,
    )


def _folder(folder: Path) -> int:
    folder.mkdir(parents=True)
    size = write_tokenizer(folder)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 64, "do_lower_case": False})
    return size


def make_ce(folder: Path, *, labels: int = 1, seed: int = 0) -> Path:
    """A cross-encoder with random weights."""
    size = _folder(folder)
    torch.manual_seed(seed)
    BertForSequenceClassification(_config(size, num_labels=labels)).save_pretrained(folder)
    return folder


def make_splade(folder: Path, *, seed: int = 0) -> Path:
    """A masked language model, which is what SPLADE is; its weights large enough that some entries weigh something."""
    size = _folder(folder)
    torch.manual_seed(seed)
    model = BertForMaskedLM(_config(size, initializer_range=0.4))
    with torch.no_grad():
        model.cls.predictions.bias.fill_(-4.0)
    model.save_pretrained(folder)
    return folder


def make_multi(folder: Path, *, seed: int = 0) -> Path:
    """A late-interaction model as sentence-transformers saves it."""
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.base.modules.dense import Dense
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    inner = folder.with_name(folder.name + "-bert")
    size = _folder(inner)
    torch.manual_seed(seed)
    BertModel(_config(size, initializer_range=0.4)).save_pretrained(inner)
    modules = [
        Transformer(str(inner)),
        Dense(DIMENSION, 8, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings"),
        MultiVectorMask(),
        Normalize(module_input_name="token_embeddings"),
    ]
    MultiVectorEncoder(modules=modules, device="cpu").save_pretrained(str(folder), create_model_card=False)
    return folder


def make_m3(folder: Path, *, seed: int = 0, safe: bool = False) -> Path:
    """The layout of BAAI/bge-m3: an encoder that pools its first token, and two heads beside it."""
    size = _folder(folder)
    torch.manual_seed(seed)
    BertModel(_config(size, initializer_range=0.4)).save_pretrained(folder)
    write_json(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{name}"}
            for i, (path, name) in enumerate(MODULES)
        ],
    )
    write_json(
        folder / "1_Pooling" / "config.json", {"word_embedding_dimension": DIMENSION, "pooling_mode_cls_token": True}
    )
    (folder / "2_Normalize").mkdir()
    for name, width in (("sparse_linear", 1), ("colbert_linear", DIMENSION)):
        head = {"weight": torch.randn(width, DIMENSION), "bias": torch.zeros(width)}
        if safe:
            save_file(head, folder / f"{name}.safetensors")
        else:
            torch.save(head, folder / f"{name}.pt")
    return folder


def make_matching_ce(folder: Path) -> Path:
    """A cross-encoder that has learnt to say whether a document has the query's word."""
    size = _folder(folder)
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(folder))
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = BertForSequenceClassification(_config(size, num_labels=1, layers=2, initializer_range=0.2))
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(STEPS):
        asked = torch.randint(len(WORDS), (64,))
        said = torch.randint(len(WORDS), (64, 3))
        said[::2, 0] = asked[::2]
        said = said.gather(1, torch.rand(64, 3).argsort(dim=1))
        batch = tokenizer(
            [WORDS[i] for i in asked.tolist()],
            [" ".join(WORDS[i] for i in row) for row in said.tolist()],
            return_tensors="pt",
            padding=True,
        )
        wanted = (said == asked[:, None]).any(dim=1).float()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(**batch).logits.squeeze(-1), wanted)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval().save_pretrained(folder)
    return folder


#: of training, about 10 ms each
STEPS = 200
