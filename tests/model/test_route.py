import pytest

from harness.model.route import Routes


@pytest.mark.parametrize(
    ("target", "route"),
    [
        ("/orders/81723?full=1", "GET /orders/{id}"),
        ("/orders/81723/items/2", "GET /orders/{id}/items/{id}"),
        ("/u/6f1ed002-ab1c-4e57-9d3e-0123456789ab", "GET /u/{id}"),
        ("/c/0123456789abcdef0123", "GET /c/{id}"),
        ("/days/2026-01-31", "GET /days/{id}"),
        ("/at/2026-01-31T12:00:00Z", "GET /at/{id}"),
        ("/e/01ARZ3NDEKTSV4RRFFQ69G5FAV", "GET /e/{id}"),
        ("/o/ord_8fK2mQx7TzP4aB", "GET /o/{id}"),
        ("/presentations/logstash-1", "GET /presentations/logstash-1"),
        ("/deadbeefdeadbeefbeef", "GET /deadbeefdeadbeefbeef"),
        ("/OrderConfirmation", "GET /OrderConfirmation"),
        ("/getting-started-with-sails", "GET /getting-started-with-sails"),
        ("/", "GET /"),
        ("*", "GET *"),
    ],
)
def test_route(target: str, route: str) -> None:
    """Numbers, dates, UUIDs, hashes and drawn keys are ids; words are not."""
    assert route == Routes().of("GET", target)


def test_slugs() -> None:
    """Below a path where names are slugs each is one, but for an id."""
    routes = Routes(slugs=frozenset({"/posts", "/posts/{slug}/by"}))

    assert [
        "GET /posts/{slug}",
        "GET /posts/{id}",
        "GET /posts/{slug}/comments/{id}",
        "GET /posts/{slug}/by/{slug}",
        "GET /posts",
        "GET /about/us",
    ] == [
        routes.of("GET", path)
        for path in (
            "/posts/how-to-sail",
            "/posts/17",
            "/posts/how-to-sail/comments/3",
            "/posts/how-to-sail/by/ann",
            "/posts",
            "/about/us",
        )
    ]


def test_documented_paths() -> None:
    """An OpenAPI document knows better; of two paths that fit the plainer counts."""
    routes = Routes(
        slugs=frozenset({"/posts"}),
        paths=("/{any}/{thing}", "/posts/{postId}", "/posts/new", "/a.b/{c}.json"),
    )

    assert [
        "PUT /posts/new",
        "PUT /posts/{postId}",
        "PUT /{any}/{thing}",
        "PUT /a.b/{c}.json",
        "PUT /{any}/{thing}",
        "PUT /x/y/{id}",
        "PUT /posts/",
    ] == [
        routes.of("PUT", path)
        for path in (
            "/posts/new",
            "/posts/17?x=1",
            "/users/17",
            "/a.b/7.json",
            "/axb/7.json",
            "/x/y/17",
            "/posts/",
        )
    ]
