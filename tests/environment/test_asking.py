import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from harness.environment.asking import asked, page
from harness.environment.build import Target
from harness.model.check import Check

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n" + b'{"a": 1}'


@contextmanager
def answering(answer: bytes, *, forever: bool = False) -> Iterator[Target]:
    """A service that says this to the one who asks, and then goes on or hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1 << 16)
                try:
                    connection.sendall(answer)
                    while forever:
                        connection.sendall(answer[-1:] * (1 << 16))
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield target(server.getsockname()[1])
        thread.join()


def target(port: int) -> Target:
    return Target(
        host="127.0.0.1",
        port=port,
        tls=False,
        usage=None,
        died=str,
        log_tail=lambda _: (),
        unpinned="",
    )


def check(**given: object) -> Check:
    return Check.model_validate({"get": "/", "json": {"$.a": 1}, **given})


def test_it_holds() -> None:
    """An answer that is as it must be is no failure."""
    with answering(OK) as service:
        result = asked(service, check(), 3)

    assert ("GET /", 3, "") == (result.name, result.slice, result.failure)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"", "no answer: Remote end closed connection without response"),
        (b"nonsense\r\n\r\n", "no answer: nonsense"),
        (OK[:-3], "no answer: IncompleteRead(5 bytes read, 3 more expected)"),
    ],
)
def test_no_answer(answer: bytes, expected: str) -> None:
    """What is no answer fails the check with the reason."""
    with answering(answer) as service:
        assert asked(service, check()).failure.startswith(expected)


def test_endless() -> None:
    """An answer that does not end is left after 10 MB."""
    with answering(b"HTTP/1.1 200 OK\r\n\r\nx", forever=True) as service:
        assert "no answer: a body over 10 MB" == asked(service, check()).failure


def test_silent() -> None:
    """Who says nothing is not waited for longer than the timeout."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        result = asked(target(server.getsockname()[1]), check(timeout="50ms"))

    assert "no answer within 0.05 s" == result.failure


def test_nobody() -> None:
    """A service that is gone fails the check."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert "refused" in asked(target(port), check()).failure


def test_page() -> None:
    """A page comes as text; one that is not there, or not good, says why."""
    with answering(OK) as service:
        good = page(service, "/metrics")
    with answering(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n") as service:
        missing = page(service, "/metrics")

    assert [('{"a": 1}', ""), ("", "status is 404")] == [good, missing]


def test_an_answer_that_drips() -> None:
    """However slowly a head comes, the timeout is for all of it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                for byte in OK * 20:
                    connection.sendall(bytes([byte]))
                    connection.settimeout(0.02)
                    with suppress(TimeoutError):
                        connection.recv(1 << 16)

        thread = threading.Thread(target=drip)
        thread.start()
        result = asked(target(server.getsockname()[1]), check(timeout="200ms"))
        thread.join()

    assert "no answer within 0.2 s" == result.failure
