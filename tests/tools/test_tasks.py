"""Classification, clustering, similarity, deduplication and bitext mining, from files to verdicts."""

import json
from pathlib import Path

import numpy as np
import pytest

from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, DatasetError, UserError
from knowledge.measured_task import measurable, measured_task
from knowledge.results import DatasetSummary
from tests.animals import ANIMALS, HABITS
from tools.datasets import read_dataset, save_dataset
from tools.encoders.base import Resolved
from tools.evaluate import describe_method, evaluate, measured_before, query_scores
from tools.evaluate.features import with_prompt
from tools.head_to_head import head_to_head
from tools.recommend.contest import compare_all, independent
from tools.tasks import bitext, classification, deduplication
from tools.tasks.base import Features
from tools.tasks.classes import folds
from tools.workspace import Workspace

WORDS = "static:wordllama?dim=64"
CANDIDATES = ["bm25", WORDS]


def rows_of_classes() -> list[dict[str, str]]:
    return [
        {"text": text.format(animal=animal), "label": habit}
        for animal in ANIMALS
        for habit, told, asked in HABITS
        for text in (f"about the {animal}: {told}", asked)
    ]


def write_table(folder: Path, rows: list[dict], name: str = "data.jsonl") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return folder / name


@pytest.fixture(scope="module")
def workspace(tmp_path_factory) -> Workspace:
    return Workspace(home=tmp_path_factory.mktemp("home"), offline=True)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory) -> Dataset:
    return read_dataset(write_table(tmp_path_factory.mktemp("labelled"), rows_of_classes()))


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> Dataset:
    """The same habit of the same animal, of another, and another habit: 2, 1 and 0."""
    rows = []
    for animal, other in zip(ANIMALS, ANIMALS[1:] + ANIMALS[:1], strict=True):
        for (_, told, asked), (_, elsewhere, _) in zip(HABITS, HABITS[1:] + HABITS[:1], strict=True):
            text = f"about the {animal}: {told}"
            rows += [
                {"text1": asked.format(animal=animal), "text2": text, "score": 2.0},
                {"text1": asked.format(animal=other), "text2": text, "score": 1.0},
                {"text1": asked.format(animal=other), "text2": f"about the {animal}: {elsewhere}", "score": 0.0},
            ]
    return read_dataset(write_table(tmp_path_factory.mktemp("pairs"), rows))


# ---------------------------------------------------------------- measuring


def test_classification(labelled, workspace):
    found = evaluate(labelled, CANDIDATES, workspace)
    assert (found.task, found.primary, found.judged_queries) == ("classification", "Accuracy", 60)
    assert {c.spec for c in found.candidates} == set(CANDIDATES)
    for measured in found.candidates:
        assert tuple(measured.metrics) == classification.METRICS
        assert measured.primary_mean >= 0.9  # three habits, told in words of their own
        assert measured.interval.low <= measured.primary_mean <= measured.interval.high <= 1
    assert any("five folds" in note.render() for note in found.notes)
    assert "linear probe" in describe_method(found).render()
    scores = query_scores(found, workspace)
    assert all(set(of.values()) <= {0.0, 1.0} and len(of) == 60 for of in scores.values())
    assert {c.verdict for c in compare_all(list(scores), independent(scores, found.same_queries), 0.2)} <= {
        "best",
        "tied",
        "undecided",
    }
    duels = head_to_head(found, labelled, workspace, *CANDIDATES).duels
    for duel in duels:
        assert duel.text == labelled.documents[duel.query]
        assert [hits[0].grade for hits in duel.hits] == [int(score) for score in duel.scores]
        assert all(hits[0].text in ("eats", "sleeps", "moves") for hits in duel.hits)
    assert measured_before(labelled, CANDIDATES, workspace) == set(CANDIDATES)
    assert not measured_before(labelled, CANDIDATES, workspace, task="clustering")


