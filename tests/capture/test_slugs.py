from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.capture.batch import batches_of
from harness.capture.slugs import Slugs
from harness.model.route import Routes
from harness.model.traffic import Exchange, Request, Response

PATHS = st.lists(
    st.lists(st.sampled_from("abcdefg17"), max_size=3).map(
        lambda parts: "/" + "/".join(parts)
    ),
    max_size=40,
)


def learned(paths: list[str], most: int = 3) -> Slugs:
    slugs = Slugs(most)
    for path in paths:
        slugs.add(path)
    return slugs


def test_many_names_at_one_place_are_slugs() -> None:
    """What is below each of them is taken together; ids count for none."""
    paths = [f"/posts/{name}/comments" for name in "abcd"]
    paths += [f"/orders/{number}/lines" for number in range(9)]
    paths += ["/posts/17", "/about/us", "/about/it", "/about/me?x=1", "/about/me?x=2"]

    assert ("/posts",) == learned(paths).prefixes()


def test_slugs_below_slugs() -> None:
    """Names that are few at each place are many once the places are one."""
    paths = [f"/{user}/{post}" for user in ("u", "v", "w", "x") for post in (user, "k")]

    assert ("", "/{slug}") == learned(paths).prefixes()


@given(PATHS, st.randoms(), st.integers(1, 4))
def test_order_does_not_matter(paths: list[str], random: object, most: int) -> None:
    """The same paths in any order, and any number of times, teach the same."""
    shuffled = [*paths, *paths]
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert learned(paths, most).prefixes() == learned(shuffled, most).prefixes()


@given(PATHS, st.integers(1, 4))
def test_cardinality_is_capped(paths: list[str], most: int) -> None:
    """No route has more siblings than the cap, besides ids and slugs themselves."""
    routes = Routes(slugs=frozenset(learned(paths, most).prefixes()))
    found = {routes.of("GET", path).partition(" ")[2] for path in paths}

    below: dict[str, set[str]] = {}
    for route in found:
        segments = route.split("/")
        for at in range(1, len(segments)):
            below.setdefault("/".join(segments[:at]), set()).add(segments[at])
    for names in below.values():
        assert len(names - {"", "{id}", "{slug}"}) <= most


def test_a_path_of_slashes_alone() -> None:
    """However deep a path is, it is learned from and ends nothing."""
    deep = ["/" * 5_000, "/a" * 5_000, *(f"/posts/{name}" for name in "abcd")]

    assert ("/posts",) == learned(deep).prefixes()


def test_what_is_not_there_teaches_nothing() -> None:
    """Paths that a scanner tries, and the service refuses, are no slugs."""
    asked = [("GET /%s", "abcde", 404), ("GET /posts/%s", "abcde", 200)]
    exchanges = [
        Exchange(
            start_ns=0,
            client="c",
            request=Request(method="GET", target=path.partition(" ")[2] % name),
            response=Response(status=status) if name != "e" else None,
        )
        for path, names, status in asked
        for name in names
    ]
    slugs = Slugs(3)

    list(slugs.watched(batches_of(exchanges)))

    assert ("/posts",) == slugs.prefixes()
