"""Production traffic in: a capture of any known format becomes a redacted recording.

READERS: how a format is recognised and read; a new format is a new row
import_capture: sources → read → redact → order → sessions → one recording
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.capture import accesslog, har
from harness.capture.assembly import Assembly
from harness.capture.order import ordered
from harness.capture.redact import Redactor
from harness.capture.sessions import IDLE_NS, Sessions
from harness.capture.source import Source
from harness.capture.tally import Tally
from harness.errors import InputError, RecordingError, SeatrialError
from harness.store.recording import Provenance, write_recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

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
    """

    sniff: Callable[[bytes], bool]
    read: Callable[[Sequence[Source], str | None, Tally], Iterator[Exchange]]
    clock_ns: int
    cookies_recorded: bool
    shared_clients: bool


READERS: Final[Mapping[str, Reader]] = {
    "accesslog": Reader(
        sniff=accesslog.sniff,
        read=accesslog.read,
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
        sources: files of one format, `.gz` or not.
        destination: the recording to write.
        format: a name in `READERS`; by default recognised from the content.
        key: redaction key; the same capture and key give the same bytes.
        host: the host to keep where the capture has several.
        idle_ns: the pause after which a visitor starts a new session.

    Raises:
        RecordingError: a source is missing, of no known format, has over 5 % malformed
            entries or nothing usable.
        InputError: the destination's folder does not exist.
        SeatrialError: the recording cannot be written.
    """
    if not destination.parent.is_dir():
        raise InputError(
            f"{destination.parent}: no such folder", hint="make it, or name another"
        )
    files = [Source(path) for path in sources]
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
        )

    redacted = map(Redactor(key).redact, reader.read(files, host, tally))
    checked = _checked(redacted, tally, ", ".join(str(path) for path in sources))
    with _scratch(destination) as scratch:
        rows = assembly.rows(ordered(checked, scratch))
        return write_recording(rows, destination, provenance)


def _format_of(files: Sequence[Source], named: str | None) -> str:
    known = ", ".join(READERS)
    if named is not None and named not in READERS:
        raise RecordingError(
            f"unknown capture format {named!r}", hint=f"known are: {known}"
        )
    found = {file.path: _sniffed(file, named) for file in files}
    for path, name in found.items():
        if name is None:
            raise RecordingError(
                f"{path}: not a capture of a known format",
                hint=f"known are: {known}; name one with --format",
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
            f"{file.path}: the capture is empty", hint="record some traffic first"
        )
    return named or next(
        (name for name, reader in READERS.items() if reader.sniff(head)), None
    )


def _checked(
    exchanges: Iterator[Exchange], tally: Tally, name: str
) -> Iterator[Exchange]:
    """The exchanges; at their end a capture that cannot be trusted is refused."""
    kept = 0
    for kept, exchange in enumerate(exchanges, start=1):  # noqa: B007 - the count
        yield exchange
    tally.check(name, kept)


@contextmanager
def _scratch(destination: Path) -> Iterator[Path]:
    """A folder for spilled runs beside the recording, gone at the end."""
    try:
        with tempfile.TemporaryDirectory(
            dir=destination.parent, prefix=f".{destination.name}."
        ) as folder:
            yield Path(folder)
    except OSError as exc:
        raise SeatrialError(
            f"{destination.parent}: no room to sort the capture: {exc.strerror or exc}",
            hint="free space there, or name another folder",
        ) from exc
