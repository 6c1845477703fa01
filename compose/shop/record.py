"""Plays the shop's customers against a running shop and writes what they saw as HAR.

    python compose/shop/record.py --to http://127.0.0.1:8000 --out DIR

With `--gallery` they also do what only some customers do: read invoices, wait for an
edition, buy too much, or send a heart to the printer. With `--letters` they paste what
they like into every field: most a line, some a page, a few a book.

One file a customer, in HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/), with
times as measured. The same seed gives the same customers; the times are real.
"""

import argparse
import json
import random
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse
from itertools import count, pairwise, starmap
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

QUERIES = (
    *("amber", "black", "blue", "green", "grey", "ivory", "red", "white"),
    *("bamboo", "ceramic", "cotton", "glass", "leather", "oak", "steel", "wool"),
    *("basket", "blanket", "bowl", "chair", "clock", "lamp", "mug", "shelf"),
)
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0",
    "ShopApp/4.2 (iPhone; iOS 17.5)",
)
PHASES = ("send", "wait", "receive")
CUSTOMERS = 500
ARRIVAL_S = 3
"""The first customers do not all arrive in one instant."""
LOGGED_IN = 0.88
BUYS = 0.45
"""Chance that a customer who has looked around for a moment buys something."""
CHECKS_CART = 0.5
CHECKS_ORDERS = 0.3

GIFT_CARD = 401
EDITIONS = range(402, 414)
DROP_S = 4
"""So often an edition goes on sale; who wants a piece waits for that."""
LET_IN, LET_IN_S, ONE_S = 4, 0.12, 0.01
"""So many are let in at a time, one just after the other: as many as there are pieces,
so that a replay sells to the same customers."""
INVOICES_FROM = 240_001
READS_INVOICES = 0.4
COUPONS = ("WELCOME-10", "SPRING-15", "FRIENDS-20")
MESSAGES = ("With love, your aunt!", "Happy birthday", "Get well soon, Peter")
HEART = "Happy birthday to you, dear grandma <3"

PASTED = "With love, and thank you for the wool. It is warm, and so is everybody here. "
SHORTEST, TAIL = 12, 0.6
"""Of what is pasted, as a Pareto distribution has it: every fourth is longer than ten
of the shortest, one in 63 than a thousand."""
LONGEST, LONGEST_QUERY = 60_000, 4_000
SIGNS, SIGNATURE = 0.05, " Peter <3"

Step = tuple[str, str, dict[str, Any] | None]
"""Method, target and JSON body."""

Steps = Generator[Step, int, None]
"""Each step in turn; what it was answered is sent back in."""


def _look_around(chance: random.Random) -> Steps:
    for _ in range(chance.randint(2, 4)):
        listing = f"/products?page={chance.randint(1, 8)}"
        search = "/search?" + urlencode({"q": chance.choice(QUERIES)})
        product = f"/products/{chance.randint(1, 400)}"
        target = chance.choices((listing, search, product), (40, 30, 30))[0]
        yield "GET", target, None


def _buy(chance: random.Random) -> Steps:
    product, quantity = chance.randint(1, 400), chance.choice((1, 1, 1, 2, 3))
    yield "POST", "/cart", {"product": product, "quantity": quantity}
    if chance.random() < CHECKS_CART:
        yield "GET", "/cart", None
    yield "POST", "/checkout", {}
    if chance.random() < CHECKS_ORDERS:
        yield "GET", "/orders", None


def steps(customer: str, chance: random.Random) -> Steps:
    """What one customer does, from the front page on."""
    yield "GET", "/", None
    logged_in = chance.random() < LOGGED_IN
    if logged_in:
        yield "POST", "/login", {"customer": customer}
    for _ in range(chance.randint(4, 9)):
        yield from _look_around(chance)
        if logged_in and chance.random() < BUYS:
            yield from _buy(chance)


def _order(chance: random.Random, product: int, quantity: int, **wishes: str) -> Steps:
    answered = yield "POST", "/cart", {"product": product, "quantity": quantity}
    if answered == HTTPStatus.CREATED:
        if chance.random() < CHECKS_CART:
            yield "GET", "/cart", None
        yield "POST", "/checkout", wishes


def _buy_with_wishes(chance: random.Random) -> Steps:
    given = {"coupon": chance.choice(COUPONS), "message": chance.choice(MESSAGES)}
    wishes = {name: text for name, text in given.items() if chance.random() < BUYS}
    yield from _order(chance, chance.randint(1, 400), chance.randint(1, 3), **wishes)


