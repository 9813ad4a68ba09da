"""Does a model fit: the arithmetic of the estimate, the machines, and the verdicts."""

import json
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from knowledge.catalog import load_catalog
from knowledge.constraints import Footprint, make_constraint
from knowledge.fit import BYTES_PER_PARAMETER, USABLE_RAM, Gpu, Machine, fit, known_gpus, needed_memory
from knowledge.model_card import ModelCard

#: 7 billion parameters of which half a billion are the embedding table, width 4096
LARGE = ModelCard(
    model="a/large", parameters=7_500_000_000, active_parameters=7_000_000_000, dimension=4096, max_tokens=32_768
)
SMALL = ModelCard(
    model="a/small",
    parameters=22_700_000,
    active_parameters=11_000_000,
    embedding_parameters=11_700_000,
    dimension=384,
    max_tokens=256,
)
STATIC = ModelCard(model="a/static", parameters=7_500_000, active_parameters=0, dimension=256)
UNKNOWN = ModelCard(model="a/unknown", dimension=768, max_tokens=512)
API = ModelCard(model="a/api", is_api=True)
GPU_24 = Machine(gpus=(Gpu(memory_gb=24),))
RAM_8 = Machine(ram_gb=8)


def test_the_parts_of_the_estimate():
    need = needed_memory(SMALL, "fp32", 128)
    assert need.weights_gb == pytest.approx(22_700_000 * 4 / 1e9)
    assert need.activations_gb == pytest.approx(128 * 384 * 18 * 4 / 1e9)
    assert need.overhead_gb == 0.53
    assert need.total_gb == pytest.approx(need.weights_gb + need.activations_gb + 0.53)


def test_padding_of_a_batch_needs_a_mask_and_one_text_none():
    one, eight = needed_memory(SMALL, "fp32", 256, 1), needed_memory(SMALL, "fp32", 256, 8)
    assert eight.activations_gb - 8 * one.activations_gb == pytest.approx(8 * 256 * 256 * 5 / 1e9)


def test_int8_halves_the_weights_and_leaves_the_activations():
    half, quarter = needed_memory(LARGE, "fp16", 4096, gpu=True), needed_memory(LARGE, "int8", 4096, gpu=True)
    assert quarter.weights_gb == half.weights_gb / 2
    assert quarter.activations_gb == half.activations_gb
    on_cpu = needed_memory(LARGE, "int8", 4096)
    assert on_cpu.activations_gb == needed_memory(LARGE, "fp32", 4096).activations_gb


def test_a_model_without_layers_has_no_activations():
    assert needed_memory(STATIC, "fp32", 8192, 32).activations_gb == 0


def test_unknown_stays_unknown():
    assert needed_memory(UNKNOWN, "fp32", 128) is None
    assert fit(UNKNOWN, GPU_24).outcome == "unknown"
    assert fit(SMALL, Machine()).outcome == "unknown"


@pytest.mark.parametrize(
    ("dimension", "architecture", "uses"),
    [(1024, ("dense",), 1024), (128, ("late-interaction",), 1245), (64, ("dense",), 1245), (None, ("dense",), 1245)],
)
def test_the_width_is_the_dimension_only_where_that_can_be(dimension, architecture, uses):
    card = ModelCard(
        model="a/b",
        parameters=335_000_000,
        active_parameters=303_000_000,
        dimension=dimension,
        architecture=architecture,
    )
    need = needed_memory(card, "fp32", 1000)
    assert need.activations_gb == pytest.approx(1000 * uses * 18 * 4 / 1e9, rel=0.001)


@given(
    st.integers(1, 10**12),
    st.integers(1, 10**6),
    st.integers(1, 256),
    st.sampled_from(sorted(BYTES_PER_PARAMETER)),
    st.booleans(),
)
def test_more_needs_more(parameters, context, batch, precision, gpu):
    card = ModelCard(model="a/b", parameters=parameters)
    need = needed_memory(card, precision, context, batch, gpu=gpu)
    larger = card.model_copy(update={"parameters": parameters * 2})
    assert 0 < need.total_gb < needed_memory(larger, precision, context, batch, gpu=gpu).total_gb
    assert need.total_gb < needed_memory(card, precision, context + 1, batch + 1, gpu=gpu).total_gb


