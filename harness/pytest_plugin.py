"""The fixture `seatrial`: a team's gate beside its tests.

def test_checkout(seatrial):
    seatrial("scenarios/checkout.yaml")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.library import Trial

__all__ = ["pytest_addoption", "seatrial"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where trials go, how long they may take, and what becomes of a doubt."""
    group = parser.getgroup("seatrial", "trials of two builds under recorded traffic")
    group.addoption(
        "--seatrial-out",
        default="trials",
        metavar="DIR",
        help="In which each trial gets its own directory.",
    )
    group.addoption(
        "--seatrial-max-time",
        metavar="TIME",
        help="Of each trial, such as 20m; no round starts that would end after it.",
    )
    group.addoption(
        "--seatrial-inconclusive",
        choices=["fail", "skip"],
        default="fail",
        help="What becomes of a test whose trial is INCONCLUSIVE.",
    )


@pytest.fixture
def seatrial(request: pytest.FixtureRequest) -> Callable[..., Trial]:
    """Runs a trial; the test fails with the report where it is no PASS.

    Called with a scenario file, relative to pytest's root directory, and whatever else
    `harness.verify` takes. Waits for another trial on this machine, such as that of a
    test beside it, unless told `wait=False`. Gives the trial. What cannot be measured
    is an error.
    """
    config = request.config

    def verified(scenario: str, **asked: Any) -> Trial:
        from harness.library import verify  # noqa: PLC0415 - heavy, and seldom asked for

        trial = verify(
            config.rootpath / scenario,
            **{
                "out": config.rootpath / config.getoption("--seatrial-out"),
                "max_time": config.getoption("--seatrial-max-time"),
                "wait": True,
                **asked,
            },
        )
        if trial.outcome == "PASS":
            return trial
        doubt = config.getoption("--seatrial-inconclusive")
        told = f"{trial.text}\nfiles: {trial.directory}"
        if trial.outcome == "INCONCLUSIVE" and doubt == "skip":
            pytest.skip(told)
        pytest.fail(told, pytrace=False)

    return verified
