from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ComparisonError
from harness.store.answer import (
    StoredAnswer,
    drop_spools,
    frame,
    read_answers,
    read_spools,
    write_answers,
)

HEAD = [(b"Content-Type", b"text/plain; charset=x:y"), (b"X", b"\xe9")]


def test_round_trip(tmp_path: Path) -> None:
    """Headers and body come back as they were, of the shots that are asked for."""
    spools = [tmp_path / "answers-0.spool", tmp_path / "answers-1.spool"]
    spools[0].write_bytes(frame(7, HEAD, b"abc") + frame(2, [], b""))
    spools[1].write_bytes(frame(1, [], b"\0" * 9))
    path = tmp_path / "answers.parquet"

    write_answers(path, read_spools(spools, [1, 7, 5]))

    assert {
        1: StoredAnswer((), b"\0" * 9),
        7: StoredAnswer(
            (("content-type", "text/plain; charset=x:y"), ("x", "é")), b"abc"
        ),
    } == read_answers(path)


@given(end=st.integers(0, 200))
def test_cut_short(tmp_path_factory: pytest.TempPathFactory, end: int) -> None:
    """A spool may end anywhere: what is whole is read."""
    whole = [frame(shot, HEAD, b"x" * shot) for shot in range(4)]
    path = tmp_path_factory.mktemp("cut") / "answers-0.spool"
    path.write_bytes(b"".join(whole)[:end])
    sizes = [sum(map(len, whole[: count + 1])) for count in range(4)]

    found = read_spools([path], range(4))

    assert [shot for shot, size in enumerate(sizes) if size <= end] == [
        shot for shot, _, _ in found
    ]


def test_room(tmp_path: Path) -> None:
    """What would take more than 64 MiB together is left out, the first ones are not."""
    path = tmp_path / "answers-0.spool"
    path.write_bytes(b"".join(frame(s, [], bytes(40 << 20)) for s in range(3)))

    assert [2, 0] == [shot for shot, _, _ in read_spools([path], [2, 0, 1])]


def test_broken(tmp_path: Path) -> None:
    """A file that is none is named."""
    path = tmp_path / "answers.parquet"
    path.write_bytes(b"PAR1")

    with pytest.raises(ComparisonError, match=r"answers\.parquet: broken"):
        read_answers(path)


def test_drop(tmp_path: Path) -> None:
    """Spools go, and nothing else."""
    for name in ("answers-0.spool", "samples-0.spool", "answers.parquet"):
        (tmp_path / name).write_bytes(b"x")

    drop_spools(tmp_path)

    assert ["answers.parquet", "samples-0.spool"] == sorted(
        each.name for each in tmp_path.iterdir()
    )
