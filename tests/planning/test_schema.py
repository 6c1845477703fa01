from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from harness.model.scenario import Scenario
from harness.planning.schema import json_schema, schema_text

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path
    for folder in ("scenarios", "compose/shop")
    for path in (ROOT / folder).glob("*.yaml")
)
EDITOR = Draft202012Validator(json_schema())
BASE = "name: x\nrecording: r\nservice: {image: i}\nload: {users: 1}\n"


def read(text: str) -> Any:
    """As an editor does, to which a date is a text."""
    return texts(yaml.safe_load(text))


def texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: texts(of) for key, of in value.items()}
    if isinstance(value, list):
        return [texts(each) for each in value]
    return str(value) if isinstance(value, dt.date) else value


def is_valid(scenario: Any) -> bool:
    try:
        Scenario.model_validate(scenario)
    except ValidationError:
        return False
    return True


def changed(text: str) -> Any:
    return {**read(BASE), **read(text)}


def test_it_is_a_schema() -> None:
    """It is a JSON Schema of the draft that it names."""
    Draft202012Validator.check_schema(json_schema())


def test_file() -> None:
    """The file for editors is the one that the models make today."""
    text = (ROOT / "scenarios" / "scenario.schema.json").read_text()

    assert json.loads(schema_text()) == json.loads(text), (
        "write it again: seatrial schema > scenarios/scenario.schema.json"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scenarios(path: Path) -> None:
    """Every scenario of the library and of the shop is good to an editor."""
    assert [] == [each.message for each in EDITOR.iter_errors(read(path.read_text()))]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_unknown_keys(path: Path) -> None:
    """At every depth of every scenario, a key that we do not know is marked."""
    scenario = read(path.read_text())
    known = {"service", "load", "rounds", "budgets", "behaviour", "calibrate", "fix"}

    assert not EDITOR.is_valid({**scenario, "zzz": 1})
    for part in known & set(scenario):
        assert not EDITOR.is_valid({**scenario, part: {**scenario[part], "zzz": 1}})


@pytest.mark.parametrize(
    "text",
    [
        "load: {users: 10_000}",
        'load: {users: "10_000"}',
        "load: {users: 1, shape: recorded}",
        "load: {users: 1, shape: {ramp: {from: 0, to: 1.5}}}",
        "load: {users: 1, shape: {steps: [{for: 1s, level: 1}]}}",
        "load: {users: 1, shape: {spike: {factor: 5, at: 0s, for: 1.5 min}}}",
        "load: {users: 1, shape: {csv: c.csv, from: 1998-06-30 20:00, minutes: 3}}",
        "load: {users: 1, shape: {csv: c.csv, from: 1998-06-30}}",
        "load: {replay: {speed: 0.5, scale: 3}, deadline: 1_000 ms, held_out: 0%}",
        "service: {command: [a, b], env: {A: b}, volumes: ['./a:/a:ro']}",
        "service: {url: 'https://example.org', ready_timeout: 2m}",
        "service: {image: i, limits: {cpus: 0.5, memory: 1GB}}",
        "budgets: {latency: {p50: 5 ms, p95: 10% or 5ms, p99: 5ms or 10%}}",
        "budgets: {latency: {p95: null}}",
        "budgets: {by_route: {GET /a: {p95: 5%}}, descriptors: null, sockets: 20}",
        'budgets: {descriptors: 5, threads: "20", memory: {growth: 64KiB}}',
        "extract: [{from: POST /o, json: $.id, use: {query: q}}]",
        "extract: [{from: POST /o, cookie: c, use: [{header: X-A}, {form: f}]}]",
        "session: {login: {post: /l, json: {a: [1]}, then: cookies}}",
        "session: {login: {post: /l, form: {a: b}, then: {json: $.t, as: X-T}}}",
        "behaviour: {ignore: [{json: '$.a[*].b'}, {body: true}], expect: []}",
        "checks: [{get: /a, json: {$.a: 0, $.b: null, $.c: <= 5, $.d: true}}]",
        "fix: {symptom: {status: 500, route: POST /checkout}}",
        "rounds: {soak: 10min}\nbudgets: {memory: {growth: 1MiB}}",
        "calibrate: {changes: {+5 ms: {env: {A: '5'}}}}",
        "seed: 18446744073709551615",
    ],
)
def test_good(text: str) -> None:
    """What we take, an editor takes."""
    scenario = changed(text)

    assert is_valid(scenario)
    assert [] == [each.message for each in EDITOR.iter_errors(scenario)]


@pytest.mark.parametrize(
    "text",
    [
        "name: a b",
        "name: ''",
        "why: 1",
        "zzz: 1",
        "service: {imaeg: i}",
        "service: {image: i, driver: podman}",
        "service: {image: i, port: 0}",
        "service: {image: i, port: 65_536}",
        "service: {image: i, ready: healthz}",
        "service: {image: i, env: {a=b: c}}",
        "service: {image: i, env: {A: 1}}",
        "service: {image: i, volumes: [x]}",
        "service: {image: i, limits: {cpus: 0}}",
        "service: {image: i, limits: {cpus: true}}",
        "service: {image: i, limits: {memory: 512}}",
        "service: {image: i, limits: {memory: 512 MiBs}}",
        "service: {command: []}",
        "service: {url: example.org}",
        "service: []",
        "load: {users: 0}",
        "load: {users: many}",
        "load: {users: 1.5}",
        "load: {users: true}",
        "load: {users: 1, deadline: 10}",
        "load: {users: 1, held_out: 0.2}",
        "load: {users: 1, shape: wave}",
        "load: {users: 1, shape: {steps: []}}",
        "load: {users: 1, shape: {steps: [{for: 1s}]}}",
        "load: {users: 1, shape: {spike: {factor: -1, at: 0s, for: 1s}}}",
        "load: {users: 1, shape: {csv: c.csv, from: yesterday}}",
        "load: {replay: {speed: 0}}",
        "load: {replay: 2}",
        "rounds: {min: 1}",
        "rounds: {slice: 4}",
        "rounds: {slice: -4s}",
        "rounds: {slice: 4s or 5s}",
        "budgets: {latency: {p95: 10}}",
        "budgets: {latency: {p95: 10% or 5%}}",
        "budgets: {latency: {p95: 5MiB}}",
        "budgets: {latency: {p90: 5ms}}",
        "budgets: {errors: 1ms}",
        "budgets: {errors: 1% or 1}",
        "budgets: {sockets: -1}",
        "budgets: {sockets: 5ms}",
        "budgets: {by_route: {checkout: {p95: 5%}}}",
        "extract: [{from: POST /o, json: $.id}]",
        "extract: [{from: POST /o, json: $.id, use: []}]",
        "extract: [{from: orders, json: $.id, use: {query: q}}]",
        "session: {login: {post: login}}",
        "session: {login: {post: /login, then: token}}",
        "behaviour: {ignore: [{body: false}]}",
        "behaviour: {ignore: {header: etag}}",
        "checks: [{get: /a, after: lunch}]",
        "checks: [{get: /a, status: 99}]",
        "checks: [{after: round}]",
        "fix: {symptom: {status: 600}}",
        "fix: {}",
        "calibrate: {changes: {x: {env: {}}}}",
        "seed: -1",
        "seed: 18446744073709551616",
    ],
)
def test_bad(text: str) -> None:
    """What an editor can see to be wrong, it marks, and we refuse it."""
    scenario = changed(text)

    assert not is_valid(scenario)
    assert not EDITOR.is_valid(scenario)


@pytest.mark.parametrize(
    "text",
    [
        "load: {users: 1, replay: {speed: 2}}",
        "load: {}",
        "load: {users: 1, shape: {}}",
        "load: {users: 1, held_out: 95%}",
        "rounds: {min: 5, max: 4}",
        "rounds: {soak: 0s}",
        "budgets: {latency: {p95: 9999999999999h}}",
        "extract: [{from: POST /o, json: id, use: {query: q}}]",
        "behaviour: {ignore: [{header: a, cookie: b}]}",
        "fix: {symptom: {cause: bad weather}}",
        "checks: [{get: /a}, {get: /a}]",
    ],
)
def test_what_an_editor_cannot_see(text: str) -> None:
    """What goes together, and what a text holds, is told by validation alone."""
    scenario = changed(text)

    assert not is_valid(scenario)
    assert EDITOR.is_valid(scenario)


@pytest.mark.parametrize(
    "text",
    [
        'load: {users: "5"}',
        'load: {replay: {speed: "2"}}',
        "load: {users: 1, shape: {steps: [{length: 1s, level: 1}]}}",
    ],
)
def test_stricter_than_we_are(text: str) -> None:
    """Numbers in quotes and stored trials' names of keys are nothing to write anew."""
    scenario = changed(text)

    assert is_valid(scenario)
    assert not EDITOR.is_valid(scenario)
