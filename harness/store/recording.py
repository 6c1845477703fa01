"""Recordings on disk: one Parquet file, a row an exchange.

    import pandas; pandas.read_parquet("rec.parquet")

The file's metadata carries, under the key `seatrial`, a JSON object with the schema
version and what the rows do not say.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from harness.errors import RecordingError, SeatrialError
from harness.model.traffic import (
    Exchange,
    Recording,
    Request,
    Response,
    Skipped,
    SourceFile,
)
from harness.store.document import newer
from harness.store.row import SCHEMA, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "HEADS",
    "SCHEMA",
    "SCHEMA_VERSION",
    "Provenance",
    "columns",
    "exchanges",
    "open_recording",
    "partial_of",
    "table_of",
    "write_recording",
]

SCHEMA_VERSION: Final = 2
"""Of a recording; a reader refuses a larger one. Version 1 had no answers' content."""

_DAMAGE: Final = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    pa.ArrowException,
)
"""What reading a file raises that is not what was written."""

_SINCE_2: Final = ("response_headers", "response_body")
HEADS: Final = tuple(name for name in SCHEMA.names if name not in _SINCE_2)
"""The columns without the content of answers."""

_META_KEY: Final = b"seatrial"
_CODEC: Final = "zstd"
_COUNTED: Final = [
    "start_ns",
    "response_body",
    *(f"response_headers.list.element.{part}" for part in ("name", "value")),
]
"""The columns whose extent is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a recording says besides its rows.

    Attributes:
        source_format: the reader that made it.
        started_at: the first start, ISO 8601 in UTC, or empty if unknown.
        sessions: how many.
        clock_ns: the resolution of the capture's clock.
        cookies_recorded: whether the capture could have held cookies at all.
        skipped: and the others as in `Recording`.
    """

    source_format: str
    started_at: str
    sessions: int
    clock_ns: int
    cookies_recorded: bool
    skipped: tuple[Skipped, ...] = ()
    filtered: tuple[Skipped, ...] = ()
    adapted: tuple[Skipped, ...] = ()
    redacted: tuple[Skipped, ...] = ()
    slugs: tuple[str, ...] = ()
    sources: tuple[SourceFile, ...] = ()
    made_by: str = ""


_ADDED: Final = dict.fromkeys(("filtered", "redacted", "slugs", "sources"), ())
"""What older recordings do not say."""

_COUNTS: Final = ("skipped", "filtered", "adapted", "redacted")


def partial_of(path: Path) -> Path:
    """The name that a recording has until it is whole."""
    return path.with_name(f"{path.name}.partial")


def write_recording(
    tables: Iterator[pa.Table], path: Path, provenance: Callable[[], Provenance]
) -> Recording:
    """Write a recording as a stream, each table a row group.

    It gets its name when it is whole; until then, and never after a failure, there is
    `NAME.partial` beside it.

    Args:
        tables: of `SCHEMA`, ordered by start.
        path: where to.
        provenance: asked once after the last table.

    Raises:
        RecordingError: there is no row.
        SeatrialError: it cannot be written, such as for want of space.
    """
    partial = partial_of(path)
    rows = 0
    try:
        try:
            with pq.ParquetWriter(
                partial,
                SCHEMA,
                compression=_CODEC,
                write_page_checksum=True,
                write_statistics=_COUNTED,
            ) as writer:
                for table in tables:
                    rows += len(table)
                    writer.write_table(table.select(SCHEMA.names))
                writer.add_key_value_metadata({_META_KEY: _described(provenance())})
            if not rows:
                raise RecordingError(f"{path}: there is nothing to record")
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as exc:
        raise SeatrialError(
            f"{path}: the recording cannot be written: {exc.strerror or exc}",
            hint="name a folder that exists, may be written and has room",
        ) from exc
    return open_recording(path)


def _described(provenance: Provenance) -> bytes:
    content = {"schema_version": SCHEMA_VERSION, **asdict(provenance)}
    return json.dumps(content, sort_keys=True).encode()


def open_recording(path: Path) -> Recording:
    """A handle on the recording.

    Raises:
        RecordingError: it is missing, not a recording, damaged, or of a newer schema.
    """
    with _undamaged(path), _opened(path) as file:
        provenance = _provenance(path, file.metadata.metadata or {})
        exchanges = file.metadata.num_rows
        span_ns = _last_start(file)
        lost = [
            field.name
            for field in SCHEMA
            if field not in list(file.schema_arrow) and field.name not in _SINCE_2
        ]
    if lost:
        raise RecordingError(
            f"{path}: the recording is damaged: no column {', '.join(lost)} as written",
            hint="import it again",
        )
    if not exchanges:
        raise RecordingError(f"{path}: the recording is empty", hint="import it again")
    with _undamaged(path), path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Recording(
        path=path,
        digest=digest,
        exchanges=exchanges,
        span_ns=span_ns,
        **{each.name: getattr(provenance, each.name) for each in fields(provenance)},
    )


