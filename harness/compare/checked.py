"""Checks that fail on one arm: judged over rounds as new errors are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.compare.chance import chance
from harness.compare.finding import trial_finding
from harness.model.result import Arm

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.compare.case import Case
    from harness.compare.evidence import TrialEvidence
    from harness.model.result import Round
    from harness.model.verdict import Finding

__all__ = ["failed_checks", "noted_checks", "rarely_failed_checks"]

_LEVEL: Final = 0.01
"""Of a false FAIL by a check that only chance failed on one arm, over all of them."""
_METRIC: Final = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """A check over the sound rounds.

    Attributes:
        name: of the check.
        failures: by arm, what was wrong, once a round that it failed in.
        rounds: sound rounds.
        proven: whether chance does not explain that only the candidate fails.
    """

    name: str
    failures: dict[Arm, list[str]]
    rounds: int
    proven: bool

    @property
    def only(self) -> Arm | None:
        """The arm that it fails on, if it is one alone."""
        failing = [arm for arm in Arm if self.failures[arm]]
        return failing[0] if len(failing) == 1 else None

    def text(self, arm: Arm) -> str:
        """What was wrong on an arm, and how often."""
        failures = self.failures[arm]
        return (
            f"check: {self.name}: {failures[0]} in {len(failures)} of {self.rounds}"
            " rounds"
        )


def _checked(trial: TrialEvidence) -> Iterator[_Checked]:
    sound = [each.round for each in trial.sound]
    names = dict.fromkeys(
        result.name for each in sound for arm in Arm for result in each.arm(arm).checks
    )
    if not names:
        return
    level = trial.looks.nominal(_LEVEL / len(names), len(sound))
    for name in names:
        failures = {arm: list(_failures(name, arm, sound)) for arm in Arm}
        p = chance(len(failures[Arm.CANDIDATE]), len(sound), len(sound))
        yield _Checked(
            name=name, failures=failures, rounds=len(sound), proven=p < level
        )


def _failures(name: str, arm: Arm, rounds: Sequence[Round]) -> Iterator[str]:
    """What was wrong first, of each round in which something was."""
    for each in rounds:
        failures = (one.failure for one in each.arm(arm).checks if one.name == name)
        if first := next(filter(None, failures), ""):
            yield first


def _of_the_candidate(case: Case, *, proven: bool) -> Iterator[str]:
    for each in _checked(case.trial):
        if each.only is Arm.CANDIDATE and each.proven == proven:
            yield f"{each.text(Arm.CANDIDATE)}, never on the baseline"


def failed_checks(case: Case) -> Iterator[Finding]:
    """Those that only the candidate fails, in so many rounds that it is no chance."""
    for text in _of_the_candidate(case, proven=True) if case.looked else ():
        yield trial_finding("fail", _METRIC, text)


def rarely_failed_checks(case: Case) -> Iterator[Finding]:
    """The same in fewer rounds."""
    for text in _of_the_candidate(case, proven=False):
        remark = ": too few to tell from chance, too many for a PASS"
        yield trial_finding("inconclusive", _METRIC, text + remark)


def noted_checks(case: Case) -> Iterator[Finding]:
    """Those that the baseline fails, alone or as well."""
    for each in _checked(case.trial):
        if each.only is Arm.BASELINE:
            text = f"{each.text(Arm.BASELINE)} of the baseline, never on the candidate"
            yield trial_finding("note", _METRIC, text)
        elif each.only is None and each.failures[Arm.BASELINE]:
            had = len(each.failures[Arm.BASELINE])
            text = f"{each.text(Arm.CANDIDATE)}, on the baseline in {had}"
            remark = "; what fails on both says nothing about the change"
            yield trial_finding("note", _METRIC, text + remark)
