"""Finding the winner without encoding everything: with real (tiny) models, and with scores made to order."""

import dataclasses
import json
import math
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from knowledge.candidate import parse_candidate
from knowledge.errors import AdvisorError, ConsentNeeded, DatasetError, ResourceError, UnknownModelError
from knowledge.results import Consent
from knowledge.wording import say
from tests.fake_http import FakeEmbeddings
from tests.labelled import as_dataset
from tests.tiny_models import make_st, make_static
from tools import adaptive, encoders, evaluate, workers
from tools.adaptive.elimination import FEWEST, Standing, answer, leavers, level_of, upper_bound
from tools.adaptive.pools import Pools
from tools.adaptive.work import CachedEncoding, Ledger
from tools.encoding import LARGEST_CHUNK, ensure
from tools.workspace import Workspace

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def make_dataset(documents=240, queries=60, relevant=1, seed=0):
    """Documents of odd words; a query repeats some of its document's words and adds others."""
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list(LETTERS), 5)) for _ in range(300)]
    texts = {f"d{i}": " ".join(rng.choice(words, 12)) for i in range(documents)}
    asked, judgments = {}, {}
    for i in range(queries):
        right = [f"d{(i * relevant + j) % documents}" for j in range(relevant)]
        own = rng.permutation(texts[right[0]].split())[:4]
        asked[f"q{i}"] = " ".join([*own, *rng.choice(words, 3)])
        judgments[f"q{i}"] = dict.fromkeys(right, 1)
    return as_dataset(texts, asked, judgments)


class TwoModels(FakeEmbeddings):
    """An endpoint with two models: `good` reads all words of a text, `bad` the first two."""

    def answer(self, method, path, body):
        self.model = json.loads(body)["model"]
        return super().answer(method, path, body)

    def vector(self, text):
        return super().vector(" ".join(text.split()[:2]) if self.model == "bad" else text)


class Watched(CachedEncoding):
    """The real encoding, watched: how many texts were encoded for each encoder, and which were asked for."""

    def __init__(self, workspace, before=lambda calls: None):
        super().__init__(workspace)
        self.__dict__.update(encoded={}, asked={}, calls=[], before=before)

    def ensure(self, resolved, texts, on_characters):
        self.before(self.calls)
        self.calls.append(resolved.spec)
        cost = super().ensure(resolved, texts, on_characters)
        self.encoded[resolved.spec] = self.encoded.get(resolved.spec, 0) + cost.encoded
        self.asked.setdefault(resolved.spec, set()).update((kind, text) for kind, of in texts.items() for text in of)
        return cost


@pytest.fixture
def endpoint():
    with TwoModels() as server:
        yield server


@pytest.fixture
def workspace(tmp_path, endpoint):
    return Workspace(home=tmp_path / "home", offline=True, openai_base_url=endpoint.base_url)


@pytest.fixture
def screen(workspace, endpoint):
    """`adaptive.screen` with the endpoint agreed to."""

    def run(dataset, candidates, **options):
        found, failed = adaptive.screen(dataset, candidates, workspace, **agreed(workspace), **options)
        assert not failed
        return found

    return run


def agreed(workspace):
    host = workspace.openai_base_url.removeprefix("http://").removesuffix("/v1")
    return {"metrics": ["nDCG@10"], "consent": Consent(measure=True, hosts=frozenset({host}))}


GOOD, BAD = "openai:good", "openai:bad"


# ---------------------------------------------------------------- the whole of it


def test_a_bad_model_goes_early_and_the_winner_is_that_of_the_full_evaluation(workspace, screen, tmp_path):
    dataset = make_dataset()
    candidates = [GOOD, BAD, f"{GOOD}?dim=8"]
    watched = Watched(workspace)
    screening = screen(dataset, candidates, encoding=watched)
    assert screening.end == "settled"
    gone = {e.spec: e for e in screening.eliminated}
    assert (gone[BAD].kind, gone[BAD].round) == ("worse", 1)
    assert gone[BAD].bound < -screening.margin
    assert watched.encoded[BAD] < 0.7 * watched.encoded[GOOD], "it did not have to read everything"
    found = adaptive.find_winner(dataset, candidates, workspace, **agreed(workspace))
    elsewhere = dataclasses.replace(workspace, home=tmp_path / "elsewhere")
    full = evaluate.evaluate(dataset, candidates, elsewhere, **agreed(workspace))
    best = max(full.candidates, key=lambda c: c.primary_mean)
    assert found.winner == best.spec == GOOD
    measured = {c.spec: c.primary_mean for c in found.evaluation.candidates}
    assert measured[GOOD] == pytest.approx(best.primary_mean)


