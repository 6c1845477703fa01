"""One connection on a non-blocking socket; whoever waits for it waits in gevent's hub.

    push → wait → receive → wait → receive …

gevent's own sockets start a timer and a watcher at each wait and try each read twice.
Here a wait is one switch to the hub, the watcher stays, so that a server that closes
between two requests is noticed as it does, and whoever set a deadline has it thrown
into the wait.
"""

from __future__ import annotations

import errno
import os
import select
import ssl
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import TYPE_CHECKING, Any, Final

import gevent
from gevent.hub import get_hub
from gevent.monkey import get_original

if TYPE_CHECKING:
    import socket

__all__ = ["Connection", "SealedConnection"]

_READ: Final = 1
_WRITE: Final = 2
_CONNECTING: Final = frozenset({errno.EINPROGRESS, errno.EALREADY})
_CONNECTED: Final = frozenset({0, errno.EISCONN})
_SEALED_AT_ONCE: Final = 1 << 14

_PIECE: Final = memoryview(bytearray(1 << 16))
"""Takes what comes in, for all connections: nobody waits before it is parsed."""

_plain_socket: Final = get_original("socket", "socket")
_plain_poll: Final = get_original("select", "poll")


class Connection:
    """A TCP connection.

    Attributes:
        quiet: whether nothing has come, as far as the hub knows, since the last wait.

    Args:
        family: address family.
        address: where to, resolved.

    Raises:
        OSError: there can be no connection.
    """

    _at_once = len(_PIECE)

    __slots__ = (
        "_failure",
        "_poll",
        "_reader",
        "_socket",
        "_unsent",
        "_waiting",
        "quiet",
    )

    def __init__(self, family: int, address: tuple[Any, ...]) -> None:
        self._unsent: bytes | memoryview = b""
        self._failure: OSError | None = None
        self._socket: socket.socket = _plain_socket(family)
        self._poll: select.poll = _plain_poll()
        self._poll.register(self._socket, select.POLLIN)
        self._reader: Any = None
        self._waiting: gevent.Greenlet | None = None
        self.quiet = True
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            self._reader = get_hub().loop.io(self._socket.fileno(), _READ)
            self._connect(address)
        except BaseException:
            self.close()
            raise

    def _connect(self, address: tuple[Any, ...]) -> None:
        while (error := self._socket.connect_ex(address)) in _CONNECTING:
            self.wait(writing=True)
        if error not in _CONNECTED:
            raise OSError(error, os.strerror(error))

    def close(self) -> None:
        """End the connection."""
        if self._reader is not None:
            self._reader.close()
        self._socket.close()

    def wait(self, *, writing: bool = False) -> None:
        """Wait until there is something to receive or, if `writing`, room to send.

        May return early. Ends also by whatever is thrown into the greenlet.
        """
        hub = get_hub()
        writer = None
        if writing:
            writer = hub.loop.io(self._socket.fileno(), _WRITE)
            writer.start(self._wake)
        if not self._reader.active:
            self._reader.start(self._wake)
        self._waiting = gevent.getcurrent()
        self.quiet = True
        try:
            hub.switch()
        finally:
            self._waiting = None
            if writer is not None:
                writer.close()

    def _wake(self) -> None:
        if self._waiting is not None:
            self._waiting.switch()
        else:
            self.quiet = False
            self._reader.stop()

    def push(self, data: bytes = b"") -> bool:
        """Send that, or the rest of it, as far as possible; whether nothing is left.

        That the other side has gone is kept for `receive`: its answer may have come.

        Raises:
            OSError: this machine cannot send.
        """
        self._unsent = data or self._unsent
        try:
            sent = self._socket.send(self._unsent)
        except BlockingIOError:
            return False
        except ConnectionError as error:
            self._failure = error
            sent = len(self._unsent)
        if sent == len(self._unsent):
            self._unsent = b""
            return True
        self._unsent = memoryview(self._unsent)[sent:]
        return False

    def receive(self) -> bytes | memoryview | None:
        """What has come, valid until the next call; empty at the end, `None`: nothing.

        Raises:
            OSError: the connection failed.
        """
        try:
            count = self._socket.recv_into(_PIECE, self._at_once)
        except BlockingIOError:
            return None
        if not count and self._failure is not None:
            raise self._failure
        return _PIECE[:count]

    def alive(self) -> bool:
        """Whether, just now, it is neither closed nor has said anything unasked."""
        try:
            return not self._poll.poll(0) or self.receive() is None
        except OSError:
            return False


class SealedConnection(Connection):
    """A TLS connection, over the one context that an arm's connections share.

    Args:
        family: address family.
        address: where to, resolved.
        context: the shared context.
        name: of the server, for its certificate.

    Raises:
        OSError: there can be no connection, or no trust in it.
    """

    _at_once = _SEALED_AT_ONCE

    __slots__ = ("_clear", "_incoming", "_outgoing", "_tls")

    def __init__(
        self, family: int, address: tuple[Any, ...], context: ssl.SSLContext, name: str
    ) -> None:
        self._clear: bytes | memoryview = b""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=name
        )
        super().__init__(family, address)

    def _connect(self, address: tuple[Any, ...]) -> None:
        super()._connect(address)
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                flushed = self.push()
                self.wait(writing=not flushed)
                self._take_in()
            else:
                return

    def push(self, data: bytes = b"") -> bool:
        """Send that, or the rest of it, as far as possible; whether nothing is left."""
        self._clear = data or self._clear
        if self._clear and not self._unsent:
            count = self._tls.write(self._clear[:_SEALED_AT_ONCE])
            self._clear = memoryview(self._clear)[count:]
        sealed = b"" if self._unsent else self._outgoing.read()
        flushed = super().push(sealed)
        return flushed and not self._clear and not self._outgoing.pending

    def receive(self) -> bytes | memoryview | None:
        """What has come, opened; empty at the end, `None`: nothing.

        Raises:
            OSError: the connection failed, or what came was not sealed.
        """
        ended = self._take_in()
        pieces = []
        try:
            while piece := self._tls.read(_SEALED_AT_ONCE):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            return b"".join(pieces) or None
        except ssl.SSLError:
            if not (ended or pieces):
                raise
        return b"".join(pieces)

    def _take_in(self) -> bool:
        """Hand on what has come, still sealed; whether that was the end.

        An end without the protocol's own farewell counts as one, as in every browser.
        """
        piece = super().receive()
        if piece:
            self._incoming.write(piece)
        elif piece is not None:
            self._incoming.write_eof()
        return piece is not None and not piece
