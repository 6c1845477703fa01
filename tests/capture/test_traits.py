from __future__ import annotations

import pytest

from harness.capture.traits import Traits
from harness.model.traffic import Exchange, Request


def exchange(start_ns: int, *headers: tuple[str, str]) -> Exchange:
    request = Request(method="GET", target="/", headers=headers)
    return Exchange(start_ns=start_ns, client="", request=request)


@pytest.mark.parametrize(
    ("starts_ns", "clock_ns"),
    [
        ([0, 7_000_000_000], 1_000_000_000),
        ([7_250_000_000, 8_000_000_000], 1_000_000),
        ([7_250_000_000, 8_000_001_000], 1_000),
        ([1], 1),
    ],
)
def test_the_clock_is_what_all_starts_are_on(
    starts_ns: list[int], clock_ns: int
) -> None:
    """Seconds, unless a start is between two of them, and so on."""
    traits = Traits()
    assert starts_ns == [
        each.start_ns for each in traits.watched(map(exchange, starts_ns))
    ]
    assert clock_ns == traits.clock_ns


def test_without_exchanges_nothing_is_known() -> None:
    """A file of which nothing is kept has no say in what a recording is."""
    traits = Traits(clock_ns=5)
    assert not list(traits.watched(iter([])))
    assert not traits.known


def test_a_cookie_shows_that_there_are_cookies() -> None:
    """One is enough; what a format fixes is not looked for."""
    cookie, fixed = Traits(), Traits(clock_ns=5, cookies=False)
    for traits in (cookie, fixed):
        list(traits.watched(iter([exchange(0), exchange(1, ("cookie", "a=1"))])))
    assert cookie.cookies
    assert (5, False) == (fixed.clock_ns, fixed.cookies)
