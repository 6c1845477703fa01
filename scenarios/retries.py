"""What retries.yaml sends: customers whose app tries again at once."""

import random

from locust import FastHttpUser, between, task

TRIES = 4
"""The first and three more, without a pause between them."""
WORKS_BELOW = 500


class Impatient(FastHttpUser):
    """Looks around, buys, and does not take a failed payment for an answer."""

    wait_time = between(0.3, 0.9)

    def on_start(self) -> None:
        """Log in once, as some customer."""
        self.client.post("/login", json={"customer": f"c{random.randint(1, 500):03}"})

    @task(2)
    def look_around(self) -> None:
        """Look at a page of the catalogue, or at a product."""
        self.client.get(f"/products?page={random.randint(1, 8)}", name="/products")
        self.client.get(f"/products/{random.randint(1, 400)}", name="/products/{id}")

    @task
    def buy(self) -> None:
        """Buy something, whatever it takes."""
        wanted = {"product": random.randint(1, 400), "quantity": 1}
        self.client.post("/cart", json=wanted)
        for _ in range(TRIES):
            answer = self.client.post("/checkout", json={})
            if 0 < answer.status_code < WORKS_BELOW:
                return
