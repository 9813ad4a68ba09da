"""What every constraint keeps to, whoever wrote it; then what each of ours is for."""

import pytest

from knowledge.catalog import load_catalog
from knowledge.constraints import CONSTRAINTS, Footprint, make_constraint
from knowledge.model_card import ModelCard, Price
from knowledge.requirements import Requirements

EXPECTED = {
    "license", "languages", "modality", "max_tokens", "parameters", "memory", "dimension", "hosting", "open_weights",
    "latency", "cost", "hardware",
}  # fmt: skip
EMPTY = ModelCard(model="somebody/something")

#: demands beyond those that the answers of each question stand for
MORE = {
    "license": [{"commercial": False}, {"allowed": ("mit", "apache-2.0")}, {"commercial": False, "allowed": ("MIT",)}],
    "languages": [{"languages": ("de", "sw")}, {"languages": ("en", "zh"), "cross_lingual": True}],
    "modality": [{}, {"modalities": ("image", "audio", "video")}],
    "max_tokens": [{"tokens": 1}, {"tokens": 10**9}],
    "parameters": [{"max_millions": 0.001}, {"max_millions": 1e9}],
    "memory": [{"max_mb": 1}, {"max_mb": 1e9, "bytes_per_parameter": 0.125}],
    "dimension": [{"max_dimension": 1}, {"max_dimension": 10**6}],
    "hardware": [{"ram_gb": 0.001}, {"gpu_gb": 24, "gpu_name": "L4", "ram_gb": 64, "context": 32_768}],
    "hosting": [{}],
    "open_weights": [{}],
    "latency": [{"p95_ms": 0.001}, {"p95_ms": 10, "gpu": True}],
    "cost": [
        {"max_usd_per_month": 0, "million_tokens_per_month": 0},
        {"max_usd_per_month": 1, "million_tokens_per_month": 1e6},
    ],
}  # fmt: skip


def parameters_of(kind):
    suggested = [answer.parameters for answer in CONSTRAINTS[kind].answers]
    return [parameters for parameters in suggested if parameters is not None] + MORE.get(kind, [])


DEMANDS = [
    pytest.param(make_constraint(kind, **parameters), id=f"{kind}-{parameters}")
    for kind in CONSTRAINTS
    for parameters in parameters_of(kind)
]


def chinese(text):
    shown = text.render("zh")
    assert shown
    assert "{" not in shown
    return shown


def test_the_constraints_of_the_design_are_there():
    assert set(CONSTRAINTS) >= EXPECTED


@pytest.mark.parametrize("kind", sorted(CONSTRAINTS))
def test_it_asks_and_suggests_answers_in_both_languages(kind):
    constraint = CONSTRAINTS[kind]
    assert constraint.question.render("en").endswith("?")
    assert chinese(constraint.question).endswith("？")
    assert len(constraint.answers) >= 2
    for answer in constraint.answers:
        assert answer.label.render("en")
        chinese(answer.label)
        if answer.parameters is not None:
            make_constraint(kind, **answer.parameters)


@pytest.mark.parametrize("constraint", DEMANDS)
def test_it_describes_itself_in_both_languages(constraint):
    assert constraint.describe().render("en")
    assert any(ord(character) > 0x2E7F for character in chinese(constraint.describe()))


@pytest.mark.parametrize("constraint", DEMANDS)
def test_it_survives_json_among_the_requirements(constraint):
    requirements = Requirements().with_constraint(constraint)
    assert Requirements.model_validate_json(requirements.model_dump_json()) == requirements


@pytest.mark.parametrize("constraint", DEMANDS)
def test_it_judges_every_real_model_with_a_reason(constraint):
    for card in load_catalog().cards:
        verdict = constraint.check(card)
        assert verdict.outcome in ("met", "violated", "unknown")
        assert "{" not in verdict.reason.render("en")
        assert verdict.reason.render("en")
        assert verdict.reason.template == "" or "None" not in verdict.reason.render("en")


@pytest.mark.parametrize("constraint", DEMANDS)
def test_it_has_a_chinese_reason(constraint):
    for card in (EMPTY, *load_catalog().cards[::40]):
        reason = constraint.check(card).reason
        assert any(ord(character) > 0x2E7F for character in chinese(reason)), reason.template


@pytest.mark.parametrize("constraint", DEMANDS)
def test_nothing_is_held_against_a_model_of_which_nothing_is_known(constraint):
    card = EMPTY if constraint.kind != "modality" else EMPTY.model_copy(update={"modalities": ()})
    assert constraint.check(card).outcome in ("met", "unknown")


@pytest.mark.parametrize("constraint", DEMANDS)
def test_nothing_measured_is_no_verdict(constraint):
    assert constraint.check_measured(Footprint()) is None


