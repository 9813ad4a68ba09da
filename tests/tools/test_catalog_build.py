"""From the published tables to the shipped files."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from knowledge.catalog import Catalog
from knowledge.errors import CatalogError
from knowledge.manifest import FILES, check_hashes, read_manifest
from tools.catalog_build.__main__ import SHIPPED, main
from tools.catalog_build.languages import build_languages, codes, normalise
from tools.catalog_build.models import COLUMNS as MODEL_COLUMNS
from tools.catalog_build.models import build_models, plausible_memory, prompts, remote_code, whole
from tools.catalog_build.provenance import build_sources, copy_curated
from tools.catalog_build.tables import read_table, read_tables
from tools.catalog_build.tasks import COLUMNS as TASK_COLUMNS
from tools.catalog_build.tasks import build_tasks

TABLES = Path(__file__).parents[2].parent / "shared" / "data" / "catalog"
NAMES = ("models.jsonl", "tasks.jsonl", "languages.json", "SOURCES.md", "licenses.json", "prices.json", "sources.json")
AGAIN = "run: python -m tools.catalog_build ../shared/data/catalog"
ADDITIONS = Path(__file__).parents[2] / "tools" / "catalog_build" / "additions.json"

E5 = {
    "model": "组织/模型-e5",
    "revision": "a" * 40,
    "release_date": "2024-02-08",
    "model_type": ["dense"],
    "modalities": ["text", "image"][::-1],
    "languages": ["deu-Latn", "cmn", "ara-Latn", "python-Code", "zxx"],
    "license_raw": "mit",
    "is_api": False,
    "n_parameters": 118e6,
    "memory_usage_mb": 449.0,
    "max_tokens": float("inf"),
    "embed_dim": 384.0,
    "embed_dims": [384, 128],
    "similarity_fn": "MaxSim",
    "prompts": '{"query": "query: ", "document": "passage: "}',
    "loader": "SentenceTransformerEncoderWrapper",
    "training_data_known": False,
}
API = {
    "model": "openai/text-embedding-3-small",
    "revision": "3",
    "model_type": ["dense"],
    "modalities": ["text"],
    "license_raw": None,
    "is_api": True,
    "embed_dim": 1536.0,
    "prompts": '{"query": "query", "document": "document"}',
    "training_data_known": False,
}
TASK = {
    "task": "任务",
    "type": "Retrieval",
    "languages": ["eng", "go"],
    "license": "not specified",
    "date": "['2012-01-01T00:00:00', '2017-12-31']",
    "n_docs": 5183.0,
    "avg_doc_chars": 1498.444,
    "n_models_scored": 0,
}


def write(folder, name, columns, rows):
    complete = [dict.fromkeys(columns) | row for row in rows]
    pq.write_table(pa.Table.from_pylist(complete), folder / name)


@pytest.fixture
def tables(tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    write(folder, "models.parquet", MODEL_COLUMNS, [E5, API])
    write(folder, "tasks.parquet", TASK_COLUMNS, [TASK])
    return folder


def build(source, out):
    copy_curated(out)
    build_sources(out)
    models = read_table(source / "models.parquet", MODEL_COLUMNS)
    tasks = read_table(source / "tasks.parquet", TASK_COLUMNS)
    build_models(models, out)
    build_tasks(tasks, out)
    build_languages([*models, *tasks], out)


def from_tables(folder):
    """The cards that the tables gave, without those that are added by hand."""
    added = {entry["model"] for entry in json.loads(ADDITIONS.read_text("utf-8"))}
    return [card for card in Catalog(folder).cards if card.model not in added]


def test_tables_become_a_catalog(tables, tmp_path):
    build(tables, tmp_path / "out")
    catalog = Catalog(tmp_path / "out")
    api, e5 = from_tables(tmp_path / "out")
    assert (e5.model, e5.languages, e5.modalities) == ("组织/模型-e5", ("ar", "de", "python", "zh"), ("text", "image"))
    assert (e5.license, e5.commercial, e5.license_text) == ("MIT", "yes", "mit")
    assert (e5.max_tokens, e5.dimension, e5.matryoshka_dimensions) == (None, 384, (128, 384))
    assert (e5.query_prompt, e5.document_prompt, e5.similarity) == ("query: ", "passage: ", "maxsim")
    assert (e5.needs_remote_code, e5.sources) == (False, {"*": "mteb"})
    assert (api.license, api.revision, api.query_prompt) == ("LicenseRef-API-terms", None, None)
    assert (api.matryoshka_dimensions, api.sources["matryoshka_dimensions"]) == ((512, 1536), "openai-embeddings-2024")
    (task,) = catalog.tasks
    assert (task.task, task.languages, task.years, task.documents) == ("任务", ("en", "go"), (2012, 2017), 5183)
    assert (task.license, task.document_chars, task.models_scored) == (None, 1498.4, 0)
    languages = json.loads((tmp_path / "out" / "languages.json").read_text("utf-8"))["languages"]
    assert sorted(languages) == ["ar", "de", "en", "zh"]
    assert languages["zh"]["iso639_3"] == ["cmn", "zho"]


def test_what_is_not_known_is_absent_and_the_order_of_rows_does_not_matter(tables, tmp_path):
    build(tables, tmp_path / "a")
    write(tables, "models.parquet", MODEL_COLUMNS, [API, E5])
    build(tables, tmp_path / "b")
    for name in NAMES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    text = (tmp_path / "a" / "models.jsonl").read_text("utf-8")
    assert "null" not in text
    assert "Infinity" not in text
    assert "模型" in text


@pytest.mark.parametrize("spelling", ["multiple", "not specified", "https://example.org/LICENSE", "MIT or so", ""])
def test_a_licence_nobody_has_read_stays_unknown(tables, tmp_path, spelling):
    write(tables, "models.parquet", MODEL_COLUMNS, [E5 | {"license_raw": spelling}])
    build(tables, tmp_path / "out")
    (card,) = from_tables(tmp_path / "out")
    assert (card.license, card.commercial) == (None, "unknown")
    assert card.license_text == (spelling or None)


@pytest.mark.parametrize(
    ("megabytes", "parameters", "kept"),
    [(449.0, 118_000_000, True), (27.0, 7_000_000_000, False), (27126.0, 1_294_878_720, False), (8.0, 61_510_656, True),
     (5.0, None, True), (0.0, 0, False), (None, 5, False), (float("inf"), 5, False)],
)  # fmt: skip
def test_only_a_memory_that_fits_the_parameters_is_kept(megabytes, parameters, kept):
    assert (plausible_memory(megabytes, parameters) is not None) == kept


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, (None, None)),
        ("null", (None, None)),
        ('{"query": "q: "}', ("q: ", None)),
        ('{"query": "Represent: {text}", "document": ""}', ("Represent: ", None)),
        ('{"query": "{a} {b}"}', (None, None)),
        ('{"Retrieval-query": "检索: ", "Retrieval-document": "文档: "}', ("检索: ", "文档: ")),
        ('{"Retrieval-query": "retrieval.query", "document": "search_document"}', (None, None)),
        ('{"STS": "sts: "}', (None, None)),
    ],
)
def test_prompts(text, expected):
    assert prompts(text) == expected


def test_remote_code_is_only_denied_where_the_loader_is_plain():
    assert remote_code({"trust_remote_code": True}, "Whatever") is True
    assert remote_code({}, "SentenceTransformerEncoderWrapper") is False
    assert remote_code({}, "JinaWrapper") is None


def test_whole_numbers():
    assert [whole(v) for v in (None, float("inf"), float("nan"), 0.0, 384.0)] == [None, None, None, 0, 384]


@pytest.mark.parametrize(
    ("tag", "code"),
    [("deu-Latn", "de"), ("cmn", "zh"), ("zho-Hant", "zh"), ("arb-Arab", "ar"), ("arz-Arab", "arz"), ("yue", "yue"),
     ("nob-Latn", "no"), ("tgl", "tl"), ("fil-Latn", "tl"), ("hbs", "sr"), ("php-Code", "php"), ("go", "go"),
     ("tok", "tok"), ("ceb-Latn", "ceb")],
)  # fmt: skip
def test_one_code_a_language(tag, code):
    assert normalise(tag) == code


@pytest.mark.parametrize("tag", ["xx", "qzz-Latn", "nonsense", "德语", ""])
def test_a_tag_that_is_no_language_stops_the_build(tag):
    with pytest.raises(CatalogError, match="is not a language"):
        normalise(tag)


def test_codes_leave_out_what_is_no_language():
    assert codes(["zxx", "eng-Latn", "eng-Arab"]) == ["en"]
    assert codes(None) == []


@pytest.mark.parametrize("content", [None, b"", b"PAR1 not really", "目录".encode()])
def test_a_table_that_cannot_be_read_is_named(tables, tmp_path, content, capsys):
    (tables / "models.parquet").unlink()
    if content is not None:
        (tables / "models.parquet").write_bytes(content)
    with pytest.raises(CatalogError, match=r"models\.parquet"):
        read_tables(tables)
    assert main([str(tables), "--out", str(tmp_path / "out")]) == CatalogError.exit_code
    assert "models.parquet" in capsys.readouterr().err
    assert not (tmp_path / "out" / "models.jsonl").exists()


def test_a_missing_column_is_named(tables, tmp_path):
    pq.write_table(pa.table({"task": ["a"]}), tables / "tasks.parquet")
    with pytest.raises(CatalogError, match=r"tasks\.parquet lacks the columns type, "):
        read_tables(tables)


def test_the_shipped_manifest_is_of_the_shipped_files():
    manifest = read_manifest(SHIPPED)
    check_hashes(SHIPPED, manifest)
    assert set(manifest.files) == set(FILES)


@pytest.mark.skipif(not TABLES.is_dir(), reason="needs the published tables in ../shared/data/catalog")
def test_every_correction_is_of_a_model_and_changes_it():
    import tools.catalog_build

    known = {row["model"]: row for row in pq.read_table(TABLES / "models.parquet").to_pylist()}
    path = Path(tools.catalog_build.__file__).with_name("corrections.json")
    for correction in json.loads(path.read_text("utf-8")):
        assert set(correction["models"]) <= set(known)
        if "dimension" in correction["set"]:
            assert all(known[m]["embed_dim"] != correction["set"]["dimension"] for m in correction["models"])


def test_each_fact_of_an_added_model_has_a_source_on_file():
    sources = json.loads((SHIPPED / "sources.json").read_text("utf-8"))["sources"]
    shipped = {card.model: card for card in Catalog(SHIPPED).cards}
    for entry in json.loads(ADDITIONS.read_text("utf-8")):
        card = shipped[entry["model"]]
        for field, fact in entry["facts"].items():
            assert fact["source"] in sources, (entry["model"], field)
            assert card.sources[field] == fact["source"]
            shown = json.loads(card.model_dump_json())[field]
            assert shown == fact["value"]
        unsourced = set(json.loads(card.model_dump_json(exclude_defaults=True))) - set(card.sources)
        assert unsourced <= {"model", "note", "aliases", "sources", "commercial", "license_note"}


def test_a_model_that_mteb_learns_to_know_is_no_longer_added(tables, tmp_path):
    resnet = API | {"model": "microsoft/resnet-50", "is_api": False, "embed_dim": 7.0, "license_raw": "mit"}
    write(tables, "models.parquet", MODEL_COLUMNS, [resnet])
    build(tables, tmp_path / "out")
    (card,) = [c for c in Catalog(tmp_path / "out").cards if c.model == "microsoft/resnet-50"]
    assert (card.dimension, card.sources, card.aliases) == (7, {"*": "mteb"}, ())


def test_hand_kept_files_are_not_copied_onto_themselves(tmp_path):
    before = {name: (SHIPPED / name).read_bytes() for name in ("licenses.json", "prices.json", "sources.json")}
    copy_curated(tmp_path)
    assert all((tmp_path / name).read_bytes() == content for name, content in before.items())
    link = tmp_path / "shipped"
    link.symlink_to(SHIPPED)
    copy_curated(link)
    assert {name: (SHIPPED / name).read_bytes() for name in before} == before
