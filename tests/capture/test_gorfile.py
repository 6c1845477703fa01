from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.capture import gorfile
from harness.capture.gorfile import SEPARATOR, captures, records, sniff
from harness.capture.source import Source
from harness.capture.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable

REAL = Path(__file__).resolve().parents[2] / "../shared/data"
CAPTURE = b"1 a 5 7\nGET\r\n\r\n\x00" + SEPARATOR + b"2 a 6\nHTTP\xff" + SEPARATOR


def split(pieces: Iterable[bytes]) -> list[bytes | None]:
    return list(gorfile._split(iter(pieces)))


@pytest.mark.parametrize(
    "capture",
    [
        CAPTURE,
        CAPTURE.replace(b"\n", b"\r\n"),
        CAPTURE + b"1 b 8\nGET",
        CAPTURE[:-1],
        CAPTURE[:-9],
        b"\n" + SEPARATOR + SEPARATOR + CAPTURE,
    ],
)
def test_pieces_may_end_anywhere(capture: bytes) -> None:
    """Cut into two at every byte, or into single bytes, the records are the same."""
    expected = split([capture])

    assert 2 <= len(expected)
    assert expected == split(bytes((byte,)) for byte in capture)
    for place in range(len(capture)):
        assert expected == split([capture[:place], capture[place:]])


def test_the_real_capture_may_be_cut_anywhere() -> None:
    """The same for a real capture, at a thousand places and in pieces of 7 bytes."""
    source = REAL / "datadog_ecommerce_requests_0.gor"
    if not source.exists():
        pytest.skip("the real capture is not here")
    capture = source.read_bytes()
    expected = split([capture])

    assert 101 == len(expected)
    assert expected == split(
        capture[place : place + 7] for place in range(0, len(capture), 7)
    )
    for place in range(0, len(capture), len(capture) // 1000):
        assert expected == split([capture[:place], capture[place:]])


def test_the_parts_of_a_record(tmp_path: Path) -> None:
    """Type, id and both numbers, of which the last may be missing."""
    (tmp_path / "c.gor").write_bytes(CAPTURE)
    first, second = records(Source(tmp_path / "c.gor"), Tally())

    assert (1, "a", 5, 7, b"GET\r\n\r\n\x00") == (
        first.kind,
        first.name,
        first.start_ns,
        first.transfer_ns,
        first.data,
    )
    assert (2, 6, 0, b"HTTP\xff") == (
        second.kind,
        second.start_ns,
        second.transfer_ns,
        second.data,
    )


@pytest.mark.parametrize(
    "meta",
    ["1 a", "4 a 5", "1 a b", "1 5", "1 a -5", "1 a 9223372036854775807", "GET / x"],
)
def test_records_without_their_first_line(tmp_path: Path, meta: str) -> None:
    """At least type, id and a time since 1970 have to be there."""
    (tmp_path / "c.gor").write_bytes(f"{meta} \nGET".encode() + SEPARATOR + CAPTURE)
    tally = Tally()

    assert 2 == len(list(records(Source(tmp_path / "c.gor"), tally)))
    [skipped] = tally.skipped()
    assert "malformed" == skipped.reason
    assert "c.gor: record 1: expected `type id nanoseconds`" in skipped.samples[0]


def test_memory_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no separator for too long is not held; the next record is read."""
    monkeypatch.setattr(gorfile, "LARGEST_BYTES", 3 << 20)
    tail = SEPARATOR + b"1 b 8\nGET"
    (tmp_path / "c.gor").write_bytes(b"1 a 5\n" + b"x" * (9 << 20) + tail)
    tally = Tally()

    assert ["b"] == [each.name for each in records(Source(tmp_path / "c.gor"), tally)]
    assert "over 3 MiB without a separator" in tally.skipped()[0].samples[0]


def test_what_is_a_capture() -> None:
    """A first record or a separator tells; text that begins with a number does not."""
    assert sniff(b"1 b33c 1568139746437296000\nGET / HTTP/1.1\r\n")
    assert sniff(b"rest of a record" + SEPARATOR)
    assert not sniff(b"1 b33c text\n")
    assert not sniff(b'127.0.0.1 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1"')


def test_chunks_are_ordered_by_number() -> None:
    """Those of one name in one folder belong together, others are their own capture."""
    names = ["a/r_10.gor", "b_1.gz", "a/r_9.gor", "r_8.gor", "plain.gor", "b_0.gz"]
    sources = [Source(Path(name)) for name in names]

    assert [
        ["a/r_9.gor", "a/r_10.gor"],
        ["b_0.gz", "b_1.gz"],
        ["r_8.gor"],
        ["plain.gor"],
    ] == [[each.name for each in capture] for capture in captures(sources)]
