"""From cart to order. Order numbers have no gaps: the tax office wants it so."""

import sqlite3
from typing import Any, NamedTuple

from shop import payment
from shop.catalogue import MEMBER_PERCENT


class Buyer(NamedTuple):
    """Who buys, in which session, at how many percent off, and a message to print."""

    customer: str
    token: str
    percent: int = 0
    message: str = ""


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


def _total_cents(lines: list[dict[str, Any]], percent: int) -> int:
    full: int = sum(line["quantity"] * line["price_cents"] for line in lines)
    return full * (100 - percent) // 100


def _next_number(connection: sqlite3.Connection) -> int:
    last = connection.execute("SELECT max(number) FROM orders").fetchone()[0]
    return (last or 0) + 1


def _place(connection: sqlite3.Connection, order: dict[str, Any], buyer: Buyer) -> None:
    with connection:
        connection.execute(
            "INSERT INTO orders VALUES"
            " (:number, :customer, :items, :total_cents, :percent, :message)",
            {**order, **buyer._asdict()},
        )
        connection.execute(
            "INSERT INTO order_lines"
            " SELECT ?, product, quantity, price_cents * ? / 100"
            " FROM cart JOIN products ON products.id = cart.product WHERE token = ?",
            (order["number"], MEMBER_PERCENT, buyer.token),
        )
        connection.execute("DELETE FROM cart WHERE token = ?", (buyer.token,))


def checkout(connection: sqlite3.Connection, buyer: Buyer) -> dict[str, Any] | None:
    """Pay for the cart and turn it into an order; `None` if it is empty.

    Raises:
        DeclinedError: the payment provider does not agree.
        UnavailableError: it does not answer.
    """
    lines = cart(connection, buyer.token)
    if not lines:
        return None
    order = {
        "number": _next_number(connection),
        "items": sum(line["quantity"] for line in lines),
        "total_cents": _total_cents(lines, buyer.percent),
    }
    payment.authorise(order["total_cents"])
    _place(connection, order, buyer)
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
