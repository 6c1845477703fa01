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

_LOOK_AFTER_S = 1.0
_folder = Path(os.environ.get(FOLDER, os.devnull))
_parent = os.getppid()
_numbers = itertools.count()
_watch: set[asyncio.Task[None]] = set()


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
    """Pass on events as they come, not when the last one has."""
    kind = flow.response.headers.get("content-type", "")
    flow.response.stream = kind.startswith("text/event-stream")


def response(flow: Any) -> None:
    """Keep an exchange."""
    _keep(flow, flow.response)


def error(flow: Any) -> None:
    """Keep a request that nobody answered."""
    _keep(flow, None)


def _keep(flow: Any, answer: Any) -> None:
    if flow.request.timestamp_end is None:
        return
    name = _name(flow.client_conn)
    method, path = flow.request.data.method, flow.request.data.path
    version = flow.request.data.http_version
    start = b"%b %b %b" % (method, path, version)
    records = [_record(1, name, flow.request, start)]
    if answer is not None:
        start = b"%b %d %b" % (
            answer.data.http_version,
            answer.status_code,
            answer.data.reason,
        )
        records.append(_record(2, name, answer, start))
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
    """As GoReplay names requests: ports, address, and what tells them apart."""
    address, port = connection.peername[:2]
    own_port = connection.sockname[1]
    number = next(_numbers) & 0xFFFFFFFF
    return f"{port:04x}{own_port:04x}{zlib.crc32(address.encode()):08x}{number:08x}"


def _record(kind: int, name: str, message: Any, start: bytes) -> bytes:
    began_ns = int(message.timestamp_start * 1e9)
    took_ns = int((message.timestamp_end or message.timestamp_start) * 1e9) - began_ns
    fields = b"".join(b"%b: %b\r\n" % pair for pair in message.headers.fields)
    meta = f"{kind} {name} {began_ns} {took_ns}\n".encode()
    return b"%b%b\r\n%b\r\n%b%b" % (meta, start, fields, _body(message), SEPARATOR)


def _body(message: Any) -> bytes:
    """Framed as the head has it; one that was passed on as it came has no end."""
    content = message.raw_content
    if "chunked" not in message.headers.get("transfer-encoding", "").lower():
        return content or b""
    if content is None:
        return b""
    chunk = b"%x\r\n%b\r\n" % (len(content), content) if content else b""
    return chunk + b"0\r\n\r\n"
