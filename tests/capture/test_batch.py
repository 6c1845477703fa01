from __future__ import annotations

import numpy as np

from harness.capture.batch import Batch, batches_of
from harness.model.traffic import Exchange, Request, Response


def exchange(number: int, body: bytes = b"", answer: bytes | None = None) -> Exchange:
    return Exchange(
        start_ns=number,
        client=f"c{number}",
        request=Request(method="POST", target=f"/{number}", body=body),
        response=None if answer is None else Response(status=200, body=answer),
    )


def sizes(batches: list[Batch]) -> list[int]:
    return [len(batch) for batch in batches]


def test_a_batch_holds_the_exchanges() -> None:
    """They come out as they went in, and so do any rows of them."""
    given = [exchange(1), exchange(0, b"x", b"y"), exchange(1, b"", b"")]
    [batch] = batches_of(given)

    assert given == list(batch.exchanges())
    assert [given[2], given[0]] == list(batch.taken(np.array([2, 0])).exchanges())


def test_batches_are_limited() -> None:
    """By rows, and by the bytes of what may be long: targets, headers and bodies."""
    plain = [exchange(number) for number in range(7)]
    large = [exchange(number, b"x" * 6, b"y" * 5) for number in range(5)]

    assert [3, 3, 1] == sizes(list(batches_of(plain, rows=3)))
    assert [2, 2, 1] == sizes(list(batches_of(large, most_bytes=25)))
    long = Exchange(
        start_ns=0,
        client="c",
        request=Request(method="GET", target="/" * 20, headers=(("a", "b" * 20),)),
        response=Response(status=200, headers=(("a", "b" * 20),)),
    )
    assert [1, 1] == sizes(list(batches_of([long] * 2, most_bytes=50)))
    assert [] == list(batches_of([]))
    batches = batches_of(large, rows=2, most_bytes=1000)
    assert large == [each for batch in batches for each in batch.exchanges()]