def _send_a_heart(chance: random.Random) -> Steps:
    yield from _order(chance, GIFT_CARD, 1, message=HEART)


_waiting: defaultdict[float, Iterator[int]] = defaultdict(count)
"""Of each drop, the places in its queue."""


def _buy_an_edition(chance: random.Random) -> Steps:
    drop, early_s = divmod(time.monotonic(), DROP_S)
    group, place = divmod(next(_waiting[drop]), LET_IN)
    time.sleep(DROP_S - early_s + LET_IN_S * group + ONE_S * place)
    yield from _order(chance, EDITIONS[int(drop) % len(EDITIONS)], 1)


def _buy_for_review(chance: random.Random) -> Steps:
    yield from _order(chance, GIFT_CARD, 60)


def _buy_too_much(chance: random.Random) -> Steps:
    yield from _order(chance, GIFT_CARD, 160)


PURSUITS: dict[Callable[[random.Random], Steps], int] = {
    _buy_with_wishes: 45,
    _buy_an_edition: 23,
    _buy_for_review: 20,
    _buy_too_much: 10,
    _send_a_heart: 2,
}
"""With how many of a hundred customers come for it."""


def _read_invoices(customer: str, chance: random.Random) -> Steps:
    own = INVOICES_FROM + int(customer.removeprefix("c")) - 1
    yield "GET", "/invoices", None
    yield "GET", f"/invoices/{own}", None
    yield "GET", f"/invoices/{own}/text", None
    yield "GET", f"/invoices/{own + 1}{chance.choice(('', '/text'))}", None


def gallery_steps(customer: str, chance: random.Random) -> Steps:
    """One customer who comes for one thing, and looks around before and after it."""
    yield "GET", "/", None
    yield "POST", "/login", {"customer": customer}
    yield from _look_around(chance)
    (pursuit,) = chance.choices([*PURSUITS], [*PURSUITS.values()])
    yield from pursuit(chance)
    yield from _look_around(chance)
    if chance.random() < READS_INVOICES:
        yield from _read_invoices(customer, chance)
    yield from _look_around(chance)


