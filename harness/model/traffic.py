"""What production did: requests, answers, and a recording of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Exchange", "Recording", "Request", "Response", "Skipped", "SourceFile"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it was sent.

    Attributes:
        method: the HTTP method, in upper case as on the wire.
        target: the request target in origin form: path and query, never a host.
        headers: name and value in their order; names in lower case.
        body: the content, without any transfer coding.
        keeps_alive: whether its connection could be used again after it; false with
            `Connection: close`, and with HTTP/1.0 unless it asked for keep-alive.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    keeps_alive: bool = True

    def __post_init__(self) -> None:
        if not self.method or not self.method.isascii() or " " in self.method:
            raise ValueError(f"not an HTTP method: {self.method!r}")
        if not self.target.startswith("/") and self.target != "*":
            raise ValueError(f"not an origin-form target: {self.target!r}")
        if any(name != name.lower() for name, _ in self.headers):
            raise ValueError("header names are lower case here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What came back.

    Attributes:
        status: the HTTP status.
        body_bytes: the size of the content, where the capture tells.
        duration_ns: from the start of the request to the end of the answer, likewise.
        headers: as those of a request; empty where the capture does not tell.
        body: the content, free of transfer and content codings; `None` where the
            capture does not tell.
    """

    status: int
    body_bytes: int | None = None
    duration_ns: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request and its answer.

    Attributes:
        start_ns: the START of the request: while a capture is read, since the Unix
            epoch; in a recording, since its first request.
        client: who sent it; a pseudonym once redacted.
        session: the session it belongs to; empty until sessions are assigned.
        request: what was asked.
        response: what was answered, where the capture tells.
    """

    start_ns: int
    client: str
    session: str = ""
    request: Request
    response: Response | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Entries of a capture that are not in the recording.

    Attributes:
        reason: in words, such as `malformed`, `unusable` or `other host`.
        count: how many.
        samples: a few places, each `file:line` or `file: entry N`, with what was wrong;
            never a value that redaction would have hidden.
    """

    reason: str
    count: int
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file that a recording was made of.

    Attributes:
        name: of the file, without its folder.
        size: in bytes, packed or not, as it was.
        digest: SHA-256 of these bytes, in hexadecimal.
    """

    name: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A handle on a redacted recording, ordered by start.

    Attributes:
        path: the Parquet file.
        digest: SHA-256 of the file's bytes, in hexadecimal.
        source_format: the reader that made it, such as `apache` or `har`.
        exchanges: how many.
        sessions: how many.
        span_ns: from the first start to the last.
        clock_ns: the resolution of the capture's clock; inside it, times are synthetic.
        cookies_recorded: whether the capture could have held cookies at all.
        skipped: what was left out, and why.
        filtered: what could be replayed, but was not asked for.
        adapted: what is kept but replayed otherwise than it was recorded, and how.
        redacted: values that pseudonyms stand for, and headers removed, by kind.
        slugs: paths below which names are slugs, as in `Routes`.
        sources: the captures.
        started_at: the first start, ISO 8601 in UTC, or empty if unknown.
        made_by: the version of Seatrial that imported it; empty where an older one did
            not say.
    """

    path: Path
    digest: str
    source_format: str
    exchanges: int
    sessions: int
    span_ns: int
    clock_ns: int
    cookies_recorded: bool
    skipped: tuple[Skipped, ...] = ()
    filtered: tuple[Skipped, ...] = ()
    adapted: tuple[Skipped, ...] = ()
    redacted: tuple[Skipped, ...] = ()
    slugs: tuple[str, ...] = ()
    sources: tuple[SourceFile, ...] = ()
    started_at: str = ""
    made_by: str = ""
