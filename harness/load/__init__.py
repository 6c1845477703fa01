"""Planned requests to samples: one worker process an arm, Locust inside it."""
