"""Waiting until a service answers."""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING, Final

from harness.errors import BuildError

if TYPE_CHECKING:
    from harness.environment.build import Target
    from harness.model.scenario import Service

__all__ = ["LOG_LINES", "await_ready", "ended", "overdue"]

LOG_LINES: Final = 30
"""Last lines of a log that go with an error."""

_POLL_S: Final = 0.05
_ANSWER_S: Final = 5.0
_FIRST_BAD_STATUS: Final = 400


def ended(code: int) -> str:
    """How a process ended, in words."""
    return f"was killed by signal {-code}" if code < 0 else f"exited with {code}"


def overdue(setup: str, service: Service, log: tuple[str, ...]) -> BuildError:
    """A setup that had not ended by the deadline.

    Args:
        setup: names the build and the command.
        service: has the deadline.
        log: the last lines that it wrote.
    """
    return BuildError(
        f"{setup} did not end {_in_time(service)}",
        hint="see `service.setup` and `ready_timeout` in the scenario",
        log=log,
    )


def _in_time(service: Service) -> str:
    return f"within {service.ready_timeout / 1e9:g} s"


def _problem(target: Target, path: str, patience_s: float) -> str:
    """Why the service is not ready; empty if it is."""
    kind = http.client.HTTPSConnection if target.tls else http.client.HTTPConnection
    connection = kind(target.host, target.port, timeout=patience_s)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        status = connection.getresponse().status
    except TimeoutError:
        return "no answer"
    except (OSError, http.client.HTTPException) as exc:
        return str(exc) or type(exc).__name__
    finally:
        connection.close()
    return f"status {status}" if status >= _FIRST_BAD_STATUS else ""


def await_ready(target: Target, service: Service, *, title: str) -> None:
    """Return once GET of the service's `ready` is answered with a status below 400.

    Args:
        target: what was started.
        service: says which path, and how long to wait.
        title: names the build.

    Raises:
        BuildError: the service ended, or was not ready in time; has its last lines.
    """
    deadline_ns = time.monotonic_ns() + service.ready_timeout
    problem = "not asked yet"
    while problem:
        left_s = (deadline_ns - time.monotonic_ns()) / 1e9
        if died := target.died():
            _give_up(target, f"{title}: the service {died} before it was ready")
        if left_s <= 0:
            _give_up(
                target,
                f"{title}: the service was not ready {_in_time(service)}; "
                f"GET {service.ready} last gave: {problem}",
                hint="see `service.port`, `ready` and `ready_timeout` in the scenario",
            )
        problem = _problem(target, service.ready, min(_ANSWER_S, max(left_s, _POLL_S)))
        time.sleep(_POLL_S if problem else 0)
    if died := target.died():
        _give_up(target, f"{title}: the service {died} while something else answered")


def _give_up(target: Target, message: str, hint: str = "") -> None:
    raise BuildError(message, hint=hint, log=target.log_tail(LOG_LINES))
