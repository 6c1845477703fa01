"""The alarm, on a real event loop."""

from __future__ import annotations

from time import monotonic_ns

import gevent
import pytest

from harness.load.alarm import Alarm

MS = 1_000_000


@pytest.mark.parametrize("after_ns", [-5 * MS, 0, 300_000, 20 * MS])
def test_never_early(after_ns: int) -> None:
    """It rings once, and not before its moment."""
    rung_ns: list[int] = []
    alarm = Alarm(lambda: rung_ns.append(monotonic_ns()))
    at_ns = monotonic_ns() + after_ns

    alarm.set(at_ns)
    gevent.sleep(0.1)
    alarm.stop()

    assert 1 == len(rung_ns)
    assert rung_ns[0] >= at_ns


def test_set_again_and_stopped() -> None:
    """Only the moment that was set last counts; stopped it never rings."""
    rung_ns: list[int] = []
    alarm = Alarm(lambda: rung_ns.append(monotonic_ns()))
    start_ns = monotonic_ns()

    alarm.set(start_ns + 5 * MS)
    alarm.set(start_ns + 40 * MS)
    gevent.sleep(0.1)
    alarm.set(monotonic_ns() + 5 * MS)
    alarm.stop()
    gevent.sleep(0.05)

    assert 1 == len(rung_ns)
    assert rung_ns[0] >= start_ns + 40 * MS
