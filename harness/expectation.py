"""What a trial of each of the shop's candidates must say: a new candidate is a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.model.verdict import FixOutcome, Outcome

if TYPE_CHECKING:
    from harness.model.verdict import Report

__all__ = ["DEMO", "GALLERY", "Expectation", "Programme", "given"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A candidate of the shop and what its trial must say.

    Attributes:
        candidate: the name of its patch.
        claim: what it is.
        outcome: the right verdict.
        fix: what must have become of the claim.
        metric: what a failing finding must name, empty for anything.
        says: what the route or message of that finding must hold, empty for anything.
    """

    candidate: str
    claim: str
    outcome: Outcome = Outcome.FAIL
    fix: FixOutcome = FixOutcome.FIXED_BUT_REGRESSED
    metric: str = ""
    says: str = ""

    @property
    def words(self) -> str:
        """What is expected, such as `FAIL FIXED_BUT_REGRESSED by memory`."""
        by = f" by {self.metric}" if self.metric else ""
        return f"{self.outcome} {self.fix}{by}"

    def met_by(self, report: Report) -> bool:
        """Whether a report says the right thing for the right reason."""
        fix = report.proof and report.proof.outcome
        said = report.verdict.outcome, fix
        return said == (self.outcome, self.fix) and self._right_reason(report)

    def _right_reason(self, report: Report) -> bool:
        return not self.metric or any(
            each.metric == self.metric and self.says in f"{each.route}: {each.message}"
            for each in report.verdict.findings
            if each.severity == "fail"
        )


def given(report: Report) -> str:
    """What a trial did say, in the form of `Expectation.words`."""
    failing = (each for each in report.verdict.findings if each.severity == "fail")
    named = dict.fromkeys(each.metric for each in failing)
    by = f" by {', '.join(named)}" if named else ""
    fix = report.proof.outcome if report.proof else "without a claim"
    return f"{report.verdict.outcome} {fix}{by}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Trials under the same terms.

    Attributes:
        scenario: a file beside the shop.
        trials: what is tried.
    """

    scenario: str
    trials: tuple[Expectation, ...]

    def only(self, *candidates: str) -> Programme:
        """The same with these candidates alone, in its own order."""
        chosen = tuple(each for each in self.trials if each.candidate in candidates)
        return Programme(scenario=self.scenario, trials=chosen)


GALLERY: Final = Programme(
    scenario="gallery.yaml",
    trials=(
        Expectation(
            candidate="true-fix",
            claim="a fix of the checkout's race that fixes it",
            outcome=Outcome.PASS,
            fix=FixOutcome.FIXED,
        ),
        Expectation(
            candidate="no-op",
            claim="the same order number, tried again",
            fix=FixOutcome.NOT_FIXED,
            metric="fix",
        ),
        Expectation(
            candidate="leak",
            claim="the same fix with a cache that never forgets",
            metric="memory",
        ),
        Expectation(
            candidate="global-lock",
            claim="one request at a time, the payment included",
            metric="p95",
        ),
        Expectation(
            candidate="swallowed-exception",
            claim="the race's 500, answered as an empty 200",
            metric="behaviour",
            says="POST /checkout",
        ),
        Expectation(
            candidate="n-plus-one",
            claim="four queries more for each row of a page",
            metric="cpu",
        ),
        Expectation(
            candidate="retry-storm",
            claim="a declined payment, asked for a hundred times",
            metric="p95",
        ),
        Expectation(
            candidate="pool-leak",
            claim="connections that an error does not give back",
            metric="errors",
        ),
        Expectation(
            candidate="regex",
            claim="a pattern that backtracks for seconds on a rare message",
            metric="p95",
        ),
        Expectation(
            candidate="float-money",
            claim="sums in euros, a cent too small in one cart of 16",
            metric="check",
            says="wrong_totals",
        ),
        Expectation(
            candidate="stale-cache",
            claim="one customer's prices, shown to the next",
            metric="behaviour",
            says="price_cents",
        ),
        Expectation(
            candidate="lost-update",
            claim="stock that is read, and written a moment later",
            metric="check",
            says="oversold",
        ),
        Expectation(
            candidate="blocking-call",
            claim="a sleep that stops everybody",
            metric="p95",
        ),
        Expectation(
            candidate="validation-removed",
            claim="invoices that anybody may print",
            metric="behaviour",
            says="403",
        ),
        Expectation(
            candidate="descriptor-leak",
            claim="a file that each look at a product leaves open",
            metric="descriptors",
        ),
        Expectation(
            candidate="timeout-widened",
            claim="half a minute of patience with the payment provider",
            metric="p95",
        ),
    ),
)
"""All candidates: `seatrial demo --all`."""

DEMO: Final = Programme(
    scenario="demo.yaml", trials=GALLERY.only("true-fix", "leak").trials
)
"""One that may ship and one that may not: `seatrial demo`."""
