"""What mitmdump runs: each exchange, once it is over, becomes records of a `.gor` file.

It is loaded by its path into mitmproxy's own Python, where Seatrial need not be: it
imports nothing of either. The names of its functions are mitmproxy's events.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import sys
import zlib
from pathlib import Path
from typing import Any

FOLDER = "SEATRIAL_RECORD_FOLDER"
CAPTURE, READY = "capture.gor", "ready"
SEPARATOR = "\n🐵🙈🙉\n".encode()

KEPT_BYTES = (1 << 20) + 1
"""Of an answer: a byte more than an import keeps, by which it sees that it is long."""

_SWITCHED = 101
_LOOK_AFTER_S = 1.0
_folder = Path(os.environ.get(FOLDER, os.devnull))
_parent = os.getppid()
_numbers = itertools.count()
_watch: set[asyncio.Task[None]] = set()


class _Start:
    """What is kept of an answer, and how long all of it is."""

    def __init__(self) -> None:
        self.kept = bytearray()
        self.length = 0

    def take(self, piece: bytes) -> bytes:
        """Pass it on."""
        self.kept += piece[: KEPT_BYTES - len(self.kept)]
        self.length += len(piece)
        return piece


_starts: dict[str, _Start] = {}


def running() -> None:
    """Say that requests are taken; end with who started this, however that ends.

    What passed is not redacted yet: nobody is left to do it, so it goes.
    """
    (_folder / READY).touch()
    _watch.add(asyncio.get_running_loop().create_task(_end_with_parent()))


async def _end_with_parent() -> None:
    while os.getppid() == _parent:  # noqa: ASYNC110 - nothing else tells of its end
        await asyncio.sleep(_LOOK_AFTER_S)
    shutil.rmtree(_folder, ignore_errors=True)
    os._exit(1)


def responseheaders(flow: Any) -> None:
    """Pass on piece by piece, as it comes, what may be large or never end.

    Other answers are kept before they pass, so that nothing passes unkept.
    """
    length = flow.response.headers.get("content-length", "")
    short = length.isdecimal() and int(length) < KEPT_BYTES
    if short or flow.response.status_code == _SWITCHED:
        return
    start = _starts[flow.id] = _Start()
    flow.response.stream = start.take


def response(flow: Any) -> None:
    """Keep an exchange."""
    _keep(flow, flow.response)


def error(flow: Any) -> None:
    """Keep a request that nobody answered."""
    _keep(flow, None)


def _keep(flow: Any, answer: Any) -> None:
    start = _starts.pop(flow.id, None)
    if flow.request.timestamp_end is None:
        return
    name = _name(flow.client_conn)
    method, path = flow.request.data.method, flow.request.data.path
    version = flow.request.data.http_version
    line = b"%b %b %b" % (method, path, version)
    sent = flow.request.raw_content or b""
    records = [_record(1, name, flow.request, line, _framed(flow.request, sent))]
    if answer is not None:
        line = b"%b %d %b" % (
            answer.data.http_version,
            answer.status_code,
            answer.data.reason,
        )
        came = bytes(start.kept) if start else answer.raw_content or b""
        length = start.length if start else len(came)
        if length > len(came) and "transfer-encoding" not in answer.headers:
            answer.headers["content-length"] = str(length)
        body = _framed(answer, came, whole=length == len(came))
        records.append(_record(2, name, answer, line, body))
    _append(b"".join(records))


def _append(data: bytes) -> None:
    """Write all of it or nothing, and then end: what passes unkept is lost unseen."""
    with (_folder / CAPTURE).open("ab", buffering=0) as file:
        size = file.tell()
        try:
            written = file.write(data)
        except OSError:
            written = 0
        if written != len(data):
            file.truncate(size)
            sys.stderr.write("what passes cannot be kept; is the disk full?\n")
            sys.stderr.flush()
            os._exit(1)


def _name(connection: Any) -> str:
    """As GoReplay names requests: ports, address, and what tells them apart.

    The client's port is left out: many open a connection for each request.
    """
    address, own_port = connection.peername[0], connection.sockname[1]
    number = next(_numbers) & 0xFFFFFFFF
    return f"0000{own_port:04x}{zlib.crc32(address.encode()):08x}{number:08x}"


def _record(kind: int, name: str, message: Any, line: bytes, body: bytes) -> bytes:
    began_ns = int(message.timestamp_start * 1e9)
    took_ns = int((message.timestamp_end or message.timestamp_start) * 1e9) - began_ns
    fields = b"".join(b"%b: %b\r\n" % pair for pair in message.headers.fields)
    meta = f"{kind} {name} {began_ns} {took_ns}\n".encode()
    return b"%b%b\r\n%b\r\n%b%b" % (meta, line, fields, body, SEPARATOR)


def _framed(message: Any, content: bytes, *, whole: bool = True) -> bytes:
    """As the head has it; what is not whole has no end."""
    if "chunked" not in message.headers.get("transfer-encoding", "").lower():
        return content
    chunk = b"%x\r\n%b\r\n" % (len(content), content) if content else b""
    return chunk + b"0\r\n\r\n" if whole else chunk
