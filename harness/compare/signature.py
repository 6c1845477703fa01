"""Errors that the baseline never showed: few of them prove much."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import bdtrc

from harness.compare.finding import trial_finding
from harness.model.result import Arm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.compare.case import Case
    from harness.compare.evidence import TrialEvidence
    from harness.compare.measure import Signature
    from harness.model.verdict import Finding

__all__ = ["chance", "new_errors", "rare_new_errors"]

_LEVEL: Final = 0.01
"""Of a false FAIL by an error that only chance gave to one arm, over all of them."""
_SHARES: Final = np.linspace(0, 1, 1_001)


def new_errors(case: Case) -> Iterator[Finding]:
    """Errors that the baseline never showed: so many that chance is no explanation."""
    if not case.looked:
        return
    for signature, rounds in _new_signatures(case):
        if _is_proven(rounds, case.trial):
            message = f"{_episodes(signature, rounds)}, none on the baseline"
            yield _found("fail", signature, message)


def rare_new_errors(case: Case) -> Iterator[Finding]:
    """Such errors, but fewer."""
    for signature, rounds in _new_signatures(case):
        if not _is_proven(rounds, case.trial):
            yield _found(
                "inconclusive",
                signature,
                f"{_episodes(signature, rounds)}, none on the baseline: too few to tell"
                " from chance, too many for a PASS",
            )


def _found(severity: str, signature: Signature, message: str) -> Finding:
    found = trial_finding(severity, "errors", message)
    return replace(found, route=signature.route)


def _new_signatures(case: Case) -> Iterator[tuple[Signature, Mapping[int, int]]]:
    """Those of the candidate alone, with their slices in each sound round."""
    trial = case.trial
    seen = {one for each in trial.rounds for one in each.baseline.episodes}
    found: dict[Signature, dict[int, int]] = {}
    for each in trial.sound:
        for signature, slices in each.candidate.episodes.items():
            if signature not in seen and signature.text not in trial.known:
                found.setdefault(signature, {})[each.round.index] = len(slices)
    yield from sorted(found.items())


def _is_proven(rounds: Mapping[int, int], trial: TrialEvidence) -> bool:
    """Whether chance alone is no explanation, for any error that the trial showed."""
    sound = trial.sound
    kinds = {one for each in sound for arm in Arm for one in each.arm(arm).episodes}
    level = trial.looks.nominal(_LEVEL / len(kinds), len(sound))
    return chance(len(rounds), len(sound)) < level


@lru_cache(maxsize=1_024)
def chance(shown: int, rounds: int) -> float:
    """That one of two equal builds shows an error in so many rounds, the other never.

    At the share of rounds for which that is likeliest (the unconditional test of
    Barnard, Significance Tests for 2 x 2 Tables, Biometrika 34 (1947)). Rounds count,
    not slices or requests: what a start lacks, all of its slices lack.
    """
    at_least = bdtrc(shown - 1, rounds, _SHARES)
    return float(np.max(at_least * (1 - _SHARES) ** rounds))


def _episodes(signature: Signature, rounds: Mapping[int, int]) -> str:
    slices = sum(rounds.values())
    return (
        f"errors: {signature.text} in {slices} slice{'s' * (slices != 1)}"
        f" of {len(rounds)} round{'s' * (len(rounds) != 1)}"
    )
