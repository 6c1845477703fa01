from pathlib import Path

import numpy as np

from harness.model.traffic import Exchange, Recording, Request, Response
from harness.store.content import has_contents, read_contents
from harness.store.recording import Provenance, table_of, write_recording


def recording(path: Path, *responses: Response | None) -> Recording:
    exchanges = [
        Exchange(
            start_ns=at,
            client="c",
            request=Request(method="GET", target="/"),
            response=response,
        )
        for at, response in enumerate(responses)
    ]
    provenance = Provenance(
        source_format="har",
        started_at="",
        sessions=1,
        clock_ns=1,
        cookies_recorded=True,
    )
    tables = [table_of([each]) for each in exchanges]
    return write_recording(iter(tables), path, lambda: provenance)


def test_contents(tmp_path: Path) -> None:
    """What was answered reads back row by row, also of chosen rows."""
    full = Response(status=200, headers=(("etag", "x"),), body=b"{}")
    bare = Response(status=204)
    kept = recording(tmp_path / "r.parquet", full, bare, None, full)

    contents = [each and (each.headers, each.body) for each in read_contents(kept)]
    chosen = [each is None for each in read_contents(kept, np.array([1, 3]))]

    expected = ((("etag", "x"),), b"{}")
    assert [expected, None, None, expected] == contents
    assert [True, False] == chosen
    assert has_contents(kept)


def test_none(tmp_path: Path) -> None:
    """A recording whose capture did not tell is known to have none, unread."""
    kept = recording(tmp_path / "r.parquet", Response(status=200), None)

    assert not has_contents(kept)
