"""Questions to a running service, each bounded in time and size."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING, Final

from harness.model.check import CheckResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.environment.build import Target
    from harness.model.check import Check

__all__ = ["asked", "page"]

_MOST_BYTES: Final = 10_000_000
_PIECE: Final = 1 << 16
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
    try:
        connection.request("GET", path, headers={**own, **headers})
        answer = connection.getresponse()
        return answer.status, _read(answer, timeout_s), ""
    except TimeoutError:
        return 0, b"", f"no answer within {timeout_s:g} s"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return 0, b"", f"no answer: {str(error) or type(error).__name__}"
    finally:
        connection.close()


def _read(answer: http.client.HTTPResponse, timeout_s: float) -> bytes:
    """The body, were it never to end, by the deadline and up to 10 MB.

    Raises:
        TimeoutError: it has not ended by then.
        ValueError: it is longer.
    """
    end_s = time.monotonic() + timeout_s
    pieces, size = [], 0
    while piece := answer.read1(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > _MOST_BYTES:
            raise ValueError("a body over 10 MB")
        if time.monotonic() > end_s:
            raise TimeoutError
    return b"".join(pieces)
