from __future__ import annotations

import json
import resource
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import RecordingError, SeatrialError
from harness.model.traffic import Exchange, Recording, Request, Response, Skipped
from harness.store.recording import (
    SCHEMA_VERSION,
    Provenance,
    exchanges,
    open_recording,
    table_of,
    write_recording,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_HEADERS = st.lists(st.tuples(st.sampled_from(["a", "b", "cookie"]), _TEXT)).map(tuple)
_REQUESTS = st.builds(
    Request,
    method=st.sampled_from(["GET", "POST", "M-SEARCH"]),
    target=_TEXT.map("/{}".format),
    headers=_HEADERS,
    body=st.binary(max_size=20),
)
_COUNTS = st.none() | st.integers(0, 2**62)
_RESPONSES = st.builds(
    Response,
    status=st.integers(0, 999),
    body_bytes=_COUNTS,
    duration_ns=_COUNTS,
    headers=_HEADERS,
    body=st.none() | st.binary(max_size=20),
)
_EXCHANGES = st.builds(
    Exchange,
    start_ns=st.integers(0, 2**62),
    client=_TEXT,
    session=_TEXT,
    request=_REQUESTS,
    response=st.none() | _RESPONSES,
)
SKIPPED = (Skipped(reason="malformed", count=2, samples=("a.log:3: why",)),)
REDACTED = (Skipped(reason="e-mail", count=7), Skipped(reason="JWT", count=1))


def provenance() -> Provenance:
    return Provenance(
        source_format="har",
        started_at="2026-01-01T00:00:00.000+00:00",
        sessions=1,
        clock_ns=1_000_000,
        cookies_recorded=True,
        skipped=SKIPPED,
        redacted=REDACTED,
    )


def written(path: Path, given: Sequence[Exchange]) -> Recording:
    half = len(given) // 2
    tables = iter((table_of(given[:half]), table_of(given[half:])))
    return write_recording(tables, path, provenance)


def exchange(start_ns: int = 0, target: str = "/") -> Exchange:
    request = Request(method="GET", target=target, headers=(("accept", "*/*"),))
    answer = Response(status=200, body_bytes=5)
    return Exchange(
        start_ns=start_ns, client="c", session="s1", request=request, response=answer
    )


@given(st.lists(_EXCHANGES, min_size=1, max_size=8))
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, given: list[Exchange]
) -> None:
    """Every exchange comes back equal and in its place."""
    path = tmp_path_factory.mktemp("rec") / "rec.parquet"
    assert given == list(exchanges(written(path, given)))


def test_nothing_to_record(tmp_path: Path) -> None:
    """A recording without a row is refused and leaves no file."""
    with pytest.raises(RecordingError, match="nothing to record"):
        write_recording(iter([table_of([])]), tmp_path / "rec.parquet", provenance)

    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("wanted", [[], [0], [1, 2, 3], [0, 2, 4]])
def test_chosen_rows(tmp_path: Path, wanted: list[int]) -> None:
    """Chosen rows come back whichever row groups they are in."""
    tables = [table_of([exchange(n)]) for n in (0, 1)]
    tables.append(table_of([exchange(n) for n in (2, 3, 4)]))
    recording = write_recording(iter(tables), tmp_path / "rec.parquet", provenance)

    chosen = exchanges(recording, np.array(wanted, "i8"))

    assert wanted == [each.start_ns for each in chosen]


def test_the_handle_says_what_the_rows_do_not(tmp_path: Path) -> None:
    """Counts, span, clock and what was skipped survive in the file's metadata."""
    path = tmp_path / "rec.parquet"
    recording = written(path, [exchange(0), exchange(7), exchange(12)])
    assert recording == open_recording(path)
    assert (3, 1, 12) == (recording.exchanges, recording.sessions, recording.span_ns)
    assert (1_000_000, SKIPPED) == (recording.clock_ns, recording.skipped)
    assert REDACTED == recording.redacted