@pytest.mark.parametrize("constraint", DEMANDS)
def test_a_soft_demand_excludes_nobody(constraint):
    soft = constraint.model_copy(update={"hard": False})
    assert not any(soft.excludes(soft.check(card)) for card in load_catalog().cards[::20])


# ---------------------------------------------------------------- each one


def outcome(kind, card, **parameters):
    return make_constraint(kind, **parameters).check(card).outcome


def card(**facts):
    return ModelCard(model="a/b", **facts)


@pytest.mark.parametrize(
    ("kind", "parameters", "facts", "expected"),
    [
        ("license", {"allowed": ("mit",)}, {"license": "MIT", "commercial": "yes"}, "met"),
        ("license", {"allowed": ("MIT",)}, {"license": "Apache-2.0", "commercial": "yes"}, "violated"),
        ("license", {"allowed": ("MIT",)}, {}, "unknown"),
        ("license", {}, {"license": "CC-BY-NC-4.0", "commercial": "no"}, "violated"),
        ("languages", {"languages": ("German",)}, {"languages": ("de", "en")}, "met"),
        ("languages", {"languages": ("德语", "zh")}, {"languages": ("de", "en")}, "violated"),
        ("languages", {"languages": ("de",)}, {}, "unknown"),
        ("languages", {"languages": ("de",)}, {"languages": ("python", "java")}, "unknown"),
        ("modality", {"modalities": ("image", "text")}, {"modalities": ("text",)}, "violated"),
        ("modality", {"modalities": ("image",)}, {"modalities": ("text", "image")}, "met"),
        ("max_tokens", {"tokens": 512}, {"max_tokens": 512}, "met"),
        ("max_tokens", {"tokens": 513}, {"max_tokens": 512}, "violated"),
        ("max_tokens", {"tokens": 9999}, {"active_parameters": 0}, "met"),
        ("parameters", {"max_millions": 118}, {"parameters": 118_000_000}, "met"),
        ("parameters", {"max_millions": 117.9}, {"parameters": 118_000_000}, "violated"),
        ("parameters", {"max_millions": 1}, {"is_api": True}, "unknown"),
        ("memory", {"max_mb": 400}, {"parameters": 100 * 2**20}, "met"),
        ("memory", {"max_mb": 399}, {"parameters": 100 * 2**20}, "violated"),
        ("memory", {"max_mb": 399, "bytes_per_parameter": 2}, {"parameters": 100 * 2**20}, "met"),
        ("memory", {"max_mb": 100}, {"memory_mb": 101.0}, "violated"),
        ("memory", {"max_mb": 1}, {"is_api": True}, "met"),
        ("dimension", {"max_dimension": 384}, {"dimension": 384}, "met"),
        ("dimension", {"max_dimension": 256}, {"dimension": 384}, "violated"),
        ("dimension", {"max_dimension": 256}, {"dimension": 1024, "matryoshka_dimensions": (256, 1024)}, "met"),
        ("dimension", {"max_dimension": 255}, {"dimension": 1024, "matryoshka_dimensions": (256, 1024)}, "violated"),
        ("dimension", {"max_dimension": 255}, {"dimension": 30522, "architecture": ("sparse",)}, "met"),
        ("hosting", {}, {"is_api": True}, "violated"),
        ("hosting", {}, {}, "met"),
        ("hosting", {"hosting": "api"}, {"is_api": True}, "met"),
        ("hosting", {"hosting": "api"}, {}, "unknown"),
        ("open_weights", {}, {"is_api": True}, "violated"),
        # 2 x 1e9 x 32 / 50e9 s = 1,280 ms
        ("latency", {"p95_ms": 255}, {"parameters": 10**9}, "violated"),
        ("latency", {"p95_ms": 257}, {"parameters": 10**9}, "unknown"),
        ("latency", {"p95_ms": 255, "gpu": True}, {"parameters": 10**9}, "unknown"),
        ("latency", {"p95_ms": 1}, {"parameters": 10**9, "active_parameters": 0}, "unknown"),
        ("latency", {"p95_ms": 0.001}, {"is_api": True}, "unknown"),
        ("cost", {"max_usd_per_month": 0}, {}, "met"),
        ("cost", {"max_usd_per_month": 5}, {"is_api": True}, "unknown"),
    ],
)  # fmt: skip
def test_verdicts(kind, parameters, facts, expected):
    assert outcome(kind, card(**facts), **parameters) == expected


PRICED = card(is_api=True, price=Price(usd_per_million_tokens=0.13, source="x", date="2026-01-01"))


