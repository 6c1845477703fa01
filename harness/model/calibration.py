"""What a machine can see of a scenario: trials of a build against itself, summed up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

__all__ = ["DETECTED", "Calibration", "Injected", "Machine", "Sensitivity"]

DETECTED = 0.9
"""The chance of a FAIL from which on a change counts as detected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What of a machine decides how well it measures.

    Attributes:
        cpu: the model of its processor.
        cores: how many of them a trial may use.
        memory_gib: rounded, since kernels keep a little for themselves.
        architecture: such as `x86_64`.
    """

    cpu: str
    cores: int
    memory_gib: int
    architecture: str

    @property
    def words(self) -> str:
        """The machine in a line."""
        cores = f"{self.cores} core{'s' * (self.cores != 1)}"
        return f"{self.cpu}, {cores}, {self.memory_gib} GiB, {self.architecture}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """One gated metric of the service: its noise, and what is found in spite of it.

    Attributes:
        metric: as in `Estimate.metric`.
        unit: as in `Estimate.unit`.
        relative: whether changes are ratios (1.1: ten percent more) or differences in
            that unit (0.01: one percentage point more).
        budget: what was allowed, in words.
        rounds: of the trials of a build against itself, that the noise comes from.
        deviation: standard deviation over those rounds of the log ratio of the arms,
            or of their difference; about 0, since there is no change.
        curve: chance of a FAIL, and the change for the worse that has it; ascending.
    """

    metric: str
    unit: str
    relative: bool
    budget: str
    rounds: int
    deviation: float
    curve: tuple[tuple[float, float], ...]

    @property
    def smallest(self) -> float:
        """The smallest change for the worse that counts as detected."""
        return next(change for power, change in self.curve if power >= DETECTED)

    def __post_init__(self) -> None:
        if not any(power >= DETECTED for power, _ in self.curve):
            raise ValueError("the curve ends before a change is detected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Injected:
    """A change that was made on purpose.

    Attributes:
        name: as in the scenario.
        trials: of the baseline against itself with that change.
        failed: how many of them were FAIL, as they should be.
        metrics: what the FAILs named, by name.
    """

    name: str
    trials: int
    failed: int
    metrics: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.failed <= self.trials:
            raise ValueError("no more trials can fail than there were")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What trials of one build against itself say of a scenario on a machine.

    Attributes:
        scenario: its name.
        terms: digest of what makes trials comparable: the scenario's service, load,
            rounds and budgets, and the recording.
        machine: where they ran.
        versions: of Seatrial and what measures.
        day: when it was made, as `2026-11-25`.
        baseline: the build, by reference and digest.
        trials: of the build against itself that came to a verdict.
        failed: how many of them were FAIL: false alarms.
        bound: upper 95 % bound of the false-alarm rate.
        inconclusive: how many were INCONCLUSIVE.
        invalid: how many more were INVALID.
        rounds: sound rounds of all of them.
        family: how many hypotheses share the 5 % of a false alarm.
        sensitivities: of each gated metric of the service that has values.
        injected: changes made on purpose.
        signatures: of errors that the build shows against itself.
    """

    scenario: str
    terms: str
    machine: Machine
    versions: dict[str, str]
    day: str
    baseline: str
    trials: int
    failed: int
    bound: float
    inconclusive: int
    invalid: int
    rounds: int
    family: int
    sensitivities: tuple[Sensitivity, ...] = ()
    injected: tuple[Injected, ...] = ()
    signatures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        date.fromisoformat(self.day)
        if not 0 <= self.failed + self.inconclusive <= self.trials:
            raise ValueError("no more trials can fail or end open than there were")
