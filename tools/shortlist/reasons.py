"""Why a model is on the list, with the figures."""

from __future__ import annotations

from knowledge.evidence import RETRIEVAL_TASKS, Forecast, wanted_modalities
from knowledge.languages import language_names
from knowledge.model_card import ModelCard
from knowledge.requirements import Requirements
from knowledge.results import Pick
from knowledge.wording import Text, say
from tools.shortlist.demands import BASELINE, MILLIONS_ON_CPU, is_limited_to_cpu
from tools.shortlist.ranked import Ranked


def pick(entry: Ranked, seen: Forecast, requirements: Requirements, broad: bool) -> Pick:
    """The model as the list shows it: evidence, facts, and what is missed or not known."""
    card = entry.card
    reasons = [*_evidence(entry, seen, requirements), *_facts(card)]
    if broad:
        reasons.append(say("Holds the place of a broadly tested model, so that one of the list is sure to be."))
    reasons += [say("Misses a wish of yours: {reason}.", reason=reason) for reason in entry.missed]
    if card.superseded_by:
        reasons.append(say("Its publisher names {model} as its successor.", model=card.superseded_by))
    if card.spec is None:
        reasons.append(say("This program cannot build it: it can be judged by published figures only."))
    return Pick(
        spec=card.spec,
        model=card.model,
        predicted=entry.prediction,
        reasons=tuple(reasons),
        unknown=entry.unknown,
    )


def _evidence(entry: Ranked, seen: Forecast, requirements: Requirements) -> list[Text]:
    card, prediction = entry.card, entry.prediction
    if not prediction.tasks_in_all:
        return [say("No published score on such tasks: placed by size, age and dimension alone.")]
    tasks = seen.tasks[card.model]
    reasons = [
        say(
            "Predicted {metric} {mean}; benchmark tasks behind it: {tasks} in {language}, {all} in all.",
            metric=prediction.metric,
            mean=f"{prediction.mean:.2f}",
            tasks=len(tasks),
            language=language_of(requirements, seen),
            all=prediction.tasks_in_all,
        )
    ]
    trained = len(set(tasks) & set(card.training_datasets))
    if trained:
        reasons.append(
            say(
                "Trained on benchmark tasks: {trained} of these {tasks}; its scores may flatter it.",
                trained=trained,
                tasks=len(tasks),
            )
        )
    elif not card.training_data_known:
        reasons.append(say("What it was trained on is not known: its scores may flatter it."))
    if card.model in seen.suspect:
        reasons.append(say("One of its published scores stands out so far that it may be a mistake."))
    return reasons


def _facts(card: ModelCard) -> list[Text]:
    license_name = card.license or "?"
    reasons = [
        say("An API: your texts leave this machine.")
        if card.is_api
        else say("Licence: {license}.", license=license_name)
    ]
    if card.parameters:
        millions = f"{card.parameters / 1e6:,.0f}"
        memory = f"{card.memory_at(4):,.0f}"
        reasons.append(say("{millions} M parameters ({memory} MB in fp32).", millions=millions, memory=memory))
    if card.max_tokens:
        reasons.append(say("Reads up to {tokens:,} tokens.", tokens=card.max_tokens))
    if card.dimension:
        reasons.append(say("{dimension:,} dimensions.", dimension=card.dimension))
    return reasons


def notes_on(requirements: Requirements, seen: Forecast, kept: int) -> list[Text]:
    """What holds for the whole list."""
    notes = []
    by_retrieval = requirements.task.value in RETRIEVAL_TASKS
    if not requirements.languages and seen.languages:
        notes.append(
            say("No language is known yet: predicted for {language}.", language=language_of(requirements, seen))
        )
    if len(seen.languages) > 1:
        notes.append(say("Predicted scores are means over {languages}.", languages=language_names(seen.languages)))
    if is_limited_to_cpu(requirements):
        notes.append(
            say(
                "Without a GPU, models over {limit} million parameters are left out: they take more than 0.8 s a "
                "query. Name a limit of size, memory or latency to change that.",
                limit=MILLIONS_ON_CPU,
            )
        )
    if kept > 1 and by_retrieval:
        notes.append(
            say("A predicted gap between two of these is good to ±7 points (80 %): measure before you choose.")
        )
    if BASELINE in seen.predictions and by_retrieval and "text" in wanted_modalities(requirements):
        notes.append(say("Measure BM25 beside them: a model that does not beat it is not worth its cost."))
    return notes


def language_of(requirements: Requirements, seen: Forecast) -> Text:
    """The language that scores were counted in."""
    if requirements.task.value == "code_search":
        return say("program code")
    return language_names(seen.languages) if seen.languages else say("all languages")
