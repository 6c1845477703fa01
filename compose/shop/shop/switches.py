"""Faults to switch on, for whoever wants to know whether they would be noticed.

Without a setting nothing here runs. SHOP_DELAY_MS makes every answer later,
SHOP_ERROR_PERCENT answers so many with 500, SHOP_LEAK_KIB keeps memory of each request.
"""

import os
import random
from collections.abc import Callable

import gevent
from flask import Flask, abort, request

_HEALTH = "/healthz"


def install(app: Flask) -> Flask:
    """The same app, with what the environment switches on; readiness is left alone."""
    faults = {
        "SHOP_DELAY_MS": _delay,
        "SHOP_ERROR_PERCENT": _error,
        "SHOP_LEAK_KIB": _leak,
    }
    for name, fault in faults.items():
        amount = float(os.environ.get(name, "0"))
        if amount:
            app.before_request(_of_customers(fault(amount)))
    return app


def _of_customers(fault: Callable[[], None]) -> Callable[[], None]:
    def happen() -> None:
        if request.path != _HEALTH:
            fault()

    return happen


def _delay(milliseconds: float) -> Callable[[], None]:
    return lambda: gevent.sleep(milliseconds / 1000)


def _error(percent: float) -> Callable[[], None]:
    chance = random.Random(2025)

    def fault() -> None:
        if chance.random() * 100 < percent:
            abort(500, "switched on by SHOP_ERROR_PERCENT")

    return fault


def _leak(kibibytes: float) -> Callable[[], None]:
    kept: list[bytes] = []
    return lambda: kept.append(b"x" * round(kibibytes * 1024))
