"""Hard cases asked of real candidates, scored, kept, and read from files."""

import json
from pathlib import Path

import numpy as np
import pytest

from knowledge.candidate import parse_candidate
from knowledge.errors import DatasetError
from knowledge.results import Consent, Robustness
from tests.fake_http import FakeEmbeddings
from tests.tools.test_probes import dataset
from tools.evaluate import evaluate
from tools.evaluate.ranking import Job, Texts, rank_others
from tools.hard_cases import (
    SHARE,
    THRESHOLD,
    ask_contrasts,
    ask_hard_cases,
    contrasts_of,
    make_hard_cases,
    read_contrasts,
)
from tools.hard_cases.asking import for_probes
from tools.hard_cases.outcomes import Outcomes, probes_of, right_in
from tools.hard_cases.words import gains_told, verdict, worst
from tools.metrics import scoring
from tools.probes import FEWEST, Probe
from tools.run_history import find_run, list_runs
from tools.run_store import RunStore
from tools.statistics import wilson_interval
from tools.workspace import Workspace

SPECS = ["bm25", "static:wordllama?dim=64", "rrf(bm25, static:wordllama?dim=64)"]


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    pytest.importorskip("wordllama", reason="wordllama is not installed (extra offline)")
    workspace = Workspace(home=tmp_path_factory.mktemp("home"))
    data = dataset(400)
    evaluation = evaluate(data, SPECS, workspace, preflight=False)
    cases = make_hard_cases(data)
    return workspace, data, evaluation, cases, ask_hard_cases(cases, evaluation, SPECS, workspace, consent=Consent())


def test_they_keep_to_the_budget_and_every_candidate_is_asked(asked):
    _, data, evaluation, cases, found = asked
    own = sum(map(len, data.documents.values())) + sum(map(len, data.queries.values()))
    assert cases.own_characters == own
    assert found.probes.characters + found.robustness.characters <= SHARE * own
    assert found.probes.share + found.robustness.share <= SHARE
    for kind in found.probes.kinds:
        assert [score.spec for score in kind.scores] == SPECS
        assert all(s.accuracy.low <= s.accuracy.mean <= s.accuracy.high for s in kind.scores)
    for kind in found.robustness.kinds:
        assert [change.spec for change in kind.changes] == SPECS
        assert all(0 <= change.p <= 1 for change in kind.changes)
    assert found.robustness.metric == evaluation.primary
    cited = {e.id: e.value for e in (*found.probes.evidence, *found.robustness.evidence)}
    for kind in found.probes.kinds:
        for score in kind.scores:
            assert cited[score.cites["accuracy"]] == score.accuracy.mean


def test_probes_in_other_words_are_told_apart(asked):
    *_, cases, found = asked
    other = [probe for probe in cases.probes if probe.reworded]
    if len(other) < FEWEST:
        assert found.probes.reworded is None
        return
    assert found.probes.reworded.probes == len(other)
    assert sum(kind.reworded for kind in found.probes.kinds) == len(other)


def test_word_matching_reads_case_and_order_alike_and_shortened_queries_cost(asked):
    *_, found = asked
    of = {kind.kind: {c.spec: c for c in kind.changes} for kind in found.robustness.kinds}
    for kind in ("case", "order"):
        if kind in of:
            assert of[kind]["bm25"].change.mean == 0.0
            assert of[kind]["bm25"].p == 1.0
    assert of["short"]["bm25"].change.mean < 0
    assert of["short"]["bm25"].p < 0.05


def test_what_was_asked_once_is_found_again_and_encodes_nothing(asked):
    workspace, _, evaluation, cases, found = asked
    again = ask_hard_cases(cases, evaluation, SPECS, workspace, consent=Consent())
    assert (again.probes.seconds, again.robustness.seconds) == (0.0, 0.0)
    assert again.probes.kinds == found.probes.kinds
    assert again.robustness.kinds == found.robustness.kinds
    # one that is missing is asked, the others are not
    fewer = ask_hard_cases(cases, evaluation, SPECS[:1], workspace, consent=Consent())
    assert [s.spec for s in fewer.probes.kinds[0].scores] == SPECS[:1]


