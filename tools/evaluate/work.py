"""What is measured of candidates on one dataset: rankings of documents, or a task on labelled texts and pairs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Protocol

import numpy as np

from knowledge.candidate import Candidate, Leg
from knowledge.dataset import Dataset
from knowledge.errors import AdvisorError, DatasetError
from knowledge.measured_task import NAMES, MeasuredTask, measurable, measured_task
from knowledge.requirements import Task
from knowledge.results import MeasuredCandidate
from knowledge.wording import Text, join, say
from tools import tasks
from tools.encoders import Resolved
from tools.evaluate import features
from tools.evaluate.measure import BM25_READING, Measured, key_of, measure, record
from tools.evaluate.search import store_for
from tools.evaluate.session import Searched, Session, judged
from tools.metrics import judgments as labels
from tools.metrics import scoring
from tools.retrieval import DEPTH as DEPTH
from tools.retrieval import Rankings
from tools.run_store import content_key
from tools.workspace import Workspace

Measure = Callable[[Candidate, str], Measured]


class Work(Protocol):
    """What is to be measured.

    Attributes:
        task: which task.
        metrics: the first is the primary one.
        count: queries, texts or pairs that are scored.
        same: ids of what has the same text; tests take them for one.
    """

    task: MeasuredTask
    metrics: tuple[str, ...]
    count: int
    same: tuple[tuple[str, ...], ...]

    def session(self, workspace: Workspace, resolved: dict[Leg, Resolved]) -> Session:
        """What the measurement has at hand, its encoders as they are looked at beforehand."""
        ...

    def encoding(self, session: Session) -> Session:
        """The same with the encoders and texts as they are encoded."""
        ...

    def refuse(self, candidate: Candidate, session: Session) -> AdvisorError | None:
        """Why a candidate can have no part in this; None where it can."""
        ...

    def key(self, candidate: Candidate, session: Session) -> str:
        """Identity of a measurement: everything that decides its result; of an `encoding` session."""
        ...

    def measuring(self, candidates: Sequence[Candidate], session: Session) -> AbstractContextManager[Measure]:
        """What measures one candidate under its key; of an `encoding` session."""
        ...

    def notes(self, found: Sequence[MeasuredCandidate]) -> tuple[Text, ...]:
        """What was done to the labels before anything was scored, and what of them the candidates lack."""
        ...

    def warnings(self, found: Sequence[MeasuredCandidate]) -> tuple[Text, ...]:
        """Why the order of the candidates may be another than the figures say."""
        ...


def work_for(dataset: Dataset, task: Task | MeasuredTask | None, metrics: Sequence[str] | None) -> Work:
    """What is measured on a dataset for the user's task.

    Args:
        dataset: with its labels.
        task: the user's; None: what the data has labels for, rankings first.
        metrics: None: all of the task's.

    Raises:
        UserError: a metric that the task does not have.
        DatasetError: the data has no labels for that task, or they tell nothing.
    """
    kind = measured_task(dataset.summary, task)
    if kind is None and measurable(dataset.summary) and task is not None:
        raise unsuitable(dataset, task)
    if kind is None or kind == "ranking":
        return Ranking(dataset, tuple(scoring.for_task(task) if metrics is None else metrics))
    return ByTask(dataset, kind, metrics)


def unsuitable(dataset: Dataset, task: Task | MeasuredTask) -> DatasetError:
    """The error for labels that are for something else."""
    has = join([NAMES[kind] for kind in measurable(dataset.summary)], Text(template=", "))
    return DatasetError(
        say("{name} has no labels for {task}, only for: {has}.", name=dataset.summary.name, task=task, has=has),
        say("Leave the task out to measure that, or name the columns that hold the labels (see “Your data”)."),
    )


class Ranking:
    """Rankings of the documents for each query that has a relevant one."""

    task: MeasuredTask = "ranking"

    def __init__(self, dataset: Dataset, metrics: tuple[str, ...]) -> None:
        scoring.check_metrics(metrics)
        self.metrics = metrics
        self._treated = labels.treat(dataset)
        self._judgments = judged(self._treated.dataset)
        self.count = len(self._judgments)
        self.same = self._treated.same_queries

    def session(self, workspace: Workspace, resolved: dict[Leg, Resolved]) -> Session:
        """See `Work`."""
        queries = {query: self._treated.dataset.queries[query] for query in self._judgments}
        return Session(self._treated, queries, workspace, resolved, max(DEPTH, scoring.depth_of(self.metrics)))

    def encoding(self, session: Session) -> Session:
        """See `Work`."""
        return session

    def refuse(self, candidate: Candidate, session: Session) -> AdvisorError | None:
        """See `Work`."""
        return None

    def key(self, candidate: Candidate, session: Session) -> str:
        """See `Work`."""
        return key_of(candidate, session, self.metrics)

    @contextmanager
    def measuring(self, candidates: Sequence[Candidate], session: Session) -> Iterator[Measure]:
        """See `Work`."""
        # opened only now: Milvus Lite complains about clients that idle while models encode
        with store_for(candidates, session) as store:
            yield lambda candidate, key: measure(candidate, key, session, store, self._judgments, self.metrics)

    def notes(self, found: Sequence[MeasuredCandidate]) -> tuple[Text, ...]:
        """See `Work`."""
        return (*labels.notes(self._treated), *labels.holes(found, self._treated, self.metrics[0]))

    def warnings(self, found: Sequence[MeasuredCandidate]) -> tuple[Text, ...]:
        """See `Work`."""
        return labels.warnings(found, self._treated, self.metrics[0])


class ByTask:
    """A task that wants one vector a text (`tools.tasks`)."""

    def __init__(self, dataset: Dataset, kind: MeasuredTask, metrics: Sequence[str] | None) -> None:
        self.task = kind
        self._task = tasks.load(kind)
        self.metrics = tuple(self._task.METRICS if metrics is None else metrics)
        tasks.check_metrics(kind, self.metrics)
        self._dataset = dataset
        self._job = self._task.prepare(dataset)
        self.count, self.same = len(self._job.items), self._job.same

    def session(self, workspace: Workspace, resolved: dict[Leg, Resolved]) -> Session:
        """See `Work`."""
        return Session(labels.Treated(self._dataset, same_queries=self.same), {}, workspace, resolved, 0)

    def encoding(self, session: Session) -> Session:
        """See `Work`."""
        treated = replace(session.treated, dataset=replace(self._dataset, documents=self._job.texts))
        with_prompts = {leg: features.with_prompt(found, self.task) for leg, found in session.resolved.items()}
        return replace(session, treated=treated, resolved=with_prompts)

    def refuse(self, candidate: Candidate, session: Session) -> AdvisorError | None:
        """See `Work`."""
        leg = candidate if isinstance(candidate, Leg) else None
        return features.refusal(candidate, session.resolved.get(leg) if leg else None, self.task)

    def key(self, candidate: Candidate, session: Session) -> str:
        """See `Work`."""
        resolved = session.resolved.get(candidate) if isinstance(candidate, Leg) else None
        return content_key(
            task=self.task,
            method=self._task.VERSION,
            spec=candidate.spec,
            encoder=resolved.fingerprint if resolved else BM25_READING,
            prompts=resolved.prompts if resolved else None,
            normalise=resolved.normalise if resolved else None,
            dataset=session.dataset.summary.hash,
            metrics=list(self.metrics),
        )

    @contextmanager
    def measuring(self, candidates: Sequence[Candidate], session: Session) -> Iterator[Measure]:
        """See `Work`."""
        yield lambda candidate, key: self._measure(candidate, key, session)

    def _measure(self, candidate: Candidate, key: str, session: Session) -> Measured:
        assert isinstance(candidate, Leg)
        resolved = session.resolved.get(candidate)
        begun = time.perf_counter()
        made = features.features(candidate, resolved, list(self._job.texts.values()), session.workspace)
        read = time.perf_counter()
        figures, answers = self._job.score(made)
        searched = Searched(
            Rankings(np.zeros((0, 0), np.int64), np.zeros((0, 0))),
            dimension=made.own.shape[1] if resolved else None,
            index_seconds=read - begun,
            search_seconds=time.perf_counter() - read,
            notes=features.notes_of(resolved),
        )
        if resolved:
            searched = replace(searched, cost=session.costs[resolved.identity])
        scores = {metric: figures[metric] for metric in self.metrics}
        found = record(candidate, key, [resolved] if resolved else [], [searched], scores, session, self.metrics[0])
        # what an item contributes may reach beyond what any figure can be
        interval = found.interval.model_copy(update={"high": max(found.interval.mean, min(found.interval.high, 1.0))})
        return Measured(
            found.model_copy(update={"interval": interval}),
            scores,
            {item: [answer] for item, answer in answers.items()},
        )

    def notes(self, found: Sequence[MeasuredCandidate]) -> tuple[Text, ...]:
        """See `Work`."""
        return self._job.notes

    def warnings(self, found: Sequence[MeasuredCandidate]) -> tuple[Text, ...]:
        """See `Work`."""
        return self._job.warnings
