"""The tools: typed functions over the engine. Looking things up is free; what costs takes explicit consent."""

from __future__ import annotations

import functools
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, ParamSpec, TypeVar

import anyio
import anyio.to_thread
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from pydantic import Field, StringConstraints, ValidationError

from agent.advisor import Advisor
from agent.asking import Answered, answer_about, ask, check_needs, read_needs
from agent.settings import Settings
from agent.state import State
from agent.understanding.base import Understood
from agent.understanding.language import reply_language
from app.bug_log import write_bug_log
from app.jobs import Jobs, Work
from app.mcp import records, shown
from app.mcp.access import caller_with
from app.mcp.work import Desk
from app.mistakes import mistake
from app.specs import checked_specs
from knowledge.doors import through
from knowledge.errors import AdvisorError, RequirementsError, UnknownModelError, UserError
from knowledge.measured_task import MeasuredTask
from knowledge.requirements import Requirements
from knowledge.results import Consent
from knowledge.wording import Language, say
from tools.job_store import Job
from tools.shortlist import shortlist as find
from tools.tasks import check_metrics

#: seconds between two looks at a job that is waited for
LOOK_EVERY = 0.25
#: characters of a text that a call may have
LONGEST = 4000

P = ParamSpec("P")
R = TypeVar("R")

Need = Annotated[
    str,
    Field(
        max_length=LONGEST,
        description="what is needed, in English or Chinese: task, languages, licence, size, speed, hosting",
    ),
]
Demands = Annotated[
    dict[str, Any] | None,
    Field(
        description="the same as data, instead of `need`: {task, margin, constraints: [{kind, ...}]}, such as "
        '{"task": "search", "constraints": [{"kind": "languages", "languages": ["de"]}, {"kind": "license"}]}'
    ),
]
Data = Annotated[
    str | None,
    Field(
        max_length=LONGEST,
        description="path of a folder or file with documents, queries and judgments, with texts and their classes, or "
        "with pairs of texts; or stdlib, a sample",
    ),
]
Inline = Annotated[records.InlineData | None, Field(description="a small dataset sent along, instead of `data`")]
Documents = Annotated[int | None, Field(ge=1, description="size of the sample stdlib")]
Queries = Annotated[int | None, Field(ge=1, description="queries of the sample stdlib")]
Spec = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Candidates = Annotated[
    list[Spec],
    Field(
        max_length=20,
        description="what to measure: bm25, st:MODEL, static:wordllama, openai:MODEL, rrf(bm25, st:MODEL), "
        "rerank(bm25, ce:MODEL)",
    ),
]
Of = Annotated[
    MeasuredTask | None,
    Field(
        description="what for: ranking documents, classification and clustering of texts, similarity, deduplication "
        "and bitext (finding translations) of pairs; null: what the data has labels for"
    ),
]
Measure = Annotated[bool, Field(description="the user agreed to measuring, which takes minutes of this machine's time")]
Download = Annotated[bool, Field(description="the user agreed to downloading models")]
Hosts = Annotated[
    list[Annotated[str, StringConstraints(max_length=300)]] | None,
    Field(max_length=20, description="hosts that the user agreed to send the texts to, such as api.openai.com"),
]
Handle = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Wait = Annotated[float, Field(ge=0, le=300, description="seconds to wait for it to end")]
Tongue = Annotated[
    Literal["en", "zh"] | None, Field(description="language of the sentences; null: as the call is written")
]


