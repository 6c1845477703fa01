import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from shop import payment
from shop.catalogue import MEMBER_PERCENT, PAGE_SIZE
from shop.database import PRODUCTS, open_database
from shop.switches import install
from shop.web import COOKIE, create_app


@pytest.fixture(autouse=True)
def _prompt_payment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment, "_ANSWER_MS", 1)


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
    pages = range(1, PRODUCTS // PAGE_SIZE + 2)
    listed = [
        product["id"]
        for page in pages
        for product in visitor.get(f"/products?page={page}").get_json()["products"]
    ]
    assert listed == list(range(1, PRODUCTS + 1))


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
    [("GET", "/cart"), ("POST", "/cart"), ("POST", "/checkout"), ("GET", "/orders")],
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