def test_pandas_reads_it(tmp_path: Path) -> None:
    """A recording is a plain table for whoever has pandas."""
    path = tmp_path / "rec.parquet"
    written(path, [exchange(0, "/a"), exchange(5, "/b")])
    frame = pd.read_parquet(path)
    assert ["/a", "/b"] == list(frame["target"])
    assert [200, 200] == list(frame["status"])


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RecordingError("bad")])
def test_a_failed_write_leaves_nothing(
    tmp_path: Path, stop: BaseException | type[BaseException]
) -> None:
    """Neither the name nor the partial file is there after an interruption."""

    def tables() -> Iterator[pa.Table]:
        yield table_of([exchange()])
        raise stop

    with pytest.raises((KeyboardInterrupt, RecordingError)):
        write_recording(tables(), tmp_path / "rec.parquet", provenance)
    assert [] == list(tmp_path.iterdir())


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    """A recording that was there before is replaced whole or not at all."""
    path = tmp_path / "rec.parquet"
    before = written(path, [exchange()])

    def tables() -> Iterator[pa.Table]:
        yield table_of([exchange()])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_recording(tables(), path, provenance)
    assert before == open_recording(path)


def test_a_write_that_fails_is_one_message(tmp_path: Path) -> None:
    """No room becomes one message that names the place, and leaves nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        with pytest.raises(SeatrialError, match=r"parquet: the recording cannot"):
            written(tmp_path / "rec.parquet", [exchange()])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [] == list(tmp_path.iterdir())


def _parquet(path: Path, meta: bytes | None) -> None:
    table = table_of([exchange()])
    table = table.replace_schema_metadata(None if meta is None else {"seatrial": meta})
    pq.write_table(table, path)


def test_files_that_are_no_recording_are_named(tmp_path: Path) -> None:
    """Missing, empty, foreign and newer files each get their own message."""
    empty, text, foreign, newer = (tmp_path / f"{n}.parquet" for n in "abcd")
    empty.touch()
    text.write_text("PAR1 but not really")
    _parquet(foreign, None)
    _parquet(newer, json.dumps({"schema_version": SCHEMA_VERSION + 1}).encode())
    expected = {
        tmp_path / "none.parquet": "cannot be read",
        tmp_path: "cannot be read|not a recording",
        empty: "the file is empty",
        text: "not a whole Parquet file",
        foreign: "not a recording of Seatrial",
        newer: f"has schema {SCHEMA_VERSION + 1}",
    }
    for path, message in expected.items():
        with pytest.raises(RecordingError, match=message) as caught:
            open_recording(path)
        assert str(path) in caught.value.message
        assert caught.value.hint


def _meta(**changes: object) -> bytes:
    content = {"schema_version": SCHEMA_VERSION, **asdict(provenance()), **changes}
    kept = {name: value for name, value in content.items() if value is not None}
    return json.dumps(kept).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"skipped": None},
        {"skipped": [7]},
        {"adapted": None},
        {"redacted": [7]},
        {"more": 1},
        {"sessions": None},
        {"schema_version": "1"},
    ],
)
def test_damaged_metadata_are_named(tmp_path: Path, changes: dict[str, object]) -> None:
    """Lost, extra and wrong entries mean that the file is damaged."""
    path = tmp_path / "rec.parquet"
    _parquet(path, _meta())
    assert open_recording(path).exchanges == 1
    _parquet(path, _meta(**changes))
    with pytest.raises(RecordingError, match=r"rec\.parquet: .* damaged") as caught:
        open_recording(path)
    assert "import it again" in caught.value.hint


def test_an_older_recording_does_not_say_what_was_redacted(tmp_path: Path) -> None:
    """It is read all the same."""
    path = tmp_path / "rec.parquet"
    _parquet(path, _meta(redacted=None))
    assert () == open_recording(path).redacted


def test_a_lost_column_is_named(tmp_path: Path) -> None:
    """A file without a column is damaged, even one that an import could leave empty."""
    path = tmp_path / "rec.parquet"
    table = table_of([exchange()]).drop_columns(["duration_ns"])
    pq.write_table(table.replace_schema_metadata({"seatrial": _meta()}), path)
    with pytest.raises(RecordingError, match="damaged: no column duration_ns"):
        open_recording(path)


def test_no_flipped_bit_is_read_as_traffic(tmp_path: Path) -> None:
    """Wherever a bit flips, the same exchanges come back or the file is refused."""
    path = tmp_path / "rec.parquet"
    given = [exchange(start_ns, f"/{start_ns}") for start_ns in range(50)]
    recording = written(path, given)
    whole = path.read_bytes()
    refused = 0
    for place in range(0, len(whole), 29):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        try:
            open_recording(path)
            assert given == list(exchanges(recording))
        except RecordingError as error:
            refused += str(path) in error.message
    assert refused > 10
