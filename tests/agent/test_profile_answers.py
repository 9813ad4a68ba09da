"""What the data says by itself."""

import pytest

from agent.profile_answers import learn_from
from knowledge.constraints import make_constraint
from knowledge.constraints.languages import LanguagesConstraint
from knowledge.requirements import Requirements, Slot
from knowledge.results import DataProfile, DatasetSummary, Lengths

SUMMARY = DatasetSummary(name="d", path="d", hash="0", format="beir", documents=7, queries=2, judgments=2)


def learn(documents, queries=None, requirements=None):
    found = DataProfile(
        dataset=SUMMARY,
        languages=documents,
        query_languages=queries or {},
        document_tokens=Lengths(mean=9, p50=8, p95=20.4, max=30),
    )
    return learn_from(found, requirements or Requirements())


def test_languages_sizes_and_modality_are_learnt():
    found, learnt = learn({"en": 0.7, "de": 0.25, "fr": 0.05})
    constraint = found.constraint(LanguagesConstraint)
    assert (constraint.languages, constraint.cross_lingual, constraint.origin) == (("en", "de"), False, "inferred")
    assert len(learnt) == 1
    assert "English 70%" in str(learnt[0])
    assert (found.documents.value, found.document_tokens.value) == (7, 20)
    assert {c.kind for c in found.constraints} == {"languages", "modality"}
    assert Requirements.model_validate_json(found.model_dump_json()) == found


def test_queries_in_another_language_need_a_model_that_knows_both():
    found, learnt = learn({"zh": 1.0}, {"en": 0.9, "nl": 0.1})
    constraint = found.constraint(LanguagesConstraint)
    assert (constraint.languages, constraint.cross_lingual) == (("zh", "en"), True)
    assert len(learnt) == 1
    # a few short queries taken for a related language are no second language
    found, _ = learn({"en": 1.0}, {"en": 0.8, "nl": 0.2})
    assert found.constraint(LanguagesConstraint).languages == ("en",)


def test_what_was_said_stays_and_the_contradiction_is_named():
    said = Requirements(documents=500, document_tokens=90).with_constraint(
        make_constraint("languages", languages=("de",))
    )
    found, learnt = learn({"en": 1.0}, requirements=said)
    assert found.languages == ("de",)
    assert (found.documents.value, found.document_tokens.value) == (500, 90)
    assert len(learnt) == 1
    _, learnt = learn({"de": 0.9, "en": 0.1}, requirements=said)
    assert learnt == ()


@pytest.mark.parametrize("languages", [{}, {"xx-unknown": 1.0}, {"en": 0.05}])
def test_no_language_to_speak_of(languages):
    found, learnt = learn(languages)
    assert found.languages == ()
    assert [text.render() for text in learnt] == ["Documents to index: 7"]


def test_what_was_inferred_from_data_follows_the_data_that_is_in_use():
    before, _ = learn({"de": 1.0}, {"en": 0.9})
    other = SUMMARY.model_copy(update={"documents": 1234})
    lengths = Lengths(mean=9, p50=8, p95=300, max=400)
    found, learnt = learn_from(DataProfile(dataset=other, languages={"zh": 1.0}, document_tokens=lengths), before)
    assert found.languages == ("zh",)
    assert (found.documents.value, found.document_tokens.value) == (1234, 300)
    assert found.constraint(LanguagesConstraint).because == "the documents are Chinese 100%"
    said = [text.render() for text in learnt]
    assert "Documents to index: 1,234" in said
    assert any("Chinese" in text for text in said)
    # of a language that cannot be told nothing is left either, and what was stated or inferred from words stays
    stated = found.with_constraint(
        make_constraint("languages", languages=("fr",), origin="inferred", because="French tickets")
    )
    found, _ = learn_from(DataProfile(dataset=SUMMARY), stated.model_copy(update={"documents": Slot(value=9)}))
    assert (found.languages, found.documents.value, found.document_tokens) == (("fr",), 9, None)
    assert learn_from(DataProfile(dataset=SUMMARY), before)[0].languages == ()


def test_it_learns_once():
    found, _ = learn({"en": 1.0})
    again, learnt = learn({"en": 1.0}, requirements=found)
    assert again == found
    assert learnt == ()


def test_the_task_follows_the_labels_unless_it_was_said():
    def of(requirements, **counts):
        labels = SUMMARY.model_copy(update={"queries": 0, "judgments": 0, **counts})
        return learn_from(DataProfile(dataset=labels), requirements)

    found, learnt = of(Requirements(), labelled=90, classes=3)
    assert (found.task.value, found.task.origin) == ("classification", "inferred")
    assert "labels for classification" in learnt[0].render()
    again, learnt = of(found, labelled=90, classes=3)
    assert again.task == found.task
    assert not any("labels for" in text.render() for text in learnt)
    # other data, other labels; and none at all
    assert of(found, pairs=9, scores="graded")[0].task.value == "similarity"
    assert of(found)[0].task == Requirements().task
    stated = Requirements(task="clustering")
    assert of(stated, labelled=90, classes=3)[0].task.value == "clustering"
