from __future__ import annotations

from harness.model.calibration import Calibration, Injected, Machine, Sensitivity
from harness.report.calibration import calibration_text


def sensitivity(metric: str, *, relative: bool, smallest: float) -> Sensitivity:
    return Sensitivity(
        metric=metric,
        unit="ns" if relative else "ratio",
        relative=relative,
        budget="25% or 25ms" if relative else "1 point",
        rounds=20,
        deviation=0.012,
        curve=((0.5, smallest), (0.9, smallest), (0.99, smallest)),
    )


CALIBRATION = Calibration(
    scenario="shop",
    terms="t",
    machine=Machine(cpu="c", cores=2, memory_gib=8, architecture="x86_64"),
    versions={"seatrial": "1"},
    day="2026-11-25",
    baseline="git:main",
    trials=5,
    failed=0,
    bound=0.4507,
    inconclusive=1,
    invalid=0,
    rounds=20,
    family=18,
    sensitivities=(
        sensitivity("p95", relative=True, smallest=1.27),
        sensitivity("errors", relative=False, smallest=0.0104),
    ),
    injected=(
        Injected(name="+60 ms", trials=2, failed=2, metrics=("p95", "p50")),
        Injected(name="leak", trials=1, failed=0),
    ),
)

TEXT = """\
shop on c, 2 cores, 8 GiB, x86_64, 2026-11-25
baseline git:main
0 of 5 A/A trials failed (<= 45.1%), 1 INCONCLUSIVE; 0 more INVALID; 20 rounds

metric  SD           budget       found 50%     found 90%     found 99%
p95     1.20%        25% or 25ms  +27.0%        +27.0%        +27.0%
errors  1.20 points  1 point      +1.04 points  +1.04 points  +1.04 points

each against its share of 5% for 18 hypotheses
detects +27.0% on p95, +1.04 points of errors with 90% power
+60 ms: 2 of 2 found, by p95, p50
leak: 0 of 1 found
"""


def test_text() -> None:
    """A calibration is shown with its figures, their noise and the changes made."""
    assert TEXT == calibration_text(CALIBRATION)
