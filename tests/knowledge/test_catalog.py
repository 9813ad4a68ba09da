"""The shipped catalog: complete, consistent, sourced, and free of the traps of its source."""

import datetime as dt
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from knowledge.catalog import Catalog, load_catalog
from knowledge.errors import CatalogError, UnknownModelError
from knowledge.fit import known_gpus
from knowledge.languages import language_code
from knowledge.model_card import ModelCard
from knowledge.scores import load_scores
from tools.catalog_build.merged import BROKEN_RUNS

DATA = Path(__file__).parents[2] / "knowledge" / "data"
FILES = ("models.jsonl", "tasks.jsonl", "licenses.json", "prices.json", "sources.json")
PROGRAMMING = {"c", "c++", "c#", "go", "java", "javascript", "php", "python", "ruby", "rust", "scala", "shell", "sql"}
PROGRAMMING |= {"swift", "typescript"}


@pytest.fixture(scope="module")
def catalog():
    return load_catalog()


@pytest.fixture
def copy(tmp_path):
    for name in FILES:
        shutil.copyfile(DATA / name, tmp_path / name)
    return tmp_path


# ---------------------------------------------------------------- what is in it


def test_all_models_and_tasks_are_there_once(catalog):
    names = [card.model for card in catalog.cards]
    assert len(names) == len({name.casefold() for name in names}) == 981
    tasks = [task.task for task in catalog.tasks]
    assert len(tasks) == len(set(tasks)) == 2011


def test_every_licence_is_on_file_and_says_what_it_is_worth(catalog):
    assert {card.license for card in catalog.cards} - {None} <= set(catalog.licenses)
    for card in catalog.cards:
        if card.license is None:
            assert card.commercial == "unknown"
        else:
            own = "commercial" in card.sources  # WordLlama: its weights derive from others'
            assert own or card.commercial == catalog.licenses[card.license].commercial


def test_every_figure_has_a_source(catalog):
    for card in catalog.cards:
        for field in ModelCard.model_fields:
            assert catalog.source_of(card, field).title
    used = {source for card in catalog.cards for source in card.sources.values()}
    used |= {entry.source for entry in (*catalog.licenses.values(), *catalog.prices.values())}
    used |= {card.source for card in known_gpus().values()}
    assert used | {"cldr", "mteb-results"} == set(catalog.sources)


def test_prices_are_on_the_models_they_are_for(catalog):
    priced = {card.model.partition(" (")[0] for card in catalog.cards if card.price}
    assert priced == set(catalog.prices)
    assert all(card.is_api for card in catalog.cards if card.price)
    assert all(0 < price.usd_per_million_tokens < 1 for price in catalog.prices.values())


