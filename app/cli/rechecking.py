"""`advisor recheck`: is a decision still the best, for cron and CI."""

from __future__ import annotations

import http.client
import json
import sys
from collections.abc import Collection
from pathlib import Path

from agent.settings import Settings
from app.cli.failures import ALERT
from app.cli.measuring import named_once
from app.cli.mistyped import usage_error
from app.cli.planned import print_plan
from app.cli.printed import json_of, print_json
from app.cli.terminal import ProgressLine, language, shown
from app.cli.verification import Decided
from app.cli.writing import append_to
from app.webhooks import HookRefusedError, check_secret, checked, post, signed
from knowledge.catalog_in_use import usable_catalog
from knowledge.errors import ConsentNeeded, ProviderError, UserError
from knowledge.requirements import Requirements, read_requirements
from knowledge.results import Consent
from knowledge.results.recheck import Recheck, RecheckPlan
from knowledge.wording import Text, how_to, say
from tools.data_source import DataSource
from tools.decided import find_decision
from tools.label_store import with_given
from tools.recheck import Asked, Decision, glance_at, recheck
from tools.recheck.planning import plan_recheck
from tools.recheck.words import markdown, on_migration, sentences
from tools.run_scores import MARGIN
from tools.sending import agree, sends_line
from tools.verify.kept import chosen, read_handover
from tools.workspace import Workspace