def test_nothing_is_encoded_twice(workspace, screen, endpoint):
    dataset = make_dataset(documents=160)
    candidates = [GOOD, BAD, f"{GOOD}?dim=16", f"rrf(bm25, {GOOD})", f"rrf(bm25, {BAD})"]
    watched = Watched(workspace)
    first = screen(dataset, candidates, encoding=watched)
    assert len(watched.calls) > len(watched.encoded), "there was more than one round"
    for spec, encoded in watched.encoded.items():
        assert encoded == len(watched.asked[spec]), spec
    assert len(endpoint.texts) == sum(watched.encoded.values())
    screen(dataset, candidates)
    assert len(endpoint.texts) == sum(watched.encoded.values()), "a repeat finds all in the cache"
    found = adaptive.find_winner(dataset, candidates, workspace, **agreed(workspace))
    assert all(c.encoded_texts == 0 for c in found.evaluation.candidates), "and so does the evaluation"
    assert found.screening.work.spent_seconds == 0
    assert found.screening.work.share == 0
    assert found.screening.winner == first.winner
    (workspace.home / adaptive.RATES).write_text("[broken", "utf-8")
    assert adaptive.find_winner(dataset, candidates, workspace, **agreed(workspace)).screening.work.share is None


def test_a_faster_precision_stands_in_only_after_a_look_at_it(tmp_path, screen, workspace):
    model = f"st:{make_st(tmp_path / 'model')}"
    watched = Watched(workspace)
    screening = screen(make_dataset(documents=80, queries=30), [model, "bm25"], encoding=watched)
    fast = adaptive.parity.fast_leg(parse_candidate(model)).spec  # which one depends on what is installed
    assert watched.calls[:2] == [model, fast]
    (parity,) = screening.parities
    assert (parity.spec, parity.fast) == (model, fast)
    assert parity.queries >= 10
    assert parity.overlap > 0.5
    assert {s.spec for s in screening.screened} == {model, "bm25"}


RUN = """
    from pathlib import Path
    from tests.tools.test_adaptive import agreed, make_dataset
    from tools import adaptive
    from tools.workspace import Workspace
    workspace = Workspace(home=Path({home!r}), offline=True, openai_base_url={url!r})
    found = adaptive.find_winner(make_dataset(documents=400), {candidates!r}, workspace, **agreed(workspace))
    print("winner", found.winner, [(e.spec, e.round, e.bound) for e in found.screening.eliminated])
"""


def run(workspace, home, candidates):
    code = textwrap.dedent(RUN.format(candidates=candidates, home=str(home), url=workspace.openai_base_url))
    environment = workers.child_environment()
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)


def test_killed_it_goes_on_to_the_same_answer_and_pays_nothing_twice(workspace, endpoint, tmp_path):
    candidates = [GOOD, BAD, "bm25", f"rrf(bm25, {GOOD})"]
    whole = run(workspace, tmp_path / "whole", candidates).communicate(timeout=300)[0].splitlines()[-1]
    assert whole.startswith("winner ")
    paid = len(endpoint.texts)
    begun, victims = len(endpoint.requests), []
    endpoint.on_request = lambda number: victims[0].send_signal(signal.SIGKILL) if number == begun + 4 else None
    victims.append(run(workspace, workspace.home, candidates))
    assert victims[0].wait(300) == -signal.SIGKILL
    victims[0].stdout.close()
    endpoint.on_request = lambda number: None
    assert run(workspace, workspace.home, candidates).communicate(timeout=300)[0].splitlines()[-1] == whole
    assert len(endpoint.texts) - paid <= paid + LARGEST_CHUNK


def test_what_fails_is_named_and_the_others_go_on(workspace, endpoint):
    found = adaptive.find_winner(make_dataset(60, 30), ["st:/nowhere", "bm25", GOOD], workspace, **agreed(workspace))
    assert found.winner in ("bm25", GOOD)
    assert [f.spec for f in found.evaluation.failed] == ["st:/nowhere"]
    endpoint.change = lambda answer: {"data": []}
    found = adaptive.find_winner(make_dataset(60, 30), ["bm25", BAD], workspace, **agreed(workspace))
    assert found.winner == "bm25"
    assert [f.spec for f in found.evaluation.failed] == [BAD]


