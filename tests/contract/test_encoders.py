"""What holds for every encoder backend there is, and the endpoint's failures."""

import time
from dataclasses import replace

import numpy as np
import pytest
from pydantic import SecretStr

from knowledge.candidate import Leg, parse_candidate
from knowledge.errors import ProviderError, SpecError, UnknownModelError, UserError
from tests.fake_http import FakeEmbeddings, as_json
from tests.tiny_models import DIMENSION, make_st, make_static
from tools import encoders
from tools.encoders import openai as openai_backend
from tools.workspace import Workspace

TEXTS = ["the cat is in the sea", "a dog and an apple", "猫在垫子上睡觉", "", "x", "garbage collection " * 530, "\n\t "]


@pytest.fixture(scope="module")
def endpoint():
    with FakeEmbeddings() as server:
        yield server


@pytest.fixture(scope="module")
def models(tmp_path_factory, endpoint):
    """One model for each backend; a new backend has to come with one."""
    folder = tmp_path_factory.mktemp("models")
    return {
        "st": (str(make_st(folder / "st")), DIMENSION),
        "static": (str(make_static(folder / "static")), DIMENSION),
        "openai": ("fake-embedding", FakeEmbeddings.DIMENSION),
    }


@pytest.fixture(scope="module")
def workspace(tmp_path_factory, endpoint):
    key = SecretStr("sk-canary")
    return Workspace(
        home=tmp_path_factory.mktemp("home"), offline=True, openai_base_url=endpoint.base_url, openai_api_key=key
    )


@pytest.fixture(scope="module")
def loaded(models, workspace):
    """Every backend's encoder, loaded once: resolve and load know of each other only what `Resolved` says."""
    found = {}
    for name, (model, _) in models.items():
        resolved = encoders.resolve(Leg(backend=name, name=model), workspace)
        again = type(resolved).model_validate(resolved.model_dump(mode="json"))  # as it travels to a child
        assert again == resolved
        found[name] = (resolved, encoders.load(again, workspace if resolved.endpoint else None))
    return found


#: those that make one vector of a text; what the others make is tested in tests/tools/test_legs.py
DENSE = [name for name in encoders.backend_names() if encoders.backend(name).FORM == "dense"]


@pytest.fixture(params=DENSE)
def backend(request):
    return request.param


def test_every_backend_is_covered(models):
    assert set(models) == set(DENSE)


def test_vectors_have_shape_type_and_finite_values(backend, loaded, models):
    _, encoder = loaded[backend]
    for kind in ("query", "document"):
        vectors = encoder.embed(TEXTS, kind=kind)
        assert (vectors.shape, vectors.dtype) == ((len(TEXTS), models[backend][1]), np.float32)
        assert np.isfinite(vectors).all()


def test_no_texts_give_no_vectors(backend, loaded):
    assert len(loaded[backend][1].embed([], kind="document")) == 0


def test_vectors_depend_on_the_text_and_on_nothing_else(backend, loaded):
    _, encoder = loaded[backend]
    vectors = encoder.embed(TEXTS, kind="document")
    assert np.array_equal(vectors, encoder.embed(TEXTS, kind="document"))
    assert not np.allclose(vectors[0], vectors[1])
    assert not np.allclose(vectors[0], vectors[2])
    for batch_size in (1, 2, 64):
        assert np.allclose(vectors, encoder.embed(TEXTS, kind="document", batch_size=batch_size), atol=2e-6)
    assert np.allclose(vectors[::-1], encoder.embed(TEXTS[::-1], kind="document"), atol=2e-6)


def test_queries_differ_from_documents_exactly_when_their_keys_do(backend, loaded):
    resolved, encoder = loaded[backend]
    same = np.allclose(encoder.embed(TEXTS[:1], kind="query"), encoder.embed(TEXTS[:1], kind="document"), atol=1e-6)
    assert same == (resolved.key("query") == resolved.key("document"))


def test_resolving_says_where_the_texts_go(backend, loaded, endpoint):
    resolved, _ = loaded[backend]
    assert resolved.local == (resolved.endpoint is None)
    assert resolved.on_disk
    assert resolved.endpoint is None or resolved.endpoint == endpoint.url.removeprefix("http://")
    assert resolved.local == bool(resolved.revision), "weights on this machine are pinned"


def test_a_dimension_changes_no_key_but_unknown_options_are_errors(backend, models, workspace):
    leg = Leg(backend=backend, name=models[backend][0])
    short = leg.model_copy(update={"options": {"dim": "8"}})
    assert encoders.resolve(short, workspace) == encoders.resolve(leg, workspace)
    for options in ({"colour": "red"}, {"dim": "0"}, {"dim": "many"}, {"dim": "-1"}, {"dim": "99999999"}):
        with pytest.raises(SpecError):
            encoders.resolve(leg.model_copy(update={"options": options}), workspace)


def test_a_backend_that_does_not_exist_names_those_that_do(workspace):
    for name in ("cohere", "base", "os"):
        with pytest.raises(SpecError, match=r"ce, m3, multi, openai, splade, st, static, bm25"):
            encoders.resolve(Leg(backend=name, name="x"), workspace)


