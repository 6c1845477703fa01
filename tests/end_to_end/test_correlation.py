"""Recorded sessions against builds whose every token and number differs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from harness.load.crew import hire_here
from harness.load.engine import generating
from harness.model.scenario import Scenario
from harness.model.traffic import Exchange, Request, Response
from harness.planning.planner import make_plan
from harness.store.plan import read_requests, read_shots
from harness.store.recording import (
    Provenance,
    open_recording,
    table_of,
    write_recording,
)
from harness.store.sample import read_columns
from tests.end_to_end import strict
from tests.end_to_end.conftest import sound_rounds
from tests.end_to_end.recorder import free_port, recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.plan import Plan
    from harness.model.result import Books
    from harness.model.traffic import Recording
    from tests.end_to_end.conftest import Seatrial
    from tests.end_to_end.strict import Visit

CUSTOMERS = 5
SCENARIO = {
    "name": "strict",
    "recording": "strict.parquet",
    "service": {
        "command": ["sh", "-c", "exec python serve.py $PORT"],
        "ready": "/",
    },
    "load": {"users": 10, "deadline": "5s"},
    "rounds": {
        "min": 3,
        "max": 3,
        "slice": "1s",
        "slices": 2,
        "warmup": "1s",
        "ramp": "1s",
    },
    "budgets": {
        "errors": "1%",
        "goodput": "80%",
        "memory": {"level": "900% or 256MiB"},
        "cpu": "900%",
        "latency": {"p50": "900% or 1s"},
        "routes": {"p95": "900% or 1s"},
    },
}


def exchange(visit: Visit, session: str, start_ns: int) -> Exchange:
    def lower(headers: strict.Headers) -> tuple[tuple[str, str], ...]:
        return tuple((name.lower(), value) for name, value in headers)

    return Exchange(
        start_ns=start_ns,
        client=session,
        session=session,
        request=Request(
            method=visit.method,
            target=visit.target,
            headers=lower(visit.headers),
            body=visit.body.encode(),
        ),
        response=Response(
            status=visit.status,
            duration_ns=visit.duration_ns,
            headers=lower(visit.answered),
            body=visit.content.encode() or None,
        ),
    )


@pytest.fixture(scope="module")
def sessions() -> list[list[Visit]]:
    """What the customers of a shop that is gone by now saw."""
    return strict.record(CUSTOMERS)


@pytest.fixture
def recording(tmp_path: Path, sessions: list[list[Visit]]) -> Recording:
    """The same, to be replayed."""
    return recorded(tmp_path, sessions)


def recorded(directory: Path, sessions: list[list[Visit]]) -> Recording:
    exchanges = [
        exchange(visit, f"s{number}", (100 * step + 7 * number) * 1_000_000)
        for number, visits in enumerate(sessions)
        for step, visit in enumerate(visits)
    ]
    provenance = Provenance(
        source_format="har",
        started_at="",
        sessions=len(sessions),
        clock_ns=1,
        cookies_recorded=True,
    )
    tables = iter([table_of(sorted(exchanges, key=lambda each: each.start_ns))])
    return write_recording(tables, directory / "strict.parquet", lambda: provenance)


@pytest.fixture
def port() -> Iterator[int]:
    """A shop of a later day."""
    with strict.serve("127.0.0.1", 0) as server:
        number = server.server_port
    with subprocess.Popen([sys.executable, strict.__file__, str(number)]) as process:
        yield number
        process.terminate()


def played(plan: Plan, port: int, directory: Path) -> tuple[dict[str, Any], Books]:
    with generating(
        plan,
        arm="baseline",
        host="127.0.0.1",
        port=port,
        tls=False,
        deadline_ns=5 * 10**9,
        cores=(),
        directory=directory,
        hires=[hire_here],
    ) as generator:
        generator.wait_ready()
        for number in range(3):
            generator.play(number)
        books, _ = generator.finish(directory / "samples.parquet")
    return read_columns(directory / "samples.parquet"), books


@pytest.mark.parametrize("load", [{"users": 20}, {"replay": {"scale": 4}}])
def test_every_token_differs(
    tmp_path: Path, recording: Recording, port: int, load: dict[str, Any]
) -> None:
    """A recorded session replays without one error on a build that knows none of it."""
    document = {**SCENARIO, "load": load}
    scenario = Scenario.model_validate(document)
    plan = make_plan(scenario, recording, tmp_path)

    samples, books = played(plan, port, tmp_path)

    assert {200, 201} == set(np.unique(samples["status"]).tolist())
    assert {0} == set(samples["cause"].tolist())
    assert (0, True) == (books.unfilled, books.balanced)
    links = [each.links for each in read_requests(plan.requests_path)]
    assert {"json", "header", "field"} == {
        extract.kind for each in links for extract in each.extracts
    }


RULES = {
    "session": {
        "login": {
            "post": "/token",
            "json": {"user": "u{user}", "password": "p"},
            "accounts": 7,
            "then": {"json": "$.token", "as": "bearer"},
        }
    },
    "extract": [
        {
            "from": "POST /orders",
            "header": "Location",
            "text": "/orders/([0-9]+)",
            "use": {"route": "GET /orders/{number}", "path": "number"},
        }
    ],
}


@pytest.mark.parametrize("load", [{"users": 20}, {"replay": {"scale": 4}}])
def test_rules_where_nothing_is_recorded(
    tmp_path: Path, sessions: list[list[Visit]], port: int, load: dict[str, Any]
) -> None:
    """A login and a rule make an access log replay without one error."""
    bare = [
        replace(visit, headers=[], answered=[], content="", body="")
        for visits in sessions
        for visit in visits
        if visit.method == "POST" or visit.target.startswith("/orders/")
    ]
    kept = [v for v in bare if re.fullmatch(r"/orders(/[0-9]+)?", v.target)]
    each = len(kept) // len(sessions)
    recording = recorded(
        tmp_path, [kept[at : at + each] for at in range(0, len(kept), each)]
    )
    scenario = Scenario.model_validate({**SCENARIO, **RULES, "load": load})
    plan = make_plan(scenario, recording, tmp_path)

    samples, books = played(plan, port, tmp_path)

    assert {200, 201} == set(samples["status"].tolist())
    assert (0, True) == (books.unfilled, books.balanced)
    requests = read_requests(plan.requests_path)
    measured = np.array([each.measured for each in requests])
    mine = measured[read_shots(plan.shots_path)["request"][samples["shot"]]]
    assert {0} == set(samples["slice"][~mine].tolist())
    assert {0, 1, 2} == set(samples["slice"][mine].tolist())
    logins = [each.request.body for each in requests if not each.measured]
    assert {f'{{"user": "u{n}", "password": "p"}}'.encode() for n in range(1, 8)} == {
        *logins
    }


def test_what_no_answer_gives(tmp_path: Path, recording: Recording) -> None:
    """A build that gives nothing is sent what was recorded, and that is counted."""
    scenario = Scenario.model_validate({**SCENARIO, "load": {"replay": {"speed": 1}}})
    plan = make_plan(scenario, recording, tmp_path)
    fills = [len(each.links.fills) for each in read_requests(plan.requests_path)]
    shots = read_shots(plan.shots_path)["request"]

    with _silent() as port:
        samples, books = played(plan, port, tmp_path)

    assert {204} == set(samples["status"].tolist())
    assert sum(fills[number] for number in shots) == books.unfilled > 0


@contextmanager
def _silent() -> Iterator[int]:
    """A server that answers 204 to anything."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET  # noqa: N815 - the library's name

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("recording")
def test_verify(seatrial: Seatrial) -> None:
    """A trial of two such builds passes, every request of it answered well."""
    source = Path(strict.__file__).read_text()
    for arm in ("one", "two"):
        (seatrial.directory / arm).mkdir()
        (seatrial.directory / arm / "serve.py").write_text(source)
    (seatrial.directory / "s.yaml").write_text(json.dumps(SCENARIO))

    arms = ("--baseline", "dir:one", "--candidate", "dir:two")
    code, out, err = seatrial.verify("s.yaml", *arms, "--wait", "--format", "json")

    assert (0, "") == (code, err if code else ""), out + err
    report = json.loads(out)
    errors = [e for e in report["estimates"] if e["metric"] == "errors"]
    assert [[[0, 0]] * 3] == [each["per_round"] for each in errors]
    (trial,) = (seatrial.directory / "trials").glob("*/")
    statuses = [
        read_columns(path)["status"]
        for each in sound_rounds(trial)
        for path in each.rglob("samples.parquet")
    ]
    assert 6 == len(statuses)
    assert {200, 201} == set(np.concatenate(statuses).tolist())