def test_shuffled_labels_are_classified_by_chance(labelled, workspace):
    names = list(labelled.classes.values())
    np.random.default_rng(0).shuffle(names)
    classes = dict(zip(labelled.classes, names, strict=True))
    summary = labelled.summary.model_copy(update={"hash": "shuffled"})
    mixed = Dataset(summary, labelled.documents, classes=classes)
    found = evaluate(mixed, [WORDS], workspace, task="classification", preflight=False)
    assert found.candidates[0].primary_mean < 0.6
    clustered = evaluate(mixed, [WORDS], workspace, task="clustering", preflight=False)
    assert clustered.candidates[0].primary_mean < 0.2


def test_clustering(labelled, workspace):
    found = evaluate(labelled, [WORDS], workspace, task="clustering", preflight=False)
    assert (found.task, found.primary) == ("clustering", "V-measure")
    assert 0.2 < found.candidates[0].primary_mean <= 1


def test_similarity_agrees_with_scipy(pairs, workspace):
    from scipy.stats import spearmanr

    from knowledge.candidate import parse_candidate
    from tools.encoders import resolve
    from tools.encoding import vectors

    found = evaluate(pairs, CANDIDATES, workspace)
    assert (found.task, found.primary, found.judged_queries) == ("similarity", "Spearman", 90)
    leg = parse_candidate("static:wordllama")
    resolved = resolve(leg, workspace)

    def of(side: str) -> np.ndarray:
        texts = [pairs.documents[getattr(pair, side)] for pair in pairs.pairs.values()]
        made = vectors(resolved, texts, "document", workspace)[:, :64]
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    cosines = (of("first") * of("second")).sum(axis=1)
    expected = spearmanr(cosines, [pair.score for pair in pairs.pairs.values()]).statistic
    measured = next(c for c in found.candidates if c.spec == WORDS)
    assert measured.primary_mean == pytest.approx(expected, abs=1e-4)
    assert np.mean(list(query_scores(found, workspace)[WORDS].values())) == pytest.approx(expected, abs=1e-4)
    with pytest.raises(UserError, match="one figure over all"):
        head_to_head(found, pairs, workspace, *CANDIDATES)


def test_deduplication(pairs, workspace, tmp_path):
    rows = [
        {
            "sentence1": pairs.documents[p.first],
            "sentence2": pairs.documents[p.second],
            "is_duplicate": int(p.score == 2),
        }
        for p in pairs.pairs.values()
    ]
    data = read_dataset(write_table(tmp_path, rows))
    assert data.summary.scores == "binary"
    found = evaluate(data, CANDIDATES, workspace, preflight=False)
    assert (found.task, found.primary) == ("deduplication", "AP(pairs)")
    assert all(0.4 < c.primary_mean <= 1 and 0 <= c.metrics["F1(pairs)"] <= 1 for c in found.candidates)
    assert any("one half" in note.render() for note in found.notes)


def test_bitext(workspace, tmp_path):
    rows = [
        {"en": f"about the {animal}: {told}", "zh": f"{animal} {told.split()[-1]} {habit}"}
        for animal in ANIMALS
        for habit, told, _ in HABITS
    ]
    data = read_dataset(write_table(tmp_path, rows))
    assert (data.summary.scores, data.summary.columns["text1"]) == ("translations", "en")
    found = evaluate(data, CANDIDATES, workspace, preflight=False)
    assert (found.task, found.primary, found.judged_queries) == ("bitext", "F1(bitext)", 30)
    assert all(c.metrics["Accuracy(bitext)"] > 0.3 for c in found.candidates)


def test_what_gives_no_vectors_is_refused_and_the_others_go_on(labelled, workspace):
    found = evaluate(labelled, [WORDS, "rrf(bm25, static:wordllama)"], workspace, preflight=False)
    assert [failed.spec for failed in found.failed] == ["rrf(bm25, static:wordllama)"]
    assert "gives no vectors" in found.failed[0].reason.render()
    with pytest.raises(AdvisorError, match="gives no vectors"):
        evaluate(labelled, ["rrf(bm25, static:wordllama)"], workspace, preflight=False)