@pytest.mark.parametrize("spec", ["st:./nowhere", "st:/nowhere", "st:~/nowhere/at/all", "static:./nowhere"])
def test_a_folder_that_does_not_exist(spec, workspace):
    with pytest.raises(UnknownModelError, match="There is no model folder"):
        encoders.resolve(parse_candidate(spec), workspace)


# ---------------------------------------------------------------- keys and options of `st`


def test_whatever_changes_the_vectors_changes_the_key(tmp_path, workspace):
    one, other = make_st(tmp_path / "one"), make_st(tmp_path / "other", seed=1)

    def key(folder, **options):
        return encoders.resolve(Leg(backend="st", name=str(folder), options=options), workspace).key("query")

    plain = key(one)
    keys = [plain, key(other), key(one, precision="bf16"), key(one, max_tokens="8")]
    assert len(set(keys)) == len(keys)
    assert key(one) == plain
    (other / "model.safetensors").rename(one / "model.safetensors")
    assert key(one) != plain, "retrained in place"


def test_the_models_own_prompts_are_used_unless_switched_off(tmp_path, workspace):
    folder = make_st(tmp_path / "model", prompts={"query": "query: ", "document": ""})
    own = encoders.resolve(Leg(backend="st", name=str(folder)), workspace)
    none = encoders.resolve(Leg(backend="st", name=str(folder), options={"prompts": "none"}), workspace)
    assert len({own.key("query"), own.key("document"), none.key("query")}) == 3
    with_prompt, without = encoders.load(own), encoders.load(none)
    assert np.allclose(
        with_prompt.embed(["the cat"], kind="query"), without.embed(["query: the cat"], kind="query"), atol=1e-6
    )
    assert not np.allclose(with_prompt.embed(["the cat"], kind="query"), without.embed(["the cat"], kind="query"))


def test_max_tokens_and_precision_do_what_they_say(tmp_path, workspace):
    folder = make_st(tmp_path / "model")
    long = ["the cat " * 20, "the cat " * 20 + "apple ship sea"]

    def embed(**options):
        resolved = encoders.resolve(Leg(backend="st", name=str(folder), options=options), workspace)
        return encoders.load(resolved).embed(long, kind="document")

    full, short, half = embed(), embed(max_tokens="8"), embed(precision="bf16")
    assert not np.allclose(full[0], full[1])
    assert np.allclose(short[0], short[1])
    assert 1e-5 < np.abs(full - half).max() < 0.05
    assert half.dtype == np.float32


@pytest.mark.parametrize(
    "options", [{"precision": "int4"}, {"prompts": "mine"}, {"max_tokens": "0"}, {"max_tokens": "x"}]
)
def test_impossible_values_are_refused(models, workspace, options):
    with pytest.raises(SpecError, match="is not possible"):
        encoders.resolve(Leg(backend="st", name=models["st"][0], options=options), workspace)


def test_a_model_made_for_the_dot_product_is_not_normalised(tmp_path, workspace):
    folder = make_st(tmp_path / "model", similarity="dot")
    assert not encoders.resolve(Leg(backend="st", name=str(folder)), workspace).normalise


# ---------------------------------------------------------------- cutting


def test_cut_vectors_are_the_first_components_at_unit_length(loaded):
    resolved, _ = loaded["static"]
    vectors = np.array([[3.0, 4.0, 12.0], [0.0, 0.0, 0.0], [1.0, 0.0, 5.0]], np.float32)

    def finish(spec, of=resolved):
        return encoders.finish(vectors, parse_candidate(spec), of)

    assert np.allclose(finish("static:m?dim=2"), [[0.6, 0.8], [0, 0], [1, 0]])
    assert np.allclose(np.linalg.norm(finish("static:m"), axis=1), [1, 0, 1])
    raw = resolved.model_copy(update={"normalise": False})
    assert np.array_equal(finish("static:m?dim=2", raw), vectors[:, :2])
    with pytest.raises(SpecError, match="asks for 4 dimensions, but the model has 3"):
        finish("static:m?dim=4")
    assert vectors[0, 2] == 12, "the original is left alone"


def test_wordllama_needs_nothing_but_its_package(workspace):
    pytest.importorskip("wordllama", reason="the package with the weights is not installed")
    resolved = encoders.resolve(parse_candidate("static:wordllama"), workspace)
    assert resolved.revision
    assert resolved.revision.startswith("wordllama==")
    encoder = encoders.load(resolved)
    cat, kitten, tax, empty = encoders.cut(encoder.embed(["a cat", "a kitten", "tax law", ""], kind="query"), None)
    assert cat @ kitten > cat @ tax
    assert np.isfinite(empty).all()


# ---------------------------------------------------------------- the endpoint


@pytest.fixture
def failing(monkeypatch):
    """An endpoint of its own, asked again at most once."""
    monkeypatch.setattr(openai_backend, "MAX_RETRIES", 1)
    with FakeEmbeddings() as server:
        yield server