SHOP = Path(__file__).resolve().parents[2] / "compose/shop"


@pytest.fixture
def shops(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Two demo shops on databases of their own, their race repaired."""
    tree = Path(shutil.copytree(SHOP, tmp_path / "shop"))
    fix = ["git", "apply", str(SHOP / "candidates/true-fix.patch")]
    ceiling = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)}
    subprocess.run(fix, cwd=tree, env=ceiling, check=True)
    with ExitStack() as stack:
        ports = []
        for _ in range(2):
            with socket.create_server(("127.0.0.1", 0)) as listener:
                ports.append(listener.getsockname()[1])
            shop = subprocess.Popen(
                [sys.executable, "-m", "shop"],
                cwd=tree,
                env={**ceiling, "PORT": str(ports[-1])},
            )
            stack.enter_context(shop)
            stack.callback(shop.terminate)
        while not all(map(_listens, ports)):
            time.sleep(0.05)
        yield ports[0], ports[1]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def bought(port: int, name: str) -> list[Visit]:
    """What a customer of the demo shop saw, from the login to the order's page."""
    customer = strict.Customer(port)
    typed = ("Content-Type", "application/json")
    login = customer.ask("POST", "/login", json.dumps({"customer": name}), [typed])
    cookie = ("Cookie", dict(login.answered)["Set-Cookie"].partition(";")[0])
    page = customer.ask("GET", "/products?page=2", headers=[cookie])
    product = json.loads(page.content)["products"][3]["id"]
    customer.ask("GET", f"/products/{product}", headers=[cookie])
    line = json.dumps({"product": product, "quantity": 2})
    customer.ask("POST", "/cart", line, [typed, cookie])
    customer.ask("GET", "/cart", headers=[cookie])
    order = customer.ask("POST", "/checkout", "{}", [typed, cookie])
    number = json.loads(order.content)["number"]
    customer.ask("GET", f"/orders/{number}", headers=[cookie])
    customer.ask("GET", "/orders", headers=[cookie])
    customer.connection.close()
    return customer.visits


def test_demo_shop(tmp_path: Path, shops: tuple[int, int]) -> None:
    """Login, cart, checkout and order pages of a fresh shop answer as recorded."""
    sessions = [bought(shops[0], name) for name in ("c003", "c001", "c002")]

    answers_as_recorded(recorded(tmp_path, sessions), shops[1], tmp_path)


@pytest.mark.usefixtures("mitmdump")
def test_demo_shop_recorded_live(tmp_path: Path, shops: tuple[int, int]) -> None:
    """What `seatrial record` saw of a shop replays so on another one."""
    port = free_port()
    with recorder(tmp_path, port, shops[0]) as process:
        for name in ("c003", "c001", "c002"):
            bought(port, name)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert 0 == process.returncode, err
    recording = open_recording(tmp_path / "rec.parquet")
    assert 3 == recording.sessions

    answers_as_recorded(recording, shops[1], tmp_path)


def answers_as_recorded(recording: Recording, port: int, directory: Path) -> None:
    """Every request, though each id and token differs."""
    load = {"replay": {"scale": 7}}
    scenario = Scenario.model_validate({**SCENARIO, "load": load})
    plan = make_plan(scenario, recording, directory)

    samples, books = played(plan, port, directory)

    requests = read_requests(plan.requests_path)
    request = read_shots(plan.shots_path)["request"][samples["shot"]]
    expected = [requests[number].recorded_status for number in request]
    assert expected == samples["status"].tolist()
    assert {200, 201} == set(expected)
    assert (0, True) == (books.unfilled, books.balanced)
    assert {"GET /orders/{id}"} == {each.route for each in requests if each.links.fills}
