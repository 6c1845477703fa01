from __future__ import annotations

from harness.capture.recall import remembered


def test_short_values_are_remembered_and_long_ones_are_not() -> None:
    """By their length, or by what is said to be their size."""
    made: list[str] = []

    def make(value: str) -> str:
        made.append(value)
        return value.upper()

    short, long = "a" * 4096, "b" * 4097
    for write in (remembered(make, len), remembered(make, lambda _: 4097)):
        assert [write(value) for value in (short, long) * 2] == [
            short.upper(),
            long.upper(),
        ] * 2
    assert [short, long, long, *(short, long) * 2] == made
