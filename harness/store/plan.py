"""Plans on disk: a row a shot, and a row a distinct request."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from harness.model.link import NO_LINKS, Extract, Fill, Links
from harness.model.plan import SHOT_FIELDS, Plan, PlannedRequest
from harness.model.traffic import Request
from harness.store.disk import reading, writing
from harness.store.row import PAIRS, pair_lists
from harness.store.sample import read_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "digest_of",
    "moments_ns",
    "read_measured",
    "read_requests",
    "read_shots",
    "sessions",
    "write_plan",
]

_HELD_OUT = "held_out"
_LEAST_STEP_NS = 1_000_000
_MEASURED = "measured"
_EXTRACT = pa.struct(
    [
        ("slot", pa.int32()),
        ("kind", pa.string()),
        ("name", pa.string()),
        ("pattern", pa.string()),
    ]
)
_FILL = pa.struct(
    [
        ("slot", pa.int32()),
        ("part", pa.string()),
        ("header", pa.int32()),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("coding", pa.string()),
    ]
)
_REQUESTS = pa.schema(
    [
        ("route", pa.string()),
        ("method", pa.string()),
        ("target", pa.string()),
        ("headers", PAIRS),
        ("cookies", PAIRS),
        ("body", pa.binary()),
        ("keeps_alive", pa.bool_()),
        ("recorded_status", pa.int16()),
        ("fills", pa.list_(_FILL)),
        ("extracts", pa.list_(_EXTRACT)),
        (_MEASURED, pa.bool_()),
    ]
)


def write_plan(
    directory: Path,
    shots: Mapping[str, NDArray[Any]],
    requests: Sequence[PlannedRequest],
    *,
    open_loop: bool,
    warmup_ns: int,
    slice_ns: int,
    slices: int,
    planned: int,
    peak_users: int,
    planned_held_out: int = 0,
) -> Plan:
    """Store a plan's two tables in a directory and return the handle on them."""
    columns = _columns(shots)
    shots_path, requests_path = (
        directory / "plan.parquet",
        directory / "requests.parquet",
    )
    with writing(directory):
        pq.write_table(pa.table(dict(columns)), shots_path, compression="zstd")
        pq.write_table(_rows(requests), requests_path, compression="zstd")
    return Plan(
        shots_path=shots_path,
        requests_path=requests_path,
        digest=digest_of(columns, requests),
        shots=len(columns["user"]),
        users=len(np.unique(columns["user"])),
        open_loop=open_loop,
        warmup_ns=warmup_ns,
        slice_ns=slice_ns,
        slices=slices,
        planned=planned,
        peak_users=peak_users,
        planned_held_out=planned_held_out,
    )


def sessions(shots: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """The number of each shot's session, counted from 0 in the order of the plan."""
    first = shots["fresh"].astype(bool)
    first[1:] |= np.diff(shots["user"].astype(np.int64)) != 0
    numbers: NDArray[np.int64] = np.cumsum(first) - first[:1].astype(np.int64)
    return numbers


def _columns(shots: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Those of `SHOT_FIELDS`; shots that do not say so are not held out."""
    every = {_HELD_OUT: np.zeros(len(shots["user"])), **shots}
    return {
        name: np.ascontiguousarray(every[name], dtype)
        for name, dtype in SHOT_FIELDS.items()
    }


def digest_of(
    shots: Mapping[str, NDArray[Any]], requests: Sequence[PlannedRequest]
) -> str:
    """SHA-256 over the content of a plan, in hexadecimal.

    With nothing held out it is that of the plans before there was such a column.
    """
    digest = hashlib.sha256()
    for name, column in _columns(shots).items():
        if name != _HELD_OUT or column.any():
            digest.update(column.tobytes())
    for planned in requests:
        digest.update(repr(planned).encode())
        if planned.links != NO_LINKS or not planned.measured:
            digest.update(repr((planned.links, planned.measured)).encode())
    return digest.hexdigest()


def read_shots(path: Path) -> dict[str, NDArray[Any]]:
    """The shots' columns, ordered by user and time; the row number is the shot."""
    with reading(path):
        stored = pq.read_schema(path).names
    fields = {
        name: kind
        for name, kind in SHOT_FIELDS.items()
        if name in stored or name != _HELD_OUT
    }
    return _columns(read_columns(path, fields))


def moments_ns(plan: Plan) -> NDArray[np.int64]:
    """Arm time of each shot, if every answer comes at once.

    A pause of a closed population counts as a millisecond at least, as it is planned.
    """
    shots = read_shots(plan.shots_path)
    if plan.open_loop:
        return shots["due_ns"].astype(np.int64)
    think_ns = np.maximum(shots["think_ns"], _LEAST_STEP_NS)
    total_ns = np.cumsum(think_ns)
    first = np.flatnonzero(np.diff(shots["user"].astype("i8"), prepend=-1))
    shots_each = np.diff([*first, len(total_ns)])
    before_ns = np.repeat(total_ns[first] - think_ns[first], shots_each)
    moments_ns: NDArray[np.int64] = (total_ns - before_ns).astype(np.int64)
    return moments_ns


def read_requests(path: Path) -> list[PlannedRequest]:
    """The distinct requests that shots refer to by row."""
    with reading(path):
        return [_planned(row) for row in pq.read_table(path).to_pylist()]


def read_measured(path: Path) -> NDArray[np.bool_]:
    """Of each distinct request, whether its samples count."""
    with reading(path):
        table = pq.read_table(path, columns=[_MEASURED])
        rows = pq.read_metadata(path).num_rows
    if not table.num_columns:
        return np.ones(rows, bool)
    measured: NDArray[np.bool_] = table[_MEASURED].to_numpy()
    return measured


def _rows(requests: Sequence[PlannedRequest]) -> pa.Table:
    sent = [planned.request for planned in requests]
    links = [planned.links for planned in requests]
    columns = {
        "route": [planned.route for planned in requests],
        "method": [request.method for request in sent],
        "target": [request.target for request in sent],
        "headers": pair_lists([request.headers for request in sent]),
        "cookies": pair_lists([planned.cookies for planned in requests]),
        "body": [request.body for request in sent],
        "keeps_alive": [request.keeps_alive for request in sent],
        "recorded_status": [planned.recorded_status for planned in requests],
        "fills": [[asdict(fill) for fill in each.fills] for each in links],
        "extracts": [[asdict(extract) for extract in each.extracts] for each in links],
        _MEASURED: [planned.measured for planned in requests],
    }
    return pa.table(columns, schema=_REQUESTS)


def _planned(row: Mapping[str, Any]) -> PlannedRequest:
    return PlannedRequest(
        request=Request(
            method=row["method"],
            target=row["target"],
            headers=_pairs(row["headers"]) or (),
            body=row["body"],
            keeps_alive=row["keeps_alive"],
        ),
        route=row["route"],
        cookies=_pairs(row["cookies"]),
        recorded_status=row["recorded_status"],
        links=_links(row.get("fills") or (), row.get("extracts") or ()),
        measured=row.get(_MEASURED, True),
    )


def _links(
    fills: Sequence[Mapping[str, Any]], extracts: Sequence[Mapping[str, Any]]
) -> Links:
    if not fills and not extracts:
        return NO_LINKS
    return Links(
        fills=tuple(Fill(**fill) for fill in fills),
        extracts=tuple(Extract(**extract) for extract in extracts),
    )


def _pairs(structs: list[dict[str, str]] | None) -> tuple[tuple[str, str], ...] | None:
    if structs is None:
        return None
    return tuple((struct["name"], struct["value"]) for struct in structs)
