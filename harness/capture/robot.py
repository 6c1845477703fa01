"""Programs that look at a site on their own account, told by their user agents.

Bots by the list of the package `crawler-user-agents`, without its libraries of HTTP:
those are how services and apps ask. Probes are what clouds and proxies send to see
whether a service is up.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from harness.model.traffic import Request

__all__ = ["BOT", "PROBE", "kind_of", "robot_of"]

BOT: Final = "bot"
PROBE: Final = "health check"

_LIBRARY: Final = "http-library"
_TOGETHER: Final = 25
"""Patterns in one expression: with all of them in one, Python's `re` is slower."""

_PROBES: Final = re.compile(
    r"kube-probe/|ELB-HealthChecker|GoogleHC|Azure Traffic Manager|Edge Health Probe"
    r"|Amazon-Route53-Health-Check|Consul Health Check|Envoy/HC|HAProxy|Varnish/health"
    r"|Prometheus/|Blackbox[ -]Exporter|HealthCheck|Health-Check|Pingdom|StatusCake"
    r"|UptimeRobot|NewRelicPinger|Datadog/?Synthetics|Site24x7|check_http/",
    re.IGNORECASE,
)


def robot_of(request: Request) -> str:
    """`bot`, `health check`, or nothing: then it may be a person."""
    return kind_of(dict(request.headers).get("user-agent", ""))


@lru_cache(maxsize=8192)
def kind_of(agent: str) -> str:
    """The same of a user agent."""
    if not agent:
        return ""
    if _PROBES.search(agent):
        return PROBE
    return BOT if any(part.search(agent) for part in _bots()) else ""


@cache
def _bots() -> tuple[re.Pattern[str], ...]:
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA  # noqa: PLC0415 - heavy

    patterns = [
        each["pattern"]
        for each in CRAWLER_USER_AGENTS_DATA
        if _LIBRARY not in each.get("tags", ())
    ]
    return tuple(
        re.compile("|".join(patterns[at : at + _TOGETHER]))
        for at in range(0, len(patterns), _TOGETHER)
    )
