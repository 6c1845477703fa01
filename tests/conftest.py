"""Where a test marked `docker` can run; no deadlines for hypothesis."""

from __future__ import annotations

import os
from functools import cache

import pytest
from hypothesis import settings

from harness.environment import engine_answers

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

_complaint = cache(engine_answers)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs an engine where none answers, or fail where one is required."""
    if item.get_closest_marker("docker") is None or not (complaint := _complaint()):
        return
    if os.environ.get("SEATRIAL_REQUIRE_DOCKER") == "1":
        pytest.fail(f"SEATRIAL_REQUIRE_DOCKER=1, but {complaint}", pytrace=False)
    pytest.skip(complaint)
