from __future__ import annotations

from harness.model.traffic import Exchange, Request, Response
from harness.store.row import SCHEMA, table_of


def test_each_exchange_is_a_row_whatever_it_shares_with_others() -> None:
    """The same request and answer in several rows, or none, are all there."""
    request = Request(method="GET", target="/a", headers=(("a", "b"), ("a", "c")))
    other = Request(method="POST", target="/b", body=b"x", keeps_alive=False)
    response = Response(status=200, headers=(("d", "e"),), body=b"y")
    pairs = [(request, response), (other, None), (request, None), (other, response)]
    table = table_of(
        Exchange(
            start_ns=number, client="c", session="s", request=asked, response=answered
        )
        for number, (asked, answered) in enumerate(pairs)
    )

    assert SCHEMA == table.schema
    assert ["/a", "/b", "/a", "/b"] == table["target"].to_pylist()
    assert [200, None, None, 200] == table["status"].to_pylist()
    assert [b"y", None, None, b"y"] == table["response_body"].to_pylist()
    assert [2, 0, 2, 0] == [len(each) for each in table["headers"].to_pylist()]


def test_no_exchange_is_no_row() -> None:
    """An empty table has all columns."""
    assert SCHEMA.empty_table() == table_of([])
