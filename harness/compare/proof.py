"""Whether a fix fixes: the baseline shows the symptom, and the candidate does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.compare.figure import figure, significant
from harness.compare.level import levels
from harness.compare.metric import METRICS, Undefined
from harness.compare.paired import LEVEL
from harness.model.result import Arm
from harness.model.symptom import EVENTS
from harness.model.verdict import FixOutcome, Proof

if TYPE_CHECKING:
    from harness.compare.evidence import RoundEvidence, TrialEvidence
    from harness.model.symptom import Symptom

__all__ = ["is_absent", "prove"]

_PAIRS: Final = 6
_OFTEN: Final = 0.8


def prove(symptom: Symptom, trial: TrialEvidence, *, looked: bool) -> Proof:
    """What the rounds say of the claim.

    Args:
        symptom: what the candidate claims to fix.
        trial: its evidence.
        looked: whether there are as many sound rounds as at a look.
    """
    if symptom.kind in EVENTS:
        return _by_events(symptom, trial)
    return _by_level(symptom, trial, looked=looked)


def is_absent(proof: Proof | None, symptom: Symptom | None) -> bool:
    """Whether more rounds of a baseline that is below the threshold are idle."""
    return bool(
        proof
        and symptom
        and symptom.kind not in EVENTS
        and proof.outcome is FixOutcome.NOT_REPRODUCED
    )


def _by_events(symptom: Symptom, trial: TrialEvidence) -> Proof:
    """Six pairs "baseline yes, candidate no" and not one candidate with it.

    A candidate that changes nothing gets there in 1 of 64 trials at most.
    """
    words = _named(symptom)
    pairs = [
        tuple(float(_happened(symptom, each, arm)) for arm in Arm)
        for each in trial.sound
    ]
    before = sum(baseline for baseline, _ in pairs)
    after = sum(_happened(symptom, each, Arm.CANDIDATE) for each in trial.rounds)
    had = f"{words} in {before:.0f} of {len(pairs)} rounds of the baseline"
    if after:
        outcome = FixOutcome.NOT_FIXED
        message = f"{had}, and in {after} of the candidate's"
    elif before >= _PAIRS:
        outcome = FixOutcome.FIXED
        residual = 1 - LEVEL ** (1 / len(pairs))
        message = (
            f"{had}, in none of the candidate's; with 95% confidence it is left in at"
            f" most {100 * residual:.0f}% of such rounds"
        )
    elif not before:
        outcome = FixOutcome.NOT_REPRODUCED
        message = f"{had}: the recording or the load does not provoke it"
    else:
        outcome = FixOutcome.UNPROVEN
        message = f"{had}, in none of the candidate's; a proof takes {_PAIRS}"
    if 0 < before < _OFTEN * len(pairs):
        message += "; longer rounds would show it more often"
    return Proof(
        outcome=outcome,
        symptom=words,
        message=message,
        per_round=tuple((baseline, candidate) for baseline, candidate in pairs),
    )


def _happened(symptom: Symptom, evidence: RoundEvidence, arm: Arm) -> bool:
    if symptom.crash:
        return bool(evidence.round.arm(arm).died)
    if symptom.check:
        checks = evidence.round.arm(arm).checks
        return any(each.failure for each in checks if each.name == symptom.check)
    return any(
        symptom.route in {None, each.route}
        and symptom.status in {None, each.status}
        and symptom.cause in {None, each.cause}
        for each in evidence.arm(arm).episodes
    )


def _by_level(symptom: Symptom, trial: TrialEvidence, *, looked: bool) -> Proof:
    """Baseline above the threshold, candidate below it, and less than the baseline."""
    words = _named(symptom)
    found = levels(symptom, trial)
    if isinstance(found, Undefined) or not looked:
        reason = found.reason if isinstance(found, Undefined) else "too few rounds"
        message = f"{words}: {reason}"
        return Proof(outcome=FixOutcome.UNPROVEN, symptom=words, message=message)
    before, after = found.baseline, found.candidate
    if after.lower > found.threshold:
        outcome = FixOutcome.NOT_FIXED
    elif before.upper < found.threshold:
        outcome = FixOutcome.NOT_REPRODUCED
    elif found.too_thin or not before.lower > found.threshold > after.upper:
        outcome = FixOutcome.UNPROVEN
    else:
        better = found.change.upper < 0
        outcome = FixOutcome.FIXED if better else FixOutcome.UNPROVEN
    return Proof(
        outcome=outcome,
        symptom=words,
        message=f"{words}: {found.text}",
        per_round=tuple((significant(b), significant(c)) for b, c in found.per_round),
    )


def _named(symptom: Symptom) -> str:
    """Such as `500 on POST /checkout`, or `p95 above 500 ms`."""
    kind, given = symptom.kind, getattr(symptom, symptom.kind)
    if kind == "crash":
        what = "a crash"
    elif kind in EVENTS:
        what = str(given)
    else:
        beyond = "above" if METRICS[kind].worse > 0 else "below"
        what = f"{kind} {beyond} {figure(given, METRICS[kind].unit)}"
    return f"{what} on {symptom.route}" if symptom.route else what
