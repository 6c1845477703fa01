"""Checks that fail more often on one arm: judged over rounds as new errors are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.compare.chance import LIKELY, more_often
from harness.compare.finding import trial_finding
from harness.compare.format import masked
from harness.model.result import Arm

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """What is wrong with a check over the sound rounds.

    Attributes:
        name: of the check.
        failures: by arm, what was wrong, once a round that it failed so in.
        rounds: sound rounds.
        p: that chance lets the candidate fail in so many more rounds.
        proven: whether chance is no explanation.
    """

    name: str
    failures: dict[Arm, list[str]]
    rounds: int
    p: float
    proven: bool

    @property
    def likely(self) -> bool:
        """Whether it is too much for a PASS, though it may be chance."""
        alone = not self.failures[Arm.BASELINE]
        return bool(self.failures[Arm.CANDIDATE]) and (alone or self.p <= LIKELY)

    def text(self, arm: Arm) -> str:
        """What was wrong on an arm, and how often."""
        failures = self.failures[arm]
        return (
            f"check: {self.name}: {failures[0]} in {len(failures)} of {self.rounds}"
            " rounds"
        )

    @property
    def beside(self) -> str:
        """How often it is wrong on the baseline."""
        had = len(self.failures[Arm.BASELINE])
        return f"on the baseline in {had}" if had else "never on the baseline"


def _checked(trial: TrialEvidence) -> Iterator[_Checked]:
    """Each way in which a check fails; numbers in it may be others each time."""
    sound = [each.round for each in trial.sound]
    failures: dict[tuple[str, str], dict[Arm, list[str]]] = {}
    for each in sound:
        for arm in Arm:
            for way, failure in _failures(each, arm).items():
                of = failures.setdefault(way, {arm: [] for arm in Arm})
                of[arm].append(failure)
    if not failures:
        return
    level = trial.looks.nominal(_LEVEL / len(failures), len(sound))
    for (name, _), of in failures.items():
        p = more_often(len(of[Arm.CANDIDATE]), len(of[Arm.BASELINE]), len(sound))
        yield _Checked(name=name, failures=of, rounds=len(sound), p=p, proven=p < level)


def _failures(of: Round, arm: Arm) -> dict[tuple[str, str], str]:
    """By check and what is wrong without its numbers, the first such failure."""
    found: dict[tuple[str, str], str] = {}
    for each in of.arm(arm).checks:
        if each.failure:
            found.setdefault((each.name, masked(each.failure)), each.failure)
    return found


def failed_checks(case: Case) -> Iterator[Finding]:
    """Those that the candidate fails so much more often that it is no chance."""
    for each in _checked(case.trial) if case.looked else ():
        if each.proven:
            text = f"{each.text(Arm.CANDIDATE)}, {each.beside}"
            yield trial_finding("fail", _METRIC, text)


def rarely_failed_checks(case: Case) -> Iterator[Finding]:
    """Those that it alone fails, or probably more often than the baseline."""
    for each in _checked(case.trial):
        if each.likely and not each.proven:
            text = f"{each.text(Arm.CANDIDATE)}, {each.beside}"
            remark = ": too few to tell from chance, too many for a PASS"
            yield trial_finding("inconclusive", _METRIC, text + remark)


def noted_checks(case: Case) -> Iterator[Finding]:
    """Those that the baseline fails, alone or about as often."""
    for each in _checked(case.trial):
        if not each.failures[Arm.CANDIDATE]:
            text = f"{each.text(Arm.BASELINE)} of the baseline, never on the candidate"
            yield trial_finding("note", _METRIC, text)
        elif not (each.likely or each.proven):
            remark = "; what fails on both says nothing about the change"
            text = f"{each.text(Arm.CANDIDATE)}, {each.beside}{remark}"
            yield trial_finding("note", _METRIC, text)