def test_sources_md_is_in_step_with_the_sources(catalog):
    text = (DATA / "SOURCES.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == sorted(catalog.sources)
    assert all(f"| {source.date} |" in text for source in catalog.sources.values())


def test_languages_are_codes_without_scripts(catalog):
    listed = {code for entry in (*catalog.cards, *catalog.tasks) for code in entry.languages}
    assert {code for code in listed - PROGRAMMING if language_code(code) != code} == set()
    assert {"en", "zh", "ar", "de", "yue"} <= listed
    assert not {"cmn", "arb", "eng", "zxx"} & listed


def test_everything_stays_small():
    assert sum((DATA / name).stat().st_size for name in (*FILES, "languages.json", "SOURCES.md")) < 2e6


# ---------------------------------------------------------------- facts everybody can check


def test_minilm(catalog):
    card = catalog.card("sentence-transformers/all-MiniLM-L6-v2")
    assert (card.parameters, card.dimension, card.max_tokens) == (22_713_216, 384, 256)
    assert (card.license, card.commercial, card.is_api) == ("Apache-2.0", "yes", False)
    assert (card.languages, card.needs_remote_code, card.similarity) == (("en",), False, "cosine")
    assert (card.query_prompt, card.document_prompt) == (None, None)
    assert card.spec == "st:sentence-transformers/all-MiniLM-L6-v2"


def test_multilingual_e5_small(catalog):
    card = catalog.card("multilingual-e5-small")
    assert (card.query_prompt, card.document_prompt) == ("query: ", "passage: ")
    assert (card.parameters, card.dimension, card.max_tokens, card.license) == (118_000_000, 384, 512, "MIT")
    assert {"de", "zh", "ar", "sw"} <= set(card.languages)
    assert card.release_date == dt.date(2024, 2, 8)


def test_openai_small(catalog):
    card = catalog.card("openai/text-embedding-3-small")
    assert (card.is_api, card.dimension, card.max_tokens) == (True, 1536, 8191)
    assert card.matryoshka_dimensions == (512, 1536)
    assert card.price is not None
    assert card.price.usd_per_million_tokens == 0.02
    assert (card.languages, card.parameters, card.revision, card.query_prompt) == ((), None, None, None)
    assert card.spec == "openai:text-embedding-3-small"
    assert catalog.card("openai/text-embedding-3-small (embed_dim=512)").spec is None


# ---------------------------------------------------------------- traps of the source


def test_an_infinite_context_is_not_a_number(catalog):
    assert catalog.card("minishlab/potion-base-8M").max_tokens is None
    assert all(card.max_tokens is None or card.max_tokens < 1e6 for card in catalog.cards)


@pytest.mark.parametrize(
    ("name", "dimension", "source"),
    [
        ("Cohere/Cohere-embed-multilingual-v3.0", 1024, "cohere-models"),
        ("NovaSearch/stella_en_400M_v5", 1024, "hub-model-card"),
        ("NovaSearch/stella_en_1.5B_v5", 1024, "hub-model-card"),
        ("Alibaba-NLP/gte-Qwen2-1.5B-instruct", 1536, "hub-model-card"),
        ("NovaSearch/jasper_en_vision_language_v1", None, "hub-model-card"),
        ("thenlper/gte-small-zh", 512, "hub-model-card"),
        ("BAAI/bge-m3", 1024, "mteb"),
    ],
)
def test_wrong_dimensions_are_corrected_with_their_source(catalog, name, dimension, source):
    card = catalog.card(name)
    assert card.dimension == dimension
    assert catalog.source_of(card, "dimension") == catalog.sources[source]


@pytest.mark.parametrize("name", ["castorini/repllama-v1-7b-lora-passage", "samaya-ai/RepLLaMA-reproduced",
                                  "McGill-NLP/LLM2Vec-Sheared-LLaMA-mntp-supervised"])  # fmt: skip
def test_the_size_of_an_adapter_is_not_the_size_of_its_model(catalog, name):
    assert catalog.card(name).memory_mb is None


def test_memory_fits_the_parameters(catalog):
    for card in catalog.cards:
        if card.memory_mb and card.parameters:
            assert 0.125 <= card.memory_mb * 2**20 / card.parameters <= 8, card.model


@pytest.mark.parametrize(
    ("name", "license", "commercial"),
    [
        ("nvidia/llama-embed-nemotron-8b", "LicenseRef-NVIDIA-model-specific", "unknown"),
        ("jinaai/jina-embeddings-v3", "CC-BY-NC-4.0", "no"),
        ("google/embeddinggemma-300m", "LicenseRef-Gemma", "conditional"),
        ("openai/clip-vit-base-patch32", None, "unknown"),
        ("moka-ai/m3e-base", "LicenseRef-M3E-research", "no"),
        ("mteb/baseline-bm25s", "MIT", "yes"),
        ("openai/text-embedding-ada-002", "LicenseRef-API-terms", "conditional"),
    ],
)
def test_odd_licences(catalog, name, license, commercial):
    card = catalog.card(name)
    assert (card.license, card.commercial) == (license, commercial)


def test_a_licence_that_names_several_is_unknown(catalog):
    several = [card for card in catalog.cards if card.license_text in ("multiple", "not specified")]
    assert len(several) > 10
    assert {card.commercial for card in several if card.license is None and not card.is_api} == {"unknown"}
    assert not [card.model for card in several if card.license not in (None, "LicenseRef-API-terms")]


def test_impossible_scripts_do_not_matter(catalog):
    assert {"ar", "am", "el"} <= set(catalog.card("intfloat/multilingual-e5-small").languages)


def test_models_without_languages_stay(catalog):
    assert sum(not card.languages for card in catalog.cards) >= 77


def test_prompts_are_text_that_can_be_put_before_a_text(catalog):
    assert catalog.card("WhereIsAI/UAE-Large-V1").query_prompt == (
        "Represent this sentence for searching relevant passages: "
    )
    assert catalog.card("jinaai/jina-embeddings-v3").query_prompt is None
    for card in catalog.cards:
        for prompt in (card.query_prompt, card.document_prompt):
            assert prompt is None or (prompt and "{" not in prompt), card.model


def test_remote_code(catalog):
    assert catalog.card("nomic-ai/nomic-embed-text-v1.5").needs_remote_code is True
    assert catalog.card("jinaai/jina-embeddings-v3").needs_remote_code is not False


def test_revisions_are_commits(catalog):
    assert all(card.revision is None or len(card.revision) == 40 for card in catalog.cards)


def test_reference_points_are_not_offered_as_models(catalog):
    assert catalog.card("baseline/Human").spec is None
    assert catalog.card("mteb/baseline-random-encoder").spec is None
    assert catalog.card("mteb/baseline-bm25s").spec == "bm25"


def test_broken_runs_are_not_in_the_matrix():
    """The study found runs at a quarter of the model's other results, and set them aside."""
    scores = load_scores()
    english = np.array(
        [
            scores.tasks[t].type == "Retrieval" and scores.languages[k] == "en"
            for t, k in zip(scores.column_task, scores.column_language, strict=True)
        ]
    )
    for name in BROKEN_RUNS & set(scores.models):
        found = scores.cell_score[(scores.cell_model == scores.models.index(name)) & english[scores.cell_column]]
        assert len(found) == 0 or found.mean() > 0.4, name


def test_no_score_is_a_speed_and_negative_ones_are_correlations():
    scores = load_scores()
    assert not [task.name for task in scores.tasks if "Speed" in task.name]
    assert scores.cell_score.max() <= 1
    negative = {scores.tasks[scores.column_task[c]].type for c in scores.cell_column[scores.cell_score < 0]}
    assert "Retrieval" not in negative


def test_no_cell_is_there_twice():
    """Revisions complete each other; where two have the same figure, one is kept."""
    scores = load_scores()
    cells = scores.cell_column * len(scores.models) + scores.cell_model
    assert len(np.unique(cells)) == len(cells)


def test_private_tasks_are_there(catalog):
    assert sum(task.public is False for task in catalog.tasks) > 10


def test_scored_models_without_a_language_stay_in_the_matrix(catalog):
    scored = set(load_scores().models)
    assert sum(card.model in scored and not card.languages for card in catalog.cards) > 50


# ---------------------------------------------------------------- models that mteb lacks


@pytest.mark.parametrize(
    ("words", "model"),
    [
        ("panns", "qiuqiangkong/panns-cnn14"),
        ("PANNs Cnn14", "qiuqiangkong/panns-cnn14"),
        ("legal-bert", "nlpaueb/legal-bert-base-uncased"),
        ("biobert", "dmis-lab/biobert-base-cased-v1.2"),
        ("resnet50", "microsoft/resnet-50"),
        ("ncf", "hexiangnan/neural-collaborative-filtering"),
        ("neural collaborative filtering", "hexiangnan/neural-collaborative-filtering"),
        ("magiclens", "google-deepmind/magiclens-base"),
        ("vit", "google/vit-base-patch16-224"),
        ("bert", "google-bert/bert-base-uncased"),
        ("roberta", "FacebookAI/roberta-base"),
        ("distilbert", "distilbert/distilbert-base-uncased"),
        ("wordllama", "wordllama"),
    ],
)
def test_models_the_guides_name_are_found_by_the_names_people_use(catalog, words, model):
    assert catalog.card(words).model == model
    assert model in [card.model for card in catalog.search(words, 5)]


def test_an_alias_never_hides_a_model(catalog):
    for card in catalog.cards:
        if "(" not in card.model:
            assert catalog.card(card.model) == card


@pytest.mark.parametrize("name", ["e5-base-instruct", "sora", "dall-e", "dlrm"])
def test_what_is_no_embedding_model_is_not_in_the_catalog(catalog, name):
    with pytest.raises(UnknownModelError):
        catalog.card(name)


def test_a_method_without_weights_cannot_be_built(catalog):
    card = catalog.card("ncf")
    assert (card.pretrained, card.spec, card.modalities, card.parameters) == (False, None, (), None)
    assert "trained" in (card.note or "")
    assert [c.model for c in catalog.cards if not c.pretrained] == [card.model]


def test_wordllama_is_built_by_its_own_backend(catalog):
    card = catalog.card("wordllama")
    assert (card.spec, card.dimension, card.commercial) == ("static:wordllama", 256, "conditional")
    assert "LLaMA" in (card.license_note or "")


# ---------------------------------------------------------------- looking up


@pytest.mark.parametrize("name", ["BAAI/bge-m3", "baai/BGE-M3", "bge-m3", " BGE-M3 "])
def test_a_model_is_found_by_its_name_or_what_is_after_the_slash(catalog, name):
    assert catalog.card(name).model == "BAAI/bge-m3"


@pytest.mark.parametrize("name", ["voyageai/voyage-3.5", "voyage/voyage-3.5", "mongodb/voyage-3.5", "voyage-3.5"])
def test_voyage_is_found_under_its_old_publisher(catalog, name):
    assert catalog.card(name).model == "mongodb/voyage-3.5"


@pytest.mark.parametrize(("name", "meant"), [("multilingual-e5-smal", "intfloat/multilingual-e5-small"),
                                             ("BAAI/bge-m4", "BAAI/bge-m3"),
                                             ("sentence-transformer/all-minilm-l6", "all-MiniLM-L6-v2")])  # fmt: skip
def test_a_misspelt_model_gets_a_suggestion(catalog, name, meant):
    with pytest.raises(UnknownModelError) as error:
        catalog.card(name)
    assert meant in str(error.value)
    assert name in error.value.render("zh")


@pytest.mark.parametrize("name", ["", " ", "/", "没有的模型", "{evil}", "%s\n\x00", "z" * 100_000, "../../etc/passwd"])
def test_hostile_names_are_only_unknown(catalog, name):
    with pytest.raises(UnknownModelError):
        catalog.card(name).model  # noqa: B018


def test_an_ambiguous_name_lists_the_models(copy):
    lines = (copy / "models.jsonl").read_text("utf-8").splitlines()
    twin = '{"model":"other/bge-m3","sources":{"*":"mteb"}}'
    head = json.loads(lines[0]) | {"rows": 982}
    (copy / "models.jsonl").write_text("\n".join([json.dumps(head), *lines[1:], twin]), "utf-8")
    with pytest.raises(UnknownModelError, match=r"several.*(BAAI|other)/bge-m3"):
        Catalog(copy).card("bge-m3")


def test_search(catalog):
    assert catalog.search("e5 small multilingual", 5)[0].model == "intfloat/multilingual-e5-small"
    assert {card.organisation for card in catalog.search("voyageai", 100)} == {"mongodb"}
    assert catalog.search("no-such-model-anywhere", 5) == []
    assert len(catalog.search("", 7)) == 7
    assert len(catalog.search("bge", 10_000)) > 20
    assert catalog.search("bge", 0) == catalog.search("bge", -3) == []


def test_the_shipped_catalog_is_read_once(catalog):
    assert load_catalog() is catalog
    assert load_catalog(DATA) is not catalog
    assert load_catalog(DATA) is load_catalog(DATA)
    assert load_catalog(DATA).cards == catalog.cards


def test_cards_survive_json(catalog):
    for card in catalog.cards:
        assert ModelCard.model_validate_json(card.model_dump_json()) == card
        assert not any(isinstance(v, float) and not math.isfinite(v) for v in card.model_dump().values())


# ---------------------------------------------------------------- broken files


def _read_all(folder):
    catalog = Catalog(folder)
    return catalog.cards, catalog.tasks, catalog.sources


def test_a_good_copy_loads(copy):
    assert len(_read_all(copy)[0]) == 981


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[: len(raw) // 2],
        lambda raw: b"\x00\xff\xfe" + raw,
        lambda raw: "目录".encode("gbk") + raw,
        lambda raw: b"[]\n",
        lambda raw: b"null\n",
        lambda raw: b'{"format":"other","version":1}\n',
        lambda raw: raw.replace(b'"version":1', b'"version":2', 1).replace(b'"version": 1', b'"version": 2', 1),
        None,
    ],
)
def test_a_broken_file_is_named(copy, name, damage):
    path = copy / name
    if damage:
        path.write_bytes(damage(path.read_bytes()))
    else:
        path.unlink()
    with pytest.raises(CatalogError, match=name) as error:
        _read_all(copy)
    assert "advisor catalog build" in error.value.render("zh")


@pytest.mark.parametrize("name", ["models.jsonl", "tasks.jsonl"])
def test_a_file_cut_at_a_line_is_noticed(copy, name):
    lines = (copy / name).read_text("utf-8").splitlines()
    (copy / name).write_text("\n".join(lines[:-1]) + "\n", "utf-8")
    with pytest.raises(CatalogError, match="rows instead of"):
        _read_all(copy)


@pytest.mark.parametrize(
    "row",
    [
        '{"model":1}',
        '{"model":"a/b","surprise":1}',
        "7",
        '{"model":"a/b","license":[1]}',
        '{"model":"a","parameters":"many"}',
    ],
)
def test_a_wrong_row_is_named_by_its_line(copy, row):
    lines = (copy / "models.jsonl").read_text("utf-8").splitlines()
    lines[4] = row
    (copy / "models.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(CatalogError, match=r"models\.jsonl.*(line 5|not an object)"):
        _read_all(copy)
