from __future__ import annotations

from typing import TYPE_CHECKING

from harness.capture.inspection import inspection
from harness.model.traffic import Exchange, Request, Response
from harness.store.recording import Provenance, table_of, write_recording

if TYPE_CHECKING:
    from pathlib import Path

SECOND_NS = 1_000_000_000


def exchange(start_s: float, session: str, target: str, status: int = 0) -> Exchange:
    return Exchange(
        start_ns=round(start_s * SECOND_NS),
        client="c",
        session=session,
        request=Request(method="GET", target=target),
        response=Response(status=status, duration_ns=SECOND_NS) if status else None,
    )


def test_figures(tmp_path: Path) -> None:
    """Every figure of a recording small enough to count by hand."""
    rows = [
        exchange(0, "s1", "/orders/1?x=1", 200),
        exchange(0.5, "s2", "/orders/2"),
        exchange(4, "s1", "/orders/3", 200),
        exchange(10, "s1", "/", 500),
    ]
    recording = write_recording(
        iter((table_of(rows[:3]), table_of(rows[3:]))),
        tmp_path / "rec.parquet",
        lambda: Provenance(
            source_format="har",
            started_at="",
            sessions=2,
            clock_ns=1,
            cookies_recorded=True,
        ),
    )
    found = inspection(recording)
    assert (("GET /orders/{id}", 3), ("GET /", 1)) == found.routes
    assert found.more_routes == 0
    assert (("GET", 4),) == found.methods
    assert ((200, 2), (0, 1), (500, 1)) == found.statuses
    assert (2.0, 3) == (found.session_median, found.session_max)
    assert (0.4, 2) == (found.mean_rate, found.peak_rate)
    assert 4 * SECOND_NS == found.think_median_ns
    assert found.think_p95_ns == 4_900_000_000


def test_routes_are_limited(tmp_path: Path) -> None:
    """Fifty routes are listed, the rest counted."""
    rows = [exchange(0, "s1", f"/{'x' * length}") for length in range(60)]
    recording = write_recording(
        iter((table_of(rows),)),
        tmp_path / "rec.parquet",
        lambda: Provenance(
            source_format="har",
            started_at="",
            sessions=1,
            clock_ns=1,
            cookies_recorded=True,
        ),
    )
    found = inspection(recording)
    assert (50, 10) == (len(found.routes), found.more_routes)
