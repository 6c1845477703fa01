import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.planning.holdout import held_out

NAMES = st.lists(st.text(max_size=8), min_size=1, max_size=40, unique=True)
SEEDS = st.integers(0, 2**64 - 1)
SHARES = st.floats(0, 0.9)


@given(NAMES, SHARES, SEEDS, st.randoms())
def test_order(names: list[str], share: float, seed: int, random: object) -> None:
    """The same seed holds out the same sessions, in whichever order they come."""
    shuffled = list(names)
    random.shuffle(shuffled)  # type: ignore[attr-defined] # hypothesis types it so

    expected = dict(zip(names, held_out(names, share, seed), strict=True))

    assert expected == dict(zip(shuffled, held_out(shuffled, share, seed), strict=True))


@given(NAMES, SHARES, SEEDS)
def test_neither_all_nor_none(names: list[str], share: float, seed: int) -> None:
    """Something is always shown, and something held out where a session is due."""
    held = held_out(names, share, seed)

    assert not held.all()
    assert held.any() or share * len(names) < 1 or len(names) == 1


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.9])
def test_share(share: float) -> None:
    """Of many sessions about as many are held out as was asked."""
    names = [f"s{number}" for number in range(20_000)]

    shares = [float(np.mean(held_out(names, share, seed))) for seed in range(3)]

    assert all(abs(found - share) < 0.015 for found in shares)


def test_seed() -> None:
    """Without the seed nobody can tell which sessions they are."""
    names = [f"s{number}" for number in range(1_000)]

    one, other = (held_out(names, 0.5, seed) for seed in (1, 2))

    assert 0.4 < np.mean(one == other) < 0.6


def test_sessions_that_come_later() -> None:
    """What is held out stays so when the recording grows."""
    names = [f"s{number}" for number in range(2_000)]

    few, many = held_out(names[:1_000], 0.2, 1), held_out(names, 0.2, 1)

    assert few.tolist() == many[:1_000].tolist()
