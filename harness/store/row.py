"""Exchanges as the rows of a recording."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from harness.store.coded import coded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from harness.model.traffic import Exchange, Request, Response
    from harness.store.coded import Coded

    Pairs = tuple[tuple[str, str], ...]

__all__ = ["PAIRS", "SCHEMA", "pair_lists", "table_of", "table_of_columns"]

PAIRS: Final = pa.list_(
    pa.struct([pa.field("name", pa.string()), pa.field("value", pa.string())])
)
_REQUEST: Final = pa.schema(
    [
        ("method", pa.string()),
        ("target", pa.string()),
        ("headers", PAIRS),
        ("body", pa.binary()),
        ("keeps_alive", pa.bool_()),
    ]
)
_RESPONSE: Final = pa.schema(
    [
        ("status", pa.int16()),
        ("response_bytes", pa.int64()),
        ("duration_ns", pa.int64()),
        ("response_headers", PAIRS),
        ("response_body", pa.binary()),
    ]
)
SCHEMA: Final = pa.schema(
    [
        ("start_ns", pa.int64()),
        ("session", pa.string()),
        ("client", pa.string()),
        *_REQUEST,
        *_RESPONSE,
    ]
)
"""Times in nanoseconds since the first start; nulls where the capture does not tell."""


def table_of(exchanges: Iterable[Exchange]) -> pa.Table:
    """The exchanges as rows."""
    each = tuple(exchanges)
    return table_of_columns(
        starts_ns=np.array([exchange.start_ns for exchange in each], np.int64),
        sessions=coded([exchange.session for exchange in each]),
        clients=coded([exchange.client for exchange in each]),
        requests=coded([exchange.request for exchange in each]),
        responses=coded([exchange.response for exchange in each]),
    )


def table_of_columns(
    *,
    starts_ns: NDArray[np.int64],
    sessions: Coded[str],
    clients: Coded[str],
    requests: Coded[Request],
    responses: Coded[Response | None],
) -> pa.Table:
    """The same from columns, of which each value is converted once."""
    return pa.table(
        [
            starts_ns,
            _strings(sessions),
            _strings(clients),
            *_requests(requests.values).take(requests.places).columns,
            *_responses(responses.values).take(responses.places).columns,
        ],
        schema=SCHEMA,
    )


def _strings(column: Coded[str]) -> pa.StringArray:
    """The same as Arrow has it."""
    return pa.array(column.values, pa.string()).take(column.places)


def _responses(responses: Sequence[Response | None]) -> pa.Table:
    return pa.table(
        [
            [each and each.status for each in responses],
            [each and each.body_bytes for each in responses],
            [each and each.duration_ns for each in responses],
            pair_lists([each.headers if each else () for each in responses]),
            [each and each.body for each in responses],
        ],
        schema=_RESPONSE,
    )


def _requests(requests: Sequence[Request]) -> pa.Table:
    return pa.table(
        [
            [request.method for request in requests],
            [request.target for request in requests],
            pair_lists([request.headers for request in requests]),
            [request.body for request in requests],
            [request.keeps_alive for request in requests],
        ],
        schema=_REQUEST,
    )


def pair_lists(lists: Sequence[Pairs | None]) -> pa.ListArray:
    """Lists of names with values, in one go."""
    ends = accumulate(len(pairs or ()) for pairs in lists)
    starts = [0, *ends]
    names = [name for pairs in lists for name, _ in pairs or ()]
    values = [value for pairs in lists for _, value in pairs or ()]
    pairs = pa.StructArray.from_arrays(
        [pa.array(names, pa.string()), pa.array(values, pa.string())],
        fields=list(PAIRS.value_type),
    )
    return pa.ListArray.from_arrays(
        pa.array(starts, pa.int32()),
        pairs,
        mask=pa.array([each is None for each in lists], pa.bool_()),
    )
