"""Many exchanges by column: what is equal is handled once.

A reader that sees the same request again and again gives the same object again and
again, which from there on is redacted and converted once a batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from harness.model.traffic import Exchange
from harness.store.coded import coded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from harness.model.traffic import Request, Response
    from harness.store.coded import Coded

__all__ = ["Batch", "batches_of"]

_ROWS: Final = 16_384
_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some exchanges as their reader gave them, in columns of one length.

    Attributes:
        starts_ns: and the others as in `Exchange`.
        clients: who sent them.
        sessions: of the capture itself; empty where it knows none.
        requests: what was asked.
        responses: what was answered.
    """

    starts_ns: NDArray[np.int64]
    clients: Coded[str]
    sessions: Coded[str]
    requests: Coded[Request]
    responses: Coded[Response | None]

    def __len__(self) -> int:
        return len(self.starts_ns)

    def exchanges(self) -> Iterator[Exchange]:
        """The same one by one."""
        starts_ns = self.starts_ns.tolist()
        who = zip(self.clients, self.sessions, strict=True)
        columns = (starts_ns, who, self.requests, self.responses)
        for start_ns, (client, session), request, response in zip(
            *columns, strict=True
        ):
            yield Exchange(
                start_ns=start_ns,
                client=client,
                session=session,
                request=request,
                response=response,
            )

    def taken(self, rows: NDArray[np.int64]) -> Batch:
        """Those rows."""
        return Batch(
            starts_ns=self.starts_ns[rows],
            clients=self.clients.taken(rows),
            sessions=self.sessions.taken(rows),
            requests=self.requests.taken(rows),
            responses=self.responses.taken(rows),
        )

    def used(self) -> Batch:
        """The same rows without what belonged to others, however they were taken."""
        return Batch(
            starts_ns=self.starts_ns,
            clients=self.clients.used(),
            sessions=self.sessions.used(),
            requests=self.requests.used(),
            responses=self.responses.used(),
        )


def batches_of(
    exchanges: Iterable[Exchange], rows: int = _ROWS, most_bytes: int = _BYTES
) -> Iterator[Batch]:
    """The exchanges in batches of limited size.

    Args:
        exchanges: in any order.
        rows: the most of them in a batch.
        most_bytes: what may be long in a batch, roughly: targets, headers, bodies.
    """
    pending: list[Exchange] = []
    held_bytes = 0
    for exchange in exchanges:
        pending.append(exchange)
        held_bytes += _long_bytes(exchange)
        if len(pending) == rows or held_bytes > most_bytes:
            yield _batch(pending)
            pending, held_bytes = [], 0
    if pending:
        yield _batch(pending)


def _long_bytes(exchange: Exchange) -> int:
    request, response = exchange.request, exchange.response
    long = len(request.target) + len(request.body) + _values(request.headers)
    if response is not None:
        long += len(response.body or b"") + _values(response.headers)
    return long


def _values(headers: tuple[tuple[str, str], ...]) -> int:
    return sum([len(value) for _, value in headers])


def _batch(exchanges: Sequence[Exchange]) -> Batch:
    return Batch(
        starts_ns=np.array([each.start_ns for each in exchanges], np.int64),
        clients=coded([each.client for each in exchanges]),
        sessions=coded([each.session for each in exchanges]),
        requests=coded([each.request for each in exchanges]),
        responses=coded([each.response for each in exchanges]),
    )
