"""A verification for other programs and people: JUnit XML, as CI servers read it, and Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree as Xml

from knowledge.errors import AdvisorError
from knowledge.results.verification import Check, Subject, Verification
from knowledge.wording import Language, Text, say

SUBJECTS: dict[Subject, Text] = {
    "identity": say("model and index"),
    "corpus": say("documents"),
    "quality": say("quality"),
    "agreement": say("agreement with the evaluation"),
    "speed": say("speed"),
    "robustness": say("robustness"),
    "edges": say("odd input"),
}
MARKS = {"pass": "✓", "fail": "✗", "skipped": "–"}
#: what XML 1.0 cannot hold
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def headline(found: Verification) -> Text:
    """What came out, in one sentence."""
    count = {status: sum(check.status == status for check in found.checks) for status in MARKS}
    figures = {"passed": count["pass"], "failed": count["fail"], "skipped": count["skipped"]}
    if found.passed:
        return say(
            "{pipeline} does what {spec} was recommended for. Checks: {passed} passed, {skipped} skipped.",
            pipeline=found.pipeline,
            spec=found.spec,
            passed=figures["passed"],
            skipped=figures["skipped"],
        )
    return say(
        "{pipeline} does not do what {spec} was recommended for. Checks: {failed} failed ({faults}), {passed} passed, "
        "{skipped} skipped.",
        pipeline=found.pipeline,
        spec=found.spec,
        faults=", ".join(found.faults),
        **figures,
    )


def junit_xml(found: Verification, language: Language) -> str:
    """One test suite a subject, one test case a check; the form of Jenkins, GitLab and GitHub's reporters."""
    root = Xml.Element(
        "testsuites", _counts(found.checks), name=f"advisor verify {found.decision}", time=f"{found.seconds}"
    )
    for subject in dict.fromkeys(check.subject for check in found.checks):
        checks = [check for check in found.checks if check.subject == subject]
        suite = Xml.SubElement(
            root, "testsuite", _counts(checks), name=subject, timestamp=f"{found.created:%FT%T}", time="0"
        )
        for check in checks:
            case = Xml.SubElement(suite, "testcase", name=check.name, classname=f"verify.{subject}", time="0")
            reason = _clean(check.reason.render(language))
            if check.status == "fail":
                failure = Xml.SubElement(case, "failure", message=reason, type=check.fault or "failed")
                remedy = f"\n→ {_clean(check.remedy.render(language))}" if check.remedy else ""
                failure.text = reason + remedy  # some readers show the message alone, others the text alone
            elif check.status == "skipped":
                Xml.SubElement(case, "skipped", message=reason)
            else:
                Xml.SubElement(case, "system-out").text = reason
    return _written(root)


def _written(root: Xml.Element) -> str:
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def junit_error(error: AdvisorError, decision: str, language: Language) -> str:
    """That nothing could be checked: else the file of an earlier check would be taken for this one's."""
    count = {"tests": "1", "failures": "0", "errors": "1", "skipped": "0"}
    root = Xml.Element("testsuites", count, name=f"advisor verify {_clean(decision)}")
    suite = Xml.SubElement(root, "testsuite", count, name="verify", time="0")
    case = Xml.SubElement(suite, "testcase", name="verify", classname="verify", time="0")
    cause = _clean(error.cause.render(language))
    told = Xml.SubElement(case, "error", message=cause, type=type(error).__name__)
    told.text = f"{cause}\n→ {_clean(error.next_step.render(language))}"
    return _written(root)


def markdown(found: Verification, language: Language) -> str:
    """A heading and a table, as a CI job's summary shows it."""
    lines = [f"## {'✅' if found.passed else '❌'} {_cell(headline(found).render(language))}", ""]
    heads = (say("check"), say("result"), say("why"))
    lines += [f"| {' | '.join(head.render(language) for head in heads)} |", "| --- | --- | --- |"]
    for check in found.checks:
        why = check.reason.render(language)
        if check.status == "fail" and check.remedy:
            why += f" → {check.remedy.render(language)}"
        name = f"{SUBJECTS[check.subject].render(language)}: {check.name}"
        lines.append(f"| {_cell(name)} | {MARKS[check.status]} {check.fault or ''} | {_cell(why)} |")
    return "\n".join(lines) + f"\n\n`{found.run_id}` · `{found.decision}`\n"


def _counts(checks: Iterable[Check]) -> dict[str, str]:
    statuses = [check.status for check in checks]
    figures = {"tests": len(statuses), "failures": statuses.count("fail"), "skipped": statuses.count("skipped")}
    return {name: str(value) for name, value in figures.items()} | {"errors": "0"}


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


def _cell(text: str) -> str:
    return _clean(" ".join(text.split())).replace("|", "\\|").replace("<", "&lt;")
