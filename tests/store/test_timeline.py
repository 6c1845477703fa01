from pathlib import Path

from harness.model.traffic import Exchange, Request, Response
from harness.store.recording import Provenance, table_of, write_recording
from harness.store.timeline import read_timeline


def exchange(start_ns: int, session: str, duration_ns: int | None) -> Exchange:
    return Exchange(
        start_ns=start_ns,
        client="c",
        session=session,
        request=Request(method="GET", target="/"),
        response=Response(status=200, duration_ns=duration_ns),
    )


def test_times_without_contents(tmp_path: Path) -> None:
    """Sessions are numbered as they come; an unknown duration counts as none."""
    tables = [
        table_of([exchange(0, "b", 5), exchange(3, "a", None)]),
        table_of([exchange(9, "b", 7)]),
    ]
    provenance = Provenance(
        source_format="har",
        started_at="",
        sessions=2,
        clock_ns=1,
        cookies_recorded=True,
    )
    recording = write_recording(
        iter(tables), tmp_path / "r.parquet", lambda: provenance
    )

    timeline = read_timeline(recording)

    assert [0, 3, 9] == timeline.start_ns.tolist()
    assert [5, 0, 7] == timeline.duration_ns.tolist()
    assert [0, 1, 0] == timeline.session.tolist()
    assert ("b", "a") == timeline.names
