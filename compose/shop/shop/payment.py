"""The payment provider, as the shop sees it: an answer that takes a while.

It declines what is very dear, and reviews by hand what is rather dear, which takes it
seconds. The shop holds a few connections to it and does not wait for long.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from gevent.lock import BoundedSemaphore

REVIEWED_CENTS = 200_000
DECLINED_CENTS = 500_000

_ANSWER_MS = float(os.environ.get("SHOP_PAYMENT_MS", "25"))
_REVIEW_MS = 4_000
_PATIENCE_MS = 250
"""How long a customer waits for the provider, or for a connection to it."""

_connections = BoundedSemaphore(4)


class DeclinedError(Exception):
    """The provider does not agree."""


class UnavailableError(Exception):
    """The provider does not answer in time."""


def authorise(total_cents: int) -> None:
    """Wait until the provider has agreed; other customers are served meanwhile."""
    if total_cents > 0:
        with _connection():
            _ask(total_cents)


@contextmanager
def _connection() -> Iterator[None]:
    if not _connections.acquire(timeout=_PATIENCE_MS / 1000):
        raise UnavailableError("no free connection to the payment provider")
    try:
        yield
    finally:
        _connections.release()


def _ask(total_cents: int) -> None:
    late = UnavailableError("no answer from the payment provider")
    with gevent.Timeout(_PATIENCE_MS / 1000, late):
        gevent.sleep(_answer_ms(total_cents) / 1000)
    if total_cents >= DECLINED_CENTS:
        raise DeclinedError("the payment provider declined")


def _answer_ms(total_cents: int) -> float:
    reviewed = REVIEWED_CENTS <= total_cents < DECLINED_CENTS
    return _REVIEW_MS if reviewed else _ANSWER_MS
