from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING

from harness.capture import leftover
from harness.capture.leftover import Leftover, leftovers
from harness.capture.redact import Redactor
from harness.model.traffic import Exchange, Request, Response
from harness.report.leftover import as_json, as_text
from harness.store.recording import Provenance, table_of, write_recording
from tests.capture.conftest import redacted_by

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from harness.model.traffic import Recording

JWT = (
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSIsImV4cCI6MTcwMDAwMDAwMH0"
    ".SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"
)
LIVE = Exchange(
    start_ns=0,
    client="203.0.113.9",
    session="s1",
    request=Request(
        method="POST",
        target="/users/jo%40shop.test/pay?card=4111-1111-1111-1111",
        headers=(
            ("authorization", f"Bearer {JWT}"),
            ("cookie", "sid=Zk3J9x0PqLm2Vt8R; theme=dark"),
            ("x-real-ip", "203.0.113.9"),
        ),
        body=b'{"phone": "+14155552671", "key": "AKIAIOSFODNN7EXAMPLE", "code": "DE"}',
    ),
    response=Response(
        status=200,
        headers=(("set-cookie", "sid=Zk3J9x0PqLm2Vt8R; Path=/"),),
        body=b"Thank you, jo@shop.test.",
    ),
)


def recorded(tmp_path: Path, *exchanges: Exchange) -> Recording:
    return write_recording(
        iter((table_of(exchanges),)),
        tmp_path / "rec.parquet",
        lambda: Provenance(
            source_format="har",
            started_at="",
            sessions=1,
            clock_ns=1,
            cookies_recorded=True,
        ),
    )


def test_everything_left_is_found(tmp_path: Path) -> None:
    """Kind, place, route and count, and of the value its start and its length."""
    left = leftovers(recorded(tmp_path, LIVE, LIVE))
    places = {(each.kind, each.place): (each.start, each.length) for each in left}
    assert {
        ("address", "client"): ("20", 11),
        ("address", "x-real-ip"): ("20", 11),
        ("e-mail", "target"): ("jo", 12),
        ("card number", "target"): ("41", 19),
        ("JWT", "authorization"): ("ey", len(JWT)),
        ("cookie", "cookie"): ("Zk", 16),
        ("phone number", "body"): ("+1", 12),
        ("API key", "body"): ("AK", 20),
        ("cookie", "answer set-cookie"): ("Zk", 16),
        ("e-mail", "answer body"): ("jo", 12),
    } == places
    assert {2} == {each.count for each in left}
    assert {"POST /users/{id}/pay"} == {each.route for each in left}


def test_nothing_is_left_of_the_same_after_redaction(tmp_path: Path) -> None:
    """Pseudonyms are known, whatever the key was."""
    for key in (b"a", b"b", b"c", b"d", b"e"):
        assert () == leftovers(recorded(tmp_path, redacted_by(Redactor(key), LIVE)))


def test_older_pseudonyms_are_known(tmp_path: Path) -> None:
    """Recordings made before pseudonyms kept a form hold only `anon-…`."""
    pseudonym = "anon-0123456789abcdef"
    request = Request(
        method="GET",
        target=f"/?token={pseudonym}",
        headers=(("cookie", f"sid={pseudonym}"),),
    )
    exchange = Exchange(start_ns=0, client=pseudonym, session="s1", request=request)
    assert () == leftovers(recorded(tmp_path, exchange))


def test_reports_show_no_value(tmp_path: Path) -> None:
    """Neither as text nor as JSON, although a path holds one."""
    recording = recorded(tmp_path, LIVE)
    left = leftovers(recording)
    text, document = as_text(recording, left), as_json(recording, left)
    for secret in ("jo@shop", "jo%40", "4111-", "eyJ", "Zk3", "203.", "+14", "AKIA"):
        assert secret not in text + document
    assert json.loads(document)["left"][0]["count"] == 1
    assert "hint: " in text
    assert "no secret found in 1 exchanges" in as_text(recording, ())


def test_a_leftover_is_one_line(tmp_path: Path) -> None:
    """Columns in line, control characters of captured traffic replaced."""
    left = Leftover(
        kind="token",
        route="GET /\x1b",
        place="target",
        start="\x07a",
        length=9,
        count=1,
    )
    text = as_text(recorded(tmp_path, LIVE), (left,))
    assert "1      token  target  \ufffda      9       GET /\ufffd" in text


def posted(body: bytes, *headers: tuple[str, str], target: str = "/") -> Exchange:
    request = Request(method="POST", target=target, headers=headers, body=body)
    return Exchange(start_ns=0, client="", session="s1", request=request)


def kinds(tmp_path: Path, exchange: Exchange) -> list[str]:
    return [each.kind for each in leftovers(recorded(tmp_path, exchange))]


def test_packed_bodies_are_looked_through(tmp_path: Path) -> None:
    """In the coding of their header; one that cannot be unpacked may hold anything."""
    coding = ("content-encoding", "deflate")
    body = zlib.compress(b"Thank you, jo@shop.test.")
    assert ["e-mail"] == kinds(tmp_path, posted(body, coding))
    assert ["unreadable body"] == kinds(tmp_path, posted(body[:-1], coding))


def test_what_no_notation_shows_is_found_by_its_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scan does not rely on redaction's reading of a text."""
    monkeypatch.setattr(leftover, "body", lambda _, content: content)
    assert ["e-mail"] == kinds(tmp_path, posted(b"[jo@shop.test]"))
    monkeypatch.setattr(leftover, "url", lambda _, target: target)
    target = "/?q=%5Bjo%40shop.test%5D"
    assert ["e-mail"] == kinds(tmp_path, posted(b"", target=target))