@pytest.mark.parametrize(
    ("card", "machine", "outcome", "precision"),
    [
        (SMALL, GPU_24, "fits", "fp16"),
        (SMALL, RAM_8, "fits", "fp32"),
        (LARGE, GPU_24, "fits", "fp16"),
        (LARGE, Machine(gpus=(Gpu(memory_gb=12),)), "int8", "int8"),
        (LARGE, Machine(gpus=(Gpu(memory_gb=8),)), "no", "int8"),
        (LARGE, Machine(ram_gb=24), "fits", "bf16"),
        (LARGE, RAM_8, "no", "int8"),
        (LARGE, Machine(ram_gb=8, gpus=(Gpu(memory_gb=4), Gpu(memory_gb=24))), "fits", "fp16"),
        (API, RAM_8, "api", None),
        (API, Machine(), "api", None),
    ],
)
def test_what_fits(card, machine, outcome, precision):
    found = fit(card, machine)
    assert (found.outcome, found.precision) == (outcome, precision)


def test_the_text_counts_and_no_more_than_the_model_reads():
    tight = Machine(gpus=(Gpu(memory_gb=19),))
    assert fit(LARGE, tight, 512).outcome == "fits"
    assert fit(LARGE, tight, 32_768).outcome == "int8"
    assert fit(SMALL, tight, 10**9).need == fit(SMALL, tight, 256).need
    assert fit(SMALL, tight).need == fit(SMALL, tight, 256).need
    nothing_known = SMALL.model_copy(update={"max_tokens": None})
    assert fit(nothing_known, tight).need == needed_memory(nothing_known, "fp16", 512, gpu=True)


def test_a_machine_at_the_edge():
    need = needed_memory(SMALL, "int8", 256).total_gb
    assert fit(SMALL, Machine(ram_gb=need / USABLE_RAM * 1.001)).outcome == "int8"
    assert fit(SMALL, Machine(ram_gb=need / USABLE_RAM * 0.999)).outcome == "no"


def test_reasons_carry_the_figures_in_both_languages():
    reason = fit(LARGE, GPU_24, 32_000).reason
    assert str(reason) == "needs about 20.5 GB in fp16 at 32,000 tokens, your GPU has 24 GB"
    assert reason.render("zh") == "在 32,000 个词元、fp16 精度下约需 20.5 GB，你的 GPU 有 24 GB"
    assert str(fit(LARGE, RAM_8).reason) == (
        "needs about 8.2 GB even at int8, at 512 tokens; 6.4 of your 8 GB can be spared"
    )
    only = fit(LARGE, Machine(gpus=(Gpu(memory_gb=12),))).reason
    assert str(only) == "fits only at int8: about 8.4 GB at 512 tokens, 15.9 in fp16; your GPU has 12 GB"


@pytest.mark.parametrize(
    "record", [{"ram_gb": 0}, {"ram_gb": float("nan")}, {"gpus": ({"memory_gb": -1},)}, {"ram_gb": 8, "tpus": 1}]
)
def test_machines_that_make_no_sense_are_refused(record):
    with pytest.raises(ValidationError):
        Machine.model_validate(record)


def test_known_gpus_have_memory_a_source_and_one_meaning():
    data = json.loads((files("knowledge") / "data" / "gpus.json").read_text("utf-8"))
    sources = load_catalog().sources
    assert {row["source"] for row in data["gpus"]} <= sources.keys()
    terms = [term for row in data["gpus"] for term in row["terms"]]
    assert len(terms) == len(set(terms))
    for term, known in known_gpus().items():
        assert term == term.lower()
        assert known.memory_gb
        assert list(known.memory_gb) == sorted(known.memory_gb)
        assert 4 <= known.memory_gb[0] <= known.memory_gb[-1] <= 1000
    assert known_gpus()["a100"].memory_gb == (40, 80)


# ---------------------------------------------------------------- the constraint


