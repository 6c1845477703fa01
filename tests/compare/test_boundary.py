import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from harness.compare.boundary import Looks

LOOKS = Looks(4, 10)


@pytest.mark.parametrize(
    ("level", "exact"),
    [
        (0.05, [4.95, 4.05, 3.37, 2.93, 2.62, 2.38, 2.19]),
        (0.025, [6.35, 5.06, 4.13, 3.56, 3.17, 2.90, 2.68]),
    ],
)
def test_exact(level: float, exact: list[float]) -> None:
    """The boundaries are near those of exact integration, as the design gives them."""
    found = [LOOKS.critical(level, rounds) for rounds in range(4, 11)]

    assert exact == pytest.approx(found, rel=0.06)
    assert exact[1:] == pytest.approx(found[1:], rel=0.02)


@pytest.mark.parametrize("level", [0.05, 0.05 / 13])
@pytest.mark.parametrize("looks", [LOOKS, Looks(6, 20), Looks(2, 3)])
def test_whole_error(looks: Looks, level: float) -> None:
    """All looks together are wrong about as often as the level says, and no more."""
    trials = 200_000
    rounds = np.arange(looks.first, looks.last + 1)
    values = np.random.default_rng(1).standard_normal((trials, looks.last))
    mean = np.cumsum(values, axis=1)[:, rounds - 1] / rounds
    squares = np.cumsum(values**2, axis=1)[:, rounds - 1]
    error = np.sqrt((squares - rounds * mean**2) / (rounds - 1) / rounds)
    critical = [looks.critical(level, int(each)) for each in rounds]

    wrong = float(np.mean(np.any(mean / error > critical, axis=1)))

    assert 0.8 * level < wrong < 1.1 * level


def test_one_look() -> None:
    """A trial with one look spends everything there: the plain t test."""
    assert stdtrit(3, 0.95) == pytest.approx(Looks(4, 4).critical(0.05, 4))


@given(st.floats(1e-5, 0.05), st.integers(2, 6), st.integers(1, 14))
def test_later_is_easier(level: float, first: int, more: int) -> None:
    """Every look has a boundary, later ones lower, none lower than a plain t test's."""
    looks = Looks(first, first + more)
    rounds = range(looks.first, looks.last + 1)

    found = [looks.critical(level, each) for each in rounds]

    assert sorted(found, reverse=True) == found
    assert all(
        c >= stdtrit(r - 1, 1 - level) for c, r in zip(found, rounds, strict=True)
    )
    assert looks.nominal(level, 1) == looks.nominal(level, looks.first)
    assert looks.nominal(level, 99) == looks.nominal(level, looks.last)