def test_metrics_and_tasks_that_do_not_fit(labelled, workspace):
    with pytest.raises(UserError, match="nDCG@10"):
        evaluate(labelled, [WORDS], workspace, metrics=["nDCG@10"])
    with pytest.raises(DatasetError, match="only for: classification, clustering"):
        evaluate(labelled, [WORDS], workspace, task="similarity")
    found = evaluate(labelled, [WORDS], workspace, metrics=["F1(macro)", "Accuracy"], preflight=False)
    assert found.primary == "F1(macro)"
    assert tuple(found.candidates[0].metrics) == ("F1(macro)", "Accuracy")


# ---------------------------------------------------------------- labels that tell nothing


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"] * 12, "nothing to tell apart"),
        (["a", "a", "b"], "too few"),
        (["a"] * 12 + ["b"], "too few"),
    ],
)
def test_labels_that_tell_nothing(labels, message, workspace, tmp_path):
    data = read_dataset(write_table(tmp_path, [{"text": f"text {i}", "label": name} for i, name in enumerate(labels)]))
    with pytest.raises(DatasetError, match=message):
        evaluate(data, ["bm25"], workspace)


@pytest.mark.parametrize(
    ("scores", "message"), [([1.5] * 9, "same score"), ([1, 2, 3], "too few"), ([1] * 9, "too few")]
)
def test_pairs_that_tell_nothing(scores, message, workspace, tmp_path):
    rows = [{"text1": f"one {i}", "text2": f"two {i}", "score": score} for i, score in enumerate(scores)]
    with pytest.raises(DatasetError, match=message):
        evaluate(read_dataset(write_table(tmp_path, rows)), ["bm25"], workspace)


def test_an_uneven_class_is_warned_of(workspace, tmp_path):
    rows = [{"text": f"text number {i}", "label": "common" if i % 10 else "rare"} for i in range(60)]
    found = evaluate(read_dataset(write_table(tmp_path, rows)), ["bm25"], workspace)
    assert "90%" in found.warnings[0].render()


# ---------------------------------------------------------------- parts of it


def test_folds_are_even_and_keep_copies_together():
    classes = {f"{name}{i}": name for name in "abc" for i in range(10)} | {"x1": "x", "x2": "x"}
    texts = dict(zip(classes, classes, strict=True)) | {"a1": "copy", "a2": "  copy ", "b3": "copy"}
    found = folds(classes, texts)
    assert found["a1"] == found["a2"] == found["b3"]
    assert found["x1"] != found["x2"]
    assert all(2 <= list(found.values()).count(fold) <= 10 for fold in range(5))
    assert found == folds(classes, texts)


def test_draws_are_mteb_s():
    classes = [i % 3 for i in range(30)]
    found = classification.draws(classes, few=2)
    assert len(found) == 10
    assert all(sorted(classes[i] for i in chosen) == [0, 0, 1, 1, 2, 2] for chosen in found)
    # the same list is shuffled again and again, each time from the same seed
    order = list(range(30))
    for chosen in found[:2]:
        np.random.RandomState(42).shuffle(order)
        assert chosen[0] == order[0]


def test_more_classes_than_can_be_measured(monkeypatch):
    from tools.tasks import classes as module

    monkeypatch.setattr(module, "MOST_CLASSES", 3)
    names = {f"{name}{i}": name for place, name in enumerate("abcde") for i in range(10 - place)}
    summary = DatasetSummary(name="d", path="d", hash="0", format="CSV", documents=0, queries=0, judgments=0)
    found, notes = module.usable(Dataset(summary, {}, classes=names))
    assert set(found.values()) == {"a", "b", "c"}
    assert "Of 5 classes, the 3" in notes[0].render()


