from __future__ import annotations

import gzip
import io
import json
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from harness.capture import import_capture
from harness.capture.pseudonym import is_pseudonym
from harness.capture.secret import Rules
from harness.errors import InputError, RecordingError, SeatrialError
from harness.store.recording import exchanges

if TYPE_CHECKING:
    from harness.model.traffic import Recording

REAL = Path(__file__).resolve().parents[2] / "../shared/data"
ENVOY_TCP = (
    '[2026-10-08T22:53:28.587Z] "- - -" 0 - - - "-" 901 4875 623 - "-" "-" "-" "-" '
    '"52.21.224.34:443" outbound|443||a 1.1.1.1:2 1.1.1.1:3 1.1.1.1:4 a -\n'
)
SECRETS = ("10.1.2.3", "alice", "SeCrEt1", "SeCrEt2", "SeCrEt3", "SeCrEt4")


def line(
    second: int, target: str = "/", client: str = "10.1.2.3 - alice", agent: str = "UA"
) -> str:
    return (
        f"{client} [17/May/2015:10:{second // 60:02}:{second % 60:02} +0000] "
        f'"GET {target} HTTP/1.1" 200 5 "http://h/?sid=SeCrEt1" "{agent}"\n'
    )


def imported(
    tmp_path: Path, *contents: str | bytes, key: bytes = b"key", name: str = "rec"
) -> Recording:
    sources = []
    for number, content in enumerate(contents):
        sources.append(tmp_path / f"source-{number}")
        text = content.encode() if isinstance(content, str) else content
        sources[-1].write_bytes(text)
    return import_capture(sources, tmp_path / f"{name}.parquet", key=key)


def test_no_secret_reaches_the_disk(tmp_path: Path) -> None:
    """No secret of a log or an archive is in the file's bytes or its values."""
    entry = {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "request": {
            "method": "POST",
            "url": "http://h/?token=SeCrEt1",
            "headers": [
                {"name": "Cookie", "value": "a=SeCrEt2"},
                {"name": "Authorization", "value": "Bearer SeCrEt3"},
                {"name": "X-Real-IP", "value": "10.1.2.3"},
            ],
            "postData": {"text": '{"password": "SeCrEt4"}'},
        },
    }
    archive = json.dumps({"log": {"entries": [entry]}})
    for capture in (line(0, "/?token=SeCrEt2"), archive):
        recording = imported(tmp_path, capture)
        text = pd.read_parquet(recording.path).to_csv()
        assert "anon-" in text
        for secret in SECRETS:
            assert secret not in text
            assert secret.encode() not in recording.path.read_bytes()


def test_sources_are_merged_by_time(tmp_path: Path) -> None:
    """Several files, one of them packed, become one recording in order."""
    first = line(1, "/a") + line(5, "/c") + line(5, "/d")
    second = gzip.compress((line(3, "/b") + line(9, "/e")).encode())
    rows = list(exchanges(imported(tmp_path, first, second)))
    assert ["/a", "/b", "/c", "/d", "/e"] == [row.request.target for row in rows]
    assert rows[0].start_ns == 0
    late_ns = [
        row.start_ns - second * 10**9
        for row, second in zip(rows, (0, 2, 4, 4, 8), strict=True)
    ]
    assert all(abs(late) < 10**9 for late in late_ns)
    assert rows[2].start_ns < rows[3].start_ns


def test_several_formats_are_merged_by_time(tmp_path: Path) -> None:
    """A log of seconds and one of milliseconds become one recording that names both."""
    fine = (
        '{"time": "2015-05-17T10:00:01.500Z", "method": "GET", "target": "/b", '
        '"headers": {"cookie": "a=1"}}\n'
    )
    assert 10**6 == imported(tmp_path, fine, ENVOY_TCP, name="fine").clock_ns
    recording = imported(tmp_path, line(0, "/a") + line(2, "/c"), fine)
    assert ["/a", "/b", "/c"] == [row.request.target for row in exchanges(recording)]
    assert "accesslog, jsonl" == recording.source_format
    assert (10**9, False) == (recording.clock_ns, recording.cookies_recorded)


def test_sessions_that_the_capture_knows(tmp_path: Path) -> None:
    """They are kept, whatever address, cookie or user agent says; its names are not."""
    log = tmp_path / "log.jsonl"
    said = [("u1", "1.1.1.1"), ("u2", "1.1.1.1"), ("u1", "2.2.2.2"), ("", "2.2.2.2")]
    log.write_text(
        "".join(
            json.dumps(
                {
                    "time": second,
                    "method": "GET",
                    "target": "/",
                    "client": client,
                    "session": session,
                    "headers": {"cookie": f"sid={second}", "user-agent": f"a{second}"},
                }
            )
            + "\n"
            for second, (session, client) in enumerate(said)
        )
    )
    recording = import_capture([log], tmp_path / "rec.parquet", key=b"k")

    assert ["s1", "s2", "s1", "s3"] == [row.session for row in exchanges(recording)]
    assert b"u1" not in (tmp_path / "rec.parquet").read_bytes()


