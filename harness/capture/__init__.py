"""Production traffic in: a capture of any known format becomes a redacted recording.

READERS: how a format is recognised and read; a new format is a new row
import_capture: sources → read → redact → order → sessions → one recording
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import chain
from typing import TYPE_CHECKING, Final

from harness.capture import accesslog, gor, har, logline
from harness.capture.assembly import Assembly
from harness.capture.batch import batches_of
from harness.capture.destination import scratch
from harness.capture.expiry import noted
from harness.capture.host import host_of
from harness.capture.logformat import parser_of
from harness.capture.logs import LOGS
from harness.capture.order import ordered
from harness.capture.redact import Redactor
from harness.capture.secret import NO_RULES, Rules
from harness.capture.selection import EVERYTHING, Selection, selected
from harness.capture.sessions import IDLE_NS, Sessions
from harness.capture.slugs import Slugs
from harness.capture.source import files_of, opened
from harness.capture.tally import Tally
from harness.capture.traits import Traits
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
        clock_ns: the resolution of its times; `None` where the times tell.
        cookies_recorded: whether it can hold cookies at all; `None` where they show.
        shared_clients: whether a client may stand for several users (an address does),
            which cookies, credentials and user agents tell apart.
        batches: the same as `read` in batches, where that costs less.
    """

    sniff: Callable[[bytes], bool]
    read: Callable[[Sequence[Source], str | None, Tally], Iterator[Exchange]]
    clock_ns: int | None
    cookies_recorded: bool | None
    shared_clients: bool
    batches: Callable[[Sequence[Source], str | None, Tally], Iterator[Batch]] | None = (
        None
    )


def _of_lines(parser: Callable[[], logline.Parser]) -> Reader:
    """The reader of a log of one entry a line."""
    return Reader(
        sniff=partial(logline.sniff, parser),
        read=partial(logline.read, parser),
        clock_ns=None,
        cookies_recorded=None,
        shared_clients=True,
    )


