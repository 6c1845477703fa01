from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.tally import LeftOut
from harness.capture.timeformat import complete, count_ns, moment, moment_of

START_NS = 1_431_849_903_000_000_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2015-05-17T10:05:03+02:00", (START_NS, True)),
        ("2015-05-17T08:05:03Z", (START_NS, True)),
        ("2015-05-17 08:05:03", (START_NS, True)),
        ("2015-05-17T08:05:03.5Z", (START_NS + 500_000_000, False)),
        ("2015-05-17T08:05:03.123456789Z", (START_NS + 123_456_789, False)),
        ("2015-05-17T08:05:03,250+0000", (START_NS + 250_000_000, False)),
        ("17/May/2015:10:05:03 +0200", (START_NS, True)),
        ("[17/May/2015:10:05:03 +0200]", (START_NS, True)),
        (1_431_849_903, (START_NS, True)),
        (1_431_849_903.0, (START_NS, False)),
        ("1431849903.250", (START_NS + 250_000_000, False)),
        (1693840791.7564995, (1_693_840_791_756_499_500, False)),
        (1_431_849_903_001, (START_NS + 1_000_000, False)),
        (1_431_849_903_000_001, (START_NS + 1_000, False)),
        (START_NS + 1, (START_NS + 1, False)),
    ],
)
def test_moments(value: Any, expected: tuple[int, bool]) -> None:
    """A time as logs write it, to the nanosecond, and whether it ticks in seconds."""
    assert expected == moment(value)


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "",
        None,
        True,
        [],
        -1,
        float("nan"),
        float("inf"),
        "1e999999999",
        "0001-01-01T00:00:00Z",
        "2015-02-30T00:00:00Z",
        "2015-01-01T00:00:00+99:99",
        "9999-12-31T23:59:59Z",
        "17/Mai/2015:10:05:03 +0200",
    ],
)
def test_no_moments(value: Any) -> None:
    """What is no time, or one that no clock was ever at, is malformed."""
    with pytest.raises(LeftOut) as caught:
        moment(value)
    assert "malformed" == caught.value.reason


@pytest.mark.parametrize(
    ("value", "unit_ns", "expected_ns"),
    [
        (0.000002701, 10**9, 2_701),
        ("0.733", 10**9, 733_000_000),
        ("226", 10**6, 226_000_000),
        (357_313, 1, 357_313),
        ("2.7µs", 10**9, 2_700),
        ("2.7\xc2\xb5s", 10**9, 2_700),
        ("1m1.5s", 10**9, 61_500_000_000),
    ],
)
def test_durations(value: Any, unit_ns: int, expected_ns: int) -> None:
    """A number of units, or with Go's units."""
    assert expected_ns == count_ns(value, unit_ns)


@pytest.mark.parametrize("value", ["", "-1", "fast", "5 parsecs", None, {}, False])
def test_no_durations(value: Any) -> None:
    """What is none is malformed."""
    with pytest.raises(LeftOut):
        count_ns(value, 1)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001
def test_parts_make_the_moment(when: datetime) -> None:
    """Taken apart and put together it is the same, UTC without a zone."""
    letters = "YmdHMS"
    parts = {letter: when.strftime(f"%{letter}").zfill(2) for letter in letters}
    known = when.replace(tzinfo=UTC, microsecond=0)
    assert (int(known.timestamp()) * 10**9, True) == moment_of(parts)
    assert complete(set(letters))
    assert not complete(set(letters) - {"d"})
