"""Errors that the baseline never showed, or hardly ever: few of them prove much."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from harness.compare.chance import more_often
from harness.compare.finding import trial_finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.compare.case import Case
    from harness.compare.evidence import TrialEvidence
    from harness.compare.measure import Signature
    from harness.model.verdict import Finding

__all__ = ["NewError", "found_new", "new_errors", "rare_new_errors"]

_LEVEL: Final = 0.01
"""Of a false FAIL by an error that only chance gave to one arm, over all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewError:
    """An error that the candidate shows and the baseline never did, or far less often.

    Attributes:
        signature: which.
        slices: of how many, by the index of the round.
        baseline: rounds in which the baseline shows it.
        proven: whether chance is no explanation, by the sound rounds alone.
    """

    signature: Signature
    slices: Mapping[int, int]
    baseline: int
    proven: bool

    @property
    def text(self) -> str:
        """Which, and how often."""
        slices, rounds = sum(self.slices.values()), len(self.slices)
        return (
            f"errors: {self.signature.text} in {slices} slice{'s' * (slices != 1)}"
            f" of {rounds} round{'s' * (rounds != 1)},"
            f" {f'in {self.baseline}' if self.baseline else 'none'} on the baseline"
        )


def found_new(trial: TrialEvidence) -> tuple[NewError, ...]:
    """Every such error of a trial; void rounds are looked at, but prove nothing.

    One that the baseline shows as well is told only where it is proven: what is seldom
    is as often as not seen on one arm more.
    """
    seen = Counter(one for each in trial.rounds for one in each.baseline.episodes)
    slices: dict[Signature, dict[int, int]] = {}
    for each in trial.rounds:
        for signature, of in each.candidate.episodes.items():
            if signature.text not in trial.known:
                slices.setdefault(signature, {})[each.round.index] = len(of)
    if not slices:
        return ()
    sound = {each.round.index for each in trial.sound}
    level = trial.looks.nominal(_LEVEL / len(seen.keys() | slices.keys()), len(sound))
    errors = (
        NewError(
            signature=signature,
            slices=rounds,
            baseline=seen[signature],
            proven=more_often(
                len(rounds.keys() & sound), min(seen[signature], len(sound)), len(sound)
            )
            < level,
        )
        for signature, rounds in sorted(slices.items())
    )
    return tuple(each for each in errors if each.proven or not each.baseline)


def new_errors(case: Case) -> Iterator[Finding]:
    """So many that chance is no explanation."""
    for each in case.new_errors if case.looked else ():
        if each.proven:
            yield _found("fail", each, each.text)


def rare_new_errors(case: Case) -> Iterator[Finding]:
    """Such errors, but fewer."""
    for each in case.new_errors:
        if not each.proven:
            remark = ": too few to tell from chance, too many for a PASS"
            yield _found("inconclusive", each, each.text + remark)


def _found(severity: str, error: NewError, message: str) -> Finding:
    found = trial_finding(severity, "errors", message)
    return replace(found, route=error.signature.route)