def embed(server, workspace, texts=("the cat", "the dog"), **options):
    there = replace(workspace, openai_base_url=server.base_url)
    resolved = encoders.resolve(parse_candidate("openai:fake"), there)
    encoder = encoders.load(resolved, there)
    return encoder, encoder.embed(list(texts), kind="document", **options)


def test_the_endpoint_is_asked_in_batches_and_its_tokens_are_counted(failing, workspace):
    texts = [f"text number {i}" for i in range(10)]
    encoder, vectors = embed(failing, workspace, texts, batch_size=4)
    assert [path for _, path in failing.requests] == ["/v1/embeddings"] * 3
    assert encoder.tokens == 30
    assert np.allclose(vectors, [failing.vector(t) for t in texts]), "in the order asked, not in that of the answer"


def test_long_texts_make_smaller_batches(failing, workspace):
    embed(failing, workspace, ["a" * 200_000, "b" * 100_000, "c" * 300_000, "d"])
    assert len(failing.requests) == 4
    assert [len(t) for t in failing.texts] == [200_000, 100_000, 300_000, 1]


def test_too_many_requests_waits_as_long_as_it_is_told(failing, workspace):
    failing.instead = [as_json({"error": {"message": "slow down"}}, 429, **{"Retry-After": "0.3"})]
    begun = time.monotonic()
    _, vectors = embed(failing, workspace)
    assert time.monotonic() - begun > 0.3
    assert len(vectors) == 2


TOO_MANY = as_json({"error": {"message": "quota exceeded"}}, 429, **{"Retry-After": "0"})
BROKEN = (500, {"Retry-After": "0"}, b"oops")


@pytest.mark.parametrize(
    ("instead", "cause", "next_step"),
    [
        ([as_json({"error": {"message": "bad key"}}, 401)], "bad key", "OPENAI_API_KEY"),
        ([as_json({"error": {"message": "forbidden"}}, 403)], "forbidden", "OPENAI_API_KEY"),
        ([as_json({"error": {"message": "no such model"}}, 404)], "no such model", "model's name"),
        ([as_json({"error": {"message": "8192 tokens at most"}}, 400)], "8192 tokens", "too long"),
        ([TOO_MANY, TOO_MANY], "quota exceeded", "raise the quota"),
        ([BROKEN, BROKEN], "500", "OPENAI_BASE_URL"),
        ([(200, {"Content-Type": "text/html"}, b"<html>")], "fake", "OPENAI_BASE_URL"),
        ([(200, {"Content-Type": "application/json"}, b"{garbage")], "fake", "OPENAI_BASE_URL"),
        ([as_json({})], "fake", "OPENAI_BASE_URL"),
        ([as_json({"data": []})], "returned 0 vectors for 2 texts", "embedding model"),
        ([as_json({"data": None})], "fake", "OPENAI_BASE_URL"),
        ([as_json({"data": [{"index": 0, "embedding": [1, 2]}]})], "returned 1 vectors for 2 texts", "embedding model"),
        (
            [as_json({"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}]})],
            "fake",
            "OPENAI_BASE_URL",
        ),
        (
            [as_json({"data": [{"index": 0, "embedding": None}, {"index": 1, "embedding": ["a"]}]})],
            "fake",
            "OPENAI_BASE_URL",
        ),
    ],
)
def test_the_endpoints_failures_name_it_and_the_way_out(failing, workspace, instead, cause, next_step):
    failing.instead = list(instead)
    with pytest.raises(ProviderError) as failure:
        embed(failing, workspace)
    assert failing.url.removeprefix("http://") in str(failure.value)
    assert cause in failure.value.cause.render()
    assert next_step in failure.value.next_step.render()
    assert "sk-canary" not in str(failure.value)
    assert not failing.instead


def test_an_endpoint_that_is_not_there(workspace, monkeypatch):
    monkeypatch.setattr(openai_backend, "MAX_RETRIES", 0)
    gone = replace(workspace, openai_base_url="http://127.0.0.1:1/v1")
    encoder = encoders.load(encoders.resolve(parse_candidate("openai:fake"), gone), gone)
    with pytest.raises(ProviderError, match=r"127.0.0.1:1 failed"):
        encoder.embed(["text"], kind="query")


@pytest.mark.parametrize("url", ["localhost", "not a url", "http://[::", "ftp://x", "http://x:port", "http://"])
def test_a_nonsensical_endpoint(workspace, url):
    with pytest.raises(UserError, match="is not the address of an endpoint"):
        encoders.resolve(parse_candidate("openai:fake"), replace(workspace, openai_base_url=url))


def test_a_password_in_the_address_is_not_shown(workspace):
    there = replace(workspace, openai_base_url="http://me:secret@127.0.0.1:8000/v1")
    assert encoders.resolve(parse_candidate("openai:fake"), there).endpoint == "127.0.0.1:8000"


def test_no_key_is_needed_where_the_endpoint_wants_none(failing, workspace):
    _, vectors = embed(failing, replace(workspace, openai_api_key=None))
    assert len(vectors) == 2