class Failing(Watched):
    """The asked-for model fails once it is to read everything, after it has put others out."""

    def ensure(self, resolved, texts, on_characters):
        if resolved.spec == self.failing and len(self.calls) and self.calls[-1] == "done":
            raise ResourceError("out of memory", "take a smaller one")
        cost = super().ensure(resolved, texts, on_characters)
        if resolved.spec == self.failing and len(texts["document"]) == 240:
            self.calls.append("done")
        return cost


def test_who_was_put_out_by_one_that_fails_is_back_in_it(workspace):
    watched = Failing(workspace)
    watched.__dict__["failing"] = GOOD
    screening, failed = adaptive.screen(make_dataset(), [GOOD, BAD], workspace, encoding=watched, **agreed(workspace))
    assert [f.spec for f in failed] == [GOOD]
    assert screening.winner == BAD
    assert screening.survivors == (BAD,)
    assert not screening.eliminated
    watched = Failing(workspace)
    watched.__dict__["failing"] = GOOD
    with pytest.raises(ResourceError):
        adaptive.screen(make_dataset(), [GOOD], workspace, encoding=watched, **agreed(workspace))


def test_vectors_from_a_run_that_kept_no_rate_are_timed(workspace, tmp_path):
    """Else what was paid for already would be taken for the dearest."""
    static = f"static:{make_static(tmp_path / 'static')}"
    resolved = encoders.resolve(parse_candidate(static), workspace)
    texts = {"document": list(make_dataset().documents.values()), "query": []}
    ensure(resolved, texts, workspace)
    ledger = Ledger(CachedEncoding(workspace), lambda progress: None)
    ledger.ensure(resolved, texts, say("Encoding"))
    assert ledger.rate(resolved) is not None
    assert math.isfinite(ledger.rate(resolved))


def test_queries_of_the_same_text_weigh_as_much_as_in_the_evaluation(workspace):
    dataset = make_dataset(60, 30)
    asked = {**dataset.queries, **{f"again{i}": dataset.queries["q0"] for i in range(9)}}
    judged = {**dataset.judgments, **{f"again{i}": {"d1": 1} for i in range(9)}}
    dataset = as_dataset(dataset.documents, asked, judged)
    screening, _ = adaptive.screen(dataset, ["bm25"], workspace, metrics=["nDCG@10"])
    full = evaluate.evaluate(dataset, ["bm25"], workspace, metrics=["nDCG@10"])
    assert screening.screened[0].score.mean == pytest.approx(full.candidates[0].primary_mean)
    assert screening.screened[0].queries == 30


def test_words_that_tie_are_settled_as_in_the_evaluation(workspace):
    """All documents alike to the words: the order of the file, in which right answers stand first, must not decide."""
    documents = {f"d{i}": f"common word{i}" for i in range(40)}
    queries = {f"q{i}": "common" if i % 2 else "common common" for i in range(2)}
    dataset = as_dataset(documents, queries, {q: {"d0": 1, "d1": 1} for q in queries})
    screening, _ = adaptive.screen(dataset, ["bm25"], workspace, metrics=["nDCG@10"])
    full = evaluate.evaluate(dataset, ["bm25"], workspace, metrics=["nDCG@10"])
    assert screening.screened[0].score.mean == pytest.approx(full.candidates[0].primary_mean)


def test_when_all_fail_the_first_reason_is_given(workspace):
    with pytest.raises(UnknownModelError, match="/nowhere"):
        adaptive.find_winner(make_dataset(), ["st:/nowhere", "st:/nor/here"], workspace)


def test_nothing_is_sent_without_consent(workspace, endpoint):
    with pytest.raises(ConsentNeeded):
        adaptive.find_winner(make_dataset(), [GOOD], workspace)
    assert not endpoint.texts


# ---------------------------------------------------------------- time


