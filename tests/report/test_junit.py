from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.verdict import Label, Outcome
from harness.report.junit import junit

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model.verdict import Report
    from tests.report.conftest import Make


def _suite(report: Report) -> ET.Element:
    suite = ET.fromstring(junit(report).encode()).find("testsuite")  # noqa: S314 - our own text
    assert suite is not None
    return suite


def test_the_whole_file_of_a_leak(make: Make, golden: Path) -> None:
    """What a CI system reads, to the letter."""
    expected = (golden / "leak.xml").read_text(encoding="utf-8")

    assert junit(make.leak()) == expected


def test_the_counts_add_up(make: Make) -> None:
    """Tests, failures, errors and skipped are what is in the suite."""
    suite = _suite(make.leak())

    counts = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }

    assert {name: int(suite.attrib[name]) for name in counts} == counts
    assert counts == {"tests": 4, "failures": 1, "errors": 0, "skipped": 2}
    assert suite.attrib["name"] == "checkout-peak"


@pytest.mark.parametrize(
    ("outcome", "severity", "kind"),
    [
        (Outcome.FAIL, "fail", "failure"),
        (Outcome.INCONCLUSIVE, "inconclusive", "skipped"),
        (Outcome.INVALID, "invalid", "error"),
    ],
)
def test_what_decides_beside_the_estimates_is_a_case(
    make: Make, outcome: Outcome, severity: str, kind: str
) -> None:
    """A crash or an overloaded generator shows in CI, with its message."""
    finding = make.finding(severity, metric="crash", message="crash: twice")

    suite = _suite(make.report(outcome, [finding]))
    case = suite.find("testcase[@name='crash']")

    assert case is not None
    assert [(each.tag, each.attrib["message"]) for each in case] == [
        (kind, "crash: twice")
    ]


def test_the_first_finding_about_a_case_speaks_for_it(make: Make) -> None:
    """The worst comes first, so it is the one to show."""
    findings = [make.finding(message="memory: worst"), make.finding(message="also")]

    suite = _suite(make.report(Outcome.FAIL, findings, [make.memory()]))

    assert [each.attrib["message"] for each in suite.iter("failure")] == [
        "memory: worst"
    ]


def test_what_is_only_shown_is_no_case(make: Make) -> None:
    """A case is a hypothesis."""
    shown = make.estimate("p50", budget="", label=Label.SHOWN, t=None)

    suite = _suite(make.report(estimates=[make.estimate(), shown]))

    assert [each.attrib["name"] for each in suite] == ["p95"]


@given(text=st.text())
def test_any_name_and_message_is_valid_xml(make: Make, text: str) -> None:
    """Whatever captured traffic holds, the file parses."""
    report = make.report(
        Outcome.FAIL,
        [make.finding(message=text)],
        [make.estimate(route=text), make.memory()],
    )

    assert _suite(report).attrib["tests"] == "2"
