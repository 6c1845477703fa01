"""The shop's SQLite file: its tables and what is in them at the start."""

import random
import sqlite3
from collections.abc import Iterator
from itertools import product
from pathlib import Path

PRODUCTS = 400
CUSTOMERS = 500

COLOURS = ("amber", "black", "blue", "green", "grey", "ivory", "red", "white")
MATERIALS = ("bamboo", "ceramic", "cotton", "glass", "leather", "oak", "steel", "wool")
KINDS = ("basket", "blanket", "bowl", "chair", "clock", "lamp", "mug", "shelf")

_SENTENCES = (
    "Made in small batches by a workshop that has kept to its trade for decades.",
    "The {colour} finish is applied by hand, so no two pieces look quite the same.",
    "Solid {material} where it matters, light where your hands will thank you.",
    "It stands level on old floors, and a felt strip below protects new ones.",
    "Wipe it with a damp cloth; it needs no polish and forgives the odd coffee.",
    "We deliver it assembled, in a box that you can send back or keep for storage.",
    "Customers tell us that they bought a second {kind} within the first year.",
    "Spare parts are in stock for ten years, and every one of them can be ordered.",
    "Pairs well with anything in oak or linen, and does not mind a sunny window.",
    "Tested for twenty thousand uses, which is more than a busy household manages.",
)

_SCHEMA = """
CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    price_cents INTEGER NOT NULL,
    rating REAL NOT NULL,
    delivery_days INTEGER NOT NULL,
    description TEXT NOT NULL
);
CREATE TABLE customers (id TEXT PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE sessions (
    token TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers
) WITHOUT ROWID;
CREATE TABLE cart (
    token TEXT NOT NULL REFERENCES sessions,
    product INTEGER NOT NULL REFERENCES products,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (token, product)
) WITHOUT ROWID;
CREATE TABLE orders (
    number INTEGER PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers,
    items INTEGER NOT NULL,
    total_cents INTEGER NOT NULL
);
CREATE INDEX orders_by_customer ON orders (customer, number);
"""


def _seeded_products(chance: random.Random) -> Iterator[tuple[object, ...]]:
    looks = chance.sample(list(product(COLOURS, MATERIALS, KINDS)), PRODUCTS)
    for number, (colour, material, kind) in enumerate(looks, start=1):
        text = " ".join(chance.choices(_SENTENCES, k=60))
        yield (
            number,
            f"{colour} {material} {kind}",
            chance.randrange(500, 25_000, 5),
            chance.randint(30, 50) / 10,
            chance.randint(1, 9),
            text.format(colour=colour, material=material, kind=kind),
        )


def _seed(connection: sqlite3.Connection) -> None:
    chance = random.Random(2025)
    connection.executescript(_SCHEMA)
    with connection:
        connection.executemany(
            "INSERT INTO products VALUES (?, ?, ?, ?, ?, ?)", _seeded_products(chance)
        )
        connection.executemany(
            "INSERT INTO customers VALUES (?, ?)",
            [(f"c{n:03}", f"Customer {n}") for n in range(1, CUSTOMERS + 1)],
        )


def open_database(path: Path) -> sqlite3.Connection:
    """The one connection to the shop's database, which is filled if it is new."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")  # a demo's orders may be lost
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        _seed(connection)
    return connection
