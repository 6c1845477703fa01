"""`agent.json`: what a fixing agent is told, and what it may try next.

Of the whole trial it is told the outcome in a word. All else is of the part of the
traffic that is shown: a candidate that is made for what was seen does not get further.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from harness.compare.finding import FIX
from harness.model.verdict import SCHEMA_VERSION, FixOutcome, Label, Outcome
from harness.report.wording import examples, held_out, notes, printable, reasons

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.profile import Frame
    from harness.model.verdict import Estimate, Finding, Proof, Report

__all__ = ["AGENT_FILE", "agent"]

AGENT_FILE: Final = "agent.json"
"""Its name in a trial's directory."""

_FINDINGS: Final = 20

_REPEAT: Final = "seatrial verify SCENARIO --format agent"

_APART: Final[Mapping[Outcome, str]] = {
    Outcome.PASS: (
        "everything together passes; the shown part alone, which is less evidence,"
        " would be {shown}"
    ),
    Outcome.FAIL: (
        "the shown part alone would be {shown}: the held-out part of the traffic"
        " decides; look for what is special-cased, such as values, users or routes that"
        " were seen before"
    ),
    Outcome.INCONCLUSIVE: (
        "the shown part alone would be {shown}: the held-out part of the traffic"
        " leaves it open"
    ),
    Outcome.INVALID: "everything together is INVALID, the shown part alone {shown}",
}
"""By the outcome of everything, where the shown part alone has another."""

_THINNER: Final = (
    "the shown part alone would be {shown}, but it is less evidence, and not all of it"
    " could be judged: see notes"
)
"""The same where that may be only because the shown part is smaller."""

_NEXT: Final[Mapping[str, str]] = {
    "p50": (
        "every request pays: profile one such request on both builds; count its"
        " queries, copies, parsing and logging"
    ),
    "p95": (
        "the slow tail waits rather than works: look for a lock held over I/O, a pool"
        " that is too small, a query whose cost depends on its data; send such requests"
        " concurrently, one by one they are quick"
    ),
    "p99": (
        "one in a hundred pauses: look for garbage collection, a cache that fills or"
        " evicts, retries, flushes to disk, a lock that is rarely contended"
    ),
    "errors": (
        "send such requests concurrently to the candidate and read its log for the"
        " first traceback; look for shared state, for what another request has not"
        " written yet, for limits that are reached"
    ),
    "goodput": (
        "planned requests got no correct answer: see errors first, then what lets"
        " clients wait past the deadline or closes their connections"
    ),
    "memory": (
        "something is still referenced after its request: look for caches without a"
        " bound, globals, listeners; compare heap snapshots after 1,000 and after"
        " 10,000 requests"
    ),
    "growth": (
        "each request leaves something behind: compare heap snapshots after 1,000 and"
        " after 10,000 requests; `rounds: {soak: 10min}` in the scenario tells a leak"
        " from a cache that fills"
    ),
    "cpu": (
        "each answer costs more work: profile the candidate under this load; look for"
        " repeated parsing and serialising, scans, regular expressions, busy waiting"
    ),
    "behaviour": (
        "send the requests of the examples to both builds and compare the answers; what"
        " is meant is declared in `behaviour.expect` of the scenario, whatever else"
        " differs is a mistake"
    ),
    "check": (
        "an invariant breaks under load: look for what is read, and later written by"
        " what was read, with another request in between; a transaction or a"
        " conditional update holds it together"
    ),
    "logs": (
        "the candidate raises what the baseline does not: start from the example's"
        " innermost own function, and provoke it concurrently in a test of its own"
    ),
    "descriptors": (
        "files, sockets or connections are opened and not closed on some path, often"
        " the one of an error: list `/proc/PID/fd` after 1,000 and after 2,000 requests"
    ),
    "threads": (
        "threads are started and do not end: look for executors made by the request,"
        " timers without an end, workers that wait for ever"
    ),
    "sockets": (
        "connections are opened and not closed on some path, often the one of an"
        " error; look at clients that are made by the request and never closed"
    ),
    "crash": (
        "run the candidate alone under the scenario's limits and load, and read how it"
        " ends: out of memory, see memory; else the last lines of its log"
    ),
    "requests": (
        "too few answers of the candidate can be timed: see errors, and whether it"
        " closes connections that the baseline keeps"
    ),
    "credentials": (
        "not the candidate's doing: the recording's logins have expired; renew what it"
        " logs in with, or record anew"
    ),
    "rounds": (
        "not the candidate's doing: there was no time for enough rounds; give more with"
        " --max-time"
    ),
    "generator": (
        "nothing was measured that counts: repeat on a quieter machine, with less load"
        " or with more --workers; where only the candidate overloads the generator,"
        " look for answers that are far larger or far slower"
    ),
}
"""By what a finding is about."""

