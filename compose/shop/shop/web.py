"""The shop's HTTP interface: JSON in, JSON out."""

import secrets
import sqlite3
from typing import Any

from flask import Blueprint, Flask, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from shop import catalogue, orders

COOKIE = "shop_session"

_FEATURED = 12

routes = Blueprint("shop", __name__)


def create_app(connection: sqlite3.Connection) -> Flask:
    """The shop on this database."""
    app = Flask("shop")
    app.extensions["database"] = connection
    app.register_blueprint(routes)
    app.register_error_handler(HTTPException, _problem)
    return app


def _problem(error: HTTPException) -> ResponseReturnValue:
    return {"error": error.description}, error.code or 500


def _database() -> sqlite3.Connection:
    database: sqlite3.Connection = current_app.extensions["database"]
    return database


def _token() -> str | None:
    return request.cookies.get(COOKIE)


def _member() -> tuple[str, str]:
    """Customer and session token of who asks, or 401."""
    token = _token() or ""
    row = (
        _database()
        .execute("SELECT customer FROM sessions WHERE token = ?", (token,))
        .fetchone()
    )
    return (row["customer"], token) if row else abort(401, "log in first")


def _field(name: str, kind: type) -> Any:
    given = request.get_json()
    value = given.get(name) if isinstance(given, dict) else None
    return value if isinstance(value, kind) else abort(400, f"no usable `{name}`")


def _page() -> int:
    return max(request.args.get("page", 1, type=int), 1)


def _listing(query: str = "") -> list[dict[str, Any]]:
    return catalogue.listing(_database(), query, _page(), _token())


@routes.get("/healthz")
def healthz() -> ResponseReturnValue:
    """Readiness: it answers, so it is ready."""
    return {"ok": True}


@routes.get("/")
def home() -> ResponseReturnValue:
    """The front page: a few featured products."""
    return {"shop": "The demo shop", "featured": _listing()[:_FEATURED]}


@routes.get("/products")
def products() -> ResponseReturnValue:
    """One page of all products."""
    return {"page": _page(), "products": _listing()}


@routes.get("/products/<int:number>")
def product(number: int) -> ResponseReturnValue:
    """All about one product."""
    found = catalogue.details(_database(), number, _token())
    return found or abort(404, f"no product {number}")


@routes.get("/search")
def search() -> ResponseReturnValue:
    """One page of the products with the query in their name."""
    query = request.args.get("q", "")
    return {"query": query, "page": _page(), "products": _listing(query)}


@routes.post("/login")
def login() -> ResponseReturnValue:
    """Open a session. The shop trusts the gateway in front of it: no password."""
    customer, token = _field("customer", str), secrets.token_hex(16)
    with _database() as database:
        opened = database.execute(
            "INSERT INTO sessions SELECT ?, id FROM customers WHERE id = ?",
            (token, customer),
        )
    if not opened.rowcount:
        abort(404, f"no customer {customer}")
    answer = jsonify(customer=customer)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="Lax")
    return answer


@routes.get("/cart")
def cart() -> ResponseReturnValue:
    """What lies in the session's cart."""
    _, token = _member()
    return {"lines": orders.cart(_database(), token)}


@routes.post("/cart")
def add_to_cart() -> ResponseReturnValue:
    """Put some of a product into the cart."""
    _, token = _member()
    number, quantity = _field("product", int), _field("quantity", int)
    if quantity < 1:
        abort(400, "`quantity` starts at 1")
    if catalogue.details(_database(), number, token) is None:
        abort(404, f"no product {number}")
    orders.add_to_cart(_database(), token, number, quantity)
    return {"lines": orders.cart(_database(), token)}, 201


@routes.post("/checkout")
def checkout() -> ResponseReturnValue:
    """Turn the cart into an order."""
    customer, token = _member()
    order = orders.checkout(_database(), customer, token)
    return (order, 201) if order else abort(409, "the cart is empty")


@routes.get("/orders")
def history() -> ResponseReturnValue:
    """The customer's latest orders."""
    customer, _ = _member()
    return {"orders": orders.history(_database(), customer)}


@routes.get("/orders/<int:number>")
def order(number: int) -> ResponseReturnValue:
    """One of the customer's own orders."""
    customer, _ = _member()
    found = orders.order(_database(), customer, number)
    return found or abort(404, f"no order {number}")
