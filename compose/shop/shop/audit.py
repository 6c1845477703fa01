"""What must hold whatever customers do at the same time."""

import sqlite3

_INVARIANTS = {
    "oversold": """
        SELECT count(*) FROM editions WHERE size < (
            SELECT coalesce(sum(quantity), 0) FROM (
                SELECT quantity, product FROM cart
                UNION ALL SELECT quantity, product FROM order_lines
            ) AS reserved WHERE reserved.product = editions.product
        )
    """,
    "wrong_totals": """
        SELECT count(*) FROM orders WHERE total_cents IS NOT (
            SELECT sum(quantity * price_cents) * (100 - discount_percent) / 100
            FROM order_lines WHERE order_lines.number = orders.number
        )
    """,
}


def report(connection: sqlite3.Connection) -> dict[str, int]:
    """Of each invariant, how many editions or orders break it."""
    return {
        name: connection.execute(query).fetchone()[0]
        for name, query in _INVARIANTS.items()
    }
