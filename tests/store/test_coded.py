from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.store.coded import coded


@given(st.lists(st.sampled_from(["a", "b", "c"])), st.data())
def test_a_coded_column_is_the_same_column(
    column: list[str], data: st.DataObject
) -> None:
    """Row by row, of any choice of rows, and whatever is made of its values."""
    same = coded(column)
    rows = data.draw(st.lists(st.integers(0, len(column) - 1))) if column else []

    assert column == list(same)
    assert len(column) == len(same)
    assert [column[row] for row in rows] == list(same.taken(np.array(rows, np.int64)))
    used = same.taken(np.array(rows, np.int64)).used()
    assert [column[row] for row in rows] == list(used)
    assert {column[row] for row in rows} == set(used.values)
    assert [f"{each}!" for each in column] == list(same.of_each("{}!".format))
    assert {each: column.count(each) for each in column} == dict(
        zip(same.values, same.counts(), strict=True)
    )


def test_what_is_equal_is_made_once() -> None:
    """A value is handled once, however many rows have it; none counts as a value."""
    made: list[str | None] = []
    column = coded(["a", None, "a", None, "a"])

    assert ["a", None] == list(column.values)
    column.of_each(made.append)
    assert ["a", None] == made
