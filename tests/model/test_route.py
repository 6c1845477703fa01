import pytest

from harness.model.route import route_of


@pytest.mark.parametrize(
    ("target", "route"),
    [
        ("/orders/81723?full=1", "GET /orders/{id}"),
        ("/orders/81723/items/2", "GET /orders/{id}/items/{id}"),
        ("/u/6f1ed002-ab1c-4e57-9d3e-0123456789ab", "GET /u/{id}"),
        ("/c/0123456789abcdef0123", "GET /c/{id}"),
        ("/presentations/logstash-1", "GET /presentations/logstash-1"),
        ("/deadbeefdeadbeefbeef", "GET /deadbeefdeadbeefbeef"),
        ("/", "GET /"),
    ],
)
def test_route(target: str, route: str) -> None:
    """Numbers, UUIDs and long hexadecimal segments are ids; words are not."""
    assert route == route_of("GET", target)