def _pasted(chance: random.Random, longest: int) -> str:
    length = min(round(SHORTEST * chance.paretovariate(TAIL)), longest)
    return (PASTED * (length // len(PASTED) + 1))[:length]


def _send_a_letter(chance: random.Random) -> Steps:
    yield "POST", "/cart", {"product": GIFT_CARD, "quantity": 1}
    letter = _pasted(chance, LONGEST)
    if chance.random() < SIGNS:
        letter += SIGNATURE
    if (yield "POST", "/checkout", {"message": letter}) == HTTPStatus.BAD_REQUEST:
        yield "POST", "/checkout", {"message": letter[:SHORTEST]}


def letter_steps(customer: str, chance: random.Random) -> Steps:
    """One customer who searches for whole sentences and sends whole letters."""
    yield "GET", "/", None
    yield "POST", "/login", {"customer": customer}
    for _ in range(chance.randint(2, 4)):
        yield from _look_around(chance)
        query = urlencode({"q": _pasted(chance, LONGEST_QUERY)})
        yield "GET", f"/search?{query}", None
        yield from _send_a_letter(chance)
    yield "GET", "/orders", None


@dataclass(slots=True, kw_only=True)
class Browser:
    """One customer's browser: a connection, its cookies and what it has seen."""

    host: str
    agent: str
    connection: HTTPConnection
    cookies: dict[str, str] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)

    def visit(self, method: str, target: str, body: dict[str, Any] | None) -> int:
        """Send one request, keep it as a HAR entry, and say what status it got."""
        text = None if body is None else json.dumps(body)
        headers = self._headers(text)
        request = _request(f"http://{self.host}", method, target, headers, text)
        started, ticks = datetime.now(UTC), [time.perf_counter()]
        self.connection.request(method, target, text, headers)
        ticks.append(time.perf_counter())
        response = self.connection.getresponse()
        ticks.append(time.perf_counter())
        content = response.read()
        ticks.append(time.perf_counter())
        self._keep_cookies(response)
        self.entries.append(
            {
                "startedDateTime": started.isoformat(),
                "time": _milliseconds(ticks[0], ticks[-1]),
                "request": request,
                "response": _response(response, content),
                "cache": {},
                "timings": dict(
                    zip(PHASES, starmap(_milliseconds, pairwise(ticks)), strict=True)
                ),
            }
        )
        return response.status

    def _headers(self, text: str | None) -> dict[str, str]:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {
            "Host": self.host,
            "User-Agent": self.agent,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            **({"Content-Type": "application/json"} if text is not None else {}),
            **({"Cookie": cookie} if cookie else {}),
        }

    def _keep_cookies(self, response: HTTPResponse) -> None:
        for line in response.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value


def _milliseconds(start_s: float, end_s: float) -> float:
    return round((end_s - start_s) * 1000, 3)


def _pairs(items: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in items]


def _request(
    origin: str, method: str, target: str, headers: dict[str, str], text: str | None
) -> dict[str, Any]:
    content = {"mimeType": "application/json", "text": text}
    return {
        "method": method,
        "url": origin + target,
        "httpVersion": "HTTP/1.1",
        "headers": _pairs(headers.items()),
        "queryString": _pairs(parse_qsl(urlsplit(target).query)),
        "cookies": [],
        "headersSize": -1,
        "bodySize": len(text or ""),
        **({} if text is None else {"postData": content}),
    }


def _response(response: HTTPResponse, content: bytes) -> dict[str, Any]:
    kind = response.getheader("Content-Type", "")
    return {
        "status": response.status,
        "statusText": response.reason,
        "httpVersion": "HTTP/1.1",
        "headers": _pairs(response.getheaders()),
        "cookies": [],
        "content": {
            "size": len(content),
            "mimeType": kind,
            "text": content.decode(errors="replace"),
        },
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(content),
    }


def _har(entries: list[dict[str, Any]]) -> dict[str, Any]:
    creator = {"name": "record.py of the demo shop", "version": "1"}
    return {"log": {"version": "1.2", "creator": creator, "entries": entries}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Customers that come one after another, a few dozen at a time."""

    host: str
    out: Path
    seed: int
    end_s: float
    play: Callable[[str, random.Random], Steps]
    turns: Iterator[int] = field(default_factory=lambda: count(1))

    def keep_coming(self, wait_s: float) -> None:
        """One place in the shop: who leaves makes room for the next."""
        time.sleep(wait_s)
        while time.monotonic() < self.end_s:
            self._serve(next(self.turns))

    def _serve(self, turn: int) -> None:
        chance = random.Random(f"{self.seed}/{turn}")
        connection = HTTPConnection(self.host, timeout=10)
        agent = chance.choice(AGENTS)
        browser = Browser(host=self.host, agent=agent, connection=connection)
        with closing(connection):
            self._play(browser, f"c{turn % CUSTOMERS + 1:03}", chance)
        har = json.dumps(_har(browser.entries), indent=1)
        (self.out / f"customer-{turn:03}.har").write_text(har, encoding="utf-8")

    def _play(self, browser: Browser, customer: str, chance: random.Random) -> None:
        """As a capture ends, so does this: in the middle of things."""
        playing = self.play(customer, chance)
        with suppress(StopIteration):
            step = next(playing)
            while time.monotonic() < self.end_s:
                answered = browser.visit(*step)
                time.sleep(_think_s(chance))
                step = playing.send(answered)


def _think_s(chance: random.Random) -> float:
    return min(max(chance.lognormvariate(-0.6, 0.5), 0.2), 2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", default="http://127.0.0.1:8000", help="the shop")
    parser.add_argument("--out", type=Path, required=True, help="folder for the HARs")
    parser.add_argument("--seconds", type=float, default=75, help="how long")
    parser.add_argument("--at-once", type=int, default=60, help="customers at a time")
    plays = parser.add_mutually_exclusive_group()
    plays.add_argument("--gallery", action="store_true", help="what few do, too")
    plays.add_argument("--letters", action="store_true", help="pasted texts, too")
    parser.add_argument("--seed", type=int, default=1, help="who does what")
    return parser.parse_args()


def _play(given: argparse.Namespace) -> Callable[[str, random.Random], Steps]:
    if given.letters:
        return letter_steps
    return gallery_steps if given.gallery else steps


def main() -> None:
    """Fill the folder with one HAR a customer."""
    given = _arguments()
    given.out.mkdir(parents=True, exist_ok=True)
    crowd = Crowd(
        host=urlsplit(given.to).netloc,
        out=given.out,
        seed=given.seed,
        end_s=time.monotonic() + given.seconds,
        play=_play(given),
    )
    waits = [ARRIVAL_S * place / given.at_once for place in range(given.at_once)]
    with ThreadPoolExecutor(given.at_once) as places:
        list(places.map(crowd.keep_coming, waits))


if __name__ == "__main__":
    main()
