"""One virtual user's keep-alive HTTP/1.1 connection, on gevent sockets."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from socket import IPPROTO_TCP, MSG_DONTWAIT, MSG_PEEK, TCP_NODELAY
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from gevent import socket

from harness.load.answer import Answer
from harness.model.result import CAUSES

if TYPE_CHECKING:
    import ssl

    from harness.load.wire import Wire
    from harness.model.session import Jar

__all__ = ["Client", "Endpoint", "Outcome"]

_PIECE_BYTES = 65536
_OURS = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}
)
"""What this machine runs out of is never the build's error."""

_TIMEOUT, _REFUSED, _RESET, _CLOSED, _CUT, _NOT_HTTP = (
    CAUSES.index(cause)
    for cause in (
        "timeout",
        "connection refused",
        "connection reset",
        "closed without answer",
        "body cut short",
        "not HTTP",
    )
)


@dataclass(slots=True)
class Endpoint:
    """Where all users of an arm send, and what they did to its connections.

    Attributes:
        host: name or address; a name is resolved once.
        port: TCP port.
        deadline_ns: the longest that a request may take from its sending.
        tls: the one context that all connections share, `None` for plain text.
        opened: connections opened so far.
        closed: of them, closed by the other side while they were idle.
    """

    host: str
    port: int
    deadline_ns: int
    tls: ssl.SSLContext | None = None
    opened: int = 0
    closed: int = 0
    _address: tuple[Any, ...] = ()

    def _resolved(self) -> tuple[Any, ...]:
        if not self._address:
            found = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)
            self._address = found[0]
        return self._address

    def connect(self, timeout_s: float) -> socket.socket:
        """A new connection."""
        family, kind, protocol, _, address = self._resolved()
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(timeout_s)
            connection.connect(address)
            connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_hostname=self.host)
        except OSError:
            connection.close()
            raise
        self.opened += 1
        return connection


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

    __slots__ = ("_connection", "_endpoint")

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._connection: socket.socket | None = None

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def exchange(self, wire: Wire, jar: Jar) -> Outcome:
        """Send a request and wait for its answer or the deadline.

        Raises:
            OSError: this machine is out of descriptors, ports or buffers.
        """
        payload = wire.payload(jar)
        limit_ns = monotonic_ns() + self._endpoint.deadline_ns
        reused = self._connection is not None
        if reused and not self._alive():
            self._endpoint.closed += 1
            self.close()
        outcome = self._attempt(payload, limit_ns, head=wire.is_head)
        if reused and wire.is_idempotent and outcome.cause == _CLOSED:
            self._endpoint.closed += 1
            outcome = self._attempt(payload, limit_ns, head=wire.is_head)
        return outcome

    def _alive(self) -> bool:
        """Whether an idle connection is neither closed nor talking unasked."""
        if self._endpoint.tls is not None:
            return True
        try:
            self._connection._sock.recv(1, MSG_PEEK | MSG_DONTWAIT)  # type: ignore[union-attr] # noqa: SLF001 - without a trip to the hub
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _attempt(self, payload: bytes, limit_ns: int, *, head: bool) -> Outcome:
        answer = Answer(head=head)
        opens = self._connection is None
        try:
            if self._connection is None:
                self._connection = self._endpoint.connect(_left_s(limit_ns))
            self._converse(self._connection, payload, answer, limit_ns)
            cause = _cause_of(answer)
        except OSError as error:
            cause = _cause_of_error(error, answer)
        if cause or not answer.reusable:
            self.close()
        return Outcome(
            status=answer.status,
            cause=cause,
            body_bytes=answer.body_bytes,
            digest=answer.digest,
            opened=opens,
            set_cookies=answer.set_cookies,
        )

    @staticmethod
    def _converse(
        connection: socket.socket, payload: bytes, answer: Answer, limit_ns: int
    ) -> None:
        connection.settimeout(_left_s(limit_ns))
        connection.sendall(payload)
        while piece := connection.recv(_PIECE_BYTES):
            if answer.feed(piece):
                return
            connection.settimeout(_left_s(limit_ns))
        answer.end()


def _cause_of(answer: Answer) -> int:
    if answer.complete:
        return 0
    if answer.broken:
        return _NOT_HTTP
    return _CUT if answer.started else _CLOSED


def _cause_of_error(error: OSError, answer: Answer) -> int:
    if error.errno in _OURS:
        raise error
    if isinstance(error, TimeoutError):
        return _TIMEOUT
    if isinstance(error, ConnectionRefusedError):
        return _REFUSED
    return _RESET if answer.started else _CLOSED


def _left_s(limit_ns: int) -> float:
    left_s = (limit_ns - monotonic_ns()) / 1e9
    if left_s <= 0:
        raise TimeoutError
    return left_s
