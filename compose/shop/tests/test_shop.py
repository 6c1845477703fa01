import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from shop import payment, stock
from shop.catalogue import MEMBER_PERCENT, PAGE_SIZE
from shop.database import (
    EDITION_SIZE,
    EDITIONS,
    GIFT_CARD,
    INVOICES,
    PRODUCTS,
    open_database,
)
from shop.switches import install
from shop.web import COOKIE, create_app


@pytest.fixture(autouse=True)
def _prompt_partners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment, "_ANSWER_MS", 1)
    monkeypatch.setattr(stock, "_WAREHOUSE_MS", 1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_database(tmp_path / "shop.db")) as connection:
        yield connection


@pytest.fixture
def visitor(database: sqlite3.Connection) -> FlaskClient:
    return create_app(database).test_client()


@pytest.fixture
def member(database: sqlite3.Connection) -> FlaskClient:
    client = create_app(database).test_client()
    assert client.post("/login", json={"customer": "c017"}).status_code == 200
    return client


def test_health(visitor: FlaskClient) -> None:
    assert visitor.get("/healthz").get_json() == {"ok": True}


def test_home_features_products(visitor: FlaskClient) -> None:
    assert len(visitor.get("/").get_json()["featured"]) == 12


def test_pages_hold_every_product_once(visitor: FlaskClient) -> None:
    pages = range(1, EDITIONS.stop // PAGE_SIZE + 2)
    listed = [
        product["id"]
        for page in pages
        for product in visitor.get(f"/products?page={page}").get_json()["products"]
    ]
    assert listed == list(range(1, EDITIONS.stop))
    assert len(listed) == PRODUCTS + len([GIFT_CARD, *EDITIONS])


def test_search_finds_by_name(visitor: FlaskClient) -> None:
    found = visitor.get("/search?q=lamp").get_json()["products"]
    assert found
    assert all("lamp" in product["name"] for product in found)


def test_search_without_a_hit(visitor: FlaskClient) -> None:
    assert visitor.get("/search?q=submarine").get_json()["products"] == []


def test_product_details(visitor: FlaskClient) -> None:
    product = visitor.get("/products/7").get_json()
    assert product["id"] == 7
    assert len(product["description"]) > 1000


def test_unknown_product(visitor: FlaskClient) -> None:
    assert visitor.get("/products/9999").status_code == 404


@pytest.mark.parametrize("path", ["/search?q=lamp", "/products"])
def test_members_pay_less(visitor: FlaskClient, member: FlaskClient, path: str) -> None:
    full = visitor.get(path).get_json()["products"]
    reduced = member.get(path).get_json()["products"]
    assert [p["price_cents"] * MEMBER_PERCENT // 100 for p in full] == [
        p["price_cents"] for p in reduced
    ]


def test_login_sets_a_session(member: FlaskClient) -> None:
    cookie = member.get_cookie(COOKIE)
    assert cookie is not None
    assert len(cookie.value) == 32


def test_login_of_a_stranger(visitor: FlaskClient) -> None:
    assert visitor.post("/login", json={"customer": "nobody"}).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[("GET", "/cart"), ("POST", "/cart"), ("POST", "/checkout")],
        *[("GET", "/orders"), ("GET", "/invoices"), ("GET", "/invoices/240001/text")],
    ],
)
def test_buying_needs_a_login(visitor: FlaskClient, method: str, path: str) -> None:
    assert visitor.open(path, method=method).status_code == 401


def test_cart_adds_up(member: FlaskClient) -> None:
    member.post("/cart", json={"product": 12, "quantity": 2})
    answer = member.post("/cart", json={"product": 12, "quantity": 1})
    assert answer.status_code == 201
    assert answer.get_json() == member.get("/cart").get_json()
    assert [line["quantity"] for line in answer.get_json()["lines"]] == [3]


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"product": 12}, 400),
        ({"product": "12", "quantity": 1}, 400),
        ({"product": 12, "quantity": 0}, 400),
        ({"product": 9999, "quantity": 1}, 404),
        ([12, 1], 400),
    ],
)
def test_cart_refuses(member: FlaskClient, order: object, status: int) -> None:
    assert member.post("/cart", json=order).status_code == status


def test_checkout_of_an_empty_cart(member: FlaskClient) -> None:
    assert member.post("/checkout").status_code == 409


def test_checkout_orders_what_is_in_the_cart(member: FlaskClient) -> None:
    member.post("/cart", json={"product": 12, "quantity": 2})
    price = member.get("/cart").get_json()["lines"][0]["price_cents"]
    order = member.post("/checkout")
    assert order.status_code == 201
    assert order.get_json() == {"number": 1, "items": 2, "total_cents": 2 * price}
    assert member.get("/cart").get_json()["lines"] == []
    assert member.get("/orders").get_json()["orders"] == [order.get_json()]