def test_a_budget_is_kept_and_an_answer_given(workspace, screen, tmp_path):
    """Each encoding takes a minute by this clock: two minutes allow for two, whatever is still open."""
    now = [0.0]
    watched = Watched(workspace, before=lambda calls: now.__setitem__(0, now[0] + 60))
    static = f"static:{make_static(tmp_path / 'static')}"
    screening = screen(make_dataset(), [static, GOOD, BAD], encoding=watched, budget_minutes=2, clock=lambda: now[0])
    assert screening.end == "budget"
    assert watched.calls == [static, GOOD]
    assert screening.winner == static, "the only one that has read everything"
    assert set(screening.open) == {GOOD, BAD}
    found = adaptive.find_winner(make_dataset(), ["bm25", GOOD], workspace, budget_minutes=0, **agreed(workspace))
    assert (found.screening.end, found.winner) == ("budget", "bm25")
    assert [c.spec for c in found.evaluation.candidates] == ["bm25"]


def test_an_encoding_that_would_not_be_done_in_time_is_not_begun(workspace, screen):
    """After the first pool the rate is known: a second a text, and reading everything would take too long."""

    class Dear(Watched):
        def ensure(self, resolved, texts, on_characters):
            cost = super().ensure(resolved, texts, on_characters)
            return dataclasses.replace(cost, seconds=1.0 * cost.encoded)

    screening = screen(
        make_dataset(documents=2000), [GOOD, BAD], encoding=Dear(workspace), budget_minutes=10, clock=lambda: 0.0
    )
    assert screening.end == "budget"
    assert screening.rounds == ()
    assert screening.winner == GOOD, "by what the first pool shows"
    assert not next(s for s in screening.screened if s.spec == GOOD).exact


@pytest.mark.parametrize("how", ["asked", "interrupted"])
def test_stopped_at_any_moment_it_has_what_is_known(workspace, screen, how):
    candidates = [GOOD, BAD, f"rrf(bm25, {GOOD})"]
    whole = Watched(workspace)
    settled = screen(make_dataset(), candidates, encoding=whole)
    assert settled.end == "settled"
    for after in range(len(whole.calls) + 1):

        def interrupt(calls, after=after):
            if how == "interrupted" and len(calls) >= after:
                raise KeyboardInterrupt

        watched = Watched(workspace, before=interrupt)

        def stop(watched=watched, after=after):
            return how == "asked" and len(watched.calls) >= after

        screening = screen(make_dataset(), candidates, encoding=watched, should_stop=stop)
        assert len(watched.calls) == after
        assert screening.end == ("settled" if after == len(whole.calls) else "stopped")
        assert (screening.winner is None) == (after < 2), "once all have read the first pool, something is known"
    assert screening == settled.model_copy(update={"work": screening.work, "rounds": screening.rounds})


# ---------------------------------------------------------------- odd data


@pytest.mark.parametrize(
    ("documents", "queries", "relevant"), [(1, 1, 1), (3, 3, 1), (40, 40, 1), (60, 3, 20), (30, 30, 30), (500, 25, 1)]
)
def test_odd_shapes_end_settled(screen, documents, queries, relevant):
    screening = screen(make_dataset(documents, queries, min(relevant, documents)), ["bm25", GOOD, BAD])
    assert screening.end == "settled"
    assert screening.winner in screening.survivors
    if queries < FEWEST:
        assert not screening.eliminated, "so few queries show nothing"


def test_one_candidate_is_the_winner(screen):
    for spec in ("bm25", GOOD):
        screening = screen(make_dataset(60, 30), [spec])
        assert (screening.winner, screening.survivors) == (spec, (spec,))


def test_no_judgment_is_said_as_the_evaluation_says_it(workspace):
    with pytest.raises(DatasetError, match="no query with a relevant document"):
        adaptive.screen(as_dataset({"d": "text"}, {"q": "text"}, {}), ["bm25"], workspace)
    with pytest.raises(AdvisorError):
        adaptive.screen(make_dataset(), [], workspace)


def test_the_same_seed_draws_the_same_rounds_and_pools_are_nested():
    dataset = make_dataset()
    asked = list(dataset.judgments)
    one, other = (Pools.of(dataset, dataset.judgments, asked, 7) for _ in range(2))
    third = Pools.of(dataset, dataset.judgments, asked, 8)
    before: set[int] = set()
    for number in (1, 2, 3):
        count, rows = one.draw(number)
        assert (count, rows.tolist()) == (other.draw(number)[0], other.draw(number)[1].tolist())
        assert before <= set(rows.tolist())
        before = set(rows.tolist())
        assert all(row in before for relevant in one.relevant[:count] for row in relevant)
    assert one.queries != third.queries


