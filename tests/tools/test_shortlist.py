"""Who makes the list, and what is said of those who do not."""

from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.catalog import load_catalog
from knowledge.constraints import make_constraint
from knowledge.errors import NothingLeftError, RequirementsError
from knowledge.evidence import load_scores, wanted_modalities
from knowledge.ladder import is_encoder
from knowledge.requirements import Requirements, Task
from knowledge.results import Shortlist
from tests.score_matrix import card, matrix
from tools.shortlist import BASELINE, PER_FAMILY, PER_PUBLISHER, SOFT_PENALTY, shortlist

NAMES = [f"org{i:02}/model{i:02}" for i in range(20)]


def demanding(*constraints, task: Task = "search", languages=("en",)) -> Requirements:
    spoken = (make_constraint("languages", languages=languages),) if languages else ()
    return Requirements(task=task, constraints=(*spoken, *constraints))


def catalog(*cards):
    return SimpleNamespace(cards=tuple(cards))


def rising(names=NAMES, tasks=4, language="en"):
    return {(f"{language}{t}", language): {m: 0.3 + 0.02 * i for i, m in enumerate(names)} for t in range(tasks)}


def of(names=NAMES, **facts):
    return [card(name, **facts) for name in names]


def models(found: Shortlist) -> list[str]:
    return [pick.model for pick in found.kept]


def why_not(found: Shortlist, model: str):
    (rejection,) = [r for r in found.rejected if r.model == model]
    return rejection


def test_the_best_are_kept_best_first():
    found = shortlist(demanding(), catalog(*of()), matrix(rising()))
    assert models(found) == NAMES[:-6:-1]
    assert found.considered == 20
    assert [pick.spec for pick in found.kept] == [f"st:{m}" for m in models(found)]


def test_k_decides_how_many():
    for k in (1, 3, 19, 1000):
        assert len(shortlist(demanding(), catalog(*of()), matrix(rising()), k).kept) == min(k, 20)


@pytest.mark.parametrize("k", [0, -1])
def test_a_list_without_places_is_refused(k):
    with pytest.raises(RequirementsError, match=str(k)):
        shortlist(demanding(), catalog(*of()), matrix(rising()), k)


def test_the_rest_is_told_its_place():
    found = shortlist(demanding(), catalog(*of()), matrix(rising()))
    last = why_not(found, NAMES[0])
    assert last.constraint == "rank"
    assert "number 20 of 20" in str(last.reason)


def test_the_first_violated_demand_is_named():
    best = card(NAMES[-1], license="CC-BY-NC-4.0", commercial="no", max_tokens=128)
    requirements = demanding(make_constraint("license"), make_constraint("max_tokens", tokens=512))
    found = shortlist(requirements, catalog(*of(NAMES[:-1]), best), matrix(rising()))
    assert best.model not in models(found)
    assert why_not(found, best.model).constraint == "license"
    assert "forbids" in str(why_not(found, best.model).reason)


def test_an_unknown_licence_is_out_and_an_unknown_length_is_only_mentioned():
    unknown = card(NAMES[-1], max_tokens=None)
    unlicensed = card(NAMES[-2], license=None, commercial="unknown")
    requirements = demanding(make_constraint("license"), make_constraint("max_tokens", tokens=512))
    found = shortlist(requirements, catalog(*of(NAMES[:-2]), unknown, unlicensed), matrix(rising()))
    assert models(found)[0] == unknown.model
    assert len(found.kept[0].unknown) == 1
    assert why_not(found, unlicensed.model).constraint == "license"


@pytest.mark.parametrize("kind", ["cross-encoder", "late-interaction", "sparse", "router"])
def test_only_single_vector_encoders(kind):
    odd = card(NAMES[-1], architecture=(kind,))
    found = shortlist(demanding(), catalog(*of(NAMES[:-1]), odd), matrix(rising()))
    assert why_not(found, odd.model).constraint == "architecture"


