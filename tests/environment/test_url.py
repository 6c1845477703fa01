from __future__ import annotations

import http.server
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from harness.environment import url
from harness.environment.reference import Kind
from harness.errors import BuildError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from harness.environment.build import Order


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its name
        del format


@contextmanager
def _deployed() -> Iterator[int]:
    with http.server.HTTPServer(("127.0.0.1", 0), _Handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            serving.join()


def _announce(_: str) -> None:
    pass


def test_what_is_deployed_is_reached(
    tmp_path: Path, order: Callable[..., Order]
) -> None:
    """Host and port come from the URL; memory and CPU are out of sight."""
    with (
        _deployed() as port,
        url.prepare(
            order(tmp_path, Kind.URL, f"http://127.0.0.1:{port}"), _announce
        ) as build,
        url.running(build, directory=tmp_path, cores=(1,)) as target,
    ):
        assert (target.host, target.port, target.tls) == ("127.0.0.1", port, False)
        assert (target.usage, target.died(), target.log_tail(3)) == (None, "", ())
        assert target.unpinned
    assert build.title == f"url:http://127.0.0.1:{port}"


def test_what_does_not_answer(tmp_path: Path, order: Callable[..., Order]) -> None:
    """A server that answers with an error is not ready, and its status is told."""
    with _deployed() as port:
        wanted = order(
            tmp_path,
            Kind.URL,
            f"http://127.0.0.1:{port}/",
            ready="/missing",
            ready_timeout="100ms",
        )
        with (
            url.prepare(wanted, _announce) as build,
            pytest.raises(BuildError, match="GET /missing last gave: status 404"),
        ):
            url.running(build, directory=tmp_path, cores=()).__enter__()


@pytest.mark.parametrize(
    "text",
    [
        "http://",
        "http://a/path",
        "http://a:0",
        "http://a:x",
        "http://a?q",
        "http://u:p@a",
        "http://[::1",
    ],
)
def test_only_servers_can_be_named(
    tmp_path: Path, text: str, order: Callable[..., Order]
) -> None:
    """Paths, queries, credentials and nonsense in a URL are refused."""
    with pytest.raises(InputError, match="http://"):
        url.prepare(order(tmp_path, Kind.URL, text), _announce).__enter__()


def test_the_driver_runs_nothing_else(
    tmp_path: Path, order: Callable[..., Order]
) -> None:
    """A tree cannot be run by the `url` driver."""
    with pytest.raises(InputError, match="can only run URLs"):
        url.prepare(order(tmp_path), _announce).__enter__()
