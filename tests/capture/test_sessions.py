from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.sessions import Sessions

ANN, BOB = ("1.1.1.1", "UA"), ("1.1.1.1", "other UA")


def test_a_visitor_keeps_a_session_until_a_long_pause() -> None:
    """A pause as long as the gap continues, a longer one starts anew."""
    sessions = Sessions(idle_ns=10)
    names = [sessions.session(ANN, start_ns) for start_ns in (0, 10, 21, 22)]
    assert ["s1", "s1", "s2", "s2"] == names


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 1.0])
def test_a_share_is_drawn(share: float) -> None:
    """So many sessions, as near as a fair lot comes to it, each of them whole."""
    count = 10_000
    sessions = Sessions(share=share)
    visitors = [(f"c{number}", "UA") for number in range(count)]
    twice = [
        [sessions.session(visitor, start_ns) for visitor in visitors]
        for start_ns in (0, 1)
    ]

    assert twice[0] == twice[1]
    assert sum(map(bool, twice[0])) == sessions.kept
    deviation = (share * (1 - share) * count) ** 0.5
    assert abs(sessions.kept - share * count) <= 4 * deviation


def test_visitors_are_told_apart() -> None:
    """Two user agents behind one address are two users."""
    sessions = Sessions()
    assert ["s1", "s2", "s1"] == [
        sessions.session(visitor, 0) for visitor in (ANN, BOB, ANN)
    ]


CREDENTIALS = st.sampled_from(["", "cookie sid=1", "authorization a"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from([ANN, BOB]), st.integers(0, 30), CREDENTIALS, CREDENTIALS
        )
    )
)
def test_forgetting_changes_nothing(
    steps: list[tuple[tuple[str, str], int, str, str]],
) -> None:
    """Sweeping idle users out of memory gives the same sessions."""
    kept, swept, now_ns = Sessions(idle_ns=10), Sessions(idle_ns=10), 0
    for visitor, pause_ns, *credentials in steps:
        now_ns += pause_ns
        swept._sweep(now_ns)
        assert kept.session(visitor, now_ns, *credentials) == swept.session(
            visitor, now_ns, *credentials
        )


CASES: dict[str, list[tuple[tuple[str, str], str, str, str]]] = {
    "login in the middle": [
        (ANN, "", "", "s1"),
        (ANN, "", "cookie sid=1", "s1"),
        (ANN, "cookie sid=1", "", "s1"),
    ],
    "a new cookie at login": [
        (ANN, "", "cookie sid=1", "s1"),
        (ANN, "cookie sid=1", "cookie sid=2", "s1"),
        (ANN, "cookie sid=2", "", "s1"),
    ],
    "where answers do not tell": [
        (ANN, "", "", "s1"),
        (ANN, "cookie sid=1", "", "s1"),
        (ANN, "cookie sid=2", "", "s2"),
        (ANN, "cookie sid=1", "", "s1"),
    ],
    "a cookie moves house": [
        (ANN, "cookie sid=1", "", "s1"),
        (BOB, "cookie sid=1", "", "s1"),
    ],
    "two log in behind one address": [
        (ANN, "", "cookie sid=1", "s1"),
        (ANN, "", "cookie sid=2", "s2"),
        (ANN, "cookie sid=1", "", "s1"),
        (ANN, "cookie sid=2", "", "s2"),
    ],
    "a picture without cookies": [
        (ANN, "cookie sid=1", "", "s1"),
        (ANN, "", "", "s1"),
        (ANN, "cookie sid=1", "", "s1"),
    ],
    "many users of one client": [
        (ANN, "", "", "s1"),
        (ANN, "authorization a", "", "s1"),
        (ANN, "authorization b", "", "s2"),
        (ANN, "", "", "s3"),
        (ANN, "authorization a", "", "s1"),
        (ANN, "authorization c", "", "s3"),
        (ANN, "", "", "s4"),
        (ANN, "", "cookie sid=1", "s4"),
        (ANN, "cookie sid=1", "", "s4"),
    ],
    "tokens behind one address": [
        (ANN, "authorization Bearer a", "", "s1"),
        (ANN, "authorization Bearer b", "", "s2"),
        (ANN, "authorization Bearer a", "", "s1"),
    ],
    "one token of many clients": [
        (ANN, "authorization Basic a", "", "s1"),
        (BOB, "authorization Basic a", "", "s2"),
    ],
}


@pytest.mark.parametrize("case", CASES)
def test_credentials(case: str) -> None:
    """A credential tells users apart, and one that appears goes with who got it."""
    sessions = Sessions()

    names = [
        sessions.session(visitor, 0, credential, given)
        for visitor, credential, given, _ in CASES[case]
    ]

    assert [expected for *_, expected in CASES[case]] == names
