import io

import pytest

from harness.load.answer import Said
from harness.load.keeper import Keeper
from harness.store.answer import frame


def said(body: bytes) -> Said:
    answer = Said()
    answer.headers.append((b"A", b"b"))
    answer.pieces.append(body)
    return answer


def kept(shots: int, room_bytes: int) -> set[int]:
    """Which of the first so many shots are kept, each of 100 bytes."""
    spool = io.BytesIO()
    keeper = Keeper(spool, room_bytes=room_bytes)
    found = set()
    for shot in range(shots):
        before = spool.tell()
        keeper.keep(shot, said(b"x" * 85))
        if spool.tell() > before:
            found.add(shot)
    return found


def test_keeps_everything() -> None:
    """As long as half of the room suffices."""
    spool = io.BytesIO()
    keeper = Keeper(spool, room_bytes=1_000)

    keeper.keep(1, said(b"x" * 15))
    keeper.keep(2, said(b"y" * 15))

    frames = (frame(shot, [(b"A", b"b")], b * 15) for shot, b in ((1, b"x"), (2, b"y")))
    assert b"".join(frames) == spool.getvalue()


def test_a_long_round_is_kept_thinly() -> None:
    """Answers of every part of it, within the room."""
    found = kept(3_000, 100_000)

    assert len(found) <= 1_001
    assert all(
        any(at <= shot < at + 500 for shot in found) for at in range(0, 3000, 500)
    )


@pytest.mark.parametrize("less", [40_000, 70_000])
def test_arms_keep_the_same(less: int) -> None:
    """What the arm with less room keeps, the other one has as well."""
    assert kept(2_000, less) < kept(2_000, 100_000)


def test_keeps_nothing() -> None:
    """Without a spool nothing is wanted."""
    keeper = Keeper(None)
    keeper.keep(1, said(b"x"))

    assert not keeper.wants(1)
