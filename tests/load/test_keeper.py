import io

from harness.load.answer import Said
from harness.load.keeper import Keeper
from harness.store.answer import frame


def said(body: bytes) -> Said:
    answer = Said()
    answer.headers.append((b"A", b"b"))
    answer.pieces.append(body)
    return answer


def test_keeps_until_there_is_no_room() -> None:
    """The answer that fills the room is kept whole, the next one is not."""
    spool = io.BytesIO()
    keeper = Keeper(spool, room_bytes=30)

    for shot in (1, 2, 3):
        keeper.keep(shot, said(b"x" * 15))

    both = b"".join(frame(shot, [(b"A", b"b")], b"x" * 15) for shot in (1,))
    assert both == spool.getvalue()
    assert not keeper.has_room


def test_keeps_nothing() -> None:
    """Without a spool there is no room."""
    keeper = Keeper(None)
    keeper.keep(1, said(b"x"))

    assert not keeper.has_room