class Tools:
    """The tools over one advisor."""

    def __init__(self, advisor: Advisor, jobs: Jobs, settings: Settings, *, reads_paths: bool) -> None:
        self._advisor, self._context, self._settings = advisor, advisor.context, settings
        self._desk = Desk(advisor, jobs, reads_paths=reads_paths)
        self._reads_paths = reads_paths

    def foreseen(self, tool: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        """Tell the model of a foreseen failure in words: its cause, and what to do."""

        @functools.wraps(tool)
        async def told(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                with through("mcp"):
                    return await tool(*args, **kwargs)
            except AdvisorError as error:
                language = self._language(kwargs.get("language"), *kwargs.values())
                with through("mcp"):
                    raise ToolError(error.render(language)) from error
            except (ToolError, MCPError):
                raise
            except Exception as error:
                log = write_bug_log(error, self._settings.home)
                where = log.name if log else "-"
                raise ToolError(
                    f"This is a bug in the advisor: {type(error).__name__}. Please report it with the log file {where}."
                ) from error

        return told

    # ------------------------------------------------------------ looking things up

    async def shortlist(
        self,
        need: Need = "",
        requirements: Demands = None,
        k: Annotated[int, Field(ge=1, le=50, description="how many models")] = 5,
        language: Tongue = None,
    ) -> records.ShortlistFound:
        """Find the embedding models worth measuring for a need, predicted from published scores, with reasons.

        Call it first. `understood` says what was read of the need: correct it with the user where it is wrong.
        """
        caller_with("read")
        return await _aside(self._shortlist, need, requirements, k, self._language(language, need))

    def _shortlist(self, need: str, given: dict[str, Any] | None, k: int, language: Language) -> records.ShortlistFound:
        wanted, understood = self._wanted(need, given)
        found = find(wanted, self._context.catalog, self._context.scores, k)
        return shown.shortlist(found, understood, self._context.catalog, language)

    async def compare(
        self,
        models: Annotated[list[Spec], Field(min_length=2, max_length=4, description="names of models, or candidates")],
        about: Annotated[str, Field(max_length=500, description="what matters, such as a language")] = "",
        handle: Annotated[
            str | None, Field(max_length=100, description="of a recommendation that measured them")
        ] = None,
        language: Tongue = None,
    ) -> records.Compared:
        """Compare two to four models: by what was measured on the user's data, else by published scores."""
        return await _aside(self._compare, models, about, handle, self._language(language, about))

    def _compare(self, models: list[str], about: str, handle: str | None, language: Language) -> records.Compared:
        state = State(requirements=Requirements()) | self._state(handle) | State(language=language)
        # languages are read from the words, so that the models' names belong to them
        words = " ".join([*models, about])
        told = answer_about("compare", state, self._context, *models, words=words)
        cards = []
        for name in models:
            try:
                cards.append(shown.card(self._context.catalog.card(name.partition(":")[2].partition("?")[0] or name)))
            except UnknownModelError:
                continue  # the answer says so, or it was measured and is in no catalog
        return records.Compared(answer=told.render(language), cards=tuple(dict.fromkeys(cards)))

    async def explain(
        self,
        question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)],
        handle: Annotated[str | None, Field(max_length=100, description="of the recommendation it is about")] = None,
        language: Tongue = None,
    ) -> Answered:
        """Answer a question about choosing, measuring and running embeddings, with sources.

        With the handle of a recommendation also about that: why, why not MODEL, what if we had a GPU, how sure.
        Where the answer says that it does not know, say so, and add nothing.
        """
        return await _aside(self._explain, question, handle, self._language(language, question))

    def _explain(self, question: str, handle: str | None, language: Language) -> Answered:
        return ask(question, self._state(handle), self._context, language)

    async def search_models(
        self,
        words: Annotated[str, Field(max_length=200, description="words of a name, such as multilingual-e5")] = "",
        limit: Annotated[int, Field(ge=1, le=50)] = 10,
    ) -> records.ModelsFound:
        """Search the catalog of embedding models by name: licence, size, dimension, length, price."""
        caller_with("read")
        found = await _aside(self._context.catalog.search, words, limit)
        return records.ModelsFound(models=tuple(map(shown.card, found)))

    # ------------------------------------------------------------ what costs

    async def start_evaluation(
        self,
        candidates: Annotated[Candidates, Field(min_length=1)],
        data: Data = None,
        inline: Inline = None,
        sample_documents: Documents = None,
        sample_queries: Queries = None,
        task: Of = None,
        metrics: Annotated[
            list[Annotated[str, StringConstraints(max_length=50)]] | None,
            Field(
                max_length=10,
                description="as ir-measures writes them, or a task's; the first decides",
            ),
        ] = None,
        measure: Measure = False,
        download: Download = False,
        hosts: Hosts = None,
        language: Tongue = None,
    ) -> records.Status:
        """Measure the quality of candidates on data with labels; returns a handle for get_evaluation at once.

        Without measure=true nothing is done: the plan comes back (time, downloads, money, who gets to see the texts),
        to be agreed to by the user. What is not agreed to is left out and named.
        """
        caller = caller_with("measure")
        if metrics:
            check_metrics(task, metrics)
        work = await _aside(
            self._work,
            "",
            None,
            (data, inline, sample_documents, sample_queries),
            candidates,
            (measure, download, hosts),
        )
        if work.source is None:
            raise UserError(
                say("An evaluation needs data."), say("Give “data” or “inline”, with documents, queries and judgments.")
            )
        tongue = self._language(language, data or "")
        work = work.model_copy(update={"task": task, "metrics": tuple(metrics or ())})
        if not measure:
            return await _aside(self._desk.plan, work, "evaluation", tongue)
        job = await _aside(self._desk.start, caller, "evaluation", work)
        return await _aside(self._desk.status, job, tongue)

    async def recommend(
        self,
        ctx: Context[Any, Any],
        need: Need = "",
        requirements: Demands = None,
        data: Data = None,
        inline: Inline = None,
        sample_documents: Documents = None,
        sample_queries: Queries = None,
        candidates: Candidates | None = None,
        measure: Measure = False,
        download: Download = False,
        hosts: Hosts = None,
        wait_seconds: Wait = 20,
        language: Tongue = None,
    ) -> records.Status:
        """Recommend a model: shortlist, measure on the user's data, decide, with reasons, evidence and limits.

        Without measure=true it decides from published figures alone and says what measuring would cost. If it has not
        ended after wait_seconds, go on with get_evaluation and its handle.
        """
        caller = caller_with("measure")
        tongue = self._language(language, need)
        if bool(need.strip()) == (requirements is not None):
            raise _either()
        work = await _aside(
            self._work,
            need,
            requirements,
            (data, inline, sample_documents, sample_queries),
            candidates or [],
            (measure, download, hosts),
        )
        job = await _aside(self._desk.start, caller, "recommendation", work)
        return await self._awaited(ctx, job.id, wait_seconds, tongue)

    async def get_evaluation(
        self, ctx: Context[Any, Any], handle: Handle, wait_seconds: Wait = 0, language: Tongue = None
    ) -> records.Status:
        """Look at an evaluation or recommendation under its handle: how far it is, or what it found."""
        return await self._awaited(ctx, handle, wait_seconds, self._language(language, ""))

    async def cancel_evaluation(self, handle: Handle, language: Tongue = None) -> records.Status:
        """End an evaluation or recommendation; what was encoded is kept, so that the same call can go on from there."""
        caller = caller_with("measure")
        job = await _aside(self._desk.job, caller, handle)
        if job.is_open:
            await _aside(self._desk.cancel, job)
            job = await _aside(self._desk.job, caller, handle)
        return await _aside(self._desk.status, job, self._language(language, ""))

    # ------------------------------------------------------------ what they share

    async def _awaited(self, ctx: Context[Any, Any], handle: str, seconds: float, language: Language) -> records.Status:
        caller = caller_with("read")
        job: Job = await _aside(self._desk.job, caller, handle)
        until, told, at, steps = time.monotonic() + seconds, -1.0, "", 0
        while job.is_open and time.monotonic() < until:
            await anyio.sleep(min(LOOK_EVERY, seconds))
            job = await _aside(self._desk.job, caller, handle)
            progress = await _aside(self._desk.progress, job, language) if job.is_open else None
            if progress is None:
                continue
            at, steps = progress.step, steps + (at not in ("", progress.step))
            if steps + (progress.share or 0.0) > told:  # it may only grow, though each step begins anew
                told = steps + (progress.share or 0.0)
                share = f" {progress.share:.0%}" if progress.share is not None else ""
                await ctx.report_progress(told, None, f"{progress.step}{share}")
        return await _aside(self._desk.status, job, language)

    def _work(
        self,
        need: str,
        given: dict[str, Any] | None,
        data: tuple[str | None, records.InlineData | None, int | None, int | None],
        candidates: list[str],
        agreed: tuple[bool, bool, list[str] | None],
    ) -> Work:
        measure, download, hosts = agreed
        if need:
            check_needs(need, self._context.understanding)
        return Work(
            requirements=_requirements(given) if given is not None else None,
            text=need,
            source=self._desk.source(*data),
            candidates=checked_specs(candidates, self._context.workspace, reads_paths=self._reads_paths),
            consent=Consent(measure=measure, download=download, hosts=frozenset(hosts or ())),
        )

    def _wanted(self, need: str, given: dict[str, Any] | None) -> tuple[Requirements, Understood | None]:
        if bool(need.strip()) == (given is not None):
            raise _either()
        if given is not None:
            return _requirements(given), None
        understood = read_needs(need, self._context.understanding)
        return understood.requirements, understood

    def _state(self, handle: str | None) -> State:
        """What a recommendation found; nothing where no handle is given."""
        caller = caller_with("read")
        if handle is None:
            return State()
        return self._advisor.state(self._desk.thread_of(self._desk.job(caller, handle)))

    def _language(self, wanted: object, *words: object) -> Language:
        if wanted in ("en", "zh"):
            return wanted
        said = " ".join(word for word in words if isinstance(word, str))
        return self._settings.language or reply_language(said, None)


def _requirements(given: dict[str, Any]) -> Requirements:
    try:
        return Requirements.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "requirements"
        raise RequirementsError(
            say("The requirements cannot be read: {where}: {why}.", where=where, why=mistake(first, Requirements)),
            say("They are like the requirements file in the README; or describe the need in words."),
        ) from error


def _either() -> UserError:
    return UserError(
        say("The call says twice what is needed, or not at all."), say("Give either “need” or “requirements”.")
    )


async def _aside(work: Callable[..., R], *args: Any) -> R:
    """Do it in a thread of its own, so that other calls are answered meanwhile."""
    return await anyio.to_thread.run_sync(functools.partial(work, *args))
