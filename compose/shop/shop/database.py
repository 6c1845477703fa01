"""The shop's SQLite file: its tables and what is in them at the start."""

import random
import sqlite3
from collections.abc import Iterator
from itertools import chain, product
from pathlib import Path

PRODUCTS = 400
CUSTOMERS = 500
GIFT_CARD = 401
EDITIONS = range(402, 414)
"""Prints of which there are few; all other products are always in stock."""
EDITION_SIZE = 4
INVOICES = range(240_001, 241_001)
"""Those of last year: this year's come with the parcel."""

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
CREATE TABLE editions (
    product INTEGER PRIMARY KEY REFERENCES products,
    size INTEGER NOT NULL,
    remaining INTEGER NOT NULL
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
    total_cents INTEGER NOT NULL,
    discount_percent INTEGER NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX orders_by_customer ON orders (customer, number);
CREATE TABLE order_lines (
    number INTEGER NOT NULL REFERENCES orders,
    product INTEGER NOT NULL REFERENCES products,
    quantity INTEGER NOT NULL,
    price_cents INTEGER NOT NULL,
    PRIMARY KEY (number, product)
) WITHOUT ROWID;
CREATE TABLE invoices (
    number INTEGER PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES customers,
    items INTEGER NOT NULL,
    total_cents INTEGER NOT NULL
);
CREATE INDEX invoices_by_customer ON invoices (customer, number);
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


def _special_products() -> Iterator[tuple[object, ...]]:
    sent = "Sent by mail within a minute, and good for ten years."
    yield GIFT_CARD, "gift card", 5_000, 5.0, 1, sent
    for number in EDITIONS:
        text = f"Signed and numbered, {EDITION_SIZE} copies and no more."
        yield number, f"print no. {number - GIFT_CARD}", 12_500, 4.9, 9, text


def _seeded_invoices(chance: random.Random) -> Iterator[tuple[object, ...]]:
    for number in INVOICES:
        customer = (number - INVOICES.start) % CUSTOMERS + 1
        cents = chance.randrange(1_000, 90_000, 5)
        yield number, f"c{customer:03}", chance.randint(1, 6), cents


def _seed(connection: sqlite3.Connection) -> None:
    chance = random.Random(2025)
    connection.executescript(_SCHEMA)
    with connection:
        connection.executemany(
            "INSERT INTO products VALUES (?, ?, ?, ?, ?, ?)",
            chain(_seeded_products(chance), _special_products()),
        )
        connection.executemany(
            "INSERT INTO editions VALUES (?, ?, ?)",
            [(number, EDITION_SIZE, EDITION_SIZE) for number in EDITIONS],
        )
        connection.executemany(
            "INSERT INTO customers VALUES (?, ?)",
            [(f"c{n:03}", f"Customer {n}") for n in range(1, CUSTOMERS + 1)],
        )
        connection.executemany(
            "INSERT INTO invoices VALUES (?, ?, ?, ?)", _seeded_invoices(chance)
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
