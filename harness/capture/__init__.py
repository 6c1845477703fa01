"""Production traffic in: a capture of any known format becomes a redacted recording.

READERS: how a format is recognised and read; a new format is a new row
import_capture: sources → read → redact → order → sessions → one recording
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from harness.capture import accesslog, gor, har
from harness.capture.assembly import Assembly
from harness.capture.batch import batches_of
from harness.capture.destination import scratch
from harness.capture.order import ordered
from harness.capture.redact import Redactor
from harness.capture.sessions import IDLE_NS, Sessions
from harness.capture.source import files_of, opened
from harness.capture.tally import Tally
from harness.errors import InputError, RecordingError
from harness.store.recording import Provenance, write_recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harness.capture.batch import Batch
    from harness.capture.source import Source
    from harness.model.traffic import Exchange, Recording

__all__ = ["READERS", "Reader", "import_capture"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One capture format.

    Attributes:
        sniff: whether a file that starts with these bytes is of the format.
        read: the exchanges of the files, starts since the Unix epoch, in any order.
        clock_ns: the resolution of its times.
        cookies_recorded: whether it can hold cookies at all.
        shared_clients: whether a client may stand for several users (an address does),
            which the user agent tells apart.
        batches: the same as `read` in batches, where that costs less.
    """

    sniff: Callable[[bytes], bool]
    read: Callable[[Sequence[Source], str | None, Tally], Iterator[Exchange]]
    clock_ns: int
    cookies_recorded: bool
    shared_clients: bool
    batches: Callable[[Sequence[Source], str | None, Tally], Iterator[Batch]] | None = (
        None
    )


READERS: Final[Mapping[str, Reader]] = {
    "gor": Reader(
        sniff=gor.sniff,
        read=gor.read,
        clock_ns=1_000,
        cookies_recorded=True,
        shared_clients=True,
    ),
    "accesslog": Reader(
        sniff=accesslog.sniff,
        read=accesslog.read,
        batches=accesslog.batches,
        clock_ns=1_000_000_000,
        cookies_recorded=False,
        shared_clients=True,
    ),
    "har": Reader(
        sniff=har.sniff,
        read=har.read,
        clock_ns=1_000_000,
        cookies_recorded=True,
        shared_clients=False,
    ),
}
"""In the order in which an unnamed format is tried."""

_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def import_capture(
    sources: Sequence[Path],
    destination: Path,
    *,
    format: str | None = None,  # noqa: A002 - the option's name
    key: bytes,
    host: str | None = None,
    idle_ns: int = IDLE_NS,
) -> Recording:
    """Make a redacted recording of one or several capture files, merged by time.

    Args:
        sources: of one format, as `source.files_of` takes them, packed or not.
        destination: the recording to write.
        format: a name in `READERS`; by default recognised from the content.
        key: redaction key; the same capture and key give the same bytes.
        host: the host to keep where the capture has several, by name or URL.
        idle_ns: the pause after which a visitor starts a new session.

    Raises:
        RecordingError: a source is missing, of no known format, has over 5 % malformed
            entries or nothing usable.
        InputError: the destination cannot be written or is a source, or the host is
            none.
        SeatrialError: the recording cannot be written.
    """
    paths, kept_host = files_of(sources), _hostname(host)
    with scratch(destination, paths) as folder, opened(paths, folder) as files:
        name = _format_of(files, format)
        reader, tally, sessions = READERS[name], Tally(), Sessions(idle_ns)
        assembly = Assembly(
            clock_ns=reader.clock_ns,
            shared_clients=reader.shared_clients,
            sessions=sessions,
        )

        def provenance() -> Provenance:
            return Provenance(
                source_format=name,
                started_at=assembly.started_at,
                sessions=sessions.opened,
                clock_ns=reader.clock_ns,
                cookies_recorded=reader.cookies_recorded,
                skipped=tally.skipped(),
                adapted=tally.adapted(),
            )

        batches = (
            reader.batches(files, kept_host, tally)
            if reader.batches
            else batches_of(reader.read(files, kept_host, tally))
        )
        redacted = map(Redactor(key).redact_batch, batches)
        checked = _checked(redacted, tally, ", ".join(file.name for file in files))
        rows = assembly.rows(ordered(checked, folder))
        return write_recording(rows, destination, provenance)


def _hostname(host: str | None) -> str | None:
    """The host of a URL, or what was given, in lower case."""
    if not host:
        return None
    try:
        netloc = urlsplit(host if "//" in host else f"//{host}").netloc
    except ValueError as exc:
        raise InputError(
            f"--host {host}: not a host", hint="give it as s.example or s.example:8080"
        ) from exc
    return netloc.rpartition("@")[2].lower()


def _format_of(files: Sequence[Source], named: str | None) -> str:
    known = ", ".join(READERS)
    if named is not None and named not in READERS:
        raise RecordingError(
            f"unknown capture format {named!r}", hint=f"known are: {known}"
        )
    found = {file: _sniffed(file, named) for file in files}
    for file, name in found.items():
        if name is None:
            raise RecordingError(
                f"{file.name}: not a capture of a known format",
                hint="it is UTF-16: convert it to UTF-8"
                if file.head().startswith(_UTF16)
                else f"known are: {known}; name one with --format",
            )
    names = sorted({name for name in found.values() if name})
    if len(names) != 1:
        raise RecordingError(
            f"the captures are of several formats: {', '.join(names) or 'none'}",
            hint="import each format by itself",
        )
    return names[0]


def _sniffed(file: Source, named: str | None) -> str | None:
    head = file.head()
    if not head.strip():
        raise RecordingError(
            f"{file.name}: the capture is empty", hint="record some traffic first"
        )
    return named or next(
        (name for name, reader in READERS.items() if reader.sniff(head)), None
    )


def _checked(batches: Iterator[Batch], tally: Tally, name: str) -> Iterator[Batch]:
    """The batches; at their end a capture that cannot be trusted is refused."""
    kept = 0
    for batch in batches:
        kept += len(batch)
        yield batch
    tally.check(name, kept)