def look(
    settings: Settings,
    decided: Decided,
    source: DataSource | None,
    *,
    challengers: list[str],
    measure: bool,
    download: bool,
    send_to: frozenset[str],
    yes: bool,
    production: int | None,
    thresholds: list[float],
    webhook: str | None,
    summary: Path | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> int:
    """Look again, tell what was found; of a dry run, what would be done. Returns the exit code."""
    workspace = settings.workspace()
    line = ProgressLine(quiet)
    secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""
    if webhook:
        _check(webhook, secret)
    if measure and source is None:  # a check that looks at nothing would stay quiet for ever
        raise usage_error(say("--measure takes today's data: --data DIR"))
    specs = named_once(challengers, workspace, line) if challengers else []
    decision = decision_of(decided, workspace)  # before the data is read, which may take long
    asked = Asked(
        dataset=with_given(source.read(), workspace) if source else None,
        challengers=tuple(specs),
        measure=measure,
        documents=production,
        thresholds=tuple(thresholds),
    )
    planned = _plan(decision, asked, workspace, webhook)
    if dry_run:
        if as_json:
            print_json(planned)
        else:
            show_plan(planned)
        return 0
    hosts = agreed(planned, specs, send_to, yes=yes)
    consent = Consent(measure=measure, download=download or yes, hosts=hosts)
    found = recheck(decision, asked, workspace, consent=consent, on_progress=line.show)
    line.end()
    if summary:
        append_to(summary, markdown(found, language()))
    if as_json:
        print_json(found)
    else:
        show(found)
    if webhook and found.alert:
        _tell(webhook, secret, found)
    return ALERT if found.alert else found.failed or 0


def _plan(decision: Decision, asked: Asked, workspace: Workspace, webhook: str | None) -> RecheckPlan:
    seen = glance_at(decision, workspace)
    host = checked(webhook, local=True).hostname if webhook else None
    return plan_recheck(decision, asked, seen, workspace, usable_catalog(workspace.home).catalog, webhook=host)


def agreed(planned: RecheckPlan, named: Collection[str], send_to: frozenset[str], *, yes: bool) -> frozenset[str]:
    """The hosts that may get texts.

    A new model of the catalog that nobody named is left out where its host was not agreed to.

    Raises:
        ConsentNeeded: the candidate in use, or one that was named, is at a host that was not agreed to.
    """
    for one in planned.asked_again:
        agree(one, send_to, yes=yes, otherwise=how_to("send_to", host=one.sends_text_to))
    measured = planned.measured.candidates if planned.measured else ()
    for candidate in measured:
        host = candidate.sends_text_to
        if host and not yes and host not in send_to and candidate.spec in (planned.incumbent, *named):
            raise ConsentNeeded(
                say(
                    "{spec} would send your texts to {host}, which costs about ${usd:,.2f}.",
                    spec=candidate.spec,
                    host=host,
                    usd=candidate.usd,
                ),
                how_to("send_to", host=host),
            )
    if not yes:
        return send_to
    hosts = {one.sends_text_to for one in planned.asked_again}
    return send_to | hosts | {one.sends_text_to for one in measured if one.sends_text_to}


def show_plan(planned: RecheckPlan) -> None:
    """What would be looked at, what would be sent to whom, and what it costs."""
    lines = [
        say(
            "{spec} of {run} would be looked at again; nothing was measured or sent yet.",
            spec=planned.incumbent,
            run=planned.decision,
        )
    ]
    if planned.new_models:
        models = ", ".join(planned.new_models)
        lines.append(say("New models that are predicted to be better: {models}.", models=models))
    for one in planned.asked_again:
        lines.append(
            say(
                "{spec} would be asked again for {count} texts whose vectors are kept, to see whether it is still the "
                "same model.",
                spec=one.spec,
                count=one.requests,
            )
        )
        lines += [told for told in [sends_line(one)] if told]
    if planned.not_measured:
        lines.append(say("Nothing would be measured anew: {why}", why=planned.not_measured))
    if planned.webhook:
        lines.append(say("An alert would be told to {host}.", host=planned.webhook))
    sys.stdout.write("".join(f"{shown(line)}\n" for line in lines))
    if planned.measured:
        print_plan(planned.measured, as_json=False)


def decision_of(decided: Decided, workspace: Workspace) -> Decision:
    """What was decided, by a handover file or a kept run."""
    needs = read_requirements(decided.requirements) if decided.requirements else None
    run, spec, margin = decided.run, decided.candidate, needs.margin.value if needs else MARGIN
    if decided.handover:
        handed = read_handover(decided.handover)
        run, spec, margin = handed.run_id, spec or handed.spec, needs.margin.value if needs else handed.margin
        needs = needs or handed.requirements
    evaluation = find_decision(workspace, run)
    return Decision(
        evaluation=evaluation,
        incumbent=chosen(evaluation, spec),
        requirements=needs or Requirements(),
        margin=decided.margin if decided.margin is not None else margin,
    )


def show(found: Recheck) -> None:
    """What was found, the answer first; the plan of a change behind it."""
    for text in sentences(found):
        sys.stdout.write(shown(text) + "\n")
    if found.migration:
        plan = found.migration
        sys.stdout.write(f"\n{shown(say('From {old} to {new}', old=plan.old, new=plan.new))}\n")
        for text in on_migration(plan):
            sys.stdout.write(f"  {shown(text)}\n")
        for number, step in enumerate(plan.steps, 1):
            sys.stdout.write(f"  {number}. {shown(step)}\n")
    sys.stderr.write(f"{found.run_id}\n")


def _check(url: str, secret: str) -> None:
    """Refuse an address that is not called, before anything is measured."""
    if not secret:
        raise UserError(
            say("A webhook is signed, and there is no secret for that."),
            say("Set ADVISOR_WEBHOOK_SECRET to one that its reader knows."),
        )
    check_secret(secret)
    try:
        checked(url, local=True)
    except HookRefusedError as error:
        raise _refused(error.why) from error


def _refused(why: Text) -> UserError:
    return UserError(
        say("The webhook's address is not called: {why}.", why=why),
        say("Give an https address that is reachable from everywhere, without user name and password."),
    )


def _tell(url: str, secret: str, found: Recheck) -> None:
    """Tell the alert once; that it was not heard is an error, since nobody else may be looking."""
    try:
        status = post(url, signed("recheck.alert", json.loads(json_of(found)), found.run_id, secret), local=True)
    except HookRefusedError as error:
        raise _refused(error.why) from error
    except (OSError, http.client.HTTPException) as error:
        raise _unheard(type(error).__name__) from error
    if not 200 <= status < 300:
        raise _unheard(str(status))


def _unheard(why: str) -> ProviderError:
    return ProviderError(
        say("There is an alert, and the webhook did not take it: {why}.", why=why),
        say("Check the address; the alert is kept, and told again by the next check."),
    )