_NEXT_OF_ANYTHING: Final = "repeat the trial and look at what the message names"

_NEXT_OF_FIX: Final[Mapping[FixOutcome, str]] = {
    FixOutcome.NOT_FIXED: (
        "the symptom is still there: provoke it on the baseline in a test of its own"
        " first, concurrently, then show that the candidate has it no more"
    ),
    FixOutcome.NOT_REPRODUCED: (
        "the baseline does not show the symptom: more or faster load, another recording"
        " or another `fix.symptom` must show it before anything can be fixed"
    ),
    FixOutcome.UNPROVEN: (
        "not enough evidence either way: longer or more rounds, or load that shows the"
        " symptom more often"
    ),
}

_TIMED: Final = frozenset(
    {"p50", "p95", "p99", "errors", "goodput", "memory", "growth", "cpu"}
)
_UNDECIDED: Final = (
    "undecided: more rounds (`rounds.max`) or a quieter machine would tell; if it is"
    " real, {advice}"
)


def agent(shown: Report, *, outcome: Outcome, fix: FixOutcome | None) -> str:
    """The document; besides two words everything in it is of the shown part.

    Args:
        shown: the report on that part.
        outcome: of everything.
        fix: likewise, of the claimed fix; `None` where none is claimed.
    """
    found = [] if outcome is Outcome.PASS else _deciding(shown)
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "scenario": shown.scenario,
        "why": shown.why,
        "outcome": outcome,
        "reason": _reason(shown, outcome),
        "fix": shown.proof and _fix(shown.proof, fix),
        "findings": [_told(each, shown) for each in found[:_FINDINGS]],
        "more_findings": max(0, len(found) - _FINDINGS),
        "notes": list(notes(shown)),
        "time_grew_in": [asdict(each) for each in _frames(shown)],
        "held_out": _held_out(shown),
        "repeat": _REPEAT,
    }
    text = json.dumps(
        document, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return f"{text}\n"


def _frames(shown: Report) -> tuple[Frame, ...]:
    return shown.profile.frames if shown.profile else ()


def _deciding(shown: Report) -> list[Finding]:
    return [each for each in shown.verdict.findings if each.severity != "note"]


def _reason(shown: Report, outcome: Outcome) -> str:
    alone, deciding = shown.verdict.outcome, _deciding(shown)
    if alone is not outcome:
        apart = _THINNER if _is_thinner(shown) else _APART[outcome]
        return apart.format(shown=alone)
    return printable(deciding[0].message) if deciding else reasons(shown)[0]


def _is_thinner(shown: Report) -> bool:
    """Whether something could not be judged of the shown part."""
    return any(
        each.budget and (each.undefined or each.label is Label.UNCLEAR)
        for each in shown.estimates
    )


def _fix(proof: Proof, fix: FixOutcome | None) -> dict[str, Any]:
    return {
        "outcome": fix,
        "symptom": printable(proof.symptom),
        "shown": f"{proof.outcome}: {printable(proof.message)}",
        "per_round": proof.per_round,
    }


def _told(finding: Finding, shown: Report) -> dict[str, Any]:
    about = finding.metric, finding.route
    found = (each for each in shown.estimates if (each.metric, each.route) == about)
    return {
        "severity": finding.severity,
        "metric": finding.metric,
        "route": printable(finding.route),
        "message": printable(finding.message),
        "evidence": next(map(_evidence, found), None),
        "examples": list(examples(shown).get(printable(finding.message), ())),
        "next": _next(finding, shown.proof),
    }


def _evidence(estimate: Estimate) -> dict[str, Any]:
    """The figures as in `verdict.json`, without those that say nothing more."""
    return {
        "unit": estimate.unit,
        "relative": estimate.relative,
        "baseline": estimate.baseline,
        "candidate": estimate.candidate,
        "change": estimate.change,
        "interval": [estimate.lower, estimate.upper],
        "budget": estimate.budget,
        "worst_round": estimate.worst_round,
        "per_round": estimate.per_round,
    }


def _next(finding: Finding, proof: Proof | None) -> str:
    if finding.metric == FIX and proof:
        return _NEXT_OF_FIX[proof.outcome]
    advice = _NEXT.get(finding.metric, _NEXT_OF_ANYTHING)
    undecided = finding.severity == "inconclusive" and finding.metric in _TIMED
    return _UNDECIDED.format(advice=advice) if undecided else advice


def _held_out(shown: Report) -> str:
    if not shown.held_out:
        return "nothing: all that is judged is shown"
    return (
        f"{held_out(shown)}; memory, CPU time, crashes and the generator are those of"
        " the whole service"
    )
