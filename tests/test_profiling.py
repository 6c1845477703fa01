import pytest

from harness.model.verdict import Finding, Outcome, Report, Verdict
from harness.profiling import asks_why


@pytest.mark.parametrize(
    ("outcome", "severity", "metric", "expected"),
    [
        (Outcome.FAIL, "fail", "p95", True),
        (Outcome.FAIL, "fail", "growth", True),
        (Outcome.FAIL, "fail", "behaviour", False),
        (Outcome.FAIL, "note", "p95", False),
        (Outcome.INCONCLUSIVE, "inconclusive", "p95", False),
    ],
)
def test_asks_why(outcome: Outcome, severity: str, metric: str, expected: bool) -> None:
    """Only what failed by time or memory is worth a profile."""
    finding = Finding(severity=severity, metric=metric, route="service", message="m")
    verdict = Verdict(outcome=outcome, findings=(finding,))

    report = Report(
        scenario="x",
        why="",
        baseline="a",
        candidate="b",
        rounds=4,
        void_rounds=(),
        requests=1,
        verdict=verdict,
        estimates=(),
        environment=(),
        generator=(),
    )

    assert expected == asks_why(report)
