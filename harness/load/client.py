"""One virtual user's keep-alive HTTP/1.1 connection, and where it leads."""

from __future__ import annotations

import errno
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import gevent
import gevent.socket
from gevent.hub import get_hub

from harness.load.answer import Answer
from harness.load.connection import Connection, SealedConnection
from harness.model.result import CAUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.load.answer import Said
    from harness.load.wire import Wire
    from harness.model.session import Jar

__all__ = ["Client", "Endpoint", "Outcome"]

_PATIENCE_S: Final = 1.0
"""How long content waits for a 100 (RFC 9110, section 10.1.1: not indefinitely)."""

_CODES: Final = {cause: code for code, cause in enumerate(CAUSES)}
_CLOSED: Final = _CODES["closed without answer"]

_OURS: Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}
)
"""What this machine runs out of is never the build's error."""

_OPENING: Final[tuple[tuple[type[OSError], str], ...]] = (
    (TimeoutError, "connect timeout"),
    (socket.gaierror, "name not resolved"),
    (ssl.SSLError, "TLS failure"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "connection reset"),
    (OSError, "unreachable"),
)
"""Why a connection could not be opened: the first kind that fits."""

_ANSWERING: Final[tuple[tuple[type[OSError], str], ...]] = (
    (TimeoutError, "timeout"),
    (ssl.SSLError, "TLS failure"),
)
"""Why no answer came, likewise; anything else ended the connection."""

Address = tuple[int, tuple[Any, ...]]
"""Family, and the address of that family."""


