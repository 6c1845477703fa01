from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.compare.measure import HELD
from harness.compare.metric import METRICS, QUIET
from harness.model.verdict import FixOutcome, Outcome, Proof
from harness.report.agent import agent

if TYPE_CHECKING:
    from harness.model.verdict import Report
    from tests.report.conftest import Make

BUDGETED = (name for name in METRICS if name in HELD or name not in QUIET)
ABOUT = (
    *BUDGETED,
    *("behaviour", "check", "crash", "logs", "requests", "credentials", "rounds"),
    "generator",
)
"""What findings are about, but for the fix."""


def told(
    shown: Report, outcome: Outcome = Outcome.FAIL, fix: FixOutcome | None = None
) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(agent(shown, outcome=outcome, fix=fix))
    return document


def test_a_fail(make: Make) -> None:
    """The outcome, the reason, and each finding with its figures and what to try."""
    document = told(make.leak())

    (finding,) = document["findings"]
    assert (1, "checkout-peak", "FAIL") == (
        document["schema_version"],
        document["scenario"],
        document["outcome"],
    )
    assert document["reason"] == finding["message"]
    assert ("fail", "memory", "service") == (
        finding["severity"],
        finding["metric"],
        finding["route"],
    )
    assert {
        "unit": "bytes",
        "relative": True,
        "baseline": 64_172_900.0,
        "candidate": 149_946_000.0,
        "change": 2.34,
        "interval": [2.21, 2.47],
        "budget": "10% or 16MiB",
        "worst_round": 2,
        "per_round": [[44e6, 46e6], [45e6, 47.5e6]],
    } == finding["evidence"]
    assert "referenced after its request" in finding["next"]
    assert document["notes"] == [
        "p99: not judged: too few",
        "void round 3: the baseline's load generator ran 9 ms late",
    ]


def test_it_is_one_short_line(make: Make) -> None:
    """Compact, whatever it has to say: the first findings, and how many more."""
    crowd = make.crowd(60)

    text = agent(crowd, outcome=Outcome.FAIL, fix=None)

    assert (1, True) == (text.count("\n"), text.endswith("\n"))
    assert len(text) < 20_000
    document = json.loads(text)
    assert (20, 40) == (len(document["findings"]), document["more_findings"])


@pytest.mark.parametrize("metric", ABOUT)
def test_every_finding_has_a_next_step(make: Make, metric: str) -> None:
    """Whatever a finding is about, there is something of its own to try."""
    unknown, known = (
        told(make.report(Outcome.FAIL, [make.finding(metric=each)]))
        for each in ("something else", metric)
    )

    assert unknown["findings"][0]["next"].startswith("repeat the trial")
    assert known["findings"][0]["next"] != unknown["findings"][0]["next"]


def test_undecided(make: Make) -> None:
    """What is not proven is not called a defect."""
    finding = make.finding("inconclusive")

    document = told(make.report(Outcome.INCONCLUSIVE, [finding]), Outcome.INCONCLUSIVE)

    assert document["findings"][0]["next"].startswith("undecided: more rounds")


@pytest.mark.parametrize(
    ("outcome", "alone", "reason"),
    [
        (Outcome.FAIL, Outcome.PASS, "the held-out part of the traffic decides"),
        (Outcome.FAIL, Outcome.INCONCLUSIVE, "look for what is special-cased"),
        (Outcome.PASS, Outcome.INCONCLUSIVE, "everything together passes"),
        (Outcome.INCONCLUSIVE, Outcome.PASS, "leaves it open"),
        (Outcome.INVALID, Outcome.FAIL, "INVALID, the shown part alone FAIL"),
    ],
)
def test_the_shown_part_alone(
    make: Make, outcome: Outcome, alone: Outcome, reason: str
) -> None:
    """Where it alone says something else, that is said without a figure of the rest."""
    findings = [] if alone is Outcome.PASS else [make.finding("fail")]

    document = told(make.report(alone, findings), outcome)

    assert (outcome, True) == (document["outcome"], reason in document["reason"])
    assert alone in document["reason"]
    assert not any(letter.isdigit() for letter in document["reason"])


def test_a_thinner_part_accuses_nobody(make: Make) -> None:
    """Where the shown part could not judge something, that may be all there is."""
    document = told(make.report(Outcome.PASS, [], [make.undefined()]), Outcome.FAIL)

    assert "less evidence" in document["reason"]
    assert "special-cased" not in document["reason"]


def test_a_pass_asks_for_nothing(make: Make) -> None:
    """What a part of the traffic could not show is nothing to work on after a PASS."""
    shown = make.report(Outcome.INCONCLUSIVE, [make.finding("inconclusive")])

    assert [] == told(shown, Outcome.PASS)["findings"]


@pytest.mark.parametrize(
    "outcome",
    [FixOutcome.NOT_FIXED, FixOutcome.NOT_REPRODUCED, FixOutcome.UNPROVEN],
)
def test_a_fix(make: Make, outcome: FixOutcome) -> None:
    """The claim has the outcome of everything, and the evidence of what is shown."""
    proof = Proof(
        outcome=outcome, symptom="500", message="500 in 3", per_round=((1.0, 0.0),)
    )
    shown = make.report(
        Outcome.INCONCLUSIVE, [make.finding("inconclusive", metric="fix")], proof=proof
    )

    document = told(shown, Outcome.FAIL, FixOutcome.NOT_FIXED)

    assert {
        "outcome": "NOT_FIXED",
        "symptom": "500",
        "shown": f"{outcome}: 500 in 3",
        "per_round": [[1.0, 0.0]],
    } == document["fix"]
    assert document["findings"][0]["next"]


def test_how_much_is_held_out(make: Make) -> None:
    """In words, and that what no request can be taken out of is of the whole."""
    shown = replace(make.leak(), held_out=0.196)

    assert told(shown)["held_out"].startswith("19.6% of the requests, in whole")
    assert "memory, CPU time" in told(shown)["held_out"]
    assert told(make.leak())["held_out"].startswith("nothing")


def test_names_of_captured_traffic_are_harmless(make: Make) -> None:
    """A route cannot draw on a terminal."""
    finding = make.finding(route="GET /\x1b[2J", message="p95 of GET /\x1b[2J")

    text = agent(make.report(Outcome.FAIL, [finding]), outcome=Outcome.FAIL, fix=None)

    assert "u001b" not in text