def test_neighbours_vote_by_cosine():
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [0.8, 0.2]], np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = classification.neighbours(
        Features(vectors, unit), np.array([0, 0, 1, 1, 0]), np.array([0, 1, 2, 3]), np.array([4])
    )
    assert found.tolist() == [0]


def test_weighted_f1_of_bitext_agrees_with_sklearn():
    from sklearn.metrics import f1_score

    right, found = np.arange(8), np.array([0, 1, 2, 3, 3, 3, 7, 7])
    assert bitext.weighted_f1(right, found).mean() == pytest.approx(f1_score(right, found, average="weighted"))


def test_best_threshold_lies_between():
    cosines, same = np.array([0.9, 0.8, 0.4, 0.4, 0.1]), np.array([True, True, True, False, False])
    assert deduplication.best_threshold(cosines, same) == pytest.approx(0.25)
    assert deduplication.best_threshold(cosines, np.array([True, True, False, False, False])) == pytest.approx(0.6)


# ---------------------------------------------------------------- reading


def test_files_for_training_and_testing(tmp_path, workspace):
    rows = rows_of_classes()
    write_table(tmp_path / "d", rows[::2] + rows[1:2], "train-00000-of-00001.jsonl")
    write_table(tmp_path / "d", rows[1::2], "test.jsonl")
    data = read_dataset(tmp_path / "d")
    assert (data.summary.labelled, data.summary.tested) == (61, 30)
    assert len(data.documents) == 61
    found = evaluate(data, [WORDS], workspace, preflight=False)
    assert found.judged_queries == 30
    assert any("not learnt from: 1" in note.render() for note in found.notes)


def test_copies_hold_the_labels(labelled, pairs, tmp_path):
    for i, data in enumerate((labelled, pairs)):
        save_dataset(data, tmp_path / str(i))
        again = read_dataset(tmp_path / str(i))
        assert again.summary.hash == data.summary.hash
        assert (again.classes, again.pairs, again.parts) == (data.classes, data.pairs, data.parts)


def test_split_column_and_validation(tmp_path):
    rows = [
        {"text": f"t{i}", "intent": "ab"[i % 2], "split": ("train", "validation", "test")[i % 3]} for i in range(12)
    ]
    data = read_dataset(write_table(tmp_path, rows))
    assert data.summary.tested == 4
    assert sum(part == "train" for part in data.parts.values()) == 8
    assert any("validation (4)" in note.render() for note in data.summary.notes)


def test_an_unknown_split_is_not_used(tmp_path):
    rows = [{"text": f"t{i}", "label": "ab"[i % 2], "split": str(i % 3)} for i in range(12)]
    path = write_table(tmp_path, rows)
    data = read_dataset(path)
    assert not data.parts
    assert "does not say" in data.summary.notes[0].render()
    with pytest.raises(DatasetError, match="does not say"):
        read_dataset(path, columns={"split": "split"})


def test_ids_are_no_classes(tmp_path):
    path = write_table(tmp_path, [{"text": f"text {i}", "category": f"c{i}"} for i in range(12)])
    data = read_dataset(path)
    assert not data.classes
    assert measurable(data.summary) == ()
    assert "was not taken for classes" in data.summary.notes[0].render()
    with pytest.raises(DatasetError, match="ids or texts"):
        read_dataset(path, columns={"label": "category"})


def test_scores_that_are_no_numbers(tmp_path):
    path = write_table(
        tmp_path, [{"text1": "a", "text2": "b", "score": "much"}, {"text1": "a", "text2": "c", "score": 1}]
    )
    with pytest.raises(DatasetError, match="not a number"):
        read_dataset(path)
    assert read_dataset(path, skip_bad=True).summary.pairs == 1


