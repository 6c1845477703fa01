"""The shop's HTTP interface: JSON in, JSON out."""

import secrets
import sqlite3
from typing import Any

from flask import Blueprint, Flask, abort, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from shop import audit, catalogue, invoices, orders, payment, stock, wishes

COOKIE = "shop_session"

_FEATURED = 12

routes = Blueprint("shop", __name__)


def create_app(connection: sqlite3.Connection) -> Flask:
    """The shop on this database."""
    app = Flask("shop")
    app.extensions["database"] = connection
    app.register_blueprint(routes)
    app.register_error_handler(HTTPException, _problem)
    app.register_error_handler(payment.DeclinedError, _declined)
    app.register_error_handler(payment.UnavailableError, _unavailable)
    return app


def _problem(error: HTTPException) -> ResponseReturnValue:
    return {"error": error.description}, error.code or 500


def _declined(error: payment.DeclinedError) -> ResponseReturnValue:
    current_app.logger.warning("%s %s: %s", request.method, request.path, error)
    return {"error": str(error)}, 402


def _unavailable(error: payment.UnavailableError) -> ResponseReturnValue:
    current_app.logger.error("%s %s: %s", request.method, request.path, error)
    return {"error": str(error)}, 503


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
    if not stock.reserve(_database(), number, quantity):
        abort(409, "sold out")
    orders.add_to_cart(_database(), token, number, quantity)
    return {"lines": orders.cart(_database(), token)}, 201


@routes.post("/checkout")
def checkout() -> ResponseReturnValue:
    """Turn the cart into an order."""
    buyer = orders.Buyer(*_member(), *_wishes())
    order = orders.checkout(_database(), buyer)
    return (order, 201) if order else abort(409, "the cart is empty")


def _wishes() -> tuple[int, str]:
    """Percent off and the message of a checkout, or 400; both may be left out."""
    given = request.get_json(silent=True)
    wanted = given if isinstance(given, dict) else {}
    coupon, message = (str(wanted.get(name, "")) for name in ("coupon", "message"))
    if coupon and coupon not in wishes.COUPONS:
        abort(400, f"no coupon {coupon}")
    if not wishes.can_be_printed(message):
        abort(400, "the message cannot be printed")
    return wishes.COUPONS.get(coupon, 0), message


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


@routes.get("/invoices")
def past() -> ResponseReturnValue:
    """The customer's invoices of last year."""
    customer, _ = _member()
    return {"invoices": invoices.listing(_database(), customer)}


@routes.get("/invoices/<int:number>")
def invoice(number: int) -> ResponseReturnValue:
    """One of the customer's own invoices."""
    return _own_invoice(number)


@routes.get("/invoices/<int:number>/text")
def printed_invoice(number: int) -> ResponseReturnValue:
    """The same, to be printed."""
    text = invoices.as_text(_own_invoice(number))
    return text, {"Content-Type": "text/plain; charset=utf-8"}


def _own_invoice(number: int) -> dict[str, Any]:
    """Nobody else may see it."""
    customer, _ = _member()
    found = invoices.invoice(_database(), number) or abort(404, f"no invoice {number}")
    return found if found["customer"] == customer else abort(403, "not your invoice")


@routes.get("/audit")
def audited() -> ResponseReturnValue:
    """How often each invariant is broken: 0 everywhere, or somebody is called."""
    return audit.report(_database())
