"""A server that answers everything at once and counts: `python -m tests.bench.echo`.

Prints its port; at SIGTERM, one JSON line with connections and requests.
"""

from __future__ import annotations

import json
import signal
import sys
from contextlib import suppress

import gevent
from gevent.server import StreamServer
from gevent.socket import IPPROTO_TCP, TCP_NODELAY, socket

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello world\n"


class Echo:
    """Counts what it serves; every request is small enough to come in one piece."""

    connections = 0
    requests = 0

    def serve(self, connection: socket, _address: object) -> None:
        """Answer one connection's requests until it ends."""
        self.connections += 1
        connection.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        with suppress(ConnectionResetError):
            while connection.recv(65536):
                self.requests += 1
                connection.sendall(ANSWER)


def main() -> None:
    """Serve on a free port of loopback until SIGTERM."""
    echo = Echo()
    server = StreamServer(("127.0.0.1", 0), echo.serve, backlog=4096)
    gevent.signal_handler(signal.SIGTERM, server.stop)
    server.start()
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
    counts = {"connections": echo.connections, "requests": echo.requests}
    sys.stdout.write(json.dumps(counts) + "\n")


if __name__ == "__main__":
    main()
