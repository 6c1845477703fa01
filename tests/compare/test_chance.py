import pytest

from harness.compare.chance import chance


def test_chance() -> None:
    """Fewer rounds to compare with leave more to chance."""
    assert chance(4, 4, 3) == pytest.approx((4 / 7) ** 4 * (3 / 7) ** 3, rel=0.02)


@pytest.mark.parametrize(
    ("shown", "rounds", "expected"),
    [(4, 4, 4**-4), (6, 6, 4**-6), (3, 4, 0.02325), (1, 1, 0.25), (0, 5, 1.0)],
)
def test_as_many_rounds(shown: int, rounds: int, expected: float) -> None:
    """All of n rounds against none of n: in one of 4 to the n."""
    assert chance(shown, rounds, rounds) == pytest.approx(expected, rel=0.02)
