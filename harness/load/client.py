"""One virtual user's keep-alive HTTP/1.1 connection, on gevent sockets.

The way of a request that goes well is kept short, since it is the generator's speed:
the answer is waited for before it is asked for, one parser serves a connection, and no
timer is started; deadlines are looked after by their `Endpoint`, all of them at once.
"""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass, field
from socket import (
    IPPROTO_TCP,
    MSG_DONTWAIT,
    MSG_PEEK,
    TCP_INFO,
    TCP_NODELAY,
    gaierror,
)
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final

from gevent import Greenlet, getcurrent, sleep, socket, spawn
from gevent.hub import get_hub

from harness.load.answer import Answer
from harness.model.result import CAUSES

if TYPE_CHECKING:
    from harness.load.wire import Wire
    from harness.model.session import Jar

__all__ = ["Client", "Endpoint", "Outcome"]

_PIECE_BYTES: Final = 65536
_CONTINUE_NS: Final = 1_000_000_000
_ESTABLISHED: Final = 1
_LOOK_S: Final = 0.05
_OURS: Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}
)
"""What this machine runs out of is never the build's error."""

_CODE: Final = {cause: code for code, cause in enumerate(CAUSES)}
_TIMEOUT: Final = _CODE["timeout"]
_RESET: Final = _CODE["connection reset"]
_CLOSED: Final = _CODE["closed without answer"]
_CUT: Final = _CODE["body cut short"]
_OPENING: Final[tuple[tuple[type[OSError], str], ...]] = (
    (TimeoutError, "connect timeout"),
    (gaierror, "name not resolved"),
    (ssl.SSLError, "TLS failure"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "connection reset"),
)
"""Why a connection could not be opened; anything else means an unreachable host."""


