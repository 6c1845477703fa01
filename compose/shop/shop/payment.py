"""The payment provider, as the shop sees it: an answer that takes a while."""

import os

import gevent

_ANSWER_MS = float(os.environ.get("SHOP_PAYMENT_MS", "25"))


def authorise(total_cents: int) -> None:
    """Wait until the provider has agreed; other customers are served meanwhile."""
    if total_cents > 0:
        gevent.sleep(_ANSWER_MS / 1000)