def test_the_change_is_that_of_the_metric_on_the_same_queries(asked):
    workspace, _, evaluation, cases, found = asked
    key = {c.spec: c.key for c in evaluation.candidates}["bm25"]
    runs = RunStore(workspace.store)
    before = runs.query_scores(key, evaluation.primary)
    runs.close()
    kind = found.robustness.kinds[0]
    queries = [one.query for one in cases.perturbed if one.kind == kind.kind]
    assert kind.queries == len(queries)
    assert kind.changes[0].before == pytest.approx(np.mean([before[q] for q in queries]))


def test_small_data_gives_nothing_to_ask():
    assert not make_hard_cases(dataset(10))


def test_ties_count_half_and_what_was_not_found_stands_behind():
    probes = [Probe(name, "k", "q", "right", "wrong") for name in ("before", "behind", "tied", "neither", "one")]
    rankings = {
        "before": [("right", 2.0), ("wrong", 1.0)],
        "behind": [("wrong", 2.0), ("right", 1.0)],
        "tied": [("wrong", 1.0), ("right", 1.0)],
        "one": [("wrong", 0.1)],
    }
    found = right_in(probes, rankings)
    assert found == {"before": 1.0, "behind": 0.0, "tied": 0.5, "neither": 0.5, "one": 0.0}


def test_wilson_intervals_by_hand():
    found = wilson_interval(8, 10)
    assert (round(found.low, 4), found.mean, round(found.high, 4)) == (0.4902, 0.8, 0.9433)  # as in Brown et al. (2001)
    assert wilson_interval(10, 10).high == 1.0
    assert 0.7 < wilson_interval(10, 10).low < 0.73
    assert (wilson_interval(0, 0).low, wilson_interval(0, 0).high) == (0.0, 1.0)


def test_sentences_follow_from_the_records(asked):
    *_, found = asked
    for spec in SPECS:
        shown = (*found.probes.kinds, *([found.probes.reworded] if found.probes.reworded else []))
        weak = any(s.accuracy.mean <= THRESHOLD for kind in shown for s in kind.scores if s.spec == spec)
        assert ("not the truth" in str(verdict(spec, found.probes))) == weak
    assert "very short" in str(worst("bm25", found.robustness))
    assert "not asked" in str(verdict("st:other", found.probes))


# ---------------------------------------------------------------- labelled sets


def write(path: Path, entries) -> Path:
    path.write_text("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries), "utf-8")
    return path


GUT = [
    {"query": "yoghurt benefits the gut", "right": "yoghurt benefits", "wrong": "yoghurt harms", "kind": "antonym"},
    {"query": "酸奶对肠道好", "right": "酸奶对肠道好", "wrong": "酸奶对肠道不好", "kind": "否定"},
    {"query": "nothing of it", "right": "left side", "wrong": "right side"},
]


def test_a_contrast_file_is_read_and_scored(tmp_path):
    found = read_contrasts(write(tmp_path / "gut.jsonl", GUT))
    assert [probe.kind for probe in found.probes] == ["antonym", "否定", "contrast"]
    scored = ask_contrasts(found, ["bm25"], Workspace(home=tmp_path / "home"), consent=Consent())
    assert {kind.kind: kind.scores[0].accuracy.mean for kind in scored.kinds} == {
        "antonym": 1.0,
        "否定": 1.0,
        "contrast": 0.5,  # word matching finds neither
    }


def test_tables_are_read_too(tmp_path):
    file = tmp_path / "a.tsv"
    file.write_text("query\tright\twrong\nis it hot\tyes, hot\tno, cold\n", "utf-8")
    assert read_contrasts(file).probes[0].right == "yes, hot"
    file = tmp_path / "b.csv"
    file.write_text('query,right,wrong\nis it hot,"yes, hot","no, cold"\n', "utf-8-sig")
    assert read_contrasts(file).probes[0].wrong == "no, cold"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "holds no contrast"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"{not json}\n", "is not JSON"),
        (b"[1]\n", "no object"),
        (b'{"query": "a", "right": "b"}\n', "missing"),
        (b'{"query": "a", "right": "b", "wrong": "b"}\n', "holds no contrast"),
        (b"[" * 100_000, "is not JSON"),
    ],
)
def test_bad_contrast_files_say_what_is_wrong(tmp_path, content, says):
    file = tmp_path / "bad.jsonl"
    file.write_bytes(content)
    with pytest.raises(DatasetError) as error:
        read_contrasts(file)
    assert says in str(error.value.cause)
    assert str(error.value.next_step)