def test_a_dense_model_that_can_do_more_stays():
    both = card(NAMES[-1], architecture=("dense", "sparse"))
    assert models(shortlist(demanding(), catalog(*of(NAMES[:-1]), both), matrix(rising())))[0] == both.model


def test_bm25_is_the_baseline_beside_the_list_and_no_constraint_can_reject_it():
    bm25 = card(BASELINE, architecture=("sparse",), license=None, commercial="unknown", parameters=None)
    names = [*NAMES, BASELINE]
    found = shortlist(demanding(make_constraint("license")), catalog(*of(), bm25), matrix(rising(names)))
    assert BASELINE not in models(found)
    assert why_not(found, BASELINE).constraint == "baseline"
    assert any("BM25" in str(note) for note in found.notes)
    clustering = shortlist(demanding(task="clustering"), catalog(*of(), bm25), matrix(rising(names)))
    assert why_not(clustering, BASELINE).constraint == "architecture"
    assert not any("BM25" in str(note) for note in clustering.notes)


def test_a_model_that_takes_no_text_is_out():
    blind = card(NAMES[-1], modalities=("image",))
    assert why_not(
        shortlist(demanding(), catalog(*of(NAMES[:-1]), blind), matrix(rising())), blind.model
    ).constraint == ("modality")


def test_a_japanese_only_model_is_never_on_an_english_list():
    # Large, new, the best by far in Japanese, and its card claims English.
    japanese = [card(f"jp{i}/ruri{i}", parameters=10**10) for i in range(3)]
    both = rising() | {
        (f"ja{t}", "ja"): {m: 0.3 + 0.01 * i for i, m in enumerate(NAMES)} | {c.model: 0.95 for c in japanese}
        for t in range(6)
    }
    every = catalog(*of(), *japanese)
    found = shortlist(demanding(), every, matrix(both))
    assert not any("ruri" in m for m in models(found))
    assert why_not(found, japanese[0].model).constraint == "evidence"
    assert sum("ruri" in m for m in models(shortlist(demanding(languages=("ja",)), every, matrix(both)))) == 3


def test_one_group_is_enough_for_a_model_tested_widely_elsewhere():
    wide = {("en0", "en"): rising()["en0", "en"] | {"wide/model": 0.9, "narrow/model": 0.9}}
    ja = rising(tasks=16, language="ja")
    elsewhere = {key: column | {"wide/model": 0.9} for key, column in ja.items()}
    scores = matrix(rising() | wide | elsewhere)
    found = shortlist(demanding(), catalog(*of(), card("wide/model"), card("narrow/model")), scores)
    assert "wide/model" in models(found)
    assert why_not(found, "narrow/model").constraint == "evidence"


def test_two_near_duplicate_tasks_are_one_piece_of_evidence():
    columns = {key: column | ({"new/one": 0.9} if key[0] in ("en0", "en1") else {}) for key, column in rising().items()}
    cards = catalog(*of(), card("new/one"))
    assert "new/one" in models(shortlist(demanding(), cards, matrix(columns)))
    twins = matrix(columns, groups={"en0": "same", "en1": "same"})
    assert why_not(shortlist(demanding(), cards, twins), "new/one").constraint == "evidence"


def test_the_rule_on_evidence_gives_way_when_few_are_left_and_this_is_said():
    # Nine models with one task each: the rule would leave none.
    scores = matrix({("en0", "en"): {m: 0.3 + 0.02 * i for i, m in enumerate(NAMES[:9])}})
    found = shortlist(demanding(), catalog(*of(NAMES[:9])), scores)
    assert len(found.kept) == 5
    assert any("one group" in str(note) for note in found.notes)
    unheard = shortlist(demanding(languages=("yo",)), catalog(*of(languages=("yo",))), matrix(rising()))
    assert len(unheard.kept) == 5
    assert any("other languages" in str(note) for note in unheard.notes)
    unscored = shortlist(demanding(), catalog(*of([f"new/{i}" for i in range(3)])), matrix(rising()))
    assert any("size and age" in str(note) for note in unscored.notes)
    assert "No published score" in str(unscored.kept[0].reasons[0])


