from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from harness.environment.build import Target
from harness.environment.readiness import await_ready, ended
from harness.errors import BuildError
from harness.model.scenario import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_READY = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def serve() -> Iterator[Callable[[list[bytes]], int]]:
    """Starts a server that gives each connection the next answer."""
    server = socket.create_server(("127.0.0.1", 0))
    threads = []

    def start(answers: list[bytes]) -> int:
        def serve() -> None:
            for answer in answers:
                connection, _ = server.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        port: int = server.getsockname()[1]
        return port

    yield start
    for thread in threads:
        thread.join(timeout=30)
    server.close()


def _target(port: int, died: Callable[[], str] = str) -> Target:
    return Target(
        host="127.0.0.1",
        port=port,
        tls=False,
        usage=None,
        died=died,
        log_tail=lambda _: ("last words",),
        unpinned="",
    )


def test_it_asks_until_the_answer_is_good(
    serve: Callable[[list[bytes]], int],
) -> None:
    """Errors, nonsense and closed connections are asked again; a redirect is ready."""
    port = serve([_BUSY, b"nonsense\r\n\r\n", b"", _READY])

    await_ready(_target(port), Service(), title="baseline")


def test_somebody_elses_answer(serve: Callable[[list[bytes]], int]) -> None:
    """A good answer does not count when the service itself has ended."""
    states = iter(["", "exited with 1"])
    target = _target(serve([_READY]), died=lambda: next(states))

    with pytest.raises(BuildError, match="exited with 1 while something") as caught:
        await_ready(target, Service(), title="baseline")
    assert caught.value.log == ("last words",)


def test_codes_and_signals() -> None:
    """Exit codes are exits; negative codes, as `subprocess` has them, are signals."""
    assert (ended(3), ended(-9)) == ("exited with 3", "was killed by signal 9")
