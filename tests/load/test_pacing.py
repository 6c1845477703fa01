from hypothesis import given
from hypothesis import strategies as st

from harness.load.pacing import ArmClock, Pacer

MOMENTS = st.lists(st.integers(0, 1000))


@given(MOMENTS, st.integers(1, 50))
def test_order(moments: list[int], grain: int) -> None:
    """Users come out by their grain, within one in the order of arrival."""
    pacer = Pacer(grain)
    for place, moment in enumerate(moments):
        pacer.add(moment, (-(-moment // grain), place))

    assert sorted((-(-m // grain), p) for p, m in enumerate(moments)) == pacer.due(1050)


@given(MOMENTS, st.integers(0, 1000), st.integers(1, 50))
def test_due(moments: list[int], now: int, grain: int) -> None:
    """Nobody is due early, nobody a whole grain late; the rest stay."""
    pacer = Pacer(grain)
    for moment in moments:
        pacer.add(moment, moment)

    taken = set(pacer.due(now))
    due = [m for m in moments if m in taken]

    assert all(m <= now for m in due)
    assert all(m > now - grain for m in moments if m not in due)
    later = [-(-m // grain) * grain for m in moments if m not in due]
    assert min(later, default=None) == pacer.next_ns()


def test_first() -> None:
    """Adding tells whether the pacer has to look again earlier than it thought."""
    pacer = Pacer(2)

    added = [pacer.add(m, None) for m in (5, 7, 6, 3, 4)]

    assert [True, False, False, True, False] == added


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
