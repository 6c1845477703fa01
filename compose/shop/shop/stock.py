"""Limited editions: a piece is reserved when it is put into a cart."""

import os
import sqlite3

import gevent

_WAREHOUSE_MS = float(os.environ.get("SHOP_WAREHOUSE_MS", "25"))


def reserve(connection: sqlite3.Connection, product: int, quantity: int) -> bool:
    """Set so many aside; false if fewer are left."""
    if _remaining(connection, product) is None:
        return True
    with connection:
        reserved = connection.execute(
            "UPDATE editions SET remaining = remaining - ?"
            " WHERE product = ? AND remaining >= ?",
            (quantity, product, quantity),
        )
    if not reserved.rowcount:
        return False
    _tell_the_warehouse()
    return True


def _remaining(connection: sqlite3.Connection, product: int) -> int | None:
    """How many are left; `None` if it is always in stock."""
    row = connection.execute(
        "SELECT remaining FROM editions WHERE product = ?", (product,)
    ).fetchone()
    return row["remaining"] if row else None


def _tell_the_warehouse() -> None:
    gevent.sleep(_WAREHOUSE_MS / 1000)
