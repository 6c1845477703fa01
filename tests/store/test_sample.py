from pathlib import Path

import numpy as np

from harness.model.result import SAMPLE_FIELDS, USAGE_FIELDS
from harness.store.sample import (
    RECORD,
    read_columns,
    read_spool,
    read_usage,
    set_back,
    write_columns,
    write_usage,
)

LARGEST = {"u1": 255, "u2": 65535, "u4": 2**32 - 1, "u8": 2**64 - 1, "i8": 2**63 - 1}


def test_spool(tmp_path: Path) -> None:
    """Records read back as they were packed, to the largest value of each field."""
    values = tuple(LARGEST[kind] for kind in SAMPLE_FIELDS.values())
    path = tmp_path / "spool"
    path.write_bytes(RECORD.pack(*values) + RECORD.pack(*range(len(values))))

    records = read_spool(path)

    assert [values, tuple(range(len(values)))] == [tuple(r) for r in records.tolist()]


def test_spool_cut_short(tmp_path: Path) -> None:
    """A last record that was not written whole is left out."""
    path = tmp_path / "spool"
    path.write_bytes(bytes(RECORD.size * 2 - 1))

    assert 1 == len(read_spool(path))


def test_set_back(tmp_path: Path) -> None:
    """Times, and nothing else, are those of the other clock."""
    fields = dict.fromkeys(SAMPLE_FIELDS, 7)
    path = tmp_path / "spool"
    path.write_bytes(RECORD.pack(*fields.values()) * 2)

    set_back(path, 10)

    moved = {name: -3 if name.endswith("_ns") else 7 for name in SAMPLE_FIELDS}
    assert [tuple(moved.values())] * 2 == read_spool(path).tolist()


def test_columns(tmp_path: Path) -> None:
    """Columns read back with their names and types."""
    path = tmp_path / "c.parquet"
    write_columns(path, {"a": np.array([1, 2], "u4"), "b": np.array([3, 4], "i8")})

    columns = read_columns(path, {"a": "u4", "b": "i8"})

    assert {"a": [1, 2], "b": [3, 4]} == {k: v.tolist() for k, v in columns.items()}
    assert ["u4", "i8"] == [columns[name].dtype.str[1:] for name in "ab"]


def test_no_usage(tmp_path: Path) -> None:
    """An environment that cannot be measured gives columns without rows."""
    path = tmp_path / "usage.parquet"
    write_usage(path, ())

    columns = read_columns(path, USAGE_FIELDS)

    assert list(USAGE_FIELDS) == list(columns)
    assert all(not len(column) for column in columns.values())


def test_usage_of_an_older_trial(tmp_path: Path) -> None:
    """What was not looked at then is not measured, and no error."""
    path = tmp_path / "usage.parquet"
    old = ("at_ns", "working_set_bytes", "anonymous_bytes", "cpu_ns")
    write_columns(path, {name: np.array([1, 2], "i8") for name in old})

    usage = read_usage(path)

    assert {*USAGE_FIELDS} == {*usage}
    assert [1, 2] == usage["cpu_ns"].tolist()
    assert [-1, -1] == usage["threads"].tolist()