@pytest.mark.parametrize(
    ("parameters", "card", "outcome", "excluded"),
    [
        ({"gpu_gb": 24}, LARGE, "met", False),
        ({"gpu_gb": 12}, LARGE, "met", False),
        ({"gpu_gb": 8}, LARGE, "violated", True),
        ({"ram_gb": 8}, LARGE, "violated", True),
        ({"ram_gb": 64, "gpu_gb": 8}, LARGE, "violated", True),
        ({"ram_gb": 8}, UNKNOWN, "unknown", True),
        ({"ram_gb": 1}, API, "met", False),
        ({"gpu_gb": 18, "context": 512}, LARGE, "met", False),
        ({"gpu_gb": 10, "context": 32_000}, LARGE, "violated", True),
    ],
)
def test_verdicts(parameters, card, outcome, excluded):
    constraint = make_constraint("hardware", **parameters)
    verdict = constraint.check(card)
    assert verdict.outcome == outcome
    assert constraint.excludes(verdict) is excluded


def test_a_wish_about_the_machine_excludes_nobody():
    wish = make_constraint("hardware", ram_gb=8, hard=False)
    assert not wish.excludes(wish.check(LARGE))
    assert not wish.excludes(wish.check(UNKNOWN))


@pytest.mark.parametrize(
    "parameters",
    [{}, {"gpu_name": "L4"}, {"ram_gb": 0}, {"gpu_gb": float("inf")}, {"ram_gb": 8, "context": 0}, {"ram_gb": "many"}],
)
def test_hardware_that_makes_no_sense_is_refused(parameters):
    with pytest.raises(ValidationError):
        make_constraint("hardware", **parameters)


def test_only_what_was_measured_in_main_memory_is_judged():
    measured = Footprint(peak_memory_mb=7000)
    assert make_constraint("hardware", ram_gb=8).check_measured(measured).outcome == "violated"
    assert make_constraint("hardware", ram_gb=16).check_measured(measured).outcome == "met"
    assert make_constraint("hardware", gpu_gb=24, ram_gb=8).check_measured(measured) is None
    assert make_constraint("hardware", ram_gb=8).check_measured(Footprint()) is None


def test_describing_the_machine_leaves_it_equal():
    constraint = make_constraint("hardware", gpu_gb=24, gpu_name="A10G")
    assert str(constraint.describe()) == "runs on one A10G with 24 GB"
    assert constraint.machine == Machine(gpus=(Gpu(name="A10G", memory_gb=24),))
    assert constraint == make_constraint("hardware", gpu_gb=24, gpu_name="A10G")
    assert constraint.model_copy(update={"gpu_gb": None, "ram_gb": 8}).machine == Machine(ram_gb=8)


# ---------------------------------------------------------------- what changed in its neighbours


def test_a_limit_for_the_model_says_nothing_of_the_process_that_runs_it():
    limit = make_constraint("memory", max_mb=50, bytes_per_parameter=1, weights_only=True)
    assert limit.check(SMALL).outcome == "met"
    assert limit.check_measured(Footprint(peak_memory_mb=600)) is None
    assert make_constraint("memory", max_mb=50).check_measured(Footprint(peak_memory_mb=600)).outcome == "violated"


CODES = "en de fr es it pt nl pl ru tr vi th".split()  # noqa: SIM905


@pytest.mark.parametrize(
    ("parameters", "listed", "outcome"),
    [
        ({"at_least": 12}, CODES, "met"),
        ({"at_least": 13}, CODES, "unknown"),  # such lists are often incomplete
        ({"at_least": 12}, CODES[:9], "violated"),
        ({"at_least": 2}, (), "unknown"),
        ({"at_least": 2}, ("python", "java"), "unknown"),
        ({"at_least": 2, "languages": ("en", "th")}, CODES, "met"),
        ({"at_least": 2, "languages": ("en", "th")}, ("en", "de"), "violated"),
    ],
)
def test_many_languages(parameters, listed, outcome):
    card = ModelCard(model="a/b", languages=tuple(listed))
    assert make_constraint("languages", **parameters).check(card).outcome == outcome


@pytest.mark.parametrize("parameters", [{}, {"languages": ()}, {"at_least": 1}, {"cross_lingual": True}])
def test_languages_that_say_nothing_are_refused(parameters):
    with pytest.raises(ValidationError):
        make_constraint("languages", **parameters)
