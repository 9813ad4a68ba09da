"""Evaluations and recommendations under a handle: begun, looked at, ended."""

from __future__ import annotations

from pathlib import Path

from agent.advisor import Advisor
from agent.events import Progressed, StageStarted
from app.jobs import JobKind, Jobs, Work, event_of, result_of
from app.mcp import records, shown
from app.mcp.access import Caller
from knowledge.dataset import Dataset, content_hash
from knowledge.errors import DatasetError, ResourceError, UserError
from knowledge.results import DatasetSummary, Evaluation, Recommendation
from knowledge.wording import Language, Text, say
from tools.data_source import STDLIB, DataSource
from tools.datasets.writer import save_dataset
from tools.job_store import Job
from tools.plan import plan_named
from tools.run_scores import compare_runs

_KINDS: dict[str, JobKind] = {"evaluation": "evaluation", "recommendation": "recommendation"}


class Desk:
    """What the tools know of jobs, for callers who see their own only."""

    def __init__(self, advisor: Advisor, jobs: Jobs, *, reads_paths: bool) -> None:
        self._advisor, self._jobs, self._reads_paths = advisor, jobs, reads_paths
        self._inline = advisor.context.workspace.home / "uploads" / "inline"

    # ------------------------------------------------------------ data

    def source(
        self, data: str | None, inline: records.InlineData | None, documents: int | None, queries: int | None
    ) -> DataSource | None:
        """The data that a call names or sends along; None where it has none.

        Raises:
            UserError: two of them, or a file that this caller may not name.
            DatasetError: what was sent along does not fit together.
        """
        if inline is not None:
            if data is not None:
                raise UserError(
                    say("The call has two data sets."), say("Give either “data” or “inline”, and leave the other out.")
                )
            return DataSource(path=str(self._kept(inline)), untrusted=True)
        if data is None:
            return None
        if data == STDLIB:
            return DataSource(path=STDLIB, documents=documents, queries=queries)
        if not self._reads_paths:
            raise UserError(
                say("Callers from other machines cannot name files of this one."),
                say("Send the data along as “inline”, or take the sample “{name}”.", name=STDLIB),
            )
        return DataSource(path=data)  # as trusted as on the command line: it is the user's own machine

    def _kept(self, inline: records.InlineData) -> Path:
        """The data on disk, under a name that its content decides."""
        for query, grades in inline.judgments.items():
            lost = [d for d in grades if d not in inline.documents]
            if query not in inline.queries or lost:
                raise DatasetError(
                    say("The judgments of query “{query}” name what is not there.", query=query[:100]),
                    say("Use ids of “documents” and “queries”."),
                )
        name = content_hash(inline.documents, inline.queries, inline.judgments)
        folder = self._inline / f"inline-{name[:32]}"
        if not folder.exists():
            summary = DatasetSummary(
                name="inline",
                path="inline",
                hash=name,
                format="inline",
                documents=len(inline.documents),
                queries=len(inline.queries),
                judgments=sum(map(len, inline.judgments.values())),
                labels="gold" if inline.judgments else "none",
            )
            try:
                save_dataset(Dataset(summary, inline.documents, inline.queries, inline.judgments), folder)
            except (DatasetError, ResourceError):
                if not folder.exists():  # else the same was sent twice at once
                    raise
        return folder

    # ------------------------------------------------------------ jobs

    def plan(self, work: Work, kind: JobKind, language: Language) -> records.Status:
        """What it would cost, with how to agree to it; nothing is done."""
        assert work.source
        context = self._advisor.context
        dataset = context.dataset(work.source)
        found = plan_named(work.candidates, dataset, context.workspace, context.catalog, task=work.task)
        step = say("Nothing was measured. Ask the user; on a yes call it again with measure=true.")
        return records.Status(
            handle=None,
            kind=kind,
            state="needs_consent",
            next_step=_more_consent(step, shown.plan(found, language)).render(language),
            plan=shown.plan(found, language),
        )

    def start(self, caller: Caller, kind: JobKind, work: Work) -> Job:
        """Begin; it is on disk when this returns."""
        return self._jobs.submit(caller.owner, kind, work)

    def job(self, caller: Caller, handle: str) -> Job:
        """The caller's own job.

        Raises:
            UserError: there is none, or it is another's, which nobody is told.
        """
        found = self._jobs.store.job(handle[:100])
        if found is None or found.owner != caller.owner or found.kind not in _KINDS:
            raise UserError(
                say("There is no handle “{name}”.", name=handle[:100]),
                say("Use one that start_evaluation or recommend returned to you."),
            )
        return found

    def cancel(self, job: Job) -> None:
        """End it at the next place where nothing is lost."""
        self._jobs.cancel(job)

    def progress(self, job: Job, language: Language) -> records.Progress | None:
        """How far it has come."""
        step: Text | None = None
        share: float | None = None
        after = 0
        while page := self._jobs.store.events(job.id, after):
            after = page[-1].number
            for noted in page:
                if noted.kind not in ("progressed", "stage_started"):
                    continue
                event = event_of(noted.content)
                if isinstance(event, Progressed):
                    step, share = event.progress.label, event.progress.done / max(event.progress.total, 1)
                elif isinstance(event, StageStarted):
                    step, share = event.text, None
        return records.Progress(step=step.render(language), share=share) if step else None

    def status(self, job: Job, language: Language) -> records.Status:
        """All that is known of it."""
        progress = evaluation = recommendation = problem = plan = None
        step = (
            say("It is being ended. Call get_evaluation with this handle to see that it has.")
            if job.cancelling
            else say("Wait some seconds, then call get_evaluation with this handle.")
        )
        found = result_of(job) if job.state == "succeeded" else None
        if job.is_open:
            progress = self.progress(job, language)
        elif isinstance(found, Evaluation):
            workspace = self._advisor.context.workspace
            compared = compare_runs(workspace, [found]) if len(found.candidates) > 1 else None
            evaluation = shown.evaluation(found, compared, language)
            step = say("Done. Tell the user the figures with their intervals and verdicts.")
            if found.dataset.labels == "silver":
                step = say("{step} Say that the labels are silver: made from the data, judged by nobody.", step=step)
        elif isinstance(found, Recommendation):
            report = self._advisor.context.report_folder_of(found.run_id) / "report.html"
            named = str(report) if self._reads_paths and report.exists() else None
            recommendation = shown.recommendation(found, named, language)
            step = say("Done. Questions about it: explain or compare with this handle.")
            known = self._advisor.state(job.thread).get("plan")
            if known and not found.measured:
                plan = shown.plan(known, language)
                unmeasured = say("Nothing was measured. Ask the user; on a yes call it again with measure=true.")
                step = _more_consent(unmeasured, plan)
        elif job.state == "cancelled":
            step = say("It was ended. What was encoded is kept: the same call again goes on from there.")
        else:
            kept = job.problem or {}
            cause, then = (Text.model_validate(kept.get(name, "-")) for name in ("cause", "next_step"))
            problem = records.Problem(cause=cause.render(language), next_step=then.render(language))
            step = then
        return records.Status(
            handle=job.id,
            kind=_KINDS[job.kind],
            state=job.state,
            next_step=step.render(language),
            progress=progress,
            plan=plan,
            evaluation=evaluation,
            recommendation=recommendation,
            problem=problem,
        )

    def thread_of(self, job: Job) -> str:
        """The conversation that a recommendation was found in.

        Raises:
            UserError: it is an evaluation, or has not ended.
        """
        if job.kind != "recommendation":
            raise UserError(
                say("“{name}” is an evaluation, and decides nothing.", name=job.id),
                say("Its comparisons are in get_evaluation; a decision comes from recommend."),
            )
        if job.is_open:
            raise UserError(say("“{name}” has not ended yet.", name=job.id), say("Wait for it with get_evaluation."))
        return job.thread


def _more_consent(step: Text, plan: records.PlanShown) -> Text:
    """The next step with all that has to be agreed to besides measuring."""
    if plan.hosts:
        step = say("{step} Texts would be sent to: hosts={hosts}.", step=step, hosts=", ".join(plan.hosts))
    if plan.download_gb:
        step = say("{step} Downloads need download=true ({gb:.2f} GB).", step=step, gb=plan.download_gb)
    return step
