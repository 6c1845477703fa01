from hypothesis import given
from hypothesis import strategies as st

from harness.load.pacing import ArmClock, Pacer

MOMENTS = st.lists(st.integers(0, 1000))


@given(MOMENTS)
def test_order(moments: list[int]) -> None:
    """Users come out by their moment, equal moments in the order of arrival."""
    pacer = Pacer()
    for place, moment in enumerate(moments):
        pacer.add(moment, (moment, place))

    assert sorted((m, p) for p, m in enumerate(moments)) == pacer.due(1000)


@given(MOMENTS, st.integers(0, 1000))
def test_due(moments: list[int], now: int) -> None:
    """Exactly those are due whose moment has come; the rest stay."""
    pacer = Pacer()
    for moment in moments:
        pacer.add(moment, moment)

    assert sorted(m for m in moments if m <= now) == pacer.due(now)
    assert min((m for m in moments if m > now), default=None) == pacer.next_ns()


def test_first() -> None:
    """Adding tells whether the pacer has to look again earlier than it thought."""
    pacer = Pacer()

    assert [True, False, True] == [pacer.add(m, None) for m in (5, 7, 3)]


def test_clock_runs_in_slices_only() -> None:
    """Arm time stands still between the slices and goes on where it stopped."""
    clock = ArmClock()
    clock.start(1_000, 100)
    assert [0, 60, 100, 100] == [clock.arm_time(t) for t in (1000, 1060, 1100, 9000)]

    clock.start(10_000, 50)

    assert [100, 130, 150] == [clock.arm_time(t) for t in (10_000, 10_030, 10_999)]


def test_pause_is_no_wait() -> None:
    """A shot left over by a slice has waited in arm time, not through the pause."""
    clock = ArmClock()
    clock.start(0, 100)
    clock.start(1_000_000, 100)

    assert 1_000_000 - 10 == clock.monotonic_time(90)
    assert 1_000_020 == clock.monotonic_time(120)
