"""Planned requests to samples: worker processes with Locust inside them."""