def test_scores_in_a_pool_are_never_too_low(workspace, tmp_path):
    """What eliminations rest on: fewer competitors can only help."""
    from tools.adaptive.ranking import Bench, Known

    dataset = make_dataset()
    asked = list(dataset.judgments)
    pools = Pools.of(dataset, dataset.judgments, asked, 0)
    texts = list(dataset.documents.values())
    queries = [dataset.queries[q] for q in pools.queries]
    bench = Bench(list(dataset.documents), texts, pools.queries, queries, dataset.judgments, {}, "nDCG@10", 100)
    everything = np.arange(len(texts))
    count, rows = pools.draw(1)
    assert len(rows) < len(texts)
    flattered = []
    for spec in ("bm25", f"static:{make_static(tmp_path / 'static')}"):
        leg = parse_candidate(spec)
        known = {}
        if spec != "bm25":
            resolved = encoders.resolve(leg, workspace)
            model = encoders.load(resolved)
            documents = model.embed(texts, kind="document")
            known = {leg: Known(resolved, everything, documents.__getitem__, model.embed(queries, kind="query"))}
        whole = bench.scores(leg, known, count, everything)
        part = bench.scores(leg, known, count, rows)
        assert np.all(part >= whole - 1e-12)
        flattered += (part - whole).tolist()
    assert max(flattered) > 0


# ---------------------------------------------------------------- the tests themselves, on scores made to order


def standings(scores, costs, exact=True):
    return [Standing(str(i), s, exact, (float(c),)) for i, (s, c) in enumerate(zip(scores, costs, strict=True))]


def test_levels_of_all_checks_stay_under_alpha():
    total = sum(level_of(check, 10) * 3 * 9 for check in range(1, 10_000))
    assert 0.049 < total < 0.05


def test_a_bound_of_too_few_queries_is_none():
    assert upper_bound(np.full(FEWEST - 1, -0.9), 0.05) == math.inf
    assert -0.9 < upper_bound(np.full(FEWEST, -0.9), 0.05) < 0
    assert upper_bound(np.full(FEWEST, -0.1), 0.05) > 0, "gains on one query in eight could have gone unseen"


@pytest.mark.parametrize("gain", [-0.3, -0.02, 0.0, 0.1])
def test_once_all_queries_are_asked_only_the_mean_counts(gain):
    differences = np.random.default_rng(5).normal(gain, 0.2, 80)
    assert upper_bound(differences, 1e-6, among=80) == pytest.approx(differences.mean(), abs=1e-12)


def test_a_bound_over_few_more_queries_lies_between():
    differences = np.random.default_rng(5).normal(-0.1, 0.3, 80)
    bounds = [upper_bound(differences, 1e-4, among=among) for among in (80, 100, 160, 1_000, 10**7)]
    assert bounds == sorted(bounds)
    assert bounds[-1] == pytest.approx(upper_bound(differences, 1e-4), abs=1e-3)


@pytest.mark.parametrize("share", [0.03, 0.1, 0.5])
def test_the_bound_over_a_finite_set_holds(share):
    """The mean over 300 queries, gains rare or not, from 40, 80 or 160 of them: above the bound in at most 5 %."""
    rng = np.random.default_rng(8)
    samples, level = 1_500, 0.05
    for asked in (40, 80, 160):
        missed = 0
        for _ in range(samples):
            everyone = np.where(rng.random(300) < share, rng.random(300), -0.05)
            missed += upper_bound(everyone[:asked], level, among=300) < everyone.mean()
        assert missed / samples <= level + 2 * np.sqrt(level * (1 - level) / samples)


def test_one_that_has_read_everything_is_not_put_out_by_these_queries_alone():
    """Nothing more need be read for it: that it is worse is said only where it holds for queries like these."""
    rng = np.random.default_rng(4)
    good, worse = rng.random(60), rng.random(60)
    worse = worse - worse.mean() + good.mean() - 0.05
    exact, pooled = standings([good, worse], [1, 2]), standings([good, worse], [1, 2])
    pooled[1] = dataclasses.replace(pooled[1], exact=False)
    assert leavers(exact, 0.02, 1, 2, queries=60) == []
    (verdict,) = leavers(pooled, 0.02, 1, 2, queries=60)
    assert (verdict.spec, verdict.kind, verdict.among) == ("1", "worse", 60)
    assert leavers(pooled, 0.02, 1, 2, queries=600) == [], "540 queries more could turn it"


