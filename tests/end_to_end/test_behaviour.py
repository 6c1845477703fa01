"""What a candidate answers otherwise is found by place, and noise is not."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from harness.model.traffic import Exchange, Request, Response
from harness.store.recording import Provenance, table_of, write_recording

if TYPE_CHECKING:
    from pathlib import Path

    from tests.end_to_end.conftest import Seatrial

SCENARIO = """\
name: answers
recording: answers.parquet
service: {command: [python, serve.py], ready: /ready, metrics: /metrics}
load: {replay: {speed: 1, scale: 4}, held_out: 50%}
rounds: {min: 6, max: 8, slice: 500ms, slices: 2, warmup: 500ms, ramp: 0s}
behaviour: {expect: [{route: "GET /items/{id}", json: $.colour}]}
checks: [{get: /audit, json: {$.lost: 0}}]
budgets:
  errors: 100%
  goodput: 100%
  memory: {level: 900% or 256MiB}
  cpu: 900%
  latency: {p50: 900% or 1s}
  routes: {p95: 900% or 1s}
"""

SERVICE = '''\
"""Items with a price, a page for admins, one that fails, the time, and a counter."""
import http.server, json, os, threading, time, traceback, uuid

COUNT = {"asked": 0, "counted": 0, "queries": 0}
LOCK = threading.Lock()

def take():
    with LOCK:
        COUNT["asked"] += 1
    with LOCK:
        counted = COUNT["counted"]
        time.sleep(0.002)
        COUNT["counted"] = counted + 1

def stock(of):
    try:
        return {}[of]
    except KeyError:
        traceback.print_exc()

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, place, *rest = self.path.split("/")
        status, said = 200, {"place": place}
        if place == "items":
            number = int(rest[0])
            COUNT["queries"] += 1
            said = {"id": number, "price": number * 100, "request": str(uuid.uuid4())}
        elif place == "admin":
            status, said = 403, {"error": "no"}
        elif place == "broken":
            status, said = 500, {"error": "broken"}
        elif place == "time":
            said = {"now": time.time()}
        elif place == "take":
            take()
        elif place == "audit":
            said = {"lost": COUNT["asked"] - COUNT["counted"]}
        body = json.dumps(said).encode()
        if place == "metrics":
            body = b"# TYPE queries counter\\nqueries_total %d\\n" % COUNT["queries"]
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

address = (os.environ["HOST"], int(os.environ["PORT"]))
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
'''

LOGGED = "logs: error KeyError in serve.py, stock"
CHECKED = "check: GET /audit: $.lost is "
FLAWS = {
    'COUNT["queries"] += 1': 'COUNT["queries"] += 3',
    "    with LOCK:\n        counted": "    if True:\n        counted",
    'number * 100, "request"': (
        '(number * 100 if number != 17 else 1699.99), "colour": "red", "request"'
    ),
    'status, said = 403, {"error": "no"}': 'said = {"users": ["root"]}',
    'status, said = 500, {"error": "broken"}': "said = {}",
    '{"now": time.time()}': '{"now": str(time.time() + (stock("x") or 0))}',
}


@pytest.fixture
def answers(seatrial: Seatrial) -> Path:
    """A recording of it, and the scenario."""
    pages = ("/admin", "/broken", "/time", "/take")
    targets = [*(f"/items/{n}" for n in range(20)), *pages]
    exchanges = [
        Exchange(
            start_ns=10_000_000 * place + 500_000 * user,
            client=f"c{user}",
            session=f"s{user}-{place}",
            request=Request(method="GET", target=target),
            response=Response(
                status={"/admin": 403, "/broken": 500}.get(target, 200),
                duration_ns=1_000_000,
            ),
        )
        for place, target in enumerate(targets * 4)
        for user in range(2)
    ]
    provenance = Provenance(
        source_format="har",
        started_at="",
        sessions=len(exchanges),
        clock_ns=1,
        cookies_recorded=True,
    )
    path = seatrial.directory / "answers.parquet"
    write_recording(iter([table_of(exchanges)]), path, lambda: provenance)
    (seatrial.directory / "s.yaml").write_text(SCENARIO)
    return path


def build(directory: Path, name: str, flaws: dict[str, str]) -> None:
    text = SERVICE
    for good, bad in flaws.items():
        assert good in text
        text = text.replace(good, bad)
    (directory / name).mkdir()
    (directory / name / "serve.py").write_text(text)


@pytest.mark.usefixtures("answers")
def test_flaws_are_named_by_place(seatrial: Seatrial) -> None:
    """Each flaw is a finding with examples, what was declared is none, nor is noise."""
    build(seatrial.directory, "good", {})
    build(seatrial.directory, "bad", FLAWS)

    code, out, err = seatrial.verify(
        "s.yaml", "--baseline", "dir:good", "--candidate", "dir:bad", "--wait"
    )

    assert (1, "FAIL") == (code, out.split()[0]), out + err
    (trial,) = (seatrial.directory / "trials").glob("*/")
    verdict = json.loads((trial / "verdict.json").read_text())["verdict"]
    found = {
        re.split(r";|: [\d,]+ times", each["message"])[0]: each["examples"]
        for each in verdict["findings"]
        if each["metric"] in {"behaviour", "logs"} and each["severity"] == "fail"
    }
    assert {
        "behaviour of GET /admin: status: 403 → 200",
        "behaviour of GET /broken: status: 500 → 200, empty",
        "behaviour of GET /items/{id}: $.price: type integer → number",
        "behaviour of GET /time: $.now: type number → string",
        LOGGED,
    } == {*found}
    (check,) = (e for e in verdict["findings"] if e["metric"] == "check")
    assert (True, "fail") == (check["message"].startswith(CHECKED), check["severity"])
    (metric,) = (e for e in verdict["findings"] if e["metric"] == "metrics")
    assert metric["message"].startswith("metrics: queries_total: ")
    price = found["behaviour of GET /items/{id}: $.price: type integer → number"]
    assert ["GET /items/17: 1700 → 1699.99"] == price

    assert "KeyError: 'x'" == found[LOGGED][0].splitlines()[-1]

    again, out, err = seatrial("judge", str(trial))
    assert (1, "FAIL") == (again, out.split()[0]), out + err
    shown = json.loads((trial / "agent.json").read_text())
    assert "GET /admin" in json.dumps(shown)


@pytest.mark.usefixtures("answers")
def test_equal_builds_and_what_was_declared(seatrial: Seatrial) -> None:
    """Of equal builds nothing is found but that a declared change is not there."""
    build(seatrial.directory, "good", {})
    build(seatrial.directory, "same", {})

    _, _, err = seatrial.verify(
        "s.yaml", "--baseline", "dir:good", "--candidate", "dir:same", "--wait"
    )

    (trial,) = (seatrial.directory / "trials").glob("*/")
    verdict = json.loads((trial / "verdict.json").read_text())["verdict"]
    assert [
        "behaviour: $.colour of GET /items/{id} was to change, and no answer shows it"
    ] == [e["message"] for e in verdict["findings"] if e["metric"] == "behaviour"], err
