"""A recheck in sentences: for the terminal, a CI job's summary and the chat."""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.quantities import duration, storage
from knowledge.results.recheck import AskedAgain, Migration, NewModel, Recheck, Rescored
from knowledge.wording import Language, Text, join, say
from tools.recheck.rescored import change_in_words

_COMMA = Text(template=", ")
#: new models that are named
SHOWN = 3


def headline(found: Recheck) -> Text:
    """Stay or change, in one sentence."""
    if any(one.changed for one in found.asked_again):
        return say("Who answers as {incumbent} is no longer the model that was chosen.", incumbent=found.incumbent)
    if found.alert:
        return say("{incumbent} is no longer the best choice.", incumbent=found.incumbent)
    if untried(found):
        return say(
            "Nothing that was measured beats {incumbent} by more than your margin of {margin:.1f} points; {count} new "
            "models are predicted to, and were not measured.",
            incumbent=found.incumbent,
            margin=100 * found.margin,
            count=len(untried(found)),
        )
    return say(
        "Nothing beats {incumbent} by more than your margin of {margin:.1f} points, as far as was looked.",
        incumbent=found.incumbent,
        margin=100 * found.margin,
    )


def untried(found: Recheck) -> list[NewModel]:
    """New models that are predicted to be better, and were not measured."""
    measured = {one.spec for one in found.challengers}
    return [model for model in found.new_models if model.better and model.spec not in measured]


def on_models(found: Recheck) -> Text:
    """What came since the decision."""
    if not found.new_in_catalog:
        return say(
            "No new models since {decided}, by the catalog of {catalog}; a newer one: advisor catalog refresh.",
            decided=found.decided.isoformat(),
            catalog=found.catalog.isoformat(),
        )
    better = [model for model in found.new_models if model.better]
    told = say(
        "{new} models are new in the catalog since {decided}; {fit} of the first {looked} that meet your demands are "
        "predicted to be better by more than your margin.",
        new=found.new_in_catalog,
        decided=found.decided.isoformat(),
        fit=len(better),
        looked=len(found.new_models),
    )
    named = [_model(model) for model in (better or found.new_models)[:SHOWN]]
    parts = [told, *([say("{models}.", models=join(named, _COMMA))] if named else [])]
    return join([*parts, *([found.models_skipped] if found.models_skipped else [])])


def _model(model: NewModel) -> Text:
    if model.gain is None:
        return say("{model} (predicted {mean:.3f})", model=model.model, mean=model.predicted.mean)
    return say(
        "{model} (predicted {mean:.3f}, {gain:+.1f} points, 80 % interval {low:.3f} to {high:.3f})",
        model=model.model,
        mean=model.predicted.mean,
        gain=100 * model.gain,
        low=model.predicted.low,
        high=model.predicted.high,
    )


def on_data(found: Recheck) -> list[Text]:
    """How the data moved."""
    drift = found.drift
    if drift is None:
        return [say("The data was not compared: {why}", why=found.drift_skipped or Text(template="–"))]
    told = say(
        "Data since {since}: {then} documents then, {now} now; {new:.0%} are new, {gone:.0%} are gone; of the queries "
        "{queries:.0%} are new.",
        since=drift.since.isoformat(),
        then=drift.documents_then,
        now=drift.documents_now,
        new=drift.new_documents,
        gone=drift.gone_documents,
        queries=drift.new_queries,
    )
    moved = [shift for shift in drift.shifts if shift.moved]
    if not moved:
        return [told, say("Words, lengths and languages did not move further than chance, or than matters.")]
    return [
        told,
        *(shift.reason for shift in moved),
        say("It moved: judge some of today's queries, and measure again with them (advisor judge)."),
    ]


def on_scores(found: Recheck) -> list[Text]:
    """What was measured today."""
    told = [_the_same(one) for one in found.asked_again if not one.changed]
    changed = any(one.changed for one in found.asked_again)
    if found.incumbent_change:
        told.append((_as_stored if changed else _changed)(found.incumbent_change, found))
    if changed:
        told.append(
            say(
                "What was embedded before is not to be searched with what is embedded now: measure again (advisor "
                "evaluate embeds all of it anew), then embed the whole collection anew."
            )
        )
    told += [_compared(one, found) for one in found.challengers]
    if found.measuring_skipped:
        told.append(say("Not measured: {why}", why=found.measuring_skipped))
    return told


