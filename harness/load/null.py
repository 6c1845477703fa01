"""A server that answers anything at once: what the generator is measured against.

    python -m harness.load.null HOST

It writes its port to standard output and ends when its standard input does. One
process, one core, no work: whatever limits the load against it is the generator.
"""

from __future__ import annotations

import resource
import select
import socket
import sys

import httptools

__all__ = ["main"]

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_PIECE_BYTES = 65536
_BACKLOG = 4096


class _Connection:
    """One client: what it asks is answered as soon as it is whole."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._parser = httptools.HttpRequestParser(self)
        self._answers = bytearray()
        self._stays = True

    def serve(self) -> bool:
        """Read and answer; false once the client is done."""
        try:
            piece = self.socket.recv(_PIECE_BYTES)
            self._parser.feed_data(piece)
            if self._answers:
                self.socket.sendall(self._answers)
                self._answers.clear()
        except (OSError, httptools.HttpParserError, httptools.HttpParserUpgrade):
            return False
        return bool(piece) and self._stays

    def on_header(self, name: bytes, value: bytes) -> None:
        """Called by the parser."""
        if name.lower() == b"expect" and value.lower() == b"100-continue":
            self._answers += _CONTINUE

    def on_message_complete(self) -> None:
        """Called by the parser."""
        self._answers += _OK
        if self._parser.get_method() != b"HEAD":
            self._answers += b"ok"
        self._stays = self._parser.should_keep_alive()


def main(host: str) -> None:
    """Serve until standard input ends."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with socket.create_server((host, 0), backlog=_BACKLOG) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        _serve(listener)


def _serve(listener: socket.socket) -> None:
    listener.setblocking(False)
    connections: dict[int, _Connection] = {}
    with select.epoll() as poll:
        poll.register(sys.stdin, select.EPOLLIN)
        poll.register(listener, select.EPOLLIN)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == sys.stdin.fileno():
                    return
                if descriptor == listener.fileno():
                    _accept(listener, poll, connections)
                elif not connections[descriptor].serve():
                    connections.pop(descriptor).socket.close()


def _accept(
    listener: socket.socket, poll: select.epoll, connections: dict[int, _Connection]
) -> None:
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        return
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    poll.register(connection, select.EPOLLIN)
    connections[connection.fileno()] = _Connection(connection)


if __name__ == "__main__":
    main(sys.argv[1])
