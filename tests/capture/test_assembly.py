from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.assembly import Assembly, _whole_ticks
from harness.capture.clock import spread
from harness.capture.order import CREDENTIALS
from harness.capture.sessions import Sessions
from harness.capture.tally import Tally
from harness.model.traffic import Exchange, Request
from harness.store.recording import SCHEMA, table_of

SECOND_NS = 1_000_000_000


def table(seconds: list[int]) -> pa.Table:
    request = Request(method="GET", target="/")
    rows = table_of(
        Exchange(start_ns=second * SECOND_NS, client="c", request=request)
        for second in seconds
    )
    for name in CREDENTIALS:
        rows = rows.append_column(name, pa.array(["x"] * len(seconds), pa.string()))
    return rows.append_column("agent", pa.array([1] * len(seconds)))


def assembled(tables: list[pa.Table], clock_ns: int) -> tuple[list[int], Assembly]:
    assembly = Assembly(
        clock_ns=lambda: clock_ns,
        shared_clients=True,
        sessions=Sessions(),
        tally=Tally(),
    )
    done = list(assembly.rows(iter(tables)))
    assert all(each.schema == SCHEMA for each in done)
    return [ns for each in done for ns in each["start_ns"].to_pylist()], assembly


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=40).map(sorted), st.integers(1, 40)
)
def test_cuts_between_tables_do_not_matter(seconds: list[int], size: int) -> None:
    """Tables are cut anew so that each second, however it came, is in one of them."""
    parts = [table(seconds[at : at + size]) for at in range(0, len(seconds), size)]
    cut = [each["start_ns"].to_pylist() for each in _whole_ticks(iter(parts))]
    assert [second * SECOND_NS for second in seconds] == [
        ns for ns_s in cut for ns in ns_s
    ]
    assert len(set(seconds)) == sum(len(set(ns_s)) for ns_s in cut)


def test_fine_clocks_are_left_alone() -> None:
    """Milliseconds are kept as recorded, since the first."""
    starts_ns, assembly = assembled([table([100, 103, 103])], 1_000_000)
    assert [0, 3 * SECOND_NS, 3 * SECOND_NS] == starts_ns
    assert assembly.started_at == "1970-01-01T00:01:40.000+00:00"


def test_a_coarse_clock_has_fine_starts_on_its_ticks() -> None:
    """Beside a log in seconds, milliseconds count no more than their order."""
    fine = table([7, 7, 7])
    starts_ns = pa.array([7 * SECOND_NS, 7 * SECOND_NS + 1, 8 * SECOND_NS - 1])
    fine = fine.set_column(0, "start_ns", starts_ns)

    spread_ns, _ = assembled([fine], SECOND_NS)

    expected = spread(np.array([7, 7, 7]) * SECOND_NS, SECOND_NS)
    assert (expected - expected[0]).tolist() == spread_ns
