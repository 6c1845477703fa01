import pytest

from harness.model.quantity import Allowance, bytes_of, cut, duration_ns


@pytest.mark.parametrize(
    ("text", "ns"),
    [("10s", 10**10), ("500ms", 5 * 10**8), ("1.5m", 9 * 10**10), ("2 h", 72 * 10**11)],
)
def test_duration(text: str, ns: int) -> None:
    """A duration is a number with its unit."""
    assert ns == duration_ns(text)


def test_bytes() -> None:
    """Binary and decimal sizes are told apart."""
    assert [1 << 20, 10**6] == [bytes_of("1MiB"), bytes_of("1MB")]


@pytest.mark.parametrize("text", ["10", "10 parsecs", "", None, 10, "-1s"])
def test_unit_is_needed(text: object) -> None:
    """A number without a known unit is refused."""
    with pytest.raises(ValueError, match="needs a number with a unit"):
        duration_ns(text)


@pytest.mark.parametrize("digits", [30, 400])
def test_too_much(digits: int) -> None:
    """A quantity beyond 64 bits is refused, even where no float can hold it."""
    with pytest.raises(ValueError, match="more than anything can hold"):
        duration_ns("9" * digits + "h")


def test_cut() -> None:
    """A text keeps up to 60 characters."""
    assert ["a" * 60, "a" * 59 + "…"] == [cut("a" * 60), cut("a" * 61)]


def test_allowance() -> None:
    """A budget is relative, absolute, or either of both."""
    both = Allowance.parse("10% or 5ms", "ns")

    assert (0.1, 5e6, "10% or 5ms") == (both.relative, both.absolute, both.text)
    assert 0.001 == Allowance.parse("0.1%", "ratio").relative
    assert 16 << 20 == Allowance.parse("16MiB", "bytes").absolute


@pytest.mark.parametrize(
    ("text", "unit"), [("10%", "growth"), ("10% or 64KiB", "growth"), ("20%", "count")]
)
def test_growth_is_of_nothing(text: str, unit: str) -> None:
    """A percentage of what hardly grows at all is no budget: 10 % once meant a byte."""
    with pytest.raises(ValueError, match="needs a number with a unit"):
        Allowance.parse(text, unit)


@pytest.mark.parametrize("text", ["5ms", "10% or 20%", "10% or 5"])
def test_allowance_of_the_wrong_kind(text: str) -> None:
    """A budget in a unit that its metric does not have is refused."""
    with pytest.raises(ValueError, match=r"unit|twice"):
        Allowance.parse(text, "bytes")