@dataclass(slots=True)
class Endpoint:
    """Where all users of an arm send, and what they did to its connections.

    Attributes:
        host: name or address; a name is resolved once.
        port: TCP port.
        deadline_ns: the longest that a request may take, from its sending, name and
            connection included.
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
    _addresses: Sequence[Address] = ()
    _look_up: gevent.Greenlet | None = None

    def connect(self) -> Connection:
        """A new connection, to the first address that takes it.

        Raises:
            OSError: none does, or the name is not known.
        """
        addresses = self._addresses or self._resolved()
        for place, address in enumerate(addresses, start=1):
            try:
                connection = self._connection(*address)
            except TimeoutError:
                raise
            except OSError:
                if place == len(addresses):
                    raise
            else:
                self._addresses = [address]
                self.opened += 1
                return connection
        raise socket.gaierror(socket.EAI_NONAME, "no address")

    def _connection(self, family: int, address: tuple[Any, ...]) -> Connection:
        if self.tls is None:
            return Connection(family, address)
        return SealedConnection(family, address, self.tls, self.host)

    def _resolved(self) -> Sequence[Address]:
        """The addresses of the name: asked for once at a time, for all who wait."""
        if self._look_up is None:
            self._look_up = gevent.spawn(_addresses_of, self.host, self.port)
        look_up = self._look_up
        found = look_up.get()
        if self._look_up is look_up:
            self._look_up = None
        if isinstance(found, OSError):
            raise found
        self._addresses = found
        return self._addresses


def _addresses_of(host: str, port: int) -> Sequence[Address] | OSError:
    try:
        found = gevent.socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)
    except UnicodeError:
        return socket.gaierror(socket.EAI_NONAME, "not a name")
    except OSError as error:
        return error
    return [(family, address) for family, _, _, _, address in found]


@dataclass(slots=True)
class Outcome:
    """What came of one request.

    Attributes:
        status: 0 without an answer.
        cause: the place in `CAUSES`; 0 for a complete answer.
        body_bytes: of the content as it came.
        digest: CRC-32 of it.
        opened: whether a connection was opened for it.
        set_cookies: values of the `Set-Cookie` headers.
        said: what the answer said, where it is wanted or the request's `extracts`
            need it.
    """

    status: int
    cause: int
    body_bytes: int
    digest: int
    opened: bool
    set_cookies: Sequence[str]
    said: Said | None = None


class Client:
    """Sends one request at a time and reads its answer; redirects are not followed.

    A connection that the server closed while it was idle is replaced. If it closes just
    as a request is sent, a request with an idempotent method is sent again, but only if
    no byte of an answer had come (RFC 9110, section 9.2.2).
    """

    __slots__ = ("_answer", "_connection", "_endpoint", "_timer")

    def __init__(self, endpoint: Endpoint) -> None:
        self._answer = Answer()
        self._connection: Connection | None = None
        self._endpoint = endpoint
        self._timer = get_hub().loop.timer(0.0, endpoint.deadline_ns / 1e9)

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._answer.forget()

    def exchange(self, wire: Wire, jar: Jar, *, keep: bool = False) -> Outcome:
        """Send a request and wait for its answer or the deadline.

        Args:
            wire: the request.
            jar: the user's cookies.
            keep: whether what the answer says is wanted, extracts or not.

        Raises:
            OSError: this machine is out of descriptors, ports or buffers.
        """
        payload = wire.payload(jar)
        if self._closed_while_idle(wire):
            self._endpoint.closed += 1
            self.close()
        reused = self._connection is not None
        self._timer.again(gevent.getcurrent().throw, TimeoutError)
        try:
            outcome = self._attempt(wire, payload, keep=keep)
            if reused and wire.is_idempotent and outcome.cause == _CLOSED:
                self._endpoint.closed += 1
                outcome = self._attempt(wire, payload, keep=keep)
        finally:
            self._timer.stop()
        return outcome

    def _closed_while_idle(self, wire: Wire) -> bool:
        """Asked of the kernel only where the hub knows or sending again is no way."""
        connection = self._connection
        if connection is None or (connection.quiet and wire.is_idempotent):
            return False
        return not connection.alive()

    def _attempt(self, wire: Wire, payload: bytes, *, keep: bool) -> Outcome:
        answer, opens = self._answer, self._connection is None
        answer.begin(head=wire.is_head, keep=keep or wire.extracts != ())
        try:
            if self._connection is None:
                self._connection = self._endpoint.connect()
            self._converse(self._connection, wire, payload)
            cause = 0 if answer.complete else _cause_of(answer)
        except OSError as error:
            cause = self._cause_of_error(error)
        if cause or wire.closes or not answer.reusable:
            self.close()
        return Outcome(
            answer.status,
            cause,
            answer.body_bytes,
            answer.digest,
            opens,
            answer.set_cookies,
            answer.said,
        )

    def _converse(self, connection: Connection, wire: Wire, payload: bytes) -> None:
        """Send and listen at once: an answer may come before all is sent."""
        held = b""
        if wire.expects_continue:
            payload, held = payload[: -wire.body_bytes], payload[-wire.body_bytes :]
        sent = connection.push(payload)
        if held and self._may_follow(connection, sent=sent):
            sent, held = connection.push(held), b""
        while not self._answer.ended:
            connection.wait(writing=not sent)
            sent = sent or connection.push()
            self._hear(connection)
        if held or not sent:
            self._answer.reusable = False

    def _hear(self, connection: Connection) -> None:
        piece = connection.receive()
        if piece:
            self._answer.feed(piece)
        elif piece is not None:
            self._answer.end()

    def _may_follow(self, connection: Connection, *, sent: bool) -> bool:
        """Wait for a 100, but not for long; false if the answer has come instead."""
        patience = get_hub().loop.timer(_PATIENCE_S)
        patience.start(gevent.getcurrent().switch, update=True)
        try:
            while not sent or (patience.active and not self._answer.continued):
                connection.wait(writing=not sent)
                sent = sent or connection.push()
                self._hear(connection)
                if self._answer.ended:
                    return False
        finally:
            patience.close()
        return True

    def _cause_of_error(self, error: OSError) -> int:
        foreign = isinstance(error, socket.gaierror | ssl.SSLError)
        if error.errno in _OURS and not foreign:
            raise error
        for kind, cause in _OPENING if self._connection is None else _ANSWERING:
            if isinstance(error, kind):
                return _CODES[cause]
        return _CODES["connection reset"] if self._answer.started else _CLOSED


def _cause_of(answer: Answer) -> int:
    if answer.fault:
        return _CODES[answer.fault]
    return _CODES["body cut short"] if answer.started else _CLOSED
