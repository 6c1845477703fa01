"""Errors that the baseline never showed: few of them prove much."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from harness.compare.finding import trial_finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.compare.case import Case
    from harness.compare.measure import Signature
    from harness.model.verdict import Finding

__all__ = ["new_errors", "rare_new_errors"]

_EPISODES: Final = 6
_EPISODE_ROUNDS: Final = 3


def new_errors(case: Case) -> Iterator[Finding]:
    """Errors that the baseline never showed: so many that chance is no explanation.

    Six slices with them on the candidate and none on the baseline: 1 in 64.
    """
    if not case.looked:
        return
    for signature, rounds in _new_signatures(case):
        if _is_proven(rounds):
            message = f"{_episodes(signature, rounds)}, none on the baseline"
            yield replace(
                trial_finding("fail", "errors", message), route=signature.route
            )


def rare_new_errors(case: Case) -> Iterator[Finding]:
    """Such errors, but fewer."""
    for signature, rounds in _new_signatures(case):
        if not _is_proven(rounds):
            message = (
                f"{_episodes(signature, rounds)}, none on the baseline: too few to tell"
                " from chance, too many for a PASS"
            )
            yield replace(
                trial_finding("inconclusive", "errors", message), route=signature.route
            )


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


def _is_proven(rounds: Mapping[int, int]) -> bool:
    return sum(rounds.values()) >= _EPISODES and len(rounds) >= _EPISODE_ROUNDS


def _episodes(signature: Signature, rounds: Mapping[int, int]) -> str:
    slices = sum(rounds.values())
    return (
        f"errors: {signature.text} in {slices} slice{'s' * (slices != 1)}"
        f" of {len(rounds)} round{'s' * (len(rounds) != 1)}"
    )
