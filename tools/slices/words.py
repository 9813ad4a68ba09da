"""Parts of the queries in words: which traits there are, and what a routing does, gains and costs."""

from __future__ import annotations

from collections.abc import Mapping

from knowledge.quantities import memory, points
from knowledge.results import Interval, Recommendation, Routed, Routing, Slices
from knowledge.wording import Text, join, say

#: what is known of a query before anything is found
LENGTH, LANGUAGE, KIND = say("length of the query"), say("language of the query"), say("kind of the query")
QUESTIONS, KEYWORDS, STATEMENTS = say("questions"), say("keywords"), say("statements")
CODE, NUMBERS = say("code"), say("numbers or ids")
_SEMICOLON = Text(template="; ")


def routing_advice(route: Routing, metric: str) -> Text:
    """What to send where, what that gains on those queries and over all, and what it costs."""
    return join([_split(route, metric), _whole(route, metric), _cost(route)])


def routing_in_short(route: Routing, metric: str) -> Text:
    """The same in one sentence."""
    return say(
        "Routing by {trait} would beat one model: {parts}, all else to {winner}: {gain} points of {metric} over all "
        "queries (95 % interval {low} to {high}).",
        trait=route.trait,
        parts=join([say("{part} to {spec}", part=one.part, spec=one.spec) for one in route.parts], _SEMICOLON),
        winner=route.otherwise,
        metric=metric,
        **_ends(route.gain, "gain"),
    )


def with_routing(recommendation: Recommendation, found: Slices | None) -> Recommendation:
    """The recommendation, with the best routing among what would change it."""
    if found is None or not found.routing:
        return recommendation
    told = routing_in_short(found.routing[0], found.metric)
    return recommendation.model_copy(update={"what_would_change_it": (told, *recommendation.what_would_change_it)})


def _ends(interval: Interval, mean: str) -> dict[str, str]:
    return {mean: points(interval.mean), "low": points(interval.low), "high": points(interval.high)}


def _split(route: Routing, metric: str) -> Text:
    parts = [_part(one, route.queries, metric) for one in route.parts]
    return say(
        "By {trait}, send {parts}; all else to {winner}.",
        trait=route.trait,
        parts=join(parts, _SEMICOLON),
        winner=route.otherwise,
    )


def _part(one: Routed, queries: int, metric: str) -> Text:
    return say(
        "{part} to {spec} ({gain} points of {metric} on those {count} of {total} queries, {level} interval {low} to "
        "{high}{cite})",
        part=one.part,
        spec=one.spec,
        metric=metric,
        count=one.queries,
        total=queries,
        level=f"{one.difference.level:.1%}",
        cite=_cite(one.cites, "difference"),
        **_ends(one.difference, "gain"),
    )


def _whole(route: Routing, metric: str) -> Text:
    against = [(route.otherwise, route.gain, "gain")]
    against += [(spec, interval, f"over/{spec}") for spec, interval in route.over.items()]
    gains = [
        say(
            "{gain} points over {spec} alone (95 % interval {low} to {high}{cite})",
            spec=spec,
            cite=_cite(route.cites, name),
            **_ends(interval, "gain"),
        )
        for spec, interval, name in against
    ]
    return say(
        "Over all queries that gives, in {metric}, {gains}: chosen on one half of the queries and measured on the "
        "other, so expect about that and not more.",
        metric=metric,
        gains=join(gains, _SEMICOLON),
    )


def _cite(cites: Mapping[str, str], name: str) -> str:
    return f" [{cites[name]}]" if name in cites else ""


def _cost(route: Routing) -> Text:
    if route.shared:
        return say("It costs no further model in memory: they share it.")
    if route.memory_mb is not None:
        return say(
            "It costs {count} set-ups in memory at once ({memory} in all), each with its own index of the documents.",
            count=1 + len(route.over),
            memory=memory(route.memory_mb),
        )
    return say(
        "It costs {count} set-ups in memory at once, each with its own index of the documents.",
        count=1 + len(route.over),
    )