def test_a_missing_file_is_an_error_of_the_user(tmp_path):
    with pytest.raises(DatasetError, match="cannot be read"):
        read_contrasts(tmp_path / "none.jsonl")


def test_judged_pairs_of_a_dataset_are_contrasts():
    from tests.labelled import as_dataset

    data = as_dataset({"a": "yes", "b": "no", "c": "?"}, {"q": "is it"}, {"q": {"a": 1, "b": 0}})
    assert [(p.right, p.wrong) for p in contrasts_of(data).probes] == [("yes", "no")]
    with pytest.raises(DatasetError):
        contrasts_of(dataset(3))


def test_what_a_reranker_adds_is_told_where_its_base_was_asked_too(asked):
    _, data, evaluation, cases, _ = asked
    reranked = "rerank(bm25, ce:a/b)?top=20"
    half = {probe.id: float(i % 2) for i, probe in enumerate(cases.probes)}
    right = {"bm25": half, reranked: dict.fromkeys(half, 1.0), "rerank(st:a/b, ce:a/b)": half}
    found = probes_of(cases.probes, right, (), Outcomes(evaluation, data, cases.own_characters, 0.0))
    assert [(gain.spec, gain.base) for gain in found.gains] == [(reranked, "bm25")]
    assert found.gains[0].gain.mean == pytest.approx(0.5, abs=0.02)
    assert "points more of the probes than bm25" in str(next(gains_told(found)))


def test_a_reranker_reads_only_what_can_be_one_of_the_two_passages():
    spec = "rrf(bm25, rerank(static:wordllama, ce:a/b)?top=100)"
    assert for_probes(parse_candidate(spec)).spec == "rrf(bm25, rerank(static:wordllama, ce:a/b)?top=4)"


def test_queries_as_they_are_score_as_the_evaluation_scored_them(asked):
    workspace, data, evaluation, cases, _ = asked
    queries = {query: data.queries[query] for query in list(data.queries)[:60]}
    texts = Texts(cases.treated.dataset.documents, queries, 100)
    job = Job({spec: parse_candidate(spec) for spec in SPECS}, texts)
    runs = RunStore(workspace.store)
    keys = {c.spec: c.key for c in evaluation.candidates}
    judged = {query: data.judgments[query] for query in queries}
    for _, spec, rankings in rank_others({"again": job}, workspace, Consent()):
        stored = runs.query_scores(keys[spec], evaluation.primary)
        again = scoring.score(rankings, judged, [evaluation.primary])[evaluation.primary]
        assert again == pytest.approx({query: stored[query] for query in queries}), spec
    runs.close()


def test_what_was_asked_is_kept_as_a_run(asked):
    workspace, data, evaluation, _, found = asked
    (listed,) = list_runs(workspace, kind="hard-cases")
    assert (listed.dataset, listed.queries) == (data.summary.name, evaluation.judged_queries)
    assert listed.candidates == tuple(SPECS)
    kept = find_run(workspace, listed.run_id)
    assert (kept.probes, kept.robustness) == (found.probes, found.robustness)


def test_whose_host_nobody_agreed_to_is_named_and_nothing_is_sent(asked):
    _, data, *_ = asked
    home = asked[0].home
    with FakeEmbeddings() as server:
        workspace = Workspace(home=home, openai_base_url=server.base_url)
        host = server.url.removeprefix("http://")
        agreed = Consent(hosts=frozenset({host}))
        evaluation = evaluate(data, ["openai:fake"], workspace, consent=agreed, preflight=False)
        cases = make_hard_cases(data)
        sent = len(server.texts)
        refused = ask_hard_cases(cases, evaluation, ["openai:fake"], workspace, consent=Consent())
        assert len(server.texts) == sent
        assert refused.probes.kinds == refused.robustness.kinds == ()
        for part in (refused.probes, refused.robustness):
            assert [one.spec for one in part.skipped] == ["openai:fake"]
            assert host in str(part.skipped[0].reason)
        assert Robustness.model_validate_json(refused.robustness.model_dump_json()) == refused.robustness
        found = ask_hard_cases(cases, evaluation, ["openai:fake"], workspace, consent=agreed)
        assert found.probes.kinds
        assert not found.probes.skipped
        assert len(server.texts) > sent
