"""Where pairs are judged: the questions, the answers and what they come to, for whichever door asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from knowledge.dataset import Dataset
from knowledge.errors import UserError
from knowledge.results import Evaluation, Judging, Label
from knowledge.wording import say
from tools.active_labels import MOST, judging
from tools.active_labels.pool import Rankings
from tools.label_store import LabelStore, original_hash, place_of, with_labels
from tools.rescoring import kept_rankings, rescored
from tools.workspace import Workspace

#: no scale of relevance has more grades
HIGHEST = 10
#: characters of a name that somebody judges under
NAME = 100


@dataclass(frozen=True)
class Desk:
    """Pairs of one dataset that some candidates found.

    Attributes:
        found: spec -> query id -> ids of the first documents, best first.
        dataset: that they were found in, as it was read, without judgments given here.
        workspace: where judgments are kept.
        metric: in which the candidates are compared.
        margin: accepted loss.
        order: the candidates, cheapest first; None: costs are not known.
        most: answers after which it is enough.
        space: whose judgments, as `place_of` has it.
    """

    found: Mapping[str, Rankings]
    dataset: Dataset
    workspace: Workspace
    metric: str
    margin: float
    order: tuple[str, ...] | None = None
    most: int = MOST
    space: str = ""

    def look(self, count: int = 1) -> Judging:
        """How settled the decision is by all judgments so far, whoever gave them, and what to ask next."""
        return judging(
            self.found,
            self.dataset,
            self.labels(),
            metric=self.metric,
            margin=self.margin,
            order=self.order,
            most=self.most,
            count=count,
        )

    def labels(self) -> list[Label]:
        """All judgments given here, oldest first."""
        store = LabelStore(self.workspace.store)
        try:
            return store.given(place_of(self.dataset, self.space))
        finally:
            store.close()

    def give(self, labels: Sequence[Label]) -> None:
        """Keep judgments, all of them or none.

        Raises:
            UserError: a query or document that is not in the data, a grade that is none, or a name that is too long.
        """
        for label in labels:
            self._check(label)
        store = LabelStore(self.workspace.store)
        try:
            store.give(place_of(self.dataset, self.space), labels)
        finally:
            store.close()

    def take_back(self, query: str, document: str, who: str = "") -> bool:
        """Forget a judgment; False where there was none."""
        store = LabelStore(self.workspace.store)
        try:
            return store.take_back(place_of(self.dataset, self.space), query, document, who)
        finally:
            store.close()

    def labelled(self) -> Dataset:
        """The data with the judgments given here."""
        return with_labels(self.dataset, self.labels())

    def _check(self, label: Label) -> None:
        if label.query not in self.dataset.queries or label.document not in self.dataset.documents:
            raise UserError(
                say(
                    "{name} has no query “{query}” with a document “{document}”.",
                    name=self.dataset.summary.name,
                    query=label.query[:100],
                    document=label.document[:100],
                ),
                say("Take the ids from the questions, or from your files."),
            )
        if label.grade is not None and not 0 <= label.grade <= HIGHEST:
            raise UserError(
                say("{grade} is no grade.", grade=label.grade),
                say("0 is not relevant, 1 relevant; up to {most} where your labels have grades.", most=HIGHEST),
            )
        if len(label.who) > NAME:
            raise UserError(say("The name is too long."), say("Take up to {most} characters.", most=NAME))


def desk_of(
    evaluation: Evaluation,
    dataset: Dataset,
    workspace: Workspace,
    *,
    margin: float,
    specs: Sequence[str] | None = None,
    order: Sequence[str] | None = None,
    most: int = MOST,
    space: str = "",
) -> Desk:
    """The desk for what an evaluation found.

    Args:
        evaluation: whose rankings were kept.
        dataset: that it was made on, as it was read, without judgments given here.
        workspace: where the run store is.
        margin: accepted loss.
        specs: only these candidates; None: all.
        order: the candidates, cheapest first; None: costs are not known.
        most: answers after which it is enough.
        space: whose judgments, as `place_of` has it.

    Raises:
        UserError: it was made on other data, it ranked nothing, or its rankings were not kept.
    """
    if evaluation.task != "ranking":
        raise UserError(
            say("{run} ranked no documents, so there are no pairs to judge.", run=evaluation.run_id),
            say("Judge pairs of an evaluation of search."),
        )
    if (evaluation.dataset.original or evaluation.dataset.hash) != original_hash(dataset):
        raise UserError(
            say("{name} is not what {run} was measured on.", name=dataset.summary.name, run=evaluation.run_id),
            say("Measure again, or name the data with --data as it was."),
        )
    found = kept_rankings(evaluation, workspace)
    kept = {spec: found[spec] for spec in found if specs is None or spec in specs}
    cheapest_first = None if order is None else tuple(order)
    return Desk(kept, dataset, workspace, evaluation.primary, margin, cheapest_first, most, space)


def updated(evaluation: Evaluation, desk: Desk, now: dt.datetime) -> Evaluation:
    """The evaluation with all judgments so far; raises what `rescored` raises."""
    return rescored(evaluation, desk.labelled(), desk.workspace, now)