def test_at_most_two_of_a_publisher():
    names = [*NAMES[:15], *(f"big/model{i}" for i in range(5))]
    found = shortlist(demanding(), catalog(*of(names)), matrix(rising(names)))
    assert models(found) == ["big/model4", "big/model3", *NAMES[14:11:-1]]
    assert "two models of big" in str(why_not(found, "big/model2").reason)


def test_copies_and_families_do_not_fill_the_list():
    copies = ["acme/best", "acme/best-INT8", "acme/best (embed_dim=512)"]
    tuned = [f"tuner{i}/best-tuned" for i in range(3)]
    names = [*NAMES[:12], *tuned, *copies]
    cards = [*of(NAMES[:12]), *of(copies), *of(tuned, adapted_from="acme/best")]
    found = shortlist(demanding(), catalog(*cards), matrix(rising(names)))
    assert models(found)[0] == copies[-1]
    assert sum(m in copies for m in models(found)) == 1
    assert why_not(found, "acme/best").constraint == "rank"
    assert "another copy" in str(why_not(found, "acme/best").reason)
    cards = [*of(NAMES[:12]), *of(tuned, adapted_from="acme/best"), card("acme/best")]
    tuned_found = shortlist(demanding(), catalog(*cards), matrix(rising([*NAMES[:12], "acme/best", *tuned])))
    family = [m for m in models(tuned_found) if m in tuned or m == "acme/best"]
    assert len(family) == PER_FAMILY
    assert "made from acme/best" in str(why_not(tuned_found, "acme/best").reason)


def test_models_adapted_from_each_other_do_not_loop():
    loop = [card("a/one", adapted_from="b/two"), card("b/two", adapted_from="a/one")]
    assert shortlist(demanding(), catalog(*of(), *loop), matrix(rising([*NAMES, "a/one", "b/two"]))).considered == 22


def test_what_cannot_be_built_takes_one_place_while_others_are_left():
    apis = [f"vendor{i}/api" for i in range(4)]
    cards = [*of(), *of(apis, is_api=True)]
    found = shortlist(demanding(), catalog(*cards), matrix(rising([*NAMES, *apis])))
    assert [pick.model for pick in found.kept if pick.spec is None] == [apis[-1]]
    assert "cannot build it" in str(why_not(found, apis[0]).reason)
    assert any("published figures only" in str(r) for r in found.kept[0].reasons)
    only = shortlist(demanding(), catalog(*cards[20:], *cards[:1]), matrix(rising([*NAMES, *apis])))
    assert len(only.kept) == 5


def test_one_place_for_a_broadly_tested_model():
    columns = rising(NAMES[:10], tasks=12)
    for t in range(3):
        columns[f"en{t}", "en"] |= {m: 0.8 + 0.01 * i for i, m in enumerate(NAMES[10:])}
    found = shortlist(demanding(), catalog(*of()), matrix(columns))
    assert models(found) == [*NAMES[:-5:-1], NAMES[9]]
    assert any("broadly tested" in str(reason) for reason in found.kept[-1].reasons)
    assert not any("broadly tested" in str(reason) for pick in found.kept[:-1] for reason in pick.reasons)
    assert models(shortlist(demanding(), catalog(*of()), matrix(columns), k=1)) == [NAMES[-1]]


def test_a_missed_wish_costs_places_and_is_mentioned():
    wish = make_constraint("max_tokens", tokens=1024, hard=False)
    cards = [card(name, max_tokens=512 if i == 19 else 2048) for i, name in enumerate(NAMES)]
    found = shortlist(demanding(wish), catalog(*cards), matrix(rising()))
    plain = {p.model: p.predicted.mean for p in shortlist(demanding(), catalog(*cards), matrix(rising()), 20).kept}
    places = sorted(plain, key=lambda m: -plain[m] + SOFT_PENALTY * (m == NAMES[-1]))
    assert models(found) == places[:5] != NAMES[:-6:-1]
    (pick,) = [p for p in found.kept if p.model == NAMES[-1]]
    assert pick.predicted.mean == plain[NAMES[-1]]
    assert any("wish" in str(reason) for reason in pick.reasons)