@dataclass(slots=True)
class Endpoint:
    """Where all users of an arm send, and what they did to its connections.

    Attributes:
        host: name or address; the first address that a name has is kept.
        port: TCP port.
        deadline_ns: the longest that a request may take from its sending.
        tls: the one context that all connections share, `None` for plain text.
        opened: connections opened so far.
        closed: of them, closed by the other side while they were idle.
        waiting: whoever has a request under way, and when its deadline is.
    """

    host: str
    port: int
    deadline_ns: int
    tls: ssl.SSLContext | None = None
    opened: int = 0
    closed: int = 0
    waiting: dict[Any, int] = field(default_factory=dict)
    _address: tuple[Any, ...] = ()
    _expiring: Greenlet | None = None

    def _resolved(self) -> tuple[Any, ...]:
        if not self._address:
            try:
                found = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)
            except UnicodeError as error:
                raise gaierror(str(error)) from error
            self._address = found[0]
        return self._address

    def connect(self) -> socket.socket:
        """A new connection."""
        if self._expiring is None:
            self._expiring = spawn(self._expire)
        family, kind, protocol, _, address = self._resolved()
        connection = socket.socket(family, kind, protocol)
        try:
            connection.connect(address)
            connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_hostname=self.host)
        except BaseException:
            connection.close()
            raise
        self.opened += 1
        return connection

    def _expire(self) -> None:
        """Time out whatever is past its deadline, again and again.

        Deadlines are equally long, so the one that began first ends first.
        """
        while True:
            sleep(_LOOK_S)
            now_ns = monotonic_ns()
            for greenlet, limit_ns in self.waiting.items():
                if limit_ns > now_ns:
                    break
                get_hub().loop.run_callback(self._end, greenlet, limit_ns)

    def _end(self, greenlet: Any, limit_ns: int) -> None:
        if self.waiting.get(greenlet) == limit_ns:
            del self.waiting[greenlet]
            greenlet.throw(TimeoutError)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of one request.

    Attributes:
        status: 0 without an answer.
        cause: the place in `CAUSES`; 0 for a complete answer.
        body_bytes: of the content as it came.
        digest: CRC-32 of it.
        opened: whether a connection was opened for it.
        set_cookies: values of the `Set-Cookie` headers.
    """

    status: int
    cause: int
    body_bytes: int
    digest: int
    opened: bool
    set_cookies: list[str]


class Client:
    """Sends one request at a time and reads its answer; redirects are not followed.

    A connection that the server closed while it was idle is replaced. If it closes just
    as a request is sent, a request with an idempotent method is sent again, but only if
    no byte of an answer had come (RFC 9110, section 9.2.2).
    """

    __slots__ = ("_answer", "_connection", "_endpoint")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._connection: Any = None
        self._answer = Answer()

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._answer = Answer()

    def exchange(self, wire: Wire, jar: Jar) -> Outcome:
        """Send a request and wait for its answer or the deadline.

        Raises:
            OSError: this machine is out of descriptors, ports or buffers.
        """
        payload = wire.payload(jar)
        endpoint, me = self._endpoint, getcurrent()
        reused = self._connection is not None
        if reused and not self._alive():
            endpoint.closed += 1
            reused = False
            self.close()
        endpoint.waiting[me] = monotonic_ns() + endpoint.deadline_ns
        try:
            outcome = self._attempt(wire, payload)
            if reused and wire.is_idempotent and outcome.cause == _CLOSED:
                endpoint.closed += 1
                outcome = self._attempt(wire, payload)
        finally:
            endpoint.waiting.pop(me, None)
        return outcome

    def _alive(self) -> bool:
        """Whether an idle connection is neither closed nor talking unasked."""
        raw = self._connection._sock  # noqa: SLF001 - without a trip to the hub
        try:
            if self._endpoint.tls is not None:
                state: int = raw.getsockopt(IPPROTO_TCP, TCP_INFO, 1)[0]
                return state == _ESTABLISHED
            raw.recv(1, MSG_PEEK | MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _attempt(self, wire: Wire, payload: bytes) -> Outcome:
        opens = self._connection is None
        answer = self._answer
        answer.begin(head=wire.is_head)
        try:
            if opens:
                self._connection = self._endpoint.connect()
            self._converse(wire, payload, answer)
            cause = 0 if answer.complete else _cause_of(answer)
        except OSError as error:
            cause = self._cause_of_error(error, answer)
        if cause or wire.closes or not answer.reusable:
            self.close()
        return Outcome(
            status=answer.status,
            cause=cause,
            body_bytes=answer.body_bytes,
            digest=answer.digest,
            opened=opens,
            set_cookies=answer.set_cookies,
        )

    def _converse(self, wire: Wire, payload: bytes, answer: Answer) -> None:
        connection = self._connection
        if wire.expects_continue:
            payload, body = payload[: -wire.body_bytes], payload[-wire.body_bytes :]
            connection.sendall(payload)
            if self._refused_meanwhile(answer):
                return
            payload = b"" if answer.status else body
        try:
            connection.sendall(payload)
        except (BrokenPipeError, ConnectionResetError):
            self._read(answer)
            answer.reusable = False
        else:
            self._read(answer)

    def _read(self, answer: Answer) -> None:
        """Wait for the answer first: it is hardly ever there at once."""
        connection = self._connection
        if self._endpoint.tls is None:
            connection.hub.wait(connection._read_event)  # noqa: SLF001 - see above
        while piece := connection.recv(_PIECE_BYTES):
            if answer.feed(piece):
                return
        answer.end()

    def _refused_meanwhile(self, answer: Answer) -> bool:
        """Wait up to a second for leave to send the body; whether it is not wanted."""
        connection, until_ns = self._connection, monotonic_ns() + _CONTINUE_NS
        try:
            while not answer.continued and (left_ns := until_ns - monotonic_ns()) > 0:
                connection.settimeout(left_ns / 1e9)
                piece = connection.recv(_PIECE_BYTES)
                if not piece:
                    answer.end()
                if not piece or answer.feed(piece):
                    answer.reusable = False
                    return True
        except TimeoutError:
            if getcurrent() not in self._endpoint.waiting:
                raise
        finally:
            connection.settimeout(None)
        return False

    def _cause_of_error(self, error: OSError, answer: Answer) -> int:
        if error.errno in _OURS:
            raise error
        if self._connection is None:
            for kind, cause in _OPENING:
                if isinstance(error, kind):
                    return _CODE[cause]
            return _CODE["unreachable"]
        if isinstance(error, TimeoutError):
            return _TIMEOUT
        return _RESET if answer.started else _CLOSED


def _cause_of(answer: Answer) -> int:
    if answer.fault:
        return _CODE[answer.fault]
    return _CUT if answer.started else _CLOSED
