"""What the builds answered, on disk: a spool of frames, then Parquet of the few kept.

Workers append every measured answer to a spool. Once both arms are at rest, the answers
of the shots that are to be compared are stored, and the rest is let go.
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from harness.store.disk import reading, writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    Headers = Sequence[tuple[bytes, bytes]]

__all__ = [
    "SPOOLS",
    "StoredAnswer",
    "drop_spools",
    "frame",
    "read_answers",
    "read_spools",
    "write_answers",
]

SPOOLS: Final = "answers-*.spool"
"""Names of the spools in an arm's directory."""

_FRAME: Final = struct.Struct("<III")
"""Shot, bytes of the head, bytes of the body; both follow."""

_STORED_BYTES: Final = 64 << 20
"""Of one arm's round; beyond it no more bodies are stored."""

_SCHEMA: Final = pa.schema(
    [("shot", pa.uint32()), ("head", pa.binary()), ("body", pa.binary())]
)


class StoredAnswer(NamedTuple):
    """One answer as it came.

    Attributes:
        headers: names in lower case, and values.
        body: free of its transfer coding, its content coding kept; of a long one, the
            start.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes


def frame(shot: int, headers: Headers, body: bytes) -> bytes:
    """An answer as the spool has it.

    Args:
        shot: of the plan.
        headers: as they came.
        body: or its start.
    """
    head = b"\n".join([b"%b:%b" % pair for pair in headers])
    return b"".join((_FRAME.pack(shot, len(head), len(body)), head, body))


def read_spools(
    paths: Iterable[Path], shots: Sequence[int]
) -> Iterator[tuple[int, bytes, bytes]]:
    """Shot, head and body of those shots, in the order of the list.

    A last frame that was cut short is left out, as are shots that no spool has; so is
    what would take more room than an arm's round is given.
    """
    with reading(_parent(paths)):
        spools = [_mapped(path) for path in paths if path.stat().st_size]
    wanted = frozenset(shots)
    places = {
        shot: (spool, start, middle, end)
        for spool in spools
        for shot, start, middle, end in _frames(spool)
        if shot in wanted
    }
    room = _STORED_BYTES
    for shot in shots:
        if shot in places and room > 0:
            spool, start, middle, end = places[shot]
            room -= end - start
            yield shot, spool[start:middle], spool[middle:end]


def _parent(paths: Iterable[Path]) -> Path:
    return next(iter(paths)).parent


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _frames(spool: mmap.mmap) -> Iterator[tuple[int, int, int, int]]:
    at, size = 0, len(spool)
    while at + _FRAME.size <= size:
        shot, head_bytes, body_bytes = _FRAME.unpack_from(spool, at)
        start = at + _FRAME.size
        at = start + head_bytes + body_bytes
        if at > size:
            return
        yield shot, start, start + head_bytes, at


def write_answers(path: Path, answers: Iterable[tuple[int, bytes, bytes]]) -> None:
    """Store answers, in the order of their shots."""
    rows = sorted(answers)
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    arrays = [
        pa.array(column, field.type)
        for column, field in zip(columns, _SCHEMA, strict=True)
    ]
    with writing(path):
        pq.write_table(pa.table(arrays, schema=_SCHEMA), path, compression="zstd")


def read_answers(path: Path) -> Mapping[int, StoredAnswer]:
    """Answers by shot.

    Raises:
        ComparisonError: the file is missing or broken.
    """
    with reading(path):
        table = pq.read_table(path, schema=_SCHEMA)
        columns = (table[name].to_pylist() for name in _SCHEMA.names)
        return {
            shot: StoredAnswer(tuple(_pairs(head)), body)
            for shot, head, body in zip(*columns, strict=True)
        }


def _pairs(head: bytes) -> Iterator[tuple[str, str]]:
    for line in head.decode("latin-1").split("\n") if head else ():
        name, _, value = line.partition(":")
        yield name.lower(), value


def drop_spools(directory: Path) -> None:
    """Let go of the spools in a directory."""
    for path in directory.glob(SPOOLS):
        path.unlink()