def test_reasons_carry_the_figures():
    model = card(
        NAMES[-1],
        training_datasets=("en0", "en2", "elsewhere"),
        superseded_by="org/newer",
        parameters=118_000_000,
        max_tokens=8192,
        dimension=1024,
    )
    found = shortlist(
        demanding(),
        catalog(*of(NAMES[:-1], training_data_known=False), model),
        matrix(rising() | rising(tasks=2, language="ja"), suspect=[("en1", NAMES[-1])]),
    )
    said = " ".join(map(str, found.kept[0].reasons))
    for part in ("4 in English", "6 in all", "2 of these 4", "Licence: MIT", "118 M", "450 MB", "8,192", "1,024",
                 "org/newer", "may be a mistake"):  # fmt: skip
        assert part in said
    assert "not known" in " ".join(map(str, found.kept[1].reasons))
    chinese = " ".join(r.render("zh") for r in found.kept[0].reasons)
    assert "许可证" in chinese
    assert "英语" in chinese
    assert "Licence" not in chinese


def test_several_languages_are_combined_openly():
    scores = matrix(rising() | rising(language="ja"))
    found = shortlist(demanding(languages=("en", "ja")), catalog(*of()), scores)
    assert any("means over English, Japanese" in str(note) for note in found.notes)
    assert any("predicted for English" in str(n) for n in shortlist(Requirements(), catalog(*of()), scores).notes)


def test_of_several_languages_the_poorest_decides_on_evidence():
    columns = rising() | rising(language="ja")
    for t in range(4):
        columns[f"en{t}", "en"] |= {"english/only": 0.9}
    cards = catalog(*of(), card("english/only"))
    assert "english/only" in models(shortlist(demanding(), cards, matrix(columns)))
    both = shortlist(demanding(languages=("en", "ja")), cards, matrix(columns))
    assert why_not(both, "english/only").constraint == "evidence"


# ---------------------------------------------------------------- nothing left


def test_nothing_left_names_the_smallest_relaxations():
    cards = [*of(NAMES[:12], max_tokens=512), *of(NAMES[12:], max_tokens=8192, commercial="no", license="CC-BY-NC-4.0")]
    requirements = demanding(make_constraint("license"), make_constraint("max_tokens", tokens=4096))
    with pytest.raises(NothingLeftError) as caught:
        shortlist(requirements, catalog(*cards), matrix(rising()))
    said = caught.value.render()
    assert "4,096 tokens”: 12 models" in said
    assert "commercial use allowed”: 8 models" in said
    assert said.index("12 models") < said.index("8 models")
    assert "languages" not in said
    assert "放宽" in caught.value.render("zh")


def test_nothing_left_for_two_reasons_names_both_together():
    cards = of(max_tokens=512, commercial="no", license="CC-BY-NC-4.0")
    requirements = demanding(make_constraint("license"), make_constraint("max_tokens", tokens=4096))
    with pytest.raises(NothingLeftError, match=r"commercial use allowed \+ .*4,096 tokens”: 20 models"):
        shortlist(requirements, catalog(*cards), matrix(rising()))


def test_a_relaxation_admits_as_many_as_it_says():
    requirements = demanding(
        make_constraint("modality", modalities=("text", "image", "audio", "video")),
        make_constraint("parameters", max_millions=100),
        make_constraint("open_weights"),
        make_constraint("license"),
    )
    with pytest.raises(NothingLeftError) as caught:
        shortlist(requirements, load_catalog(), load_scores())
    said = caught.value.render()
    helpful = 0
    for kind in ("modality", "parameters", "open_weights", "license", "languages"):
        relaxed = requirements.without_constraint(kind)
        try:
            found = shortlist(relaxed, load_catalog(), load_scores(), k=1)
        except NothingLeftError:
            continue
        admitted = 1 + sum(r.constraint in ("rank", "evidence") for r in found.rejected)
        assert f": {admitted} models" in said
        helpful += 1
    assert helpful


