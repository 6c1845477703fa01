from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.compare.figure import change, figure, interval, number, significant
from harness.model.verdict import Estimate


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1_234_567, "ns", "1.23 ms"),
        (143e6, "ns", "143 ms"),
        (9_999e6, "ns", "10,000 ms"),
        (12.34e9, "ns", "12.3 s"),
        (900, "bytes", "0.879 KiB"),
        (61.2 * 2**20, "bytes", "61.2 MiB"),
        (20 * 2**30, "bytes", "20.0 GiB"),
        (0.00123, "ratio", "0.123%"),
        (0, "ratio", "0%"),
        (988_000, "ns/request", "0.988 ms/req"),
        (None, "ns", "-"),
    ],
)
def test_every_figure_has_three_digits_and_a_unit(
    value: float | None, unit: str, expected: str
) -> None:
    """A reader never has to guess what a number means."""
    assert figure(value, unit) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.9999, "1.00"), (9.996, "10.0"), (123_456, "123,000"), (1e-9, "0.000000")],
)
def test_numbers_round_before_they_are_cut(value: float, expected: str) -> None:
    """Rounding up to the next magnitude does not add a digit."""
    assert number(value) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_six_digits_stay_six_digits(value: float) -> None:
    """Rounding twice is rounding once, so that a stored report reads back equal."""
    assert significant(significant(value)) == significant(value)


@pytest.mark.parametrize(
    ("relative", "values", "expected"),
    [
        (True, (1.041, 1.012, 1.07), ("+4.1%", "+1.2% to +7.0%")),
        (True, (0.9, 0.85, 0.95), ("-10.0%", "-15.0% to -5.0%")),
        (True, (2.34, 1.95, 2.9), ("x2.34", "x1.95 to x2.90")),
        (True, (0.4, 0.3, 0.6), ("x0.400", "x0.300 to x0.600")),
        (False, (0.0043, -0.001, 0.01), ("+0.43 points", "-0.10 to +1.00 points")),
    ],
)
def test_a_change_is_worded_like_its_interval(
    values: tuple[float, float, float], expected: tuple[str, str], *, relative: bool
) -> None:
    """Percent, times from a doubling on, points for rates: one wording a line."""
    centre, lower, upper = values
    estimate = Estimate(
        metric="p95",
        route="service",
        unit="ns" if relative else "ratio",
        relative=relative,
        change=centre,
        lower=lower,
        upper=upper,
    )

    assert (change(estimate), interval(estimate)) == expected


def test_an_undefined_change_is_a_dash() -> None:
    """No number is made up where there is none."""
    estimate = Estimate(
        metric="p95", route="service", unit="ns", relative=True, undefined="too few"
    )

    assert (change(estimate), interval(estimate)) == ("-", "-")