def test_an_order_is_shown_to_its_customer_alone(
    member: FlaskClient, database: sqlite3.Connection
) -> None:
    member.post("/cart", json={"product": 1, "quantity": 2})
    order = member.post("/checkout").get_json()
    assert member.get(f"/orders/{order['number']}").get_json() == order
    assert member.get("/orders/99").status_code == 404
    other = create_app(database).test_client()
    other.post("/login", json={"customer": "c002"})
    assert other.get(f"/orders/{order['number']}").status_code == 404


def test_order_numbers_have_no_gap(member: FlaskClient) -> None:
    for _ in range(3):
        member.post("/cart", json={"product": 1, "quantity": 1})
        member.post("/checkout")
    orders = member.get("/orders").get_json()["orders"]
    assert [order["number"] for order in orders] == [3, 2, 1]


def test_an_edition_sells_out(member: FlaskClient) -> None:
    lot = {"product": EDITIONS[0], "quantity": EDITION_SIZE - 1}
    assert member.post("/cart", json=lot).status_code == 201
    assert member.post("/cart", json=lot).status_code == 409
    last = {**lot, "quantity": 1}
    assert [member.post("/cart", json=last).status_code for _ in "ab"] == [201, 409]
    assert member.post("/checkout").get_json()["items"] == EDITION_SIZE
    assert member.get("/audit").get_json() == {"oversold": 0, "wrong_totals": 0}


def test_an_audit_counts_what_is_broken(
    member: FlaskClient, database: sqlite3.Connection
) -> None:
    member.post("/cart", json={"product": EDITIONS[0], "quantity": EDITION_SIZE})
    member.post("/checkout")
    with database:
        database.execute("UPDATE orders SET total_cents = total_cents - 1")
        database.execute("UPDATE order_lines SET quantity = quantity + 1")
    assert member.get("/audit").get_json() == {"oversold": 1, "wrong_totals": 1}


@pytest.mark.parametrize(
    ("wishes", "percent"),
    [
        ({}, 0),
        ({"coupon": "WELCOME-10"}, 10),
        ({"coupon": "FRIENDS-20", "message": "With love, your aunt!"}, 20),
    ],
)
def test_a_coupon_makes_it_cheaper(
    member: FlaskClient, wishes: dict[str, str], percent: int
) -> None:
    member.post("/cart", json={"product": 30, "quantity": 1})
    (line,) = member.get("/cart").get_json()["lines"]
    order = member.post("/checkout", json=wishes).get_json()
    assert order["total_cents"] == line["price_cents"] * (100 - percent) // 100
    assert member.get("/audit").get_json()["wrong_totals"] == 0


@pytest.mark.parametrize(
    "wishes", [{"coupon": "WELCOME-90"}, {"message": "I <3 you"}, {"message": "x" * 81}]
)
def test_what_cannot_be_granted(member: FlaskClient, wishes: dict[str, str]) -> None:
    member.post("/cart", json={"product": 30, "quantity": 1})
    assert member.post("/checkout", json=wishes).status_code == 400
    assert member.get("/orders").get_json()["orders"] == []


def test_a_declined_payment_leaves_the_cart(member: FlaskClient) -> None:
    member.post("/cart", json={"product": GIFT_CARD, "quantity": 200})
    assert member.post("/checkout").status_code == 402
    assert member.get("/cart").get_json()["lines"]
    assert member.get("/orders").get_json()["orders"] == []


def test_a_payment_that_takes_too_long(
    member: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payment, "_PATIENCE_MS", 1)
    member.post("/cart", json={"product": GIFT_CARD, "quantity": 60})
    assert member.post("/checkout").status_code == 503
    assert member.get("/orders").get_json()["orders"] == []


def test_invoices_are_their_customers(member: FlaskClient) -> None:
    listed = member.get("/invoices").get_json()["invoices"]
    assert [each["number"] for each in listed] == [INVOICES[516], INVOICES[16]]
    path = f"/invoices/{INVOICES[16]}"
    found = member.get(path).get_json()
    assert found["customer"] == "c017"
    text = member.get(f"{path}/text").get_data(as_text=True)
    assert f"Invoice {INVOICES[16]} for c017\n" in text


@pytest.mark.parametrize(("number", "status"), [(INVOICES[17], 403), (7, 404)])
def test_other_invoices(member: FlaskClient, number: int, status: int) -> None:
    assert member.get(f"/invoices/{number}").status_code == status


def test_switches_are_off(database: sqlite3.Connection) -> None:
    app = create_app(database)
    before = {name: [*each] for name, each in app.before_request_funcs.items()}
    assert install(app).before_request_funcs == before


def test_switched_on_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_DELAY_MS", "30")
    monkeypatch.setenv("SHOP_LEAK_KIB", "1")
    monkeypatch.setenv("SHOP_ERROR_PERCENT", "100")
    app = Flask("other")
    for path in ("/", "/healthz"):
        app.add_url_rule(path, path, lambda: "fine")
    visitor = install(app).test_client()
    assert visitor.get("/healthz").status_code == 200
    started_s = time.monotonic()
    assert visitor.get("/").status_code == 500
    assert time.monotonic() - started_s >= 0.03