def test_a_format_string_is_enough(tmp_path: Path) -> None:
    """A log of the server's own format is read by it, and its clock is its own."""
    log = tmp_path / "log"
    log.write_text("1431849903.250|GET /a HTTP/1.1|200\n")
    recording = import_capture(
        [log], tmp_path / "rec.parquet", log_format="$msec|$request|$status", key=b"k"
    )
    assert ("nginx", 10**6) == (recording.source_format, recording.clock_ns)
    with pytest.raises(InputError, match="--format or --log-format, not both"):
        import_capture(
            [log], tmp_path / "rec", format="iis", log_format="$msec", key=b"k"
        )


def test_sessions_are_assigned(tmp_path: Path) -> None:
    """An address is as many users as it has user agents; a long pause parts them."""
    log = line(0) + line(1, agent="other") + line(2) + line(2 + 31 * 60)
    recording = imported(tmp_path, log)
    assert ["s1", "s2", "s1", "s3"] == [row.session for row in exchanges(recording)]
    assert recording.sessions == 3


def test_the_same_import_gives_the_same_bytes(tmp_path: Path) -> None:
    """Capture and key determine the file; another key gives other pseudonyms."""
    log = "".join(line(second // 7, f"/{second}") for second in range(100))
    first = imported(tmp_path, log, name="one")
    assert first.digest == imported(tmp_path, log, name="two").digest
    assert first.digest != imported(tmp_path, log, key=b"other").digest


def test_five_percent_may_be_malformed(tmp_path: Path) -> None:
    """5 lines of 100 are counted, 6 are an error with places and count."""
    good = "".join(line(second) for second in range(95))
    recording = imported(tmp_path, good + "bad\n" * 5)
    assert [("malformed", 5)] == [
        (each.reason, each.count) for each in recording.skipped
    ]
    with pytest.raises(
        RecordingError, match="6 of 101 entries are malformed"
    ) as caught:
        imported(tmp_path, good + "bad\n" * 6, name="bad")
    assert "source-0:96: expected client" in caught.value.message
    assert not (tmp_path / "bad.parquet").exists()


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([""], "source-0: the capture is empty"),
        (["{}"], "source-0: not a capture of a known format"),
        (['{"log": {"entries": []}}'], "no usable exchange"),
        ([line(0, "*")], r"no usable exchange \(1 unusable\)"),
        ([gzip.compress(line(0).encode() * 9)[:-9]], "damaged or cut short"),
        ([gzip.compress(line(0).encode() * 9)[:20]], "damaged or cut short"),
        ([], "there is no capture"),
    ],
)
def test_captures_that_cannot_be_used(
    tmp_path: Path, contents: list[str | bytes], message: str
) -> None:
    """One clear message each, and nothing left behind."""
    with pytest.raises(RecordingError, match=message):
        imported(tmp_path, *contents)
    assert [] == [path for path in tmp_path.iterdir() if "rec" in path.name]


def test_an_empty_file_beside_others(tmp_path: Path) -> None:
    """A log that has just been rotated is named in the account, and refuses nothing."""
    recording = imported(tmp_path, "", line(0), "\n")

    assert 1 == recording.exchanges
    assert [0, len(line(0)), 1] == [each.size for each in recording.sources]


def test_cookies_that_a_rule_drops_are_not_recorded(tmp_path: Path) -> None:
    """A replay then sends what the build sets, as without any knowledge of them."""
    request = {"method": "GET", "url": "http://h/", "headers": []}
    headers = [{"name": "Cookie", "value": "a=b"}]
    entries = [
        {
            "startedDateTime": "2026-01-01T00:00:00Z",
            "request": {**request, "headers": headers},
            "response": {"status": 200},
        }
    ]
    source = tmp_path / "a.har"
    source.write_text(json.dumps({"log": {"entries": entries}}))

    for rules, recorded in (
        (Rules(), True),
        (Rules(dropped=frozenset({"cookie"})), False),
    ):
        recording = import_capture(
            [source], tmp_path / "rec.parquet", key=b"k", rules=rules
        )
        assert recorded is recording.cookies_recorded


