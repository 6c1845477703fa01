from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.capture.sessions import Sessions

ANN, BOB = ("1.1.1.1", "UA"), ("1.1.1.1", "other UA")


def test_a_visitor_keeps_a_session_until_a_long_pause() -> None:
    """A pause as long as the gap continues, a longer one starts anew."""
    sessions = Sessions(idle_ns=10)
    names = [sessions.session(ANN, start_ns) for start_ns in (0, 10, 21, 22)]
    assert ["s1", "s1", "s2", "s2"] == names
    assert sessions.opened == 2


def test_visitors_are_told_apart() -> None:
    """Two user agents behind one address are two users."""
    sessions = Sessions()
    assert ["s1", "s2", "s1"] == [
        sessions.session(visitor, 0) for visitor in (ANN, BOB, ANN)
    ]


@given(st.lists(st.tuples(st.sampled_from([ANN, BOB]), st.integers(0, 30))))
def test_forgetting_changes_nothing(steps: list[tuple[tuple[str, str], int]]) -> None:
    """Sweeping idle visitors out of memory gives the same sessions."""
    kept, swept, now_ns = Sessions(idle_ns=10), Sessions(idle_ns=10), 0
    for visitor, pause_ns in steps:
        now_ns += pause_ns
        swept._sweep(now_ns)
        assert kept.session(visitor, now_ns) == swept.session(visitor, now_ns)