@contextmanager
def _undamaged(path: Path) -> Iterator[None]:
    """Whatever else reading it raises inside means that the file is damaged."""
    try:
        yield
    except _DAMAGE as exc:
        cause = exc.strerror if isinstance(exc, OSError) else None
        raise RecordingError(
            f"{path}: the recording cannot be read: {cause or 'it is damaged'}",
            hint="import it again: seatrial import CAPTURE -o rec.parquet",
        ) from exc


def _opened(path: Path) -> pq.ParquetFile:
    if not path.stat().st_size:
        raise RecordingError(f"{path}: the file is empty", hint="import it again")
    try:
        return pq.ParquetFile(path, page_checksum_verification=True)
    except pa.ArrowInvalid as exc:
        raise RecordingError(
            f"{path}: not a recording: not a whole Parquet file",
            hint=f"make one from a capture: seatrial import {path} -o rec.parquet",
        ) from exc


def _provenance(path: Path, metadata: dict[bytes, bytes]) -> Provenance:
    try:
        content: dict[str, Any] = {**_ADDED, **json.loads(metadata[_META_KEY])}
        version = content.pop("schema_version")
    except (KeyError, ValueError, TypeError, AttributeError) as exc:
        raise RecordingError(
            f"{path}: a Parquet file, but not a recording of Seatrial",
            hint="make one from a capture: seatrial import CAPTURE -o rec.parquet",
        ) from exc
    if version > SCHEMA_VERSION:
        raise RecordingError(
            newer(path, version, SCHEMA_VERSION),
            hint="update Seatrial, or import the capture again",
        )
    counts: dict[str, Any] = {
        name: tuple(
            Skipped(**{**entry, "samples": tuple(entry["samples"])})
            for entry in content.pop(name)
        )
        for name in _COUNTS
    }
    sources = tuple(SourceFile(**each) for each in content.pop("sources"))
    slugs = tuple(content.pop("slugs"))
    return Provenance(**content, **counts, slugs=slugs, sources=sources)


def _last_start(file: pq.ParquetFile) -> int:
    groups = file.metadata.num_row_groups
    if not groups:
        return 0
    starts = file.read_row_group(groups - 1, columns=["start_ns"])["start_ns"]
    return int(starts[-1].as_py()) if len(starts) else 0


def columns(
    recording: Recording,
    names: Sequence[str],
    rows: NDArray[np.int64] | None = None,
) -> Iterator[pa.Table]:
    """Some columns of a recording, a row group at a time.

    Args:
        recording: which.
        names: of the columns.
        rows: ascending numbers of the rows that are wanted; `None` for all.

    Raises:
        RecordingError: the file is missing or damaged.
    """
    first = 0
    with _undamaged(recording.path), _opened(recording.path) as file:
        for group in range(file.metadata.num_row_groups):
            end = first + file.metadata.row_group(group).num_rows
            if rows is None:
                yield file.read_row_group(group, columns=list(names))
            elif len(wanted := rows[(rows >= first) & (rows < end)]):
                table = file.read_row_group(group, columns=list(names))
                yield table.take(wanted - first)
            first = end


def exchanges(
    recording: Recording,
    rows: NDArray[np.int64] | None = None,
    names: Sequence[str] = SCHEMA.names,
) -> Iterator[Exchange]:
    """The exchanges in the order of their start, a row group in memory at a time.

    Args:
        recording: which.
        rows: ascending row numbers of those that are wanted; `None` for all.
        names: `HEADS` for exchanges without the content of their answers.

    Raises:
        RecordingError: the file is missing or damaged.
    """
    with _undamaged(recording.path):
        for table in columns(recording, names, rows):
            for batch in table.to_batches(max_chunksize=1024):
                yield from map(_exchange, batch.to_pylist())


def _exchange(row: dict[str, Any]) -> Exchange:
    response = None
    if row["status"] is not None:
        response = Response(
            status=row["status"],
            body_bytes=row["response_bytes"],
            duration_ns=row["duration_ns"],
            headers=_pairs(row.get("response_headers") or ()),
            body=row.get("response_body"),
        )
    return Exchange(
        start_ns=row["start_ns"],
        client=row["client"],
        session=row["session"],
        request=Request(
            method=row["method"],
            target=row["target"],
            headers=_pairs(row["headers"]),
            body=row["body"],
            keeps_alive=row["keeps_alive"],
        ),
        response=response,
    )


def _pairs(listed: Iterable[dict[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((pair["name"], pair["value"]) for pair in listed)