def test_an_empty_catalog_is_nothing_left():
    with pytest.raises(NothingLeftError):
        shortlist(demanding(), catalog(), matrix(rising()))


# ---------------------------------------------------------------- the real catalog


def test_the_same_question_gets_the_same_answer():
    requirements = demanding(make_constraint("license"), languages=("de", "en"))
    first = shortlist(requirements, load_catalog(), load_scores())
    again = shortlist(requirements, load_catalog(), load_scores())
    assert first == again
    assert Shortlist.model_validate_json(first.model_dump_json()) == first


def test_no_yardstick_is_recommended():
    found = shortlist(demanding(), load_catalog(), load_scores(), k=1000)
    assert not [m for m in models(found) if "baseline" in m]


CONSTRAINTS = st.lists(
    st.one_of(
        st.builds(lambda ls, hard: make_constraint("languages", languages=tuple(ls), hard=hard),
                  st.lists(st.sampled_from(["en", "zh", "de", "ja", "sw", "yo", "zu", "la"]), min_size=1, unique=True),
                  st.booleans()),
        st.builds(lambda hard: make_constraint("license", hard=hard), st.booleans()),
        st.builds(lambda n, hard: make_constraint("max_tokens", tokens=n, hard=hard),
                  st.sampled_from([128, 512, 2048, 8192, 32768, 10**6]), st.booleans()),
        st.builds(lambda n, hard: make_constraint("parameters", max_millions=n, hard=hard),
                  st.sampled_from([1, 30, 150, 600, 8000]), st.booleans()),
        st.builds(lambda hard: make_constraint("open_weights", hard=hard), st.booleans()),
        st.builds(lambda ms: make_constraint("modality", modalities=ms),
                  st.sampled_from([("text",), ("image",), ("text", "image"), ("text", "audio"), ("video",)])),
    ),
    max_size=5,
    unique_by=lambda c: c.kind,
)  # fmt: skip


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(constraints=CONSTRAINTS, task=st.sampled_from(Task.__args__), k=st.integers(1, 12))
def test_whatever_is_asked_the_rules_hold(constraints, task, k):
    requirements = Requirements(task=task, constraints=tuple(constraints))
    every = load_catalog()
    try:
        found = shortlist(requirements, every, load_scores(), k)
    except NothingLeftError:
        usable = [c for c in every.cards if is_encoder(c) and "baseline" not in c.model]
        modalities = make_constraint("modality", modalities=tuple(sorted(wanted_modalities(requirements))))
        hard = [c for c in (modalities, *requirements.constraints) if c.hard]
        assert all(any(c.excludes(c.check(one)) for c in hard) for one in usable)
        return
    kept, rejected = models(found), [r.model for r in found.rejected]
    assert 1 <= len(kept) <= k
    assert sorted([*kept, *rejected]) == sorted(c.model for c in every.cards)
    assert found.considered == len(every.cards)
    for pick in found.kept:
        chosen = every.card(pick.model)
        assert is_encoder(chosen)
        for constraint in requirements.constraints:
            assert not constraint.excludes(constraint.check(chosen)), (pick.model, constraint)
        assert pick.reasons
        assert pick.predicted.low <= pick.predicted.mean <= pick.predicted.high
    publishers = [every.card(m).organisation for m in kept]
    assert max(publishers.count(p) for p in publishers) <= PER_PUBLISHER
    for rejection in found.rejected:
        blocked = every.card(rejection.model)
        demanded = [c for c in requirements.constraints if c.excludes(c.check(blocked))]
        if rejection.constraint in ("rank", "evidence"):
            assert not demanded
        elif rejection.constraint not in ("baseline", "architecture", "modality"):
            assert rejection.constraint == next(c.kind for c in demanded if c.kind != "modality")
