from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from harness.model.result import Arm
from harness.rounds import first_arms


@given(st.integers(0, 1000), st.integers(1, 10))
def test_first_arms_are_balanced(seed: int, pairs: int) -> None:
    """After every second round both arms have been first equally often."""
    arms = list(islice(first_arms(seed), 2 * pairs))

    for place in range(0, len(arms), 2):
        assert set(Arm) == set(arms[place : place + 2])
    assert arms == list(islice(first_arms(seed), 2 * pairs))


def test_first_arms_are_drawn() -> None:
    """Which arm begins depends on the seed."""
    assert set(Arm) == {next(first_arms(seed)) for seed in range(20)}
