"""An unchanged locustfile as the load: its users on our stage.

    python -m harness.load.locustfile PATH     says what is wrong with it, or nothing

Its tasks and wait times are its own; that arms take turns is ours: think times run on
the arm's clock, and nothing is sent while the arm rests. Samples come from Locust's
`request` event at full precision. What breaks Locust at scale is mended: above
descriptor 1,023 its fast client takes every kept connection for dead, and each of its
users would load the certificates anew.
"""

from __future__ import annotations

import ssl
import sys
import time
import traceback
from bisect import bisect
from contextlib import redirect_stdout
from functools import wraps
from itertools import accumulate
from pathlib import Path
from random import Random
from select import POLLIN
from time import monotonic_ns
from types import ModuleType
from typing import TYPE_CHECKING, Any

import gevent
import locust
from gevent import Timeout
from gevent.monkey import get_original
from geventhttpclient.connectionpool import ConnectionPool
from locust import FastHttpUser
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment
from locust.user import User
from locust.user.task import TaskSet
from locust.util.load_locustfile import is_user_class

from harness.load.client import Outcome
from harness.load.message import Ready
from harness.load.stage import Stage
from harness.model.result import CAUSES

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from harness.load.message import Assignment

__all__ = ["Guests", "complaint", "user_classes_of"]

_FAILED = CAUSES.index("failed by the locustfile")
_TIMEOUT = CAUSES.index("timeout")
_TOLERANCE_NS = 10_000_000
_UNANSWERED = "(unanswered)"
"""The route of requests that were ended at their deadline: Locust names none before."""

_poll = get_original("select", "poll")


class Guests(Stage):
    """A worker's share of a locustfile's users."""

    def __init__(
        self,
        order: Assignment,
        spool: BinaryIO,
        *,
        source: bytes,
        digest: str,
        entrances_ns: list[int],
    ) -> None:
        super().__init__(spool, order.deadline_ns)
        self.ready = Ready(plan_digest=digest)
        self._entrances_ns = sorted(entrances_ns)
        self._entering = 0
        self._routes: dict[str, int] = {}
        self._connections = 0
        self._random = Random(order.index)
        classes = user_classes_of(source, order.directory)
        _mend(self._count_connection)
        _gate(self)
        where = order.authority or f"{order.host}:{order.port}"
        host = f"{'https' if order.tls else 'http'}://{where}"
        for each in classes:
            each.host = host
        self._classes = classes
        self._weights = list(accumulate(each.weight for each in classes))
        environment = Environment(user_classes=classes, host=host, events=locust.events)
        environment.events.request.add_listener(self._on_request)  # type: ignore[no-untyped-call] # locust's
        self.runner = environment.create_local_runner()
        runner = self.runner
        environment.events.init.fire(
            environment=environment, runner=runner, web_ui=None
        )  # type: ignore[no-untyped-call] # locust's
        environment.events.test_start.fire(environment=environment)  # type: ignore[no-untyped-call] # locust's

    @property
    def connections(self) -> tuple[int, int]:
        """Those of FastHttpUser; which of them the build closed is not known."""
        return self._connections, 0

    @property
    def routes(self) -> list[str]:
        """Method and name of every request so far, as samples number them."""
        return list(self._routes)

    def call_on_stage(self, until_ns: int) -> None:
        """Spawn the users who enter before that arm time, by their weights."""
        until = bisect(self._entrances_ns, until_ns - 1)
        for _ in range(self._entering, until):
            drawn = self._random.random() * self._weights[-1]
            chosen = self._classes[bisect(self._weights, drawn)]
            self.runner.spawn_users({chosen.__name__: 1})
            gevent.sleep(0)

    def await_entrance(self) -> None:
        """Wait for the moment at which the next user enters."""
        at_ns = self._entrances_ns[self._entering]
        self._entering += 1
        self.wait_until(at_ns, at_ns)

    def think(self, seconds: float) -> None:
        """Sleep on the arm's clock."""
        until_ns = self.clock.arm_time(monotonic_ns()) + round(max(0.0, seconds) * 1e9)
        self.wait_until(until_ns, until_ns)

    def send(self, request: Callable[[], Any]) -> Any:
        """Send a request once the arm plays, and end it at its deadline.

        Raises:
            TimeoutError: it was not answered by then; there is a sample of it.
        """
        now_ns = self.clock.arm_time(monotonic_ns())
        self.wait_until(now_ns, now_ns)
        sent_ns = self.begin()
        expired = Timeout(self._deadline_ns / 1e9)
        try:
            with expired:
                return request()
        except Timeout as error:
            if error is not expired:
                raise
            self._note(_UNANSWERED, sent_ns, monotonic_ns(), _nothing(_TIMEOUT))
            raise TimeoutError(f"no answer within {expired.seconds:g} s") from error
        finally:
            self.end()
            self._sent -= 1

    def _count_connection(self) -> None:
        self._connections += 1

    def _on_request(
        self,
        *,
        request_type: str,
        name: str,
        response_time: float,
        response_length: int,
        exception: BaseException | None,
        response: Any = None,
        start_time: float | None = None,
        **_: Any,
    ) -> None:
        now_ns = monotonic_ns()
        took_ns = max(0, round((response_time or 0) * 1e6))
        sent_ns = now_ns - took_ns
        if start_time is not None:
            sent_ns = now_ns - round((time.time() - start_time) * 1e9)
        outcome = Outcome(
            status=int(getattr(response, "status_code", 0) or 0),
            cause=0 if exception is None else self._cause(took_ns),
            body_bytes=int(response_length or 0),
            digest=0,
            opened=False,
            set_cookies=[],
        )
        self._note(f"{request_type} {name}", sent_ns, sent_ns + took_ns, outcome)

    def _cause(self, took_ns: int) -> int:
        """FastHttpUser makes an exception of its own of the deadline's."""
        return _TIMEOUT if took_ns >= self._deadline_ns - _TOLERANCE_NS else _FAILED

    def _note(self, route: str, sent_ns: int, done_ns: int, outcome: Outcome) -> None:
        """Sent is what there is an event of: a client of one's own is not gated."""
        self._sent += 1
        shot = self._routes.setdefault(route, len(self._routes))
        self.record(shot, (sent_ns, sent_ns, sent_ns, done_ns), outcome)


