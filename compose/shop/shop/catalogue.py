"""What the shop sells."""

import sqlite3
from typing import Any

PAGE_SIZE = 50
MEMBER_PERCENT = 95
"""What customers who are logged in pay."""

_SUMMARY_CHARACTERS = 120


def _price(row: dict[str, Any], token: str | None) -> int:
    full: int = row["price_cents"]
    return full * MEMBER_PERCENT // 100 if token else full


def _rows(
    connection: sqlite3.Connection, query: str, page: int
) -> list[dict[str, Any]]:
    found = connection.execute(
        "SELECT * FROM products WHERE name LIKE ? ORDER BY id LIMIT ? OFFSET ?",
        (f"%{query}%", PAGE_SIZE, (page - 1) * PAGE_SIZE),
    )
    return [dict(row) for row in found]


def listing(
    connection: sqlite3.Connection, query: str, page: int, token: str | None
) -> list[dict[str, Any]]:
    """One page of the products with the query in their name, at the reader's price."""
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "price_cents": _price(row, token),
            "rating": row["rating"],
            "delivery_days": row["delivery_days"],
            "summary": row["description"][:_SUMMARY_CHARACTERS],
        }
        for row in _rows(connection, query, page)
    ]


def details(
    connection: sqlite3.Connection, number: int, token: str | None
) -> dict[str, Any] | None:
    """All about one product, at the reader's price; `None` if there is no such one."""
    row = connection.execute(
        "SELECT * FROM products WHERE id = ?", (number,)
    ).fetchone()
    if row is None:
        return None
    return {**dict(row), "price_cents": _price(dict(row), token)}
