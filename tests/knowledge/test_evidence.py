"""What the ladder makes of published scores."""

import io
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from knowledge.catalog import load_catalog
from knowledge.constraints import make_constraint
from knowledge.errors import CatalogError
from knowledge.evidence import (
    CODE,
    benchmark_types,
    forecast,
    load_scores,
    metric_name,
    predict,
    wanted_modalities,
)
from knowledge.requirements import Requirements, Task
from tests.score_matrix import card, matrix

TEN = [f"org{i}/model{i}" for i in range(10)]
CARDS = tuple(card(name) for name in TEN)


def speaking(*languages: str, task: Task = "search") -> Requirements:
    return Requirements(task=task, constraints=(make_constraint("languages", languages=languages),))


def rising(tasks: int, language: str = "en", reverse: bool = False) -> dict:
    order = TEN[::-1] if reverse else TEN
    return {(f"{language}{t}", language): {m: 0.3 + 0.04 * i for i, m in enumerate(order)} for t in range(tasks)}


def ranking(predictions: dict) -> list[str]:
    return sorted(predictions, key=lambda m: -predictions[m].mean)


def test_the_order_of_the_scores_is_the_order_of_the_predictions():
    found = predict(matrix(rising(4)), speaking("en"), CARDS)
    assert ranking(found) == TEN[::-1]
    assert all(p.metric == "nDCG@10" and p.level == 0.8 and p.tasks_in_language == 4 for p in found.values())
    assert all(0 <= p.low < p.mean < p.high <= 1 for p in found.values())


def test_a_prediction_is_on_the_scale_of_a_typical_task():
    found = predict(matrix(rising(60)), speaking("en"), CARDS)
    for i, name in enumerate(TEN):
        assert found[name].mean == pytest.approx(0.3 + 0.04 * i, abs=0.015)


def test_the_users_language_decides_where_it_differs():
    scores = matrix(rising(4) | rising(4, "ja", reverse=True))
    assert ranking(predict(scores, speaking("en"), CARDS))[0] == TEN[-1]
    assert ranking(predict(scores, speaking("ja"), CARDS))[0] == TEN[0]


def test_several_languages_count_the_same():
    scores = matrix(rising(4) | rising(2, "ja", reverse=True))
    en, ja, both = (predict(scores, speaking(*ls), CARDS) for ls in (("en",), ("ja",), ("ja", "en")))
    for name in TEN:
        assert both[name].mean == pytest.approx((en[name].mean + ja[name].mean) / 2, abs=1e-3)
        assert both[name].tasks_in_language == 6


def test_a_language_without_a_task_falls_back_on_all_tasks_and_says_so():
    found = predict(matrix(rising(4)), speaking("yo"), CARDS)
    assert ranking(found) == TEN[::-1]
    assert {p.tasks_in_language for p in found.values()} == {0}
    in_english = predict(matrix(rising(4)), speaking("en"), CARDS)
    assert all(found[n].high - found[n].low > in_english[n].high - in_english[n].low for n in TEN)


def test_near_duplicates_weigh_less_than_independent_tasks():
    # Four copies of one task that favours the first model against two independent ones that favour the last.
    columns = rising(2) | {(f"copy{i}", "en"): {m: 0.7 - 0.04 * j for j, m in enumerate(TEN)} for i in range(4)}
    independent = predict(matrix(columns), speaking("en"), CARDS)
    copies = predict(matrix(columns, groups={f"copy{i}": "copies" for i in range(4)}), speaking("en"), CARDS)
    assert copies[TEN[-1]].mean > independent[TEN[-1]].mean


def test_a_model_run_only_among_strong_models_is_not_punished_for_the_company():
    strong = {name: 0.6 + 0.01 * i for i, name in enumerate(TEN)} | {"new/model": 0.64}
    weak = {f"weak/model{i}": 0.3 + 0.01 * i for i in range(10)}
    columns = {(f"all{t}", "en"): {k: v for k, v in (strong | weak).items() if k != "new/model"} for t in range(6)}
    columns |= {(f"hard{t}", "en"): strong for t in range(6)}
    names = [*strong, *weak]
    found = predict(matrix(columns), speaking("en"), tuple(card(name) for name in names))
    assert found["new/model"].mean > found["weak/model9"].mean


def test_one_absurd_score_is_clipped():
    # Among 40 models a single outlier has z = 6; at 3 it cannot outweigh the last place in the other task.
    names = [f"org{i}/model{i}" for i in range(40)]
    columns = {(task, "en"): {m: 0.3 + 0.01 * i for i, m in enumerate(names)} for task in ("sane", "absurd")}
    columns["absurd", "en"][names[0]] = 3.0
    assert ranking(predict(matrix(columns), speaking("en"), tuple(card(name) for name in names)))[0] == names[-1]


