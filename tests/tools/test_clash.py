"""The relaxations named in a clash are the smallest: found again by trying every set of demands."""

import itertools

import pytest

from knowledge.catalog import load_catalog
from knowledge.constraints import make_constraint
from knowledge.errors import NothingLeftError
from knowledge.requirements import Requirements
from knowledge.scores import load_scores
from tools.shortlist import shortlist
from tools.shortlist.loosening import loosened

#: what nobody meets, each over the shipped catalog
CLASHES = [
    {"hosting": {}, "memory": {"max_mb": 20}, "languages": {"languages": ("th",)}},
    {
        "hosting": {},
        "parameters": {"max_millions": 5},
        "max_tokens": {"tokens": 8192},
        "languages": {"languages": ("ja",)},
    },
    {
        "hosting": {},
        "parameters": {"max_millions": 10},
        "dimension": {"max_dimension": 8},
        "languages": {"languages": ("th",)},
    },
    {
        "license": {"allowed": ("mit",), "commercial": True},
        "memory": {"max_mb": 20},
        "max_tokens": {"tokens": 40_000},
        "languages": {"languages": ("zh", "ar")},
        "dimension": {"max_dimension": 8},
    },
    {"hosting": {"hosting": "api"}, "open_weights": {}, "parameters": {"max_millions": 30}},
]


@pytest.fixture(scope="module")
def catalog():
    return load_catalog(), load_scores()


def requirements_of(demands):
    return Requirements(
        task="search", constraints=tuple(make_constraint(kind, **values) for kind, values in demands.items())
    )


def leaves_some(requirements, dropped, catalog):
    for kind in dropped:
        requirements = requirements.without_constraint(kind)
    try:
        return bool(shortlist(requirements, *catalog, 5).kept)
    except NothingLeftError:
        return False


@pytest.mark.parametrize("demands", CLASHES, ids=lambda demands: "+".join(demands))
def test_the_relaxations_are_the_smallest_and_each_is_enough(demands, catalog):
    requirements = requirements_of(demands)
    with pytest.raises(NothingLeftError) as raised:
        shortlist(requirements, *catalog, 5)
    clash = raised.value.clash
    sizes = (
        size
        for size in range(1, len(demands) + 1)
        if any(leaves_some(requirements, dropped, catalog) for dropped in itertools.combinations(demands, size))
    )
    smallest = next(sizes)
    assert clash.relaxations, "something can always be given up"
    for relaxation in clash.relaxations:
        assert len(relaxation.kinds) == smallest
        assert leaves_some(requirements, relaxation.kinds, catalog)
        assert relaxation.models >= len(relaxation.best) > 0
    enough = {
        frozenset(dropped)
        for dropped in itertools.combinations(demands, smallest)
        if leaves_some(requirements, dropped, catalog)
    }
    assert {frozenset(r.kinds) for r in clash.relaxations} <= enough


@pytest.mark.parametrize("demands", CLASHES, ids=lambda demands: "+".join(demands))
def test_those_who_clash_are_the_fewest(demands, catalog):
    """Together they leave none, and any one fewer leaves some."""
    requirements = requirements_of(demands)
    with pytest.raises(NothingLeftError) as raised:
        shortlist(requirements, *catalog, 5)
    together = [kind for kind in raised.value.clash.together if kind in demands]
    assert together
    assert not leaves_some(requirements, set(demands) - set(together), catalog)
    for kind in together:
        assert leaves_some(requirements, {*(set(demands) - set(together)), kind}, catalog)


@pytest.mark.parametrize(
    ("kind", "values"), [("parameters", {"max_millions": 5}), ("memory", {"max_mb": 20})], ids=lambda v: str(v)
)
def test_a_number_moves_no_further_than_the_nearest_model_needs(kind, values, catalog):
    """The one told of first: those that were run in the language come before the others."""
    demands = {"hosting": {}, "languages": {"languages": ("th",)}, kind: values}
    with pytest.raises(NothingLeftError) as raised:
        shortlist(requirements_of(demands), *catalog, 5)
    moved = next(r for r in raised.value.clash.relaxations if r.how == "loosen" and r.kinds == (kind,))
    demand, name = make_constraint(kind, **values), next(iter(values))
    steps = {
        card.model: getattr(step[0], name) for card in catalog[0].cards if (step := loosened(demand, card)) is not None
    }
    told = moved.change.render("en")
    admits = {model: needed for model, needed in steps.items() if _reads(kind, name, needed) in told}
    assert admits, "the demand that is named is what some model needs"
    needed = min(admits.values())
    better = [one for one in moved.best if steps[one.model] <= needed]
    assert better, "and who needs it is admitted"
    others = requirements_of({key: value for key, value in demands.items() if key != kind})
    smaller = others.with_constraint(make_constraint(kind, **{name: needed - 1}))
    try:
        kept = {pick.model for pick in shortlist(smaller, *catalog, 50).kept}
    except NothingLeftError:
        kept = set()
    assert moved.best[0].model not in kept, "one less does not admit who is told of first"


def _reads(kind, name, needed):
    """How the demand reads that asks for so much."""
    return "“" + make_constraint(kind, **{name: needed}).describe().render("en") + "” instead of"
