import re
from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.planning.scenariofile import read_scenario

GOOD = """\
name: shop
recording: shop.parquet
service:
  image: shop
load:
  users: 1_000
"""


def complaint(tmp_path: Path, text: str) -> str:
    path = tmp_path / "s.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        read_scenario(path)
    return caught.value.message.removeprefix(f"{path}:")


def test_good(tmp_path: Path) -> None:
    """A scenario file becomes a scenario."""
    path = tmp_path / "s.yaml"
    path.write_text(GOOD)

    assert 1000 == read_scenario(path).load.users


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("users:", "user:", "6:3: `user` is not a key here; did you mean `users`?"),
        ("  image", "  imaeg", "4:3: `imaeg` is not a key here; did you mean `image`?"),
        ("load:", "zzz: 1\nload:", "5:1: `zzz` is not a key here; keys here: name, "),
        ("1_000", "none", "6:10: load.users: a whole number is wanted"),
        ("name: shop\n", "", "1:1: `name` is missing"),
        (
            "load:",
            "rounds: {slice: 4}\nload:",
            "5:17: rounds.slice: 4 needs a number with a unit (ns,",
        ),
        (
            "load:",
            "budgets: {latency: {p95: 5MiB}}\nload:",
            "5:26: budgets.latency.p95: '5MiB' needs a number with a unit (%, ns,",
        ),
        (
            "load:",
            "budgets: {by_route: {GET /: {p9: 5ms}}}\nload:",
            "5:30: `p9` is not a key here; did you mean `p9",
        ),
        ("load:", "load: {}\nload:", "6:1: `load` is given twice"),
        (
            "load:",
            "extract: [{from: POST /o, jsno: $.id, use: {query: q}}]\nload:",
            "5:27: `jsno` is not a key here; did you mean `json`?",
        ),
        (
            "load:",
            "extract: [{from: POST /o, json: id, use: {query: q}}]\nload:",
            "5:33: extract.0.json: a path in JSON is wanted, as $.order.id",
        ),
        (
            "load:",
            "extract: [{from: orders, json: $.id, use: {query: q}}]\nload:",
            "5:18: extract.0.from: a route is wanted, as POST /orders",
        ),
        (
            "load:",
            "extract: [{from: POST /o, json: $.id, use: {path: id}}]\nload:",
            "5:44: extract.0.use.0: `path: id` needs a `route` with {id} in it",
        ),
        (
            "load:",
            "session: {login: {post: login}}\nload:",
            "5:25: session.login.post: must start with /, as /login",
        ),
        (
            "load:",
            "session: {login: {post: /login, then: token}}\nload:",
            "5:39: session.login.then: a mapping of keys to values is wanted",
        ),
        (
            "load:",
            "why: 2025-02-30\nload:",
            "5:6: '2025-02-30': day is out of range for month; a text needs quotes",
        ),
        ("name: shop", "name: !!bool shop", "1:7: 'shop': "),
        ("name: shop", "name: !!timestamp shop", "1:7: 'shop': "),
        ("name: shop", "name: &a [*a]", "1:1: nested too deeply, or in itself"),
        ("load:", "seed: 0x_\nload:", "5:7: '0x_': invalid literal"),
        (
            "users: 1_000",
            "replay: {speed: .inf}",
            "6:19: load.replay.speed: a finite number is wanted",
        ),
        (
            "users: 1_000",
            "replay: {scale: .nan}",
            "6:19: load.replay.scale: a finite number is wanted",
        ),
        (
            "  image: shop",
            "  limits: {cpus: .inf}",
            "4:18: service.limits.cpus: a finite number is wanted",
        ),
        ("load:", "load: [", "7:1: expected ',' or ']'"),
    ],
)
def test_complaints(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """Every mistake is named with its line, its column and the remedy."""
    said = complaint(tmp_path, GOOD.replace(old, new))

    assert said.startswith(expected), said


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (r'recording: "a\0b"', "1:12: 'a\\x00b': a NUL or half a surrogate pair"),
        (r'recording: "a\ud800b"', "1:12: 'a\\ud800b': a NUL or half a surrogate"),
        ('seed: !!int ""', "1:7: '': "),
        ("seed: !!float 1" + ":1" * 200 + ".0", "1:7: '1:1:"),
        ("service: {port: 22:22}", "1:17: '22:22': YAML reads digits with colons in"),
        ("service: {command: []}", "1:20: service.command: must not be empty"),
        ("service: {setup: []}", "1:18: service.setup: must not be empty"),
        ("service: {command: x}", "1:20: service.command: a list is wanted, as [py"),
        ("service: {url: x}", "1:16: service.url: must start with http:// or https"),
        ("service: {volumes: [x]}", "1:21: service.volumes.0: host:container[:ro] i"),
        ("service: {env: {a=b: c}}", "1:17: service.env.a=b: a variable's name is"),
        ('service: {env: {"": c}}', "1:17: service.env.: a variable's name is"),
        ("service: {env: 1}", "1:16: service.env: a mapping of keys to values is"),
        ("service: {env: {a: 1}}", "1:20: service.env.a: a text is wanted; put it"),
        ("service: {ready: x}", "1:18: service.ready: must start with /, as /healthz"),
        ("service: {driver: x}", "1:19: service.driver: must be 'docker', 'process'"),
        ("service: {limits: {cpus: true}}", "1:26: service.limits.cpus: a number is"),
        ("service: {limits: {memory: 0B}}", "1:28: service.limits.memory: must be mo"),
        ("service: []", "1:10: service: a mapping of keys to values is wanted"),
        ("load: {deadline: 0s}", "1:18: load.deadline: must be more than 0"),
        ("load: {held_out: 95%}", "1:18: load.held_out: at most 90% can be held out"),
        (
            "load: {held_out: 0.2}",
            "1:18: load.held_out: 0.2 needs a number with a",
        ),
        ("load: {users: 1.5}", "1:15: load.users: a whole number is wanted"),
        ("load: {replay: {scale: 1e300}}", "1:24: load.replay.scale: must be at mos"),
        ("load: {replay: {speed: x}}", "1:24: load.replay.speed: a number is wanted"),
        ("rounds: {slices: 1000000000}", "1:18: rounds.slices: must be at most 1000"),
        ("name: a b", "1:7: name: letters, digits, dot, dash and underscore"),
        ("name: " + "a" * 101, "1:7: name: must have at most 100 characters"),
        ("budgets: {by_route: {/pay: {}}}", "1:22: budgets.by_route./pay: a route is"),
    ],
)
def test_what_cannot_work(tmp_path: Path, written: str, expected: str) -> None:
    """A value that no trial can use is refused in our words, where it stands."""
    said = complaint(tmp_path, f"{written}\n")

    assert expected in said, said
    assert "Input should" not in said


