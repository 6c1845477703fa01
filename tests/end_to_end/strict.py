"""A shop that hands out random tokens and numbers, and takes only those.

Each start has its own: whoever sends another one's is answered 403 or 404. `flow` is
one customer, who sends on what the answers say; `record` notes what that looked like.
"""

from __future__ import annotations

import gzip
import http.server
import json
import os
import re
import secrets
import sys
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs

Headers = list[tuple[str, str]]
Reply = tuple[int, Headers, str]
TAKEN = 200, 300


class Shop:
    """What a shop knows; each answer is a status, headers and a body."""

    def __init__(self) -> None:
        self.forms: dict[str, str] = {}
        self.tokens: set[str] = set()
        self.orders: dict[str, str] = {}
        self.receipts: set[str] = set()

    def form(self, _: Asked) -> Reply:
        """The page to log in with."""
        session, token = secrets.token_hex(8), secrets.token_urlsafe(24)
        self.forms[session] = token
        page = f'<form method="post"><input type="hidden" name="csrf" value="{token}">'
        return 200, [("Set-Cookie", f"sid={session}; Path=/; HttpOnly")], page

    def login(self, asked: Asked) -> Reply:
        """Takes the page's token with its cookie, gives a bearer token."""
        expected = self.forms.get(asked.cookie("sid"), "none")
        if [expected] != parse_qs(asked.body).get("csrf"):
            return 403, [], "{}"
        token = secrets.token_urlsafe(32)
        self.tokens.add(token)
        return 200, [], json.dumps({"token_type": "Bearer", "access_token": token})

    def token(self, asked: Asked) -> Reply:
        """A bearer token for whoever has a name and the password."""
        said = json.loads(asked.body)
        if not re.fullmatch(r"u\d+", said["user"]) or said["password"] != "p":
            return 403, [], "{}"
        token = secrets.token_urlsafe(32)
        self.tokens.add(token)
        return 201, [], json.dumps({"token": token})

    def order(self, asked: Asked) -> Reply:
        """A new order, under a number of its own."""
        if not asked.known(self.tokens):
            return 403, [], "{}"
        number = str(secrets.randbelow(900_000) + 100)
        self.orders[number] = secrets.token_hex(12)
        return 201, [("Location", f"/orders/{number}")], json.dumps({"items": 2})

    def show(self, asked: Asked) -> Reply:
        """An order, with what it takes to pay it."""
        number = asked.path.split("/")[2]
        if not asked.known(self.tokens) or number not in self.orders:
            return 404, [], "{}"
        told = {"order": {"id": int(number), "lines": [1, 2]}}
        return 200, [("X-Pay-Token", self.orders[number])], json.dumps(told)

    def pay(self, asked: Asked) -> Reply:
        """Takes the order's number twice and the token of its page."""
        number, said = asked.path.split("/")[2], json.loads(asked.body)
        expected = self.orders.get(number)
        if expected is None or said["order_id"] != int(number):
            return 404, [], "{}"
        if asked.headers.get("X-Pay-Token") != expected:
            return 403, [], "{}"
        receipt = secrets.token_hex(16)
        self.receipts.add(receipt)
        return 200, [], json.dumps({"receipts": [{"id": receipt}]})

    def receipt(self, asked: Asked) -> Reply:
        """Of a payment; without its number there is none."""
        known = asked.path.partition("?id=")[2] in self.receipts
        return (200 if known else 404), [], "{}"

    ROUTES = (
        (re.compile(r"GET /login"), form),
        (re.compile(r"POST /login"), login),
        (re.compile(r"POST /token"), token),
        (re.compile(r"POST /orders"), order),
        (re.compile(r"GET /orders/[^/]+"), show),
        (re.compile(r"POST /orders/[^/]+/pay"), pay),
        (re.compile(r"GET /receipts\?id=.*"), receipt),
    )

    def answer(self, asked: Asked) -> Reply:
        """Of the first route that fits."""
        line = f"{asked.method} {asked.path}"
        for form, route in self.ROUTES:
            if form.fullmatch(line):
                return route(self, asked)
        return (200 if asked.path == "/" else 404), [], "{}"


