"""Questions to a running service, each bounded in time and size."""

from __future__ import annotations

import http.client
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR, socket
from threading import Event, Timer
from typing import TYPE_CHECKING, Final

from harness.model.check import CheckResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.environment.build import Target
    from harness.model.check import Check

__all__ = ["asked", "page"]

_MOST_BYTES: Final = 10_000_000
_PAGE_NS: Final = 5_000_000_000
_OK: Final = 200


def asked(target: Target, check: Check, slice_: int = 0) -> CheckResult:
    """What a service answers to a check; no answer at all is a failure of it, too.

    Args:
        target: the service.
        check: what is asked, and what must be answered.
        slice_: after which it is asked, 0 for the end of the round.
    """
    status, body, fault = _answer(target, check.get, check.headers, check.timeout)
    failure = fault or check.failure(status, body)
    return CheckResult(name=check.title, slice=slice_, failure=failure)


def page(target: Target, path: str) -> tuple[str, str]:
    """The text that a service gives at a path, and why it gives none."""
    status, body, fault = _answer(target, path, {}, _PAGE_NS)
    if not fault and status != _OK:
        fault = f"status is {status}"
    return ("" if fault else body.decode(errors="replace")), fault


def _answer(
    target: Target, path: str, headers: Mapping[str, str], timeout_ns: int
) -> tuple[int, bytes, str]:
    """Status and body of an answer, and why there is none."""
    kind = http.client.HTTPSConnection if target.tls else http.client.HTTPConnection
    timeout_s = timeout_ns / 1e9
    connection = kind(target.host, target.port, timeout=timeout_s)
    own = {"Connection": "close", "Accept-Encoding": "identity"}
    late = Event()
    try:
        connection.connect()
        with _hung_up_after(timeout_s, connection.sock, late):
            connection.request("GET", path, headers={**own, **headers})
            answer = connection.getresponse()
            return answer.status, _read(answer), ""
    except (OSError, ValueError, http.client.HTTPException) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            return 0, b"", f"no answer within {timeout_s:g} s"
        return 0, b"", f"no answer: {str(error) or type(error).__name__}"
    finally:
        connection.close()


@contextmanager
def _hung_up_after(timeout_s: float, ours: socket, late: Event) -> Iterator[None]:
    """End the connection if the body takes longer: however slowly something comes."""

    def hang_up() -> None:
        late.set()
        with suppress(OSError):
            ours.shutdown(SHUT_RDWR)

    timer = Timer(timeout_s, hang_up)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _read(answer: http.client.HTTPResponse) -> bytes:
    """The whole body.

    Raises:
        HTTPException: it ends before it should.
        ValueError: it is over 10 MB.
    """
    body = answer.read(_MOST_BYTES + 1)
    if len(body) > _MOST_BYTES:
        raise ValueError("a body over 10 MB")
    if answer.length:
        raise http.client.IncompleteRead(body, answer.length)
    return body