def _nothing(cause: int) -> Outcome:
    return Outcome(
        status=0, cause=cause, body_bytes=0, digest=0, opened=False, set_cookies=[]
    )


def user_classes_of(source: bytes, directory: str) -> list[type[User]]:
    """The User classes that a locustfile defines.

    Args:
        source: the file.
        directory: where it stands, so that it can import what stands beside it, and
            after that, as with Locust, from the working directory; empty where it was
            sent to another machine.

    Raises:
        ValueError: it defines none.
    """
    sys.path[:0] = filter(None, (directory, str(Path.cwd())))
    module = ModuleType("locustfile")
    module.__file__ = str(Path(directory, "locustfile.py"))
    sys.modules["locustfile"] = module
    exec(compile(source, "locustfile.py", "exec"), vars(module))  # noqa: S102 - the user's own
    classes = [each for each in vars(module).values() if is_user_class(each)]
    if not classes:
        raise ValueError("it defines no User class")
    return classes


def complaint(path: Path) -> str:
    """What is wrong with a locustfile, with its line; empty if it can be imported."""
    try:
        with redirect_stdout(sys.stderr):
            classes = user_classes_of(path.read_bytes(), str(path.parent))
    except BaseException as error:  # noqa: BLE001 - whatever the user's code does
        frames = traceback.extract_tb(error.__traceback__)
        lines = [each.lineno for each in frames if each.filename == "locustfile.py"]
        line = getattr(error, "lineno", None) or (lines[-1] if lines else 1)
        return f"{path}:{line}: {type(error).__name__}: {error}"
    if not any(each.weight for each in classes):
        return f"{path}:1: every User class has weight 0"
    fixed = [each.__name__ for each in classes if each.fixed_count]
    if fixed:
        return f"{path}:1: fixed_count of {fixed[0]} is not supported; use weight"
    return ""


def _mend(opened: Callable[[], None]) -> None:
    """Keep connections above descriptor 1,023, share one TLS context, and count."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    FastHttpUser.ssl_context_factory = staticmethod(lambda *_, **__: context)
    pool: Any = ConnectionPool
    create = pool._create_tcp_socket  # noqa: SLF001 - the defect is in there

    def alive(_pool: Any, each: Any) -> bool:
        if each is None or each.fileno() < 0:
            return False
        poll = _poll()
        poll.register(each.fileno(), POLLIN)
        return not poll.poll(0)

    @wraps(create)
    def counted(*given: Any, **named: Any) -> Any:
        made = create(*given, **named)
        opened()
        return made

    pool._is_socket_alive = alive  # noqa: SLF001 - likewise
    pool._create_tcp_socket = counted  # noqa: SLF001 - likewise


def _gate(guests: Guests) -> None:
    """Let users enter, think and send by the arm's clock."""
    user_class: Any = User
    task_set: Any = TaskSet
    run = user_class.run

    def entering(user: User) -> Any:
        guests.await_entrance()
        return run(user)

    user_class.run = entering
    task_set._sleep = lambda _, seconds: guests.think(seconds)  # noqa: SLF001 - all of a user's waiting
    sessions: tuple[Any, ...] = (HttpSession, FastHttpSession)
    for session in sessions:
        session.request = _gated(guests, session.request)


def _gated(guests: Guests, request: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(request)
    def sending(*given: Any, **named: Any) -> Any:
        return guests.send(lambda: request(*given, **named))

    return sending


if __name__ == "__main__":
    sys.stdout.write(complaint(Path(sys.argv[1])))
