"""One question to a running service, bounded in time and size."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING, Final

from harness.model.check import CheckResult

if TYPE_CHECKING:
    from harness.environment.build import Target
    from harness.model.check import Check

__all__ = ["asked"]

_MOST_BYTES: Final = 10_000_000
_PIECE: Final = 1 << 16


def asked(target: Target, check: Check, slice_: int = 0) -> CheckResult:
    """What a service answers to a check; no answer at all is a failure of it, too.

    Args:
        target: the service.
        check: what is asked, and what must be answered.
        slice_: after which it is asked, 0 for the end of the round.
    """
    kind = http.client.HTTPSConnection if target.tls else http.client.HTTPConnection
    timeout_s = check.timeout / 1e9
    connection = kind(target.host, target.port, timeout=timeout_s)
    try:
        headers = {"Connection": "close", "Accept-Encoding": "identity"}
        connection.request("GET", check.get, headers={**headers, **check.headers})
        body = _read(answer := connection.getresponse(), timeout_s)
        failure = check.failure(answer.status, body)
    except TimeoutError:
        failure = f"no answer within {timeout_s:g} s"
    except (OSError, ValueError, http.client.HTTPException) as error:
        failure = f"no answer: {str(error) or type(error).__name__}"
    finally:
        connection.close()
    return CheckResult(name=check.title, slice=slice_, failure=failure)


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
