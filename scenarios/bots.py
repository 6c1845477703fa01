"""What bots.yaml sends: crawlers that walk the search among customers who use it."""

import random
from collections.abc import Iterator
from itertools import cycle, product
from typing import ClassVar

from locust import FastHttpUser, between, task

COLOURS = ("amber", "black", "blue", "green", "grey", "ivory", "red", "white")
MATERIALS = ("bamboo", "ceramic", "cotton", "glass", "leather", "oak", "steel", "wool")
KINDS = ("basket", "blanket", "bowl", "chair", "clock", "lamp", "mug", "shelf")
WALK = ["+".join(words) for words in product(COLOURS, MATERIALS, KINDS)]


class Crawler(FastHttpUser):
    """Every query that there could be, in order, without a session."""

    weight = 3
    wait_time = between(0.02, 0.06)
    default_headers: ClassVar = {"User-Agent": "PriceCrawler/1.0 (a comparison site)"}
    walk: Iterator[str]

    def on_start(self) -> None:
        """Begin somewhere: not all crawlers are at the same query."""
        begin = random.randrange(len(WALK))
        self.walk = cycle(WALK[begin:] + WALK[:begin])

    @task
    def crawl(self) -> None:
        """Ask for the next one."""
        self.client.get(f"/search?q={next(self.walk)}", name="/search")


class Customer(FastHttpUser):
    """Looks around, and searches now and then."""

    weight = 17
    wait_time = between(0.4, 1.2)

    @task(3)
    def look_around(self) -> None:
        """Look at a product."""
        self.client.get(f"/products/{random.randint(1, 400)}", name="/products/{id}")

    @task
    def search(self) -> None:
        """Look for a word."""
        word = random.choice((*COLOURS, *MATERIALS, *KINDS))
        self.client.get(f"/search?q={word}", name="/search")