@pytest.mark.parametrize("written", ["zzz: 1", "rounds: {slice: zzz}"])
def test_long_values_are_cut(tmp_path: Path, written: str) -> None:
    """A key or a value of any length makes no message of that length."""
    said = complaint(tmp_path, written.replace("zzz", "z" * 1_000))

    assert "z" * 50 in said
    assert "z" * 61 not in said


@pytest.mark.parametrize("merge", ["", "<<: "])
def test_aliases_are_bounded(tmp_path: Path, merge: str) -> None:
    """Aliases that repeat aliases are refused where they pass any sane size."""
    item = "{{{}[{}]}}" if merge else "{}[{}]"
    bomb = ["a0: &a0 {x: 1}"]
    bomb += [
        f"a{level}: &a{level} " + item.format(merge, ", ".join([f"*a{level - 1}"] * 9))
        for level in range(1, 10)
    ]

    said = complaint(tmp_path, "\n".join(bomb))

    assert re.match(r"5:\d+: more than 10,000 values; repeat less", said), said


def test_aliases_may_repeat(tmp_path: Path) -> None:
    """A budget that fifty routes share is no bomb."""
    routes = "".join(f"    GET /{number}: *strict\n" for number in range(50))
    path = tmp_path / "s.yaml"
    path.write_text(
        f"{GOOD}budgets:\n  routes: &strict {{p95: 5%}}\n  by_route:\n{routes}"
    )

    assert len(read_scenario(path).budgets.by_route) == 50


def test_directory(tmp_path: Path) -> None:
    """A directory in the place of the scenario is called one."""
    with pytest.raises(ScenarioError) as caught:
        read_scenario(tmp_path)

    assert f"{tmp_path}: is a directory" == caught.value.message


def test_missing_file(tmp_path: Path) -> None:
    """A scenario that is not there is named."""
    with pytest.raises(ScenarioError, match=r"nowhere\.yaml: there is no such file"):
        read_scenario(tmp_path / "nowhere.yaml")


def test_no_mapping(tmp_path: Path) -> None:
    """A file that holds something else is refused."""
    assert "1:1: a scenario is a mapping" in complaint(tmp_path, "- a\n")
    assert "1:1: a scenario is a mapping" in complaint(tmp_path, "")


@pytest.mark.parametrize(
    ("load", "recording", "message"),
    [
        ("{users: 3, locustfile: none.py}", "", "none.py: there is no such file"),
        ("{locustfile: none.py, replay: {}}", "", "goes with `users`"),
        ("{users: 3, locustfile: none.py}", "recording: r.parquet", "instead of it"),
        ("{users: 3}", "", "give a `recording`"),
    ],
)
def test_locustfile_or_recording(
    tmp_path: Path, load: str, recording: str, message: str
) -> None:
    """The traffic is a recording or a locustfile, never both, and it is there."""
    path = tmp_path / "s.yaml"
    path.write_text(
        f"name: x\nservice: {{url: 'http://h'}}\nload: {load}\n{recording}\n"
    )

    with pytest.raises(ScenarioError, match=message):
        read_scenario(path)
