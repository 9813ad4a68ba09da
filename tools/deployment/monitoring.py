"""How a deployment is watched: what people read of it, and the rules for Prometheus."""

from __future__ import annotations

from typing import Any

from knowledge.results.deployment import SETTLED
from knowledge.wording import Language, Text, say

#: of the errors that are worth waking somebody for, and how long they have to last
_ERRORS, _FOR = 0.01, "10m"
#: as Prometheus calls what it reads, and the rules call it too
_JOB = "search"
_P95 = 'histogram_quantile(0.95, sum by (le) (rate(search_seconds_bucket{part="all"}[5m])))'
_READ = f"""\
```yaml
rule_files: [alerts.yaml]
scrape_configs:
- job_name: {_JOB}
  static_configs:
  - targets: ["127.0.0.1:8000"]
```"""


def monitoring(language: Language, *, vectors: bool) -> str:
    """``monitoring.md``: what to watch, and what to do when it changes.

    Args:
        language: of its reader.
        vectors: whether Milvus is part of it.
    """

    def t(text: Text) -> str:
        return text.render(language)

    rows: tuple[tuple[Text, str, Text], ...] = (
        (
            say("Time of a query, whole and by part"),
            _P95,
            say("look which part grew: encoding (load), Milvus (documents, index), the reranker"),
        ),
        (say("Queries that fail"), "rate(search_errors_total[5m])", say("read the log of search and of Milvus")),
        (
            say("Queries that find nothing"),
            "rate(search_empty_total[1h])",
            say("documents are missing, or users ask for what is not there"),
        ),
        (
            say("Score of the first document, its median"),
            "histogram_quantile(0.5, sum by (le) (rate(search_best_score_bucket[1d])))",
            say("it moves when queries or documents change: evaluate on new ones (advisor recheck)"),
        ),
    )
    told = say(
        "pipeline.serve tells Prometheus at /metrics; alerts.yaml holds the rules, which know it as the job {job}:",
        job=_JOB,
    )
    lines = [f"# {t(SETTLED['monitoring'])}", "", t(told), "", _READ, ""]
    lines += [f"| {t(say('What'))} | Prometheus | {t(say('When it changes'))} |", "| --- | --- | --- |"]
    lines += [f"| {t(what)} | `{query}` | {t(do)} |" for what, query, do in rows]
    lines += ["", t(say("Each week, and after every change: advisor verify with evaluation/verify.json."))]
    if vectors:
        port = say(
            "Milvus has metrics of its own at port 9091: let Prometheus read them inside the compose network, and "
            "never publish that port."
        )
        lines += ["", t(port)]
    return "\n".join(lines) + "\n"


def alerts(language: Language, limit_ms: float | None) -> dict[str, Any]:
    """``alerts.yaml``: rules for Prometheus.

    Args:
        language: of who is woken.
        limit_ms: p95 from which on somebody should look; None: nobody knows one.
    """

    def rule(name: str, expression: str, what: Text) -> dict[str, Any]:
        return {
            "alert": name,
            "expr": expression,
            "for": _FOR,
            "labels": {"severity": "page"},
            "annotations": {"summary": what.render(language)},
        }

    queries = 'search_seconds_count{part="all"}'
    rules = [
        rule(
            "SearchFails",
            f"sum(rate(search_errors_total[5m])) / (sum(rate({queries}[5m]))"
            f" + sum(rate(search_errors_total[5m]))) > {_ERRORS}",
            say("more than 1 % of the queries fail"),
        ),
        rule(
            "SearchFindsNothing",
            f"sum(rate(search_empty_total[1h])) / sum(rate({queries}[1h])) > 0.05",
            say("more than 5 % of the queries find nothing"),
        ),
        rule("SearchIsDown", f'up{{job="{_JOB}"}} == 0', say("the search does not answer Prometheus")),
    ]
    if limit_ms is not None:
        what = say("p95 of a query is above {limit:,.0f} ms", limit=limit_ms)
        rules.append(rule("SearchIsSlow", f"{_P95} > {limit_ms / 1000:g}", what))
    return {"groups": [{"name": "search", "rules": rules}]}
