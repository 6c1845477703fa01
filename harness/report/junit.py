"""`junit.xml`: the report as test results, a case a hypothesis.

The format is what Jenkins, GitLab and GitHub read: https://github.com/testmoapp/junitxml
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from harness.compare.finding import FIX, named
from harness.model.route import SERVICE
from harness.model.verdict import Label
from harness.report.wording import examples, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.verdict import Estimate, Report

__all__ = ["junit"]

_Case = tuple[str, str]
_Result = tuple[str, str]

_RESULTS: Final[Mapping[str, str]] = {
    "fail": "failure",
    "inconclusive": "skipped",
    "invalid": "error",
}
_COUNTS: Final[Mapping[str, str]] = {
    "failures": "failure",
    "errors": "error",
    "skipped": "skipped",
}


def junit(report: Report) -> str:
    """The report as JUnit XML.

    A case is a gated estimate or something else that the verdict rests on, such as a
    crash. Regressed is a failure, INVALID an error; what could not be decided is
    skipped.
    """
    cases, seen = _cases(report), examples(report)
    counts = Counter(result[0] for result in cases.values() if result)
    attributes = {
        "name": report.scenario,
        "tests": str(len(cases)),
        **{name: str(counts[kind]) for name, kind in _COUNTS.items()},
    }
    suites = ET.Element("testsuites", attributes)
    suite = ET.SubElement(suites, "testsuite", attributes)
    for (metric, route), result in cases.items():
        name = printable(named(metric, route))
        case = ET.SubElement(suite, "testcase", name=name, classname=report.scenario)
        if result:
            kind, message = result
            message = printable(message)
            told = ET.SubElement(case, kind, message=message)
            told.text = "\n".join(seen.get(message, ())) or None
    ET.indent(suites)
    text = ET.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _cases(report: Report) -> dict[_Case, _Result | None]:
    """What came of each case; the first finding about it says so."""
    cases: dict[_Case, _Result | None] = {
        (each.metric, each.route): _by_itself(each)
        for each in report.estimates
        if each.budget
    }
    if report.proof:
        cases[FIX, SERVICE] = None
    decided = [each for each in report.verdict.findings if each.severity in _RESULTS]
    for finding in reversed(decided):
        result = _RESULTS[finding.severity], finding.message
        cases[finding.metric, finding.route] = result
    return cases


def _by_itself(estimate: Estimate) -> _Result | None:
    if estimate.undefined or estimate.label is Label.UNCLEAR:
        return "skipped", estimate.undefined or str(estimate.label)
    return None