def test_a_twin_goes_and_a_better_one_stays():
    rng = np.random.default_rng(1)
    good = rng.random(600)
    verdicts = leavers(standings([good, good, good - 0.3], [1, 2, 0]), 0.02, 1, 3)
    assert {(v.spec, v.kind, v.against) for v in verdicts} == {("1", "dearer", "0"), ("2", "worse", "0")}
    few = standings([good[:60], good[:60]], [1, 2])
    assert leavers(few, 0.02, 1, 2) == [], "60 queries do not show that no 2 % differ"
    same = [dataclasses.replace(s, setup="the same vectors") for s in few]
    assert [v.spec for v in leavers(same, 0.02, 1, 2)] == ["1"]
    slack = [dataclasses.replace(s, slack=0.03 * i) for i, s in enumerate(same)]
    assert leavers(slack, 0.02, 1, 2) == [], "the stand-in could hide a difference beyond the margin"
    unknown = [dataclasses.replace(s, cost=(math.inf,) if i else s.cost) for i, s in enumerate(same)]
    assert leavers(unknown, 0.02, 1, 2) == [], "nobody is dearer whose cost is not known"


@pytest.mark.parametrize("share", [0.03, 0.05])
def test_a_gain_that_is_rare_and_large_is_not_missed(share):
    """The dearer one gains 1 on a few queries, the rest are equal: beyond the margin, so to put it out is the error."""
    rng = np.random.default_rng(7)
    lost = 0
    for _ in range(200):
        base = np.zeros(320)
        better = np.where(rng.random(320) < share, 1.0, base)
        for check, asked in enumerate((40, 80, 160, 320), start=1):
            lost += any(
                v.spec == "1" for v in leavers(standings([base[:asked], better[:asked]], [1, 2]), 0.02, check, 8)
            )
    assert lost <= 2


def test_the_best_of_equal_ones_is_the_cheapest():
    good = np.random.default_rng(1).random(60)
    assert answer(standings([good, good], [2, 1]), 0.02) == ("1", "1")


def test_a_parity_without_a_difference_leaves_what_few_queries_cannot_show():
    unit = np.eye(32)
    sample = adaptive.parity.Sample(unit, unit, np.ones(32))
    found = adaptive.parity.compare(parse_candidate("st:one"), "st:one?precision=bf16", sample, sample, 0.02, None)
    assert found.accepted
    assert 0.02 < adaptive.parity.slack(found.difference) < 0.1


def test_only_who_has_read_everything_can_put_others_out():
    rng = np.random.default_rng(1)
    good = rng.random(60)
    assert leavers(standings([good, good - 0.5], [1, 2], exact=False), 0.02, 1, 2) == []


def test_the_answer_is_the_cheapest_of_the_tied():
    rng = np.random.default_rng(1)
    good = rng.random(200)
    found = answer(standings([good, good - 0.001, good - 0.3], [3, 2, 1]), 0.02)
    assert found == ("1", "0")


def test_on_the_edge_the_error_stays_under_its_level():
    """The winner lies exactly the margin below four others: to put it out is the error. 300 samples, 4 checks each."""
    rng = np.random.default_rng(20)
    margin, lost, samples = 0.02, 0, 300
    for _ in range(samples):
        ability = rng.beta(1, 1, 240)
        scores = [np.round(np.clip(ability + rng.normal(0, 0.25, 240), 0, 1) * 4) / 4 for _ in range(5)]
        scores[0] -= margin
        for check, asked in enumerate((40, 80, 160, 240), start=1):
            alive = standings([s[:asked] for s in scores], [0, 1, 2, 3, 4])
            if any(v.spec == "0" and v.kind == "worse" for v in leavers(alive, margin, check, 5)):
                lost += 1
                break
    assert lost / samples <= 0.05


def test_far_losers_do_go():
    rng = np.random.default_rng(3)
    gone = 0
    for _ in range(50):
        best = np.clip(rng.normal(0.6, 0.3, 80), 0, 1)
        loser = np.clip(best - 0.3 + rng.normal(0, 0.2, 80), 0, 1)
        gone += any(v.spec == "1" for v in leavers(standings([best, loser], [2, 1]), 0.02, 1, 10))
    assert gone == 50
