from __future__ import annotations

import pytest

from harness.capture.answer import response_of
from harness.model.traffic import Exchange, Request
from harness.store.recording import table_of

MOST = (2**15 - 1, 2**63 - 1, 2**63 - 1)


def test_whatever_is_accepted_can_be_stored() -> None:
    """The largest numbers that are accepted fit their columns."""
    response = response_of(*MOST)
    request = Request(method="GET", target="/")
    exchange = Exchange(start_ns=0, client="c", request=request, response=response)
    [row] = table_of([exchange]).to_pylist()
    assert (row["status"], row["response_bytes"], row["duration_ns"]) == MOST


@pytest.mark.parametrize("column", range(3))
def test_what_cannot_be_stored_is_refused(column: int) -> None:
    """One more than fits, or less than nothing, is an error."""
    for number in (MOST[column] + 1, -1):
        numbers = [200, 0, 0]
        numbers[column] = number
        with pytest.raises(ValueError, match="is not between 0 and"):
            response_of(*numbers)