@dataclass
class Asked:
    """A request."""

    method: str
    path: str
    headers: Any
    body: str

    def cookie(self, name: str) -> str:
        """The value under that name, or nothing."""
        crumbs: list[str] = self.headers.get("Cookie", "").split("; ")
        return dict(crumb.partition("=")[::2] for crumb in crumbs).get(name, "")

    def known(self, tokens: set[str]) -> bool:
        """Whether it bears one of them."""
        return self.headers.get("Authorization", "").removeprefix("Bearer ") in tokens


def serve(host: str, port: int) -> http.server.ThreadingHTTPServer:
    """A new shop that listens; `serve_forever` is the caller's."""
    shop, lock = Shop(), threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length).decode()
            with lock:
                asked = Asked(self.command, self.path, self.headers, body)
                status, headers, text = shop.answer(asked)
            content = text.encode()
            if "gzip" in self.headers.get("Accept-Encoding", ""):
                content = gzip.compress(content)
                headers = [*headers, ("Content-Encoding", "gzip")]
            self.send_response(status)
            for name, value in [*headers, ("Content-Length", str(len(content)))]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: Any) -> None:
            """Nothing: a test reads what comes back."""

    http.server.ThreadingHTTPServer.request_queue_size = 512
    server = http.server.ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    return server


@dataclass
class Visit:
    """One exchange, as it was seen."""

    method: str
    target: str
    headers: Headers
    body: str
    status: int = 0
    duration_ns: int = 0
    answered: Headers = field(default_factory=list)
    content: str = ""


class Customer:
    """Sends on what the answers say, and notes both."""

    def __init__(self, port: int) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=10)
        self.visits: list[Visit] = []

    def ask(
        self, method: str, target: str, body: str = "", headers: Headers | None = None
    ) -> Visit:
        """One request and its answer, which must be a good one."""
        headers = [("Accept-Encoding", "gzip, br"), *(headers or [])]
        visit, started_ns = Visit(method, target, headers, body), time.monotonic_ns()
        self.connection.request(method, target, body or None, dict(headers))
        response = self.connection.getresponse()
        content = response.read()
        if response.getheader("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        visit.duration_ns = time.monotonic_ns() - started_ns
        visit.status, visit.content = response.status, content.decode()
        visit.answered = response.getheaders()
        self.visits.append(visit)
        if not TAKEN[0] <= visit.status < TAKEN[1]:
            raise ValueError(visit)
        return visit

    def flow(self) -> list[Visit]:
        """Logs in, orders twice, looks, pays the first and gets the receipt."""
        form = self.ask("GET", "/login")
        cookie = ("Cookie", dict(form.answered)["Set-Cookie"].partition(";")[0])
        (csrf,) = re.findall(r'value="([^"]+)"', form.content)
        typed = ("Content-Type", "application/x-www-form-urlencoded")
        login = self.ask(
            "POST", "/login", f"user=ann&csrf={csrf}&go=1", [cookie, typed]
        )
        bearer = "Bearer " + json.loads(login.content)["access_token"]
        member = [("Authorization", bearer), cookie]
        json_type = ("Content-Type", "application/json")
        orders = [
            self.ask("POST", "/orders", '{"product": 5}', [*member, json_type])
            for _ in range(2)
        ]
        pages = [dict(order.answered)["Location"] for order in orders]
        shown = [self.ask("GET", page, headers=member) for page in pages]
        token = dict(shown[0].answered)["X-Pay-Token"]
        number = json.loads(shown[0].content)["order"]["id"]
        paid = self.ask(
            "POST",
            f"{pages[0]}/pay",
            json.dumps({"amount": 12, "order_id": number}),
            [*member, json_type, ("X-Pay-Token", token)],
        )
        receipt = json.loads(paid.content)["receipts"][0]["id"]
        self.ask("GET", f"/receipts?id={receipt}", headers=member)
        self.connection.close()
        return self.visits


def record(customers: int) -> list[list[Visit]]:
    """So many customers of a shop of their own, one after the other."""
    with serve("127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        visits = [Customer(server.server_port).flow() for _ in range(customers)]
        server.shutdown()
        thread.join()
    return visits


if __name__ == "__main__":
    serve(os.environ.get("HOST", "127.0.0.1"), int(sys.argv[1])).serve_forever()
