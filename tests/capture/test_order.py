from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.capture.batch import batches_of
from harness.capture.order import Sizes, ordered
from harness.model.traffic import Exchange, Request, Response

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def exchanges(starts_ns: list[int]) -> list[Exchange]:
    return [
        Exchange(
            start_ns=start_ns,
            client="c",
            request=Request(
                method="GET", target=f"/{place}", headers=(("user-agent", "UA"),)
            ),
        )
        for place, start_ns in enumerate(starts_ns)
    ]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 6), max_size=80))
def test_any_order_becomes_the_order_of_start(
    tmp_path_factory: pytest.TempPathFactory, starts_ns: list[int]
) -> None:
    """Merging many small runs on two levels is a stable sort, and leaves no run."""
    directory = tmp_path_factory.mktemp("runs")
    sizes = Sizes(batch_rows=2, batch_bytes=150, fan_in=3)
    tables = list(ordered(batches_of(exchanges(starts_ns), rows=7), directory, sizes))
    rows = [row for table in tables for row in table.to_pylist()]
    expected = sorted(enumerate(starts_ns), key=lambda pair: pair[1])
    assert [(row["place"], row["start_ns"]) for row in rows] == expected
    assert len({row["agent"] for row in rows}) <= 1
    assert [] == list(directory.iterdir())


def test_who_renews_a_token(tmp_path: Path) -> None:
    """A token is given to a user alone, not to a client that asks for many of them."""
    user, client = ("authorization", "Bearer first"), ("authorization", "Basic YTpi")
    cookie = (("set-cookie", "sid=abc"),)
    asked = [
        ("/refresh", (user,), (), "token second-token"),
        ("/refresh", (user,), cookie, "cookie sid=abc"),
        ("/refresh", (client,), (), ""),
        ("/refresh", (), (), ""),
        ("/login", (user,), (), ""),
    ]
    given = [
        Exchange(
            start_ns=place,
            client="c",
            request=Request(method="POST", target=target, headers=headers),
            response=Response(
                status=200, headers=answered, body=b'{"access_token": "second-token"}'
            ),
        )
        for place, (target, headers, answered, _) in enumerate(asked)
    ]

    [table] = ordered(batches_of(given), tmp_path)

    assert [expected for *_, expected in asked] == table["given"].to_pylist()
