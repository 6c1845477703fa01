from __future__ import annotations

import pytest

from harness.capture.robot import BOT, PROBE, robot_of
from harness.model.traffic import Request

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/120.0.0.0 Safari/537.36"
)


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        (
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            BOT,
        ),
        ("Mozilla/5.0 (compatible; bingbot/2.0)", BOT),
        ("kube-probe/1.27", PROBE),
        ("ELB-HealthChecker/2.0", PROBE),
        ("GoogleHC/1.0", PROBE),
        (CHROME, ""),
        ("Go-http-client/1.1", ""),
        ("python-requests/2.31", ""),
        ("okhttp/4.9", ""),
        ("", ""),
    ],
)
def test_robots(agent: str, expected: str) -> None:
    """Crawlers and probes are told by their user agents; libraries of HTTP are none."""
    headers = (("user-agent", agent),) if agent else ()
    request = Request(method="GET", target="/", headers=headers)

    assert expected == robot_of(request)
