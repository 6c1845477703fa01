"""A server that answers everything at once and counts: `python -m tests.bench.echo`.

Prints its port. `/status` says, as nginx does, how many connections it accepted and how
many requests it served.
"""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

import gevent
from gevent.server import StreamServer
from gevent.socket import IPPROTO_TCP, TCP_NODELAY, socket

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"
_HELLO = _ANSWER % (12, b"hello world\n")


class Echo:
    """Counts what it serves; every request is small enough to come in one piece."""

    connections = 0
    requests = 0

    def serve(self, connection: socket, _address: object) -> None:
        """Answer one connection's requests until it ends."""
        self.connections += 1
        connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                self.requests += 1
                status = piece.startswith(b"GET /status")
                connection.sendall(self._status() if status else _HELLO)

    def _status(self) -> bytes:
        counts = self.connections, self.connections, self.requests
        text = b"server accepts handled requests\n %d %d %d \n" % counts
        return _ANSWER % (len(text), text)


def main() -> None:
    """Serve on a free port of loopback until SIGTERM."""
    server = StreamServer(("127.0.0.1", 0), Echo().serve, backlog=4096)
    gevent.signal_handler(signal.SIGTERM, server.stop)
    server.start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main()