def test_a_model_without_scores_is_placed_by_what_its_card_says_and_most_widely():
    cards = tuple(card(name, parameters=10 ** (7 + i // 3)) for i, name in enumerate(TEN))
    large, small = card("new/large", parameters=10**10), card("new/small", parameters=10**7)
    found = predict(matrix(rising(4)), speaking("en"), (*cards, large, small))
    assert found["new/large"].mean > found["new/small"].mean
    assert found["new/large"].tasks_in_all == found["new/large"].tasks_in_language == 0
    width = {name: p.high - p.low for name, p in found.items()}
    assert width["new/small"] > 2 * width[TEN[5]]


def test_less_evidence_means_a_wider_interval():
    columns = rising(4) | {("en0", "en"): rising(1)["en0", "en"] | {"new/one": 0.5}}
    found = predict(matrix(columns), speaking("en"), (*CARDS, card("new/one")))
    assert found["new/one"].high - found["new/one"].low > found[TEN[0]].high - found[TEN[0]].low


def test_columns_with_few_models_do_not_count():
    few = {("rare", "en"): dict.fromkeys(TEN[:7], 0.9)}
    assert predict(matrix(rising(2) | few), speaking("en"), CARDS)[TEN[0]].tasks_in_language == 2


def test_the_figures_of_a_cross_encoder_do_not_move_the_encoders():
    columns = rising(4)
    cross = {key: column | {"rank/er": 5.0} for key, column in columns.items()}
    cards = (*CARDS, card("rank/er", architecture=("cross-encoder",)))
    plain = predict(matrix(columns), speaking("en"), CARDS)
    assert {n: p for n, p in predict(matrix(cross), speaking("en"), cards).items() if n in plain} == plain


def test_the_task_decides_which_scores_count():
    types = {f"en{t}": "Retrieval" for t in range(3)} | {f"sts{t}": "STS" for t in range(3)}
    sts = {(f"sts{t}", "en"): {m: 0.9 - 0.04 * i for i, m in enumerate(TEN)} for t in range(3)}
    scores = matrix(rising(3) | sts, types=types)
    assert ranking(predict(scores, speaking("en"), CARDS))[0] == TEN[-1]
    assert ranking(predict(scores, speaking("en", task="similarity"), CARDS))[0] == TEN[0]


def test_code_search_looks_at_program_texts_whatever_the_language():
    scores = matrix(rising(4) | rising(4, CODE, reverse=True))
    for languages in (("en",), ("zh",)):
        assert ranking(predict(scores, speaking(*languages, task="code_search"), CARDS))[0] == TEN[0]


def test_no_language_means_english_and_is_said():
    scores = matrix(rising(4) | rising(4, "ja", reverse=True))
    found = forecast(scores, Requirements(), CARDS)
    assert found.languages == ("en",)
    assert ranking(found.predictions)[0] == TEN[-1]


@pytest.mark.parametrize("cards", [(), (card("only/one"),)])
def test_nearly_nothing_to_go_by(cards):
    assert set(predict(matrix(rising(1)), speaking("en"), cards)) == {c.model for c in cards}
    empty = matrix({("t", "en"): {"a/b": 0.5}})
    assert all(p.tasks_in_all == 0 for p in predict(empty, speaking("en"), cards).values())


def test_constant_scores_and_missing_facts_do_not_break_the_fit():
    bare = tuple(card(name, parameters=None, dimension=None, release_date=None, uses_instructions=None) for name in TEN)
    found = predict(matrix({("flat", "en"): dict.fromkeys(TEN, 0.5)}), speaking("en"), bare)
    assert {p.mean for p in found.values()} == {0.5}


@pytest.mark.parametrize(
    ("main_score", "name"),
    [("ndcg_at_10", "nDCG@10"), ("recall_at_1", "R@1"), ("map_at_1000", "AP@1000"), ("v_measure", "V-measure"),
     ("accuracy", "accuracy"), ("max_ap", "AP"), ("hit_rate_at_5", "Success@5")],
)  # fmt: skip
def test_metric_names(main_score, name):
    assert metric_name(main_score) == name


@pytest.mark.parametrize("task", Task.__args__)
@pytest.mark.parametrize("modalities", [{"text"}, {"image"}, {"audio"}, {"video"}, {"text", "image"}])
def test_every_task_and_modality_has_evidence_of_its_own(task, modalities):
    known = {t.type for t in load_scores().tasks}
    assert set(benchmark_types(task, frozenset(modalities))) <= known


def test_the_modality_constraint_says_what_is_searched():
    assert wanted_modalities(Requirements()) == {"text"}
    assert wanted_modalities(Requirements(task="cross_modal")) == {"text", "image"}
    images = Requirements(constraints=(make_constraint("modality", modalities=("image",)),))
    assert wanted_modalities(images) == {"image"}


# ---------------------------------------------------------------- the shipped matrix


def test_the_shipped_scores_fit_the_shipped_catalog():
    scores, catalog = load_scores(), load_catalog()
    assert len(scores.models) > 600
    assert set(scores.models) <= {c.model for c in catalog.cards}
    assert {t.name for t in scores.tasks} <= {t.task for t in catalog.tasks}
    assert scores.source in catalog.sources
    assert {"en", "zh", "de", CODE} <= set(scores.languages)
    assert len(scores.cell_score) > 200_000
    assert np.abs(scores.cell_score).max() <= 1
    assert scores.cell_suspect.sum() == 33


def test_a_known_published_figure_is_in_the_matrix():
    scores = load_scores()
    column = next(
        i for i, t in enumerate(scores.column_task)
        if scores.tasks[t].name == "SciFact" and scores.languages[scores.column_language[i]] == "en"
    )  # fmt: skip
    model = scores.models.index("sentence-transformers/all-MiniLM-L6-v2")
    cell = (scores.cell_column == column) & (scores.cell_model == model)
    assert scores.cell_score[cell].tolist() == [pytest.approx(0.64508, abs=5e-5)]


def test_predictions_agree_with_what_everybody_knows():
    found = predict(load_scores(), speaking("en"), load_catalog().cards)
    assert (
        found["Qwen/Qwen3-Embedding-8B"].mean
        > found["BAAI/bge-base-en-v1.5"].mean
        > found["sentence-transformers/all-MiniLM-L6-v2"].mean
        > found["sentence-transformers/LaBSE"].mean
    )
    chinese = predict(load_scores(), speaking("zh"), load_catalog().cards)
    assert chinese["BAAI/bge-large-zh-v1.5"].mean > chinese["BAAI/bge-large-en-v1.5"].mean + 0.1


def test_every_prediction_is_a_score_inside_its_interval():
    for task in Task.__args__:
        for p in predict(load_scores(), speaking("en", task=task), load_catalog().cards).values():
            assert 0 <= p.low <= p.mean <= p.high <= 1


def test_the_same_question_is_answered_from_memory():
    scores, cards = load_scores(), load_catalog().cards
    first = forecast(scores, speaking("fr"), cards)
    start = time.perf_counter()
    again = forecast(scores, speaking("fr").model_copy(update={"summary": "other words"}), cards)
    assert again is first
    assert time.perf_counter() - start < 0.05


def test_the_order_of_the_cards_does_not_matter():
    scores, cards = load_scores(), load_catalog().cards
    there, back = (predict(scores, speaking("de"), order) for order in (cards, cards[::-1]))
    for name, found in there.items():  # sums in another order differ in the last digits
        assert back[name].mean == pytest.approx(found.mean, abs=2e-4)
        assert back[name].model_copy(update={"mean": 0, "low": 0, "high": 0}) == found.model_copy(
            update={"mean": 0, "low": 0, "high": 0}
        )


def test_the_standing_counts_groups_not_tasks():
    scores = matrix(rising(3), groups={"en0": "same", "en1": "same"})
    found = forecast(scores, speaking("en"), CARDS)
    assert {p.tasks_in_language for p in found.predictions.values()} == {3}
    assert set(found.groups_in_language.values()) == {2}


@pytest.mark.parametrize("content", [b"", b"not a zip file", "中文".encode("gb18030"), b"\x93NUMPY\x01\x00"])
def test_a_broken_matrix_is_named(tmp_path, content):
    path = tmp_path / "scores.npz"
    path.write_bytes(content)
    with pytest.raises(CatalogError, match=r"scores\.npz"):
        load_scores(path)


def test_a_matrix_that_lacks_a_part_or_has_another_version_is_named(tmp_path):
    path = tmp_path / "scores.npz"
    with pytest.raises(CatalogError, match="No such file"):
        load_scores(path)
    for names, message in ((b'{"version": 99}', "version 99"), (b'{"version": 1}', "broken"), (b"[]", "broken")):
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.frombuffer(names, dtype=np.uint8))
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("names.npy", buffer.getvalue())
        with pytest.raises(CatalogError, match=message):
            load_scores(path)


def test_a_pickled_matrix_is_refused(tmp_path):
    path = tmp_path / "scores.npz"
    np.savez(path, names=np.array([{"version": 1}], dtype=object))
    with pytest.raises(CatalogError, match="allow_pickle"):
        load_scores(path)


def test_reading_and_predicting_needs_no_heavy_library():
    code = (
        "import sys; from knowledge.evidence import load_scores, forecast; load_scores();"
        "print([m for m in ('scipy', 'pyarrow', 'torch', 'pandas') if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.strip() == "[]"
