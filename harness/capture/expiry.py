"""Tokens in a capture that have expired by now, seen before they are redacted.

A JWT (RFC 7519) says itself when it expires. One that an answer of the capture gave is
no trouble: the build will give another one.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.capture.tally import Tally
    from harness.model.traffic import Exchange, Response

__all__ = ["EXPIRED", "noted"]

EXPIRED: Final = (
    "sent with a JWT that has expired, so that a build refuses it: put a login ahead "
    "(session.login in the scenario), or sign it again with the key of the test service"
)
_JWT: Final = re.compile(r"eyJ[\w-]{8,}\.(eyJ[\w-]{4,})\.[\w-]*")
_START: Final = "eyJ"


def noted(
    exchanges: Iterable[Exchange], tally: Tally, now_s: float
) -> Iterator[Exchange]:
    """The exchanges as they are; at their end the expired tokens are tallied.

    Args:
        exchanges: not redacted yet.
        tally: takes how many requests carry one that no answer gave.
        now_s: the moment that counts, since the Unix epoch.
    """
    sent, given = Counter[int](), set[int]()
    for exchange in exchanges:
        request = exchange.request
        for name, value in (("target", request.target), *request.headers):
            if _START in value and name != "referer":
                sent.update(map(hash, _expired(value, now_s)))
        if exchange.response is not None:
            given.update(map(hash, _in_answer(exchange.response)))
        yield exchange
    tally.adapt(EXPIRED, sum(sent[token] for token in sent.keys() - given))


def _in_answer(response: Response) -> Iterator[str]:
    texts = [value for _, value in response.headers if _START in value]
    if response.body and _START.encode() in response.body:
        texts.append(response.body.decode(errors="replace"))
    for text in texts:
        for found in _JWT.finditer(text):
            yield found[0]


@lru_cache(maxsize=4096)
def _expired(value: str, now_s: float) -> tuple[str, ...]:
    return tuple(
        found[0] for found in _JWT.finditer(value) if _expiry_s(found[1]) < now_s
    )


def _expiry_s(claims: str) -> float:
    try:
        text = base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))
        expiry = json.loads(text).get("exp")
    except (ValueError, AttributeError, RecursionError):
        return float("inf")
    return expiry if isinstance(expiry, int | float) else float("inf")