READERS: Final[Mapping[str, Reader]] = {
    "gor": Reader(
        sniff=gor.sniff,
        read=gor.read,
        clock_ns=1_000,
        cookies_recorded=True,
        shared_clients=True,
    ),
    **{name: _of_lines(parser) for name, parser in LOGS.items()},
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
        cookies_recorded=None,
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
    log_format: str | None = None,
    key: bytes,
    host: str | None = None,
    idle_ns: int = IDLE_NS,
    rules: Rules = NO_RULES,
    selection: Selection = EVERYTHING,
    share: float = 1.0,
) -> Recording:
    """Make a redacted recording of one or several capture files, merged by time.

    Args:
        sources: each of its own format, as `source.files_of` takes them, packed or not.
        destination: the recording to write.
        format: a name in `READERS`; by default recognised from the content.
        log_format: the server's format string, which says it instead.
        key: redaction key; the same capture and key give the same bytes.
        host: the host to keep where the capture has several, by name or URL.
        rules: what to hide besides, to leave and to remove.
        selection: which exchanges are wanted.
        share: of the sessions that are wanted, above 0.
        idle_ns: the pause after which a visitor starts a new session.

    Raises:
        RecordingError: a source is missing, of no known format, has over 5 % malformed
            entries or nothing usable.
        InputError: the destination cannot be written or is a source, the host is none,
            or the format string lacks what a replay needs.
        SeatrialError: the recording cannot be written.
    """
    paths, kept_host = files_of(sources), host_of(host) if host else None
    with scratch(destination, paths) as folder, opened(paths, folder) as files:
        work = _Import(
            files=files,
            captures=_captures(files, format, log_format),
            tally=Tally(),
            redactor=Redactor(key, rules),
            sessions=Sessions(idle_ns, share),
            slugs=Slugs(),
        )
        assembly = work.assembly()
        rows = assembly.rows(ordered(work.batches(kept_host, selection), folder))
        return write_recording(rows, destination, partial(work.provenance, assembly))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Import:
    """What an import works with, from its captures to what is said of its rows."""

    files: Sequence[Source]
    captures: Sequence[_Capture]
    tally: Tally
    redactor: Redactor
    sessions: Sessions
    slugs: Slugs

    def batches(self, host: str | None, selection: Selection) -> Iterator[Batch]:
        """What is wanted, redacted; at its end a bad capture is refused."""
        now_s = time.time()
        found = (each.batches(host, self.tally, now_s) for each in self.captures)
        wanted = selected(chain.from_iterable(found), selection, self.tally)
        redacted = self.slugs.watched(map(self.redactor.redact, wanted))
        names = ", ".join(file.name for file in self.files)
        return _checked(redacted, self.tally, names)

    def assembly(self) -> Assembly:
        """What finishes the rows."""
        return Assembly(
            clock_ns=lambda: _coarsest_ns(self.captures),
            shared_clients=any(each.reader.shared_clients for each in self.captures),
            sessions=self.sessions,
            tally=self.tally,
        )

    def provenance(self, assembly: Assembly) -> Provenance:
        """What is known of the rows once the last is finished."""
        return Provenance(
            source_format=", ".join(each.name for each in self.captures),
            started_at=assembly.started_at,
            sessions=self.sessions.kept,
            clock_ns=_coarsest_ns(self.captures),
            cookies_recorded=not self.redactor.drops("cookie")
            and all(each.cookies for each in _known(self.captures)),
            skipped=self.tally.skipped(),
            filtered=self.tally.filtered(),
            adapted=(*self.tally.adapted(), *self.redactor.adapted()),
            redacted=self.redactor.redacted(),
            slugs=self.slugs.prefixes(),
            sources=tuple(file.described() for file in self.files),
            made_by=version("seatrial"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Capture:
    """The files of one format."""

    name: str
    reader: Reader
    files: Sequence[Source]
    traits: Traits

    def batches(self, host: str | None, tally: Tally, now_s: float) -> Iterator[Batch]:
        if self.reader.batches:
            return self.reader.batches(self.files, host, tally)
        watched = self.traits.watched(self.reader.read(self.files, host, tally))
        return batches_of(noted(watched, tally, now_s))


def _capture(name: str, reader: Reader, files: Sequence[Source]) -> _Capture:
    traits = Traits(clock_ns=reader.clock_ns, cookies=reader.cookies_recorded)
    return _Capture(name=name, reader=reader, files=files, traits=traits)


def _known(captures: Sequence[_Capture]) -> list[Traits]:
    return [each.traits for each in captures if each.traits.known]


def _coarsest_ns(captures: Sequence[_Capture]) -> int:
    return max(each.clock_ns for each in _known(captures))


def _captures(
    files: Sequence[Source], named: str | None, log_format: str | None
) -> list[_Capture]:
    if log_format is None:
        by_name = _by_format(files, named)
        return [_capture(name, READERS[name], by_name[name]) for name in by_name]
    if named is not None:
        raise InputError("give --format or --log-format, not both")
    name, parser = parser_of(log_format)
    return [_capture(name, _of_lines(parser), files)]


def _by_format(
    files: Sequence[Source], named: str | None
) -> Mapping[str, Sequence[Source]]:
    known = ", ".join(READERS)
    if named is not None and named not in READERS:
        raise RecordingError(
            f"unknown capture format {named!r}", hint=f"known are: {known}"
        )
    found: dict[str, list[Source]] = {}
    for file in files:
        head = file.head()
        if not head.strip():
            continue
        name = named or _sniffed(head)
        if name is None:
            file.refuse_damage()
            raise RecordingError(
                f"{file.name}: not a capture of a known format",
                hint="it is UTF-16: convert it to UTF-8"
                if head.startswith(_UTF16)
                else f"known are: {known}; name one with --format, or give the log's "
                "own with --log-format",
            )
        found.setdefault(name, []).append(file)
    if not files:
        raise RecordingError("there is no capture", hint="name a file")
    if not found:
        raise RecordingError(
            f"{', '.join(file.name for file in files)}: the capture is empty",
            hint="record some traffic first",
        )
    return found


def _sniffed(head: bytes) -> str | None:
    return next((name for name, reader in READERS.items() if reader.sniff(head)), None)


def _checked(batches: Iterator[Batch], tally: Tally, name: str) -> Iterator[Batch]:
    """The batches; at their end a capture that cannot be trusted is refused."""
    kept = 0
    for batch in batches:
        kept += len(batch)
        yield batch
    tally.check(name, kept)
