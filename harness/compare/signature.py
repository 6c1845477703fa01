"""Errors that the baseline never showed: few of them prove much."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import bdtrc

from harness.compare.finding import trial_finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.compare.case import Case
    from harness.compare.evidence import TrialEvidence
    from harness.compare.measure import Signature
    from harness.model.verdict import Finding

__all__ = ["NewError", "chance", "found_new", "new_errors", "rare_new_errors"]

_LEVEL: Final = 0.01
"""Of a false FAIL by an error that only chance gave to one arm, over all of them."""
_SHARES: Final = np.linspace(0, 1, 1_001)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewError:
    """An error that the candidate shows and the baseline never did.

    Attributes:
        signature: which.
        slices: of how many, by the index of the round.
        proven: whether chance is no explanation, by the sound rounds alone.
    """

    signature: Signature
    slices: Mapping[int, int]
    proven: bool

    @property
    def text(self) -> str:
        """Which, and how often."""
        slices, rounds = sum(self.slices.values()), len(self.slices)
        return (
            f"errors: {self.signature.text} in {slices} slice{'s' * (slices != 1)}"
            f" of {rounds} round{'s' * (rounds != 1)}"
        )


def found_new(trial: TrialEvidence) -> tuple[NewError, ...]:
    """Every new error of a trial, void rounds included, which prove nothing."""
    seen = {one for each in trial.rounds for one in each.baseline.episodes}
    slices: dict[Signature, dict[int, int]] = {}
    for each in trial.rounds:
        for signature, of in each.candidate.episodes.items():
            if signature not in seen and signature.text not in trial.known:
                slices.setdefault(signature, {})[each.round.index] = len(of)
    if not slices:
        return ()
    sound = {each.round.index for each in trial.sound}
    level = trial.looks.nominal(_LEVEL / len(seen | slices.keys()), len(sound))
    return tuple(
        NewError(
            signature=signature,
            slices=rounds,
            proven=chance(len(rounds.keys() & sound), len(sound)) < level,
        )
        for signature, rounds in sorted(slices.items())
    )


def new_errors(case: Case) -> Iterator[Finding]:
    """So many that chance is no explanation."""
    for each in case.new_errors if case.looked else ():
        if each.proven:
            yield _found("fail", each, f"{each.text}, none on the baseline")


def rare_new_errors(case: Case) -> Iterator[Finding]:
    """Such errors, but fewer."""
    for each in case.new_errors:
        if not each.proven:
            yield _found(
                "inconclusive",
                each,
                f"{each.text}, none on the baseline: too few to tell from chance, too"
                " many for a PASS",
            )


def _found(severity: str, error: NewError, message: str) -> Finding:
    found = trial_finding(severity, "errors", message)
    return replace(found, route=error.signature.route)


@lru_cache(maxsize=1_024)
def chance(shown: int, rounds: int) -> float:
    """That one of two equal builds shows an error in so many rounds, the other never.

    At the share of rounds for which that is likeliest (the unconditional test of
    Barnard, Significance Tests for 2 x 2 Tables, Biometrika 34 (1947)). Rounds count,
    not slices or requests: what a start lacks, all of its slices lack.
    """
    at_least = bdtrc(shown - 1, rounds, _SHARES)
    return float(np.max(at_least * (1 - _SHARES) ** rounds))