def _the_same(one: AskedAgain) -> Text:
    return say(
        "{host} was asked again for {texts} texts and gives the vectors of {since} (cosine {lowest:.4f} at least).",
        host=one.host,
        texts=one.texts,
        since=one.since.isoformat(),
        lowest=one.lowest or 0.0,
    )


def _as_stored(one: Rescored, found: Recheck) -> Text:
    return say(
        "Queries as {spec} embeds them today, among documents as they were stored: {metric} {now:.3f}; {change} "
        "against the vectors of then, on {queries} queries.",
        spec=one.spec,
        metric=found.metric,
        now=one.now.mean,
        change=change_in_words(one.difference),
        queries=one.queries,
    )


def _changed(one: Rescored, found: Recheck) -> Text:
    return say(
        "{spec} scores {metric} {now:.3f} today; {change} against the decision, on {queries} queries of both.",
        spec=one.spec,
        metric=found.metric,
        now=one.now.mean,
        change=change_in_words(one.difference),
        queries=one.queries,
    )


def _compared(one: Rescored, found: Recheck) -> Text:
    return say(
        "{spec} scores {metric} {now:.3f}: {change} against {incumbent}, {wins} queries won, {losses} lost.",
        spec=one.spec,
        metric=found.metric,
        now=one.now.mean,
        change=change_in_words(one.difference),
        incumbent=one.against,
        wins=one.wins,
        losses=one.losses,
    )


def on_migration(plan: Migration) -> Iterator[Text]:
    """What a change takes, and where thresholds go; its steps are apart."""
    if plan.hours is not None and plan.rate is not None:
        yield say(
            "Embedding {documents:,} documents with {new} takes {time} on a machine like this ({rate:.0f} a second, "
            "{source}).",
            documents=plan.documents,
            new=plan.new,
            time=duration(3600 * plan.hours),
            rate=plan.rate,
            source=plan.rate_source or Text(template="–"),
        )
    if plan.usd is not None:
        yield say("The API's tokens for that cost ${usd:,.2f}.", usd=plan.usd)
    if plan.vector_bytes is not None:
        yield say(
            "Until then {size} of new vectors lie beside the old ones.",
            size=storage(plan.vector_bytes),
        )
    for one in plan.thresholds:
        yield say(
            "Threshold {old:.3f} (keeps {keeps:.0%} of the right answers) becomes {new:.3f} [{low:.3f}, {high:.3f}]; "
            "of other documents {before:.1%} passed, {after:.1%} will.",
            old=one.old,
            keeps=one.keeps,
            new=one.new.mean,
            low=one.new.low,
            high=one.new.high,
            before=one.old_wrong,
            after=one.new_wrong,
        )
    if plan.no_thresholds:
        yield say("Thresholds on scores were not mapped: {why}", why=plan.no_thresholds)


def sentences(found: Recheck) -> list[Text]:
    """All but the plan, the headline first."""
    return [headline(found), *found.alert, on_models(found), *on_data(found), *on_scores(found)]


def markdown(found: Recheck, language: Language) -> str:
    """For a CI job's summary."""
    first, *others = [_line(text.render(language)) for text in sentences(found)]
    mark = "🔔" if found.alert else "🔎" if untried(found) else "✅"
    lines = [f"## {mark} {first}", "", *(f"- {line}" for line in others)]
    if found.migration:
        heading = say("From {old} to {new}", old=found.migration.old, new=found.migration.new)
        lines += ["", f"### {_line(heading.render(language))}", ""]
        lines += [f"- {_line(text.render(language))}" for text in on_migration(found.migration)]
        lines += ["", *(f"{i}. {_line(step.render(language))}" for i, step in enumerate(found.migration.steps, 1))]
    return "\n".join(lines) + f"\n\n`{found.run_id}` · `{found.decision}`\n"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("<", "&lt;")
