"""What people read of a deployment, in their language: README and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from knowledge.results import Evidence
from knowledge.results.deployment import SETTLED, DeploymentPlan
from knowledge.results.handover import Handover
from knowledge.wording import Language, Text, say
from tools.deployment.facts import facts

_VERIFY = "advisor verify --handover evaluation/verify.json --search-url http://127.0.0.1:8000/search"
#: with the key of .env, which the container asks for
_VERIFY_THERE = f'ADVISOR_ENDPOINT_API_KEY="$(grep ^SEARCH_API_KEY= .env | cut -d= -f2-)" {_VERIFY}'
#: models take seconds to load
_READY = "curl -sf --retry 60 --retry-delay 1 --retry-connrefused http://127.0.0.1:8000/health"
_START = "   docker compose up -d --build --wait search"
_IN_CONTAINER = "docker compose run --rm --build"
_MOUNTED = f'{_IN_CONTAINER} -v "$PWD:/documents:ro" search python -m pipeline.ingest'
_INGEST = f"{_MOUNTED} /documents/documents.jsonl"
_RESTART = "   docker compose restart search"
_WORDS = say("Words are indexed when the search starts: ingest, and start it again.")


@dataclass(frozen=True)
class Guide:
    """What the texts are about.

    Attributes:
        name: of the aliases in Milvus.
        vectors: whether Milvus is part of it.
        words: whether words are indexed, which the search does when it starts.
        trains: whether finetune.py is among the files.
        server: the embedding server that compose.yaml offers.
    """

    plan: DeploymentPlan
    handed: Handover
    name: str
    vectors: bool
    words: bool
    trains: bool
    server: dict[str, Any] | None
    language: Language

    def t(self, text: Text) -> str:
        """A sentence in the reader's language."""
        return text.render(self.language)

    # ------------------------------------------------------------ README.md

    def readme(self) -> str:
        """Steps first, then what is settled and why, then the evidence."""
        lines = [f"# {self.t(say('Search as it was measured'))}", "", f"`{_code(self.plan.spec)}`", ""]
        lines += [self.t(self._promise()), "", f"## {self.t(say('Steps'))}", ""]
        lines += [
            f"{number}. {self.t(what)}\n\n   ```console\n   {command}\n   ```\n"
            for number, (what, command) in enumerate(self._steps(), 1)
        ]
        if self.plan.differs:
            lines += [f"## {self.t(say('What differs from what was measured'))}", ""]
            lines += [f"- {_plain(self.t(text))}" for text in self.plan.differs] + [""]
        lines += [f"## {self.t(say('What is settled, and why'))}", ""]
        for decision in self.plan.decisions:
            cites = "".join(f" [{cite}]" for cite in decision.cites)
            title, choice, reason = map(self.t, (SETTLED[decision.about], decision.choice, decision.reason))
            lines.append(f"- **{title}.** {_plain(choice)} {_plain(reason)}{cites}")
        if self.trains:
            lines += ["", f"## {self.t(say('Fine-tuning'))}", "", *self._training()]
        lines += [
            "",
            f"## {self.t(say('Files'))}",
            "",
            *(f"- `{name}`: {self.t(what)}" for name, what in self._files()),
        ]
        lines += ["", f"## {self.t(say('Evidence'))}", "", *self._evidence()]
        return "\n".join(lines) + "\n"

    def _promise(self) -> Text:
        handed = self.handed
        return say(
            "Measured in run {run} on {dataset}: {metric} {mean:.3f} ({low:.3f} to {high:.3f}) over {queries} queries "
            "and {documents:,} documents. The code in pipeline/ finds what was found then.",
            run=handed.run_id,
            dataset=_plain(handed.dataset),
            metric=handed.primary,
            mean=handed.quality.mean,
            low=handed.quality.low,
            high=handed.quality.high,
            queries=handed.judged_queries,
            documents=handed.documents,
        )

    def _steps(self) -> Iterator[tuple[Text, str]]:
        yield (
            say("Install what it was measured with, to try it out on this machine."),
            "python -m venv .venv && .venv/bin/pip install -r requirements.txt",
        )
        yield (
            say("Ingest your documents: JSON lines or CSV with _id, text and perhaps title. Killed, it goes on."),
            ".venv/bin/python -m pipeline.ingest documents.jsonl",
        )
        yield say("Ask."), '.venv/bin/python -m pipeline.query "..."'
        yield (
            say(
                "Serve it, and check it against the evaluation: the same queries have to find the same documents "
                "(advisor is the program that made these files). Then end it: the port is needed again."
            ),
            f".venv/bin/python -m pipeline.serve &\n   {_READY} && {_VERIFY}\n   kill %1",
        )
        if self.vectors:
            yield (
                say(
                    "For production start Milvus in a container (until then Milvus Lite is used, a file in state/). "
                    "Version {versions} or later: {why}.",
                    versions=" / ".join(facts()["milvus"]["at_least"]),
                    why=facts()["milvus"]["why"],
                ),
                "cp .env.example .env  # fill it in\n   docker compose up -d --wait milvus",
            )
        yield say("Ingest in the container, and start the search there."), f"{_INGEST}\n{_START}"
        yield say("Check it there, with the key that callers send."), _VERIFY_THERE
        yield (
            say(
                "Documents that come, change or go: ingest again. --sync also takes out what the file has no more; "
                "--delete and ids take out some by name."
            ),
            f"{_MOUNTED} --sync /documents/documents.jsonl"
            + (f"  # {self.t(_WORDS)}\n{_RESTART}" if self.words else ""),
        )

    def _training(self) -> Iterator[str]:
        yield self.t(
            say(
                "finetune.py trains the encoder on pairs of yours (JSON lines with query and positive), leaves the "
                "evaluation's queries out, and says what quality was before and after, with its interval. Install "
                "datasets and accelerate for it. Deploy the new weights only where the interval lies above 0; they "
                "are another model: another collection, and a way back."
            )
        )
        yield ""
        yield "```console"
        yield ".venv/bin/pip install datasets accelerate"
        yield ".venv/bin/python -m pipeline.finetune --pairs pairs.jsonl --documents documents.jsonl --out model"
        yield "```"

    def _files(self) -> Iterator[tuple[str, Text]]:
        yield "config.yaml", say("all that decides what is found; change it, and another collection is made")
        yield "pipeline/", say("the program: ingest, query, schema, serve")
        yield "requirements.txt", say("the packages at the versions that measured")
        yield "compose.yaml, Dockerfile, .env.example", say("containers; secrets come from .env, nothing is public")
        yield "evaluation/verify.json", say("the evaluation's queries, what they found, and the demands")
        yield "monitoring.md, alerts.yaml", say("what to watch")
        yield "rollback.md", say("cut-over and the way back")
        yield "plan.json", say("this plan for programs")

    def _evidence(self) -> Iterator[str]:
        cited = {cite for decision in self.plan.decisions for cite in decision.cites}
        for one in (*self.handed.evidence, *self.plan.evidence):
            if one.id in cited:
                yield f"- {one.id}: {_plain(self._figure(one))}"

    def _figure(self, one: Evidence) -> str:
        value = f"{one.value:,.4g} {one.unit}".strip()
        where = f"{self.t(one.source)}{f', {one.date}' if one.date else ''}{f', {one.run_id}' if one.run_id else ''}"
        return f"{one.about}, {self.t(one.what)}: {value} ({where})"

    # ------------------------------------------------------------ rollback.md

    def rollback(self) -> str:
        """Cut-over and the way back."""
        steps: Iterable[tuple[Text, str]] = (
            (
                say("Keep what is in use: settings, containers, program, packages and what it is checked against."),
                "rm -rf before && mkdir before && cp -r *.yaml Dockerfile requirements.txt pipeline evaluation before/",
            ),
            (
                say("Write the new files over them, with the same name."),
                f"advisor deploy RUN --out . --force --name {self.name}",
            ),
            (
                say("Ingest with the new config.yaml: another collection is made, and searches go on in the old one."),
                _INGEST,
            ),
            (say("See both."), f"{_IN_CONTAINER} search python -m pipeline.schema show"),
            (
                say(
                    "Let searches go to the new one, and start the search again with the new config.yaml. Until then "
                    "it answers from the old one."
                ),
                f"{_IN_CONTAINER} search python -m pipeline.schema switch\n{_START}",
            ),
            (say("Check it."), _VERIFY_THERE),
        )
        back = (
            (
                say(
                    "The old collection and its vectors are still there: only what has changed since is encoded, and "
                    "what was deleted since is taken out."
                ),
                f"cp -r before/. .\n   {_INGEST}\n   {_IN_CONTAINER} search python -m pipeline.schema switch\n{_START}",
            ),
            (
                say("Weeks later, when nobody wants back: remove what no search goes to."),
                f"{_IN_CONTAINER} search python -m pipeline.schema drop-old",
            ),
        )
        lines = [f"# {self.t(say('Cut-over and the way back'))}", ""]
        if not self.vectors:
            lines.append(self.t(_WORDS))
            return "\n".join(lines) + "\n"
        for title, some in ((say("Cut-over"), steps), (say("Way back"), back)):
            lines += [f"## {self.t(title)}", ""]
            lines += [
                f"{n}. {self.t(what)}\n\n   ```console\n   {command}\n   ```\n"
                for n, (what, command) in enumerate(some, 1)
            ]
        lines.append(
            self.t(
                say(
                    "Thresholds on scores do not survive another model: set them anew from the scores of the "
                    "evaluation's queries."
                )
            )
        )
        return "\n".join(lines) + "\n"


#: what Markdown or HTML would take for more than text
_MARKS = str.maketrans("<>`[]|", "‹›'()/")


def _plain(text: str) -> str:
    """On one line, and nothing but text."""
    return " ".join(text.split()).translate(_MARKS)


def _code(text: str) -> str:
    """On one line, without a mark that would end the code."""
    return " ".join(text.split()).replace("`", "'")
