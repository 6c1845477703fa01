"""Last year's invoices: numbers in one row, so anybody could guess the next one."""

import sqlite3
from typing import Any


def listing(connection: sqlite3.Connection, customer: str) -> list[dict[str, Any]]:
    """The customer's invoices, newest first."""
    rows = connection.execute(
        "SELECT number, total_cents FROM invoices"
        " WHERE customer = ? ORDER BY number DESC",
        (customer,),
    )
    return [dict(row) for row in rows]


def invoice(connection: sqlite3.Connection, number: int) -> dict[str, Any] | None:
    """Anybody's invoice, with its `customer`; `None` if there is no such one."""
    row = connection.execute(
        "SELECT number, customer, items, total_cents FROM invoices WHERE number = ?",
        (number,),
    ).fetchone()
    return dict(row) if row else None


def as_text(found: dict[str, Any]) -> str:
    """An invoice as it is printed."""
    euros, cents = divmod(found["total_cents"], 100)
    return (
        f"The demo shop\n\nInvoice {found['number']} for {found['customer']}\n"
        f"{found['items']} items, {euros}.{cents:02} EUR\n"
    )
