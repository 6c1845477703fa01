"""From cart to order. Order numbers have no gaps: the tax office wants it so."""

import sqlite3
from typing import Any

from shop import payment
from shop.catalogue import MEMBER_PERCENT


def cart(connection: sqlite3.Connection, token: str) -> list[dict[str, Any]]:
    """What lies in the session's cart."""
    rows = connection.execute(
        "SELECT product, name, quantity, price_cents * ? / 100 AS price_cents"
        " FROM cart JOIN products ON products.id = cart.product"
        " WHERE token = ? ORDER BY product",
        (MEMBER_PERCENT, token),
    )
    return [dict(row) for row in rows]


def add_to_cart(
    connection: sqlite3.Connection, token: str, product: int, quantity: int
) -> None:
    """Put more of a product into the session's cart."""
    with connection:
        connection.execute(
            "INSERT INTO cart VALUES (?, ?, ?) ON CONFLICT (token, product)"
            " DO UPDATE SET quantity = quantity + excluded.quantity",
            (token, product, quantity),
        )


def _next_number(connection: sqlite3.Connection) -> int:
    last = connection.execute("SELECT max(number) FROM orders").fetchone()[0]
    return (last or 0) + 1


def _place(
    connection: sqlite3.Connection, order: dict[str, Any], customer: str, token: str
) -> None:
    with connection:
        connection.execute(
            "INSERT INTO orders VALUES (?, ?, ?, ?)",
            (order["number"], customer, order["items"], order["total_cents"]),
        )
        connection.execute("DELETE FROM cart WHERE token = ?", (token,))


def checkout(
    connection: sqlite3.Connection, customer: str, token: str
) -> dict[str, Any] | None:
    """Pay for the cart and turn it into an order; `None` if it is empty."""
    lines = cart(connection, token)
    if not lines:
        return None
    order = {
        "number": _next_number(connection),
        "items": sum(line["quantity"] for line in lines),
        "total_cents": sum(line["quantity"] * line["price_cents"] for line in lines),
    }
    payment.authorise(order["total_cents"])
    _place(connection, order, customer, token)
    return order


def history(connection: sqlite3.Connection, customer: str) -> list[dict[str, Any]]:
    """The customer's latest orders, newest first."""
    rows = connection.execute(
        "SELECT number, items, total_cents FROM orders"
        " WHERE customer = ? ORDER BY number DESC LIMIT 20",
        (customer,),
    )
    return [dict(row) for row in rows]


def order(
    connection: sqlite3.Connection, customer: str, number: int
) -> dict[str, Any] | None:
    """One of the customer's orders; `None` if it is somebody else's."""
    row = connection.execute(
        "SELECT number, items, total_cents FROM orders"
        " WHERE customer = ? AND number = ?",
        (customer, number),
    ).fetchone()
    return dict(row) if row else None