@pytest.mark.parametrize(
    ("budget", "volume", "expected"),
    [(13, 100, "met"), (12.99, 100, "violated"), (5, None, "unknown"), (0, None, "violated"), (0, 0, "met")],
)
def test_cost_is_arithmetic(budget, volume, expected):
    verdict = make_constraint("cost", max_usd_per_month=budget, million_tokens_per_month=volume).check(PRICED)
    assert verdict.outcome == expected
    assert "0.13" in str(verdict.reason)


def test_reasons_carry_the_figures():
    small = load_catalog().card("intfloat/multilingual-e5-small")
    assert str(make_constraint("max_tokens", tokens=8192).check(small).reason) == (
        "it reads at most 512 tokens, you need 8,192"
    )
    assert str(make_constraint("parameters", max_millions=33).check(small).reason) == (
        "118 million parameters, you allow 33 million"
    )
    large = make_constraint("parameters", max_millions=33).check(small.model_copy(update={"parameters": 7_953_000_000}))
    assert large.reason.render("zh") == "79.5 亿参数，你的上限是 3,300 万"
    slow = (
        make_constraint("latency", p95_ms=100)
        .check(small.model_copy(update={"parameters": 349_000_000, "active_parameters": None}))
        .reason
    )
    assert "450 ms a query, estimated by its size" in str(slow), "two digits of an estimate"
    tiny = (
        make_constraint("latency", p95_ms=100)
        .check(small.model_copy(update={"parameters": 9_000, "active_parameters": None}))
        .reason
    )
    assert "under 1 ms a query" in str(tiny)
    assert str(make_constraint("hardware", ram_gb=500 / 1024).describe()) == "runs on a machine with 500 MB of memory"
    reason = make_constraint("languages", languages=("de", "yue")).check(small).reason
    assert (str(reason), reason.render("zh")) == (
        "it does not list Cantonese among its 93 languages, but such lists are often incomplete",
        "它列出的 93 种语言中没有粤语，但这类列表往往不完整",
    )


@pytest.mark.parametrize(
    ("kind", "parameters", "footprint", "expected"),
    [
        ("memory", {"max_mb": 500}, {"peak_memory_mb": 501}, "violated"),
        ("memory", {"max_mb": 500}, {"peak_memory_mb": 500}, "met"),
        ("latency", {"p95_ms": 20}, {"query_p95_ms": 20.1}, "violated"),
        ("latency", {"p95_ms": 20}, {"query_p95_ms": 3}, "met"),
        ("cost", {"max_usd_per_month": 1, "million_tokens_per_month": 9}, {"usd_per_million_tokens": 0.1}, "met"),
        ("cost", {"max_usd_per_month": 1, "million_tokens_per_month": 11}, {"usd_per_million_tokens": 0.1}, "violated"),
        ("cost", {"max_usd_per_month": 0}, {"usd_per_million_tokens": 0}, "met"),
    ],
)
def test_what_was_measured_decides(kind, parameters, footprint, expected):
    verdict = make_constraint(kind, **parameters).check_measured(Footprint(**footprint))
    assert verdict is not None
    assert verdict.outcome == expected


def test_what_is_not_known_excludes_only_where_that_is_right():
    unknown = {kind for kind, constraint in CONSTRAINTS.items() if constraint.unknown_excludes}
    assert unknown == {"license", "hosting", "memory", "hardware", "parameters"}
    assert not make_constraint("languages", languages=("de",)).excludes(
        make_constraint("languages", languages=("de",)).check(EMPTY)
    )


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("languages", {"languages": ()}),
        ("languages", {"languages": ("Klingonese",)}),
        ("languages", {"languages": ("",)}),
        ("modality", {"modalities": ("smell",)}),
        ("modality", {"modalities": ()}),
        ("max_tokens", {"tokens": 0}),
        ("max_tokens", {"tokens": "很多"}),
        ("parameters", {"max_millions": float("nan")}),
        ("parameters", {"max_millions": -1}),
        ("memory", {"max_mb": float("inf")}),
        ("memory", {"max_mb": 10, "bytes_per_parameter": 0}),
        ("dimension", {"max_dimension": 0}),
        ("hosting", {"hosting": "moon"}),
        ("latency", {"p95_ms": 0}),
        ("cost", {"max_usd_per_month": -1}),
        ("cost", {"max_usd_per_month": 1, "surprise": 2}),
    ],
)
def test_demands_that_make_no_sense_are_refused(kind, parameters):
    with pytest.raises(ValueError):
        make_constraint(kind, **parameters)


def test_languages_become_codes_once():
    constraint = make_constraint("languages", languages=("German", "德文", "deu-Latn", "zho-Hans"))
    assert constraint.languages == ("de", "zh")
