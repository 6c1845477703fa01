from __future__ import annotations

import statistics
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.capture.inspection import Inspection, inspection
from harness.model.traffic import Exchange, Request, Response
from harness.store.recording import Provenance, table_of, write_recording

if TYPE_CHECKING:
    from pathlib import Path

SECOND_NS = 1_000_000_000


def exchange(
    start_s: float, session: str, target: str, status: int = 0, agent: str = "me"
) -> Exchange:
    return Exchange(
        start_ns=round(start_s * SECOND_NS),
        client="c",
        session=session,
        request=Request(
            method="GET", target=target, headers=(("a", "b"), ("user-agent", agent))
        ),
        response=Response(status=status, duration_ns=SECOND_NS, body_bytes=status)
        if status
        else None,
    )


def inspected(folder: Path, *tables: list[Exchange]) -> Inspection:
    recording = write_recording(
        iter([table_of(rows) for rows in tables]),
        folder / "rec.parquet",
        lambda: Provenance(
            source_format="har",
            started_at="",
            sessions=len({each.session for rows in tables for each in rows}),
            clock_ns=1,
            cookies_recorded=True,
        ),
    )
    return inspection(recording)


def test_figures(tmp_path: Path) -> None:
    """Every figure of a recording small enough to count by hand."""
    rows = [
        exchange(0, "s1", "/orders/1?x=1", 200),
        exchange(0.5, "s2", "/orders/2", agent="kube-probe/1.27"),
        exchange(4, "s1", "/orders/3", 200),
        exchange(10, "s1", "/", 500, agent="Googlebot/2.1"),
    ]
    found = inspected(tmp_path, rows[:3], rows[3:])

    assert [("GET /orders/{id}", 3), ("GET /", 1)] == [
        (each.name, each.requests) for each in found.routes
    ]
    for route in found.routes:
        assert route.median_ns == route.p95_ns == pytest.approx(SECOND_NS, rel=0.01)
    assert found.more_routes == 0
    assert (("GET", 4),) == found.methods
    assert ((200, 2), (0, 1), (500, 1)) == found.statuses
    assert {("bot", 1), ("health check", 1)} == {*found.robots}
    assert (2.0, 3) == (found.session_median, found.session_max)
    assert (0.4, 2) == (found.mean_rate, found.peak_rate)
    bins = enumerate(found.over_time)
    assert {0: 1, 2: 1, 23: 1, 59: 1} == {at: count for at, count in bins if count}
    assert [(4, 6), (0.5, 3.5), (0, 0.5)] == [
        (gap.start_ns / SECOND_NS, gap.length_ns / SECOND_NS) for gap in found.gaps
    ]
    assert found.think_median_ns == pytest.approx(3 * SECOND_NS, rel=0.01)
    assert found.think_p95_ns == pytest.approx(5 * SECOND_NS, rel=0.01)
    assert found.answer_median_bytes == pytest.approx(200, rel=0.01)


def test_routes_are_limited(tmp_path: Path) -> None:
    """Fifty routes are listed, the rest counted."""
    rows = [exchange(0, "s1", f"/{'x' * length}") for length in range(60)]

    found = inspected(tmp_path, rows)

    assert (50, 10) == (len(found.routes), found.more_routes)
    assert {(None, None)} == {(each.median_ns, each.p95_ns) for each in found.routes}
    assert found.answer_median_bytes is None


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from("abc"), st.sampled_from([0, 200])),
        min_size=1,
        max_size=30,
    ),
    st.integers(1, 30),
)
def test_cuts_between_row_groups_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory,
    said: list[tuple[int, str, int]],
    size: int,
) -> None:
    """However the rows are grouped, the figures are the same."""
    rows = [
        exchange(second, name, f"/{name}", status)
        for second, name, status in sorted(said)
    ]
    parts = [rows[at : at + size] for at in range(0, len(rows), size)]

    whole, cut = (
        inspected(tmp_path_factory.mktemp("rec"), *tables) for tables in ([rows], parts)
    )

    for name in Inspection.__dataclass_fields__.keys() - {"recording", "methods"}:
        one, other = getattr(whole, name), getattr(cut, name)
        if name in {"routes", "statuses", "robots"}:
            one, other = sorted(map(str, one)), sorted(map(str, other))
        if name == "gaps":
            one, other = ([gap.length_ns for gap in gaps] for gaps in (one, other))
        assert one == other, name


def test_a_span_of_a_year(tmp_path: Path) -> None:
    """The last request is in the last part, however long the span."""
    day_s = 86_400
    rows = [exchange(day * day_s, f"s{day}", "/") for day in (0, 1, 364)]

    found = inspected(tmp_path, rows)

    assert (3, 1) == (sum(found.over_time), found.over_time[-1])


def test_the_busiest_second_may_be_in_two_tables(tmp_path: Path) -> None:
    """Requests of one second count together, wherever the rows are cut."""
    rows = [exchange(at_s, "s1", "/") for at_s in (0.1, 0.2, 0.3, 0.4, 5.0, 7.0)]

    assert 4 == inspected(tmp_path, rows[:1], rows[1:3], rows[3:]).peak_rate


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from([0, 1, 600, 1_700])),
        min_size=1,
        max_size=40,
    ),
    st.lists(st.integers(1, 39), max_size=4),
)
def test_sessions_that_are_over(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, int]],
    cuts: list[int],
) -> None:
    """Their sizes are those of all rows at once, wherever the rows are cut."""
    at_s, asked = 0, []
    for session, pause_s in rows:
        at_s += pause_s
        asked.append(exchange(at_s, f"s{session}-{at_s // 1_800}", "/"))
    places = sorted({0, len(asked), *(cut % len(asked) for cut in cuts)})
    tables = [asked[first:end] for first, end in pairwise(places)]
    sizes = Counter(each.session for table in tables for each in table).values()

    found = inspected(tmp_path_factory.mktemp("rec"), *tables)

    assert (statistics.median(sizes), max(sizes)) == (
        found.session_median,
        found.session_max,
    )
