r"""The records of GoReplay's `.gor` files, in the order in which they were written.

    1 c715a2424bd24e0cabe526ac 1759409411000000000 0\n     type, id, Unix ns, more ns
    GET /solr/select?q=test HTTP/1.1\r\nHost: x\r\n\r\n   as it was on the wire
    \n🐵🙈🙉\n                                             the separator

Type 1 is a request, 2 its answer, 3 the answer to a replay; the last number is the time
from a message's first packet to its last, and is missing in older files. GoReplay drops
a last record without a separator; here it is read. It writes `name_0.gor`, `name_1.gor`
and so on, whose records may belong together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.capture.clock import since_epoch
from harness.capture.tally import MALFORMED, TRUNCATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.capture.source import Source
    from harness.capture.tally import Tally

__all__ = ["LARGEST_BYTES", "SEPARATOR", "Record", "captures", "records", "sniff"]

SEPARATOR: Final = "\n🐵🙈🙉\n".encode()
LARGEST_BYTES: Final = 64 << 20
"""Of a record; GoReplay cuts a message at 5 MB unless it is told otherwise."""

_SEPARATOR: Final = re.compile(SEPARATOR[:-1] + rb"\r?\n")
_PARTS_OF_SEPARATOR: Final = (
    SEPARATOR[:-1] + b"\r",
    *(SEPARATOR[:end] for end in range(len(SEPARATOR) - 1, 1, -1)),
)
_LONGEST_SEPARATOR: Final = len(SEPARATOR) + 1
_META: Final = re.compile(
    rb"\s*([123]) ([^ \r\n]+) ([0-9]{1,19})(?: (-?[0-9]{1,19}))?(?: [^\r\n]*)?\r?\n"
)
_CHUNK: Final = re.compile(r"(.*)_([0-9]+)((?:\.\w+)*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One message of a capture.

    Attributes:
        kind: 1, 2 or 3.
        name: its id; that of a request is that of its answer.
        start_ns: of its first packet, since the Unix epoch.
        transfer_ns: from there to its last packet; 0 where it is not recorded.
        data: the message.
        place: where it is.
    """

    kind: int
    name: str
    start_ns: int
    transfer_ns: int
    data: bytes
    place: str


def sniff(head: bytes) -> bool:
    """Whether the file begins with a record, or has a separator near its start."""
    return _META.match(head) is not None or SEPARATOR in head


def captures(sources: Sequence[Source]) -> list[list[Source]]:
    """The files by capture, the chunks of one in their order."""
    found: dict[tuple[str, ...], list[tuple[int, Source]]] = {}
    for source in sources:
        folder, name = str(source.path.parent), source.path.name
        chunk = _CHUNK.fullmatch(name)
        key = (folder, chunk[1], chunk[3]) if chunk else (folder, name)
        number = int(chunk[2]) if chunk else 0
        found.setdefault(key, []).append((number, source))
    return [
        [source for _, source in sorted(chunks, key=lambda chunk: chunk[0])]
        for chunks in found.values()
    ]


def records(source: Source, tally: Tally) -> Iterator[Record]:
    """The records of a file, one in memory at a time.

    Args:
        source: the file; a gzip stream in it that was cut short is read all the same.
        tally: takes what is none.
    """

    def cut() -> None:
        tally.skip(TRUNCATED, source.name, "a gzip stream ends before its end")

    for number, data in enumerate(_split(source.pieces(cut)), start=1):
        place = f"{source.name}: record {number}"
        record = _record(data, place) if data is not None else None
        if record is not None:
            yield record
        else:
            limit = f"over {LARGEST_BYTES >> 20} MiB without a separator line"
            why = limit if data is None else "expected `type id nanoseconds`"
            tally.skip(MALFORMED, place, why)


def _record(data: bytes, place: str) -> Record | None:
    meta = _META.match(data)
    start_ns = since_epoch(int(meta[3])) if meta else None
    if meta is None or start_ns is None:
        return None
    return Record(
        kind=int(meta[1]),
        name=meta[2].decode("latin-1"),
        start_ns=start_ns,
        transfer_ns=max(0, int(meta[4] or 0)),
        data=data[meta.end() :],
        place=place,
    )


def _split(pieces: Iterable[bytes]) -> Iterator[bytes | None]:
    """What is between separators, wherever the pieces end; `None`: it is too long."""
    held, lost = b"", False
    for piece in pieces:
        *whole, held = _SEPARATOR.split(held + piece)
        for data in whole:
            if lost or data.strip():
                yield None if lost else data
            lost = False
        if len(held) > LARGEST_BYTES:
            held, lost = held[-_LONGEST_SEPARATOR:], True
    ends = (part for part in _PARTS_OF_SEPARATOR if held.endswith(part))
    last = held.removesuffix(next(ends, b""))
    if lost or last.strip():
        yield None if lost else last