def test_numbers_and_chinese_names(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("文本,标签\n你好,1\n再见,0\n您好,1\n拜拜,0\n", "utf-8")
    data = read_dataset(path)
    assert list(data.classes.values()) == ["1", "0", "1", "0"]


def test_train_files_of_something_else(tmp_path):
    write_table(tmp_path / "d", [{"title": "a", "text": "some text"}], "train.jsonl")
    write_table(tmp_path / "d", [{"title": "a", "text": "some text"}], "test.jsonl")
    with pytest.raises(DatasetError, match="neither texts with classes"):
        read_dataset(tmp_path / "d")


def test_queries_and_documents_stay_what_they_were(tmp_path):
    rows = [{"question": f"what is {i}?", "answer": f"it is the number {i}", "label": 1} for i in range(5)]
    data = read_dataset(write_table(tmp_path, rows))
    assert (data.summary.queries, data.summary.judgments, data.summary.labelled) == (5, 5, 0)
    assert measured_task(data.summary) == "ranking"


def test_pairs_or_classes_as_the_user_says(tmp_path):
    rows = [{"question": f"what is {i}?", "answer": f"it is number {i}", "kind": "ab"[i % 2]} for i in range(6)]
    path = write_table(tmp_path, rows)
    data = read_dataset(path, columns={"label": "kind", "text": "question"})
    assert (data.summary.labelled, data.summary.classes, data.summary.queries) == (6, 2, 0)
    couples = read_dataset(path, columns={"text1": "question", "text2": "answer"})
    assert couples.summary.scores == "translations"


# ---------------------------------------------------------------- mteb's figures


def test_agrees_with_mteb_on_part_of_stsb(workspace, shared):
    """wordllama on 200 pairs: what mteb's evaluator gives for the same vectors (cosine, Spearman of scipy)."""
    path = shared / "stsb_multi" / "en.jsonl"
    from scipy.stats import spearmanr
    from sklearn.metrics.pairwise import paired_cosine_distances

    from knowledge.candidate import parse_candidate
    from tools.encoders import resolve
    from tools.encoding import vectors

    whole = read_dataset(path)
    some = {p: pair for p, pair in whole.pairs.items() if whole.parts[p] == "test"}
    some = dict(list(some.items())[:200])
    documents = {d: whole.documents[d] for pair in some.values() for d in (pair.first, pair.second)}
    data = Dataset(whole.summary.model_copy(update={"hash": "part of stsb"}), documents, pairs=some)
    found = evaluate(data, ["static:wordllama"], workspace, preflight=False)
    resolved = resolve(parse_candidate("static:wordllama"), workspace)
    sides = [
        vectors(resolved, [documents[getattr(pair, side)] for pair in some.values()], "document", workspace)
        for side in ("first", "second")
    ]
    expected = spearmanr([pair.score for pair in some.values()], 1 - paired_cosine_distances(*sides)).statistic
    assert found.candidates[0].primary_mean == pytest.approx(expected, abs=1e-6)


# ---------------------------------------------------------------- prompts


@pytest.mark.parametrize(
    ("own", "task", "expected"),
    [
        ({"query": "query: ", "passage": "passage: "}, "classification", "query: "),
        ({"query": "Represent this sentence: "}, "similarity", ""),
        ({"Classification": "classify: ", "query": "q: ", "document": "d: "}, "classification", "classify: "),
        ({"Classification": "classify: ", "query": "q: ", "document": "d: "}, "clustering", "q: "),
        ({"STS": "sts: "}, "deduplication", "sts: "),
    ],
)
def test_texts_get_the_model_s_prompt_for_the_task(own, task, expected, tmp_path):
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps({"prompts": own}), "utf-8")
    resolved = Resolved(spec="st:x", backend="st", model="x", path=str(tmp_path), fingerprint="f")
    found = with_prompt(resolved, task)
    assert found.prompts == {"query": expected, "document": expected}
    given = resolved.model_copy(update={"prompts": {"query": "", "document": ""}})
    assert with_prompt(given, task).prompts == given.prompts, "as the user says (prompts=none)"
