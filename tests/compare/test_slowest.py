from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.compare.slowest import Nearby, slowest, slowest_of_all
from harness.model.result import Arm
from harness.model.verdict import SlowRequest

if TYPE_CHECKING:
    from tests.compare.conftest import Make

S = 1_000_000_000


def test_slowest(make: Make) -> None:
    """The slowest requests that were sent, of the measured slices alone."""
    columns = make.columns(
        [5, 900, 40, 30, 700, 20],
        slice=[1, 0, 1, 1, 2, 1],
        sent_ns=[1, 1, 1, 1, 2 * S, 0],
        shot=[9, 8, 7, 6, 5, 4],
    )

    found = slowest(columns, Arm.CANDIDATE, 3)

    assert [5, 7, 6] == [each.request.shot for each in found]
    assert found[0].request == SlowRequest(
        arm="candidate",
        round=3,
        slice=2,
        shot=5,
        route="GET /a",
        latency_ns=700_000_000,
        status=200,
        at_s=2.0,
    )


def test_nothing_was_sent(make: Make) -> None:
    """Without a request there is no slowest one."""
    assert () == slowest(make.columns([1.0], slice=0), Arm.BASELINE, 1)


def test_nearby(make: Make) -> None:
    """The last lines that were written meanwhile, by the engine's clock."""
    columns = make.columns([10_000], sent_ns=[1 * S])
    near = Nearby(slowest(columns, Arm.BASELINE, 1), ahead_ns=100 * S)
    lines = [(second * S, b"line %d" % second) for second in range(99, 115)]

    passed = [*near.noting([(0, b"without a time"), *lines])]

    assert 17 == len(passed)
    (request,) = near.requests
    assert tuple(f"line {second}" for second in range(106, 111)) == request.log


def test_of_all(make: Make) -> None:
    """Five of each arm, the slowest first."""
    (slow,) = slowest(make.columns([1.0], sent_ns=[1]), Arm.BASELINE, 1)
    requests = [replace(slow.request, latency_ns=n, shot=n) for n in range(9)]
    arm = make.arm()
    rounds = [
        replace(make.round(index, arm, arm), slowest=tuple(requests[index::2]))
        for index in (0, 1)
    ]

    assert [8, 7, 6, 5, 4] == [each.shot for each in slowest_of_all(rounds)]
