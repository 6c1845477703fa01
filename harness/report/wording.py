"""What terminal, markdown and JUnit say in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.compare.figure import change, figure, interval, number
from harness.compare.finding import FIX
from harness.compare.metric import METRICS, QUANTILES, QUIET
from harness.model.result import Arm
from harness.model.verdict import Label, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.model.profile import Profile
    from harness.model.verdict import Estimate, Finding, Report

__all__ = [
    "HEADINGS",
    "examples",
    "facts",
    "held_out",
    "notes",
    "printable",
    "reasons",
    "row",
    "worst_first",
]

HEADINGS: Final = (
    "metric",
    "route",
    "baseline",
    "candidate",
    "change",
    "90% interval",
    "budget",
    "verdict",
)

_FRAMES: Final = 5
_SLOW: Final = 3

_WORST: Final = (
    Label.REGRESSED,
    Label.UNCLEAR,
    Label.WITHIN,
    Label.EQUIVALENT,
    Label.IMPROVED,
    Label.SHOWN,
)


def printable(text: str) -> str:
    """`text` without control characters: routes come from captured traffic."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def reasons(report: Report) -> tuple[str, ...]:
    """Why the verdict is what it is, the first sentence most of all."""
    proof = report.proof
    claim = (f"{proof.outcome}: {printable(proof.message)}",) if proof else ()
    if report.verdict.outcome is Outcome.PASS:
        return (*claim, _all_within(report))
    return (
        *claim,
        *(
            printable(each.message)
            for each in report.verdict.findings
            if not (_is_note(each) or each.metric == FIX)
        ),
    )


def examples(report: Report) -> dict[str, tuple[str, ...]]:
    """By the sentence of a finding, the lines of what it was seen in."""
    return {
        printable(each.message): tuple(_lines(each))
        for each in report.verdict.findings
        if each.examples and not _is_note(each)
    }


def _lines(finding: Finding) -> Iterator[str]:
    for example in finding.examples:
        for line in example.splitlines():
            yield printable(line.expandtabs(4))


def _all_within(report: Report) -> str:
    gated = [each for each in report.estimates if each.budget]
    judged = sum(
        not each.undefined and each.label is not Label.UNCLEAR
        for each in gated
        if each.metric not in QUIET
    )
    soaked = all(METRICS[each.metric].only_fails for each in gated)
    surely = "in both pairs" if gated and soaked else "each with 95% confidence"
    return (
        f"every budget holds ({judged} judged, {surely}) over"
        f" {report.rounds} rounds of {report.requests:,} requests an arm"
    )


def notes(report: Report) -> tuple[str, ...]:
    """What decides nothing but should be read."""
    noted = (each.message for each in report.verdict.findings if _is_note(each))
    void = (f"void {each}" for each in report.void_rounds)
    return tuple(printable(each) for each in (*noted, *void))


def _is_note(finding: Finding) -> bool:
    return finding.severity == "note"


def facts(report: Report) -> tuple[tuple[str, str], ...]:
    """Name and value of what was compared, and how well it was measured."""
    every = (
        ("baseline", report.baseline),
        ("candidate", report.candidate),
        ("rounds", f"{report.rounds} of {report.requests:,} requests an arm"),
        ("held out", held_out(report)),
        ("not compared", _passed_over(report)),
        ("environment", "; ".join(report.environment)),
        ("generator at worst", ", ".join(_health(*each) for each in report.generator)),
        ("calibration", report.calibration),
        ("time grew in", _grown(report.profile)),
        ("slowest", _slowest(report)),
    )
    return tuple((name, printable(value)) for name, value in every if value)


def _grown(profile: Profile | None) -> str:
    """The functions that a profile names, or why there is none."""
    if profile is None or profile.missing:
        return profile.missing if profile else ""
    frames = (
        f"{each.name}: {number(each.baseline_s)} → {number(each.candidate_s)} s"
        for each in profile.frames[:_FRAMES]
    )
    return "; ".join(frames) or "no function: it is not spent on the processor"


def _slowest(report: Report) -> str:
    """Of the candidate, where it fails by a quantile of latency."""
    failing = (each for each in report.verdict.findings if each.severity == "fail")
    if not any(each.metric in QUANTILES for each in failing):
        return ""
    slow = (each for each in report.slowest if each.arm == Arm.CANDIDATE)
    return "; ".join(
        f"{each.route} {figure(each.latency_ns, 'ns')} (status {each.status}, shot"
        f" {each.shot}, round {each.round}, {each.at_s:g} s)"
        for each in list(slow)[:_SLOW]
    )


def _passed_over(report: Report) -> str:
    if not report.passed_over:
        return ""
    return (
        f"{figure(report.passed_over, 'ratio')} of the answers: they come behind a"
        " failure of one arm alone in their session"
    )


def held_out(report: Report) -> str:
    """How much of the requests a fixing agent is not told of, empty for none."""
    if not report.held_out:
        return ""
    return (
        f"{figure(report.held_out, 'ratio')} of the requests, in whole sessions, are"
        " judged as the rest is but left out of agent.json"
    )


def _health(name: str, value: float) -> str:
    words, _, unit = name.replace("_", " ").rpartition(" ")
    shown = {"ratio": f"{number(value * 100)}%", "ms": f"{number(value)} ms"}
    if unit not in shown:
        return f"{name.replace('_', ' ')} {value:,.0f}"
    return f"{words} {shown[unit]}"


def worst_first(estimates: Iterable[Estimate]) -> tuple[Estimate, ...]:
    """By label, then by how far each stands out from its budget; then as given.

    Without those that nobody asks for as long as nothing is wrong with them.
    """
    worth = (
        each
        for each in estimates
        if each.label is Label.REGRESSED or each.metric not in QUIET
    )
    return tuple(
        sorted(worth, key=lambda each: (_WORST.index(each.label), -(each.t or 0.0)))
    )


def row(estimate: Estimate) -> tuple[str, ...]:
    """One cell for each of `HEADINGS`."""
    return (
        estimate.metric,
        printable(estimate.route),
        figure(estimate.baseline, estimate.unit),
        figure(estimate.candidate, estimate.unit),
        change(estimate),
        interval(estimate),
        estimate.budget or "-",
        "not judged" if estimate.undefined else str(estimate.label),
    )