def test_wrong_usage_is_named(tmp_path: Path) -> None:
    """A missing file, a folder, an unknown format and a missing target folder."""
    log = tmp_path / "access.log"
    log.write_text(line(0))
    (tmp_path / "none").mkdir()
    rec = tmp_path / "rec.parquet"
    with pytest.raises(RecordingError, match=r"none\.log: cannot be read"):
        import_capture([tmp_path / "none.log"], rec, key=b"k")
    with pytest.raises(RecordingError, match="a directory without a capture file"):
        import_capture([tmp_path / "none"], rec, key=b"k")
    with pytest.raises(RecordingError, match="unknown capture format 'pcap'") as caught:
        import_capture([log], rec, key=b"k", format="pcap")
    assert "accesslog, har" in caught.value.hint
    with pytest.raises(InputError, match="no such folder"):
        import_capture([log], tmp_path / "no" / "rec.parquet", key=b"k")


def test_no_room_to_sort_is_one_message(tmp_path: Path) -> None:
    """A full disk while runs are spilled names the place."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    log = "".join(line(second, f"/{second}") for second in range(500))
    (tmp_path / "log").write_text(log)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))
    try:
        with pytest.raises(SeatrialError, match=r"written|no room"):
            import_capture([tmp_path / "log"], tmp_path / "rec.parquet", key=b"k")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ["log"] == [path.name for path in tmp_path.iterdir()]


def test_the_real_log(tmp_path: Path) -> None:
    """The real log is ordered, complete, and holds no client address."""
    source = REAL / "elastic_apache_combined_10k.log"
    if not source.exists():
        pytest.skip("the real log is not here")
    recording = import_capture([source], tmp_path / "rec.parquet", key=b"k")
    frame = pd.read_parquet(recording.path)
    assert recording.exchanges == len(frame) == 9_999
    assert frame["start_ns"].is_monotonic_increasing
    assert recording.sessions == frame["session"].nunique()
    assert frame["client"].nunique() == 1_753
    assert frame["client"].map(is_pseudonym).all()


def test_a_capture_survives_its_own_name(tmp_path: Path) -> None:
    """`import a.log -o a.log` is refused, and the capture is as it was."""
    log = tmp_path / "a.log"
    log.write_text(line(0))
    with pytest.raises(InputError, match="this is a capture"):
        import_capture([log], log, key=b"k")
    assert log.read_text() == line(0)


def test_a_host_is_named_in_any_way(tmp_path: Path) -> None:
    """Capitals and a URL name the same host; one that is not there lists the others."""
    log, rec = tmp_path / "a.log", tmp_path / "rec.parquet"
    log.write_text(f"s.test:80 {line(0)}t.test:80 {line(1)}")
    for host in ("s.test", "S.TEST:80", "http://s.test", "https://u@S.test/path"):
        assert import_capture([log], rec, key=b"k", host=host).exchanges == 1
    with pytest.raises(RecordingError) as caught:
        import_capture([log], rec, key=b"k", host="other.test")
    assert caught.value.hint.endswith("--host: s.test:80, t.test:80")
    with pytest.raises(InputError, match="not a host"):
        import_capture([log], rec, key=b"k", host="http://[bad")


def test_a_directory_is_imported(tmp_path: Path) -> None:
    """All its files are one recording, which may stand beside them, once."""
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "b.log").write_text(line(0))
    (logs / "a.log.gz").write_bytes(gzip.compress(line(1).encode()))
    recording = import_capture([logs], logs / "rec.parquet", key=b"k")
    assert ["s1", "s1"] == [row.session for row in exchanges(recording)]
    with pytest.raises(InputError, match="this is a capture"):
        import_capture([logs], logs / "rec.parquet", key=b"k")


def test_standard_input_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives the bytes that a file of the same content gives."""
    archive = json.dumps(
        {"log": {"entries": [{"request": {"method": "GET", "url": "http://h/"}}]}}
    )
    (tmp_path / "standard input").write_text(archive)
    file = import_capture(
        [tmp_path / "standard input"], tmp_path / "file.parquet", key=b"k"
    )
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(archive.encode())))
    stdin = import_capture([Path("-")], tmp_path / "stdin.parquet", key=b"k")
    assert file.digest == stdin.digest


def test_utf_16_is_recognised(tmp_path: Path) -> None:
    """PowerShell redirects in UTF-16; the hint says what to do."""
    with pytest.raises(RecordingError, match="not a capture") as caught:
        imported(tmp_path, line(0).encode("utf-16"))
    assert "UTF-16" in caught.value.hint


def test_odd_file_names_are_imported(tmp_path: Path) -> None:
    """What is not UTF-8 in a capture's name is replaced where it is shown."""
    log = tmp_path / os.fsdecode(b"a\xff.log")
    log.write_text(line(0) * 99 + "bad\n")
    recording = import_capture([log], tmp_path / "rec.parquet", key=b"k")
    [skipped] = recording.skipped
    assert "a\ufffd.log:100: " in skipped.samples[0]
