"""Bad input on the command line: one message, the right code, no traceback."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from harness.__main__ import main
from harness.capture import READERS, openform
from harness.cli import seatrial
from harness.errors import InputError
from harness.model.history import Past
from harness.model.result import Arm
from harness.model.verdict import Estimate, FixOutcome, Outcome, Report
from harness.nightly import Night
from harness.store.history import record
from tests.made import finding, report

if TYPE_CHECKING:
    from harness.trial import Terms

SCENARIO = """\
name: x
recording: r.parquet
service: {image: nowhere}
load: {users: 1}
"""


def run(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "harness", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["verify"], "Missing argument 'SCENARIO'"),
        (["verify", "nowhere.yaml"], "nowhere.yaml: there is no such file"),
        (["verify", "s.yaml", "--max-time", "20"], "--max-time: '20' needs a number"),
        (["verify", "s.yaml"], "r.parquet: "),
        (["verify", "s.yaml", "--build-arg", "x"], "write it as NAME=VALUE"),
        (["validate", "s.yaml"], "r.parquet: "),
        (["schema", "s.yaml"], "SCENARIOS: only --markdown shows any"),
        (["schema", "--markdown", "bad.yaml"], "bad.yaml:1:1: `lod` is not a key"),
        (["validate", "bad.yaml"], "bad.yaml:1:1: `lod` is not a key here"),
        (["import", "nowhere.log", "-o", "x.parquet"], "nowhere.log: "),
        (["import", "empty.log", "-o", "x.parquet"], "empty.log: "),
        (["import", "s.yaml", "-o", "x.parquet"], "not a capture of a known format"),
        (
            ["import", "s.yaml", "-o", "x.parquet", "--log-format", "$msec $status"],
            "--log-format: it does not tell the request",
        ),
        (["record", "--to", "nowhere", "-o", "x.parquet"], "--to nowhere: not the URL"),
        (["inspect", "s.yaml"], "s.yaml: "),
        (["inspect", "s.yaml", "--secrets"], "s.yaml: "),
        (
            ["import", "empty.log", "-o", "x.parquet", "--redact", "bad.yaml"],
            "bad.yaml:1:1: `lod` is not a key here; keys here: add, allow, drop",
        ),
        (["worker", "--join", "somewhere"], "--join somewhere: write it as HOST:PORT"),
        (["worker", "--join", "127.0.0.1:99999"], "write it as HOST:PORT"),
        (["calibrate", "s.yaml"], "r.parquet: "),
        (["calibrate", "s.yaml", "--max-time", "20"], "--max-time: '20' needs"),
        (["calibrate", "s.yaml", "--trials", "0"], "--trials"),
        (["verify", "--plan", "s.yaml"], "r.parquet: "),
        (
            ["verify", "s.yaml", "--soak", "1min"],
            "--soak 1min: a `soak` needs a budget",
        ),
        (["verify", "--plan", "s.yaml", "--soak", "9"], "--soak 9: '9' needs a number"),
        (["verify", "s.yaml", "--soak", "0s"], "--soak 0s: Input should be greater"),
        (["nightly"], "Missing argument 'SCENARIOS...'"),
        (["nightly", "s.yaml", "empty"], "empty: holds no scenario"),
        (["nightly", "s.yaml", "--max-time", "8"], "--max-time: '8' needs a number"),
        (["nightly", "s.yaml", "--build-arg", "x"], "write it as NAME=VALUE"),
        (["nightly", "s.yaml", "--workers", "0"], "--workers 0: nobody would send"),
        (["nightly", "s.yaml", "--format", "junit"], "'junit' is not one of"),
        (["history"], "trials/history.sqlite: there is no history"),
        (["history", "--history", "h.db"], "h.db: there is no history"),
        (["history", "x", "--out", "."], "history.sqlite: there is no history"),
        (["history", "x", "--last", "0"], "--last"),
        (["judge", "."], "holds no trial.json"),
        (["report", "."], "verdict.json: cannot be read"),
        (["report", ".", "--format", "agent"], "agent.json: cannot be read"),
    ],
)
def test_wrong_input(tmp_path: Path, arguments: list[str], message: str) -> None:
    """Wrong input ends in 2 with one message that names the place."""
    (tmp_path / "s.yaml").write_text(SCENARIO)
    (tmp_path / "bad.yaml").write_text("lod: 1\n" + SCENARIO)
    (tmp_path / "empty.log").touch()
    (tmp_path / "empty").mkdir()
    before = sorted(path.name for path in tmp_path.iterdir())

    code, out, err = run(*arguments, cwd=tmp_path)

    assert (2, "") == (code, out), err
    assert err.startswith("error: ")
    assert message in err
    assert "Traceback" not in err
    assert before == sorted(path.name for path in tmp_path.iterdir())


def test_night_of_wrong_input(tmp_path: Path) -> None:
    """Each scenario has a row that says what is wrong, and the worst is the code."""
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "s.yaml").write_text(SCENARIO)
    (tmp_path / "all" / "bad.yaml").write_text("lod: 1\n" + SCENARIO)

    code, out, err = run("nightly", "all", "gone.yaml", cwd=tmp_path)
    again, shown, _ = run("nightly", "all", "--format", "json", cwd=tmp_path)

    assert (2, 2) == (code, again)
    heading, bad, no_recording, gone = out.splitlines()
    assert heading.split() == ["scenario", "verdict", "directory", "reason"]
    assert "all/bad.yaml:1:1: `lod` is not a key here" in bad
    assert "r.parquet: " in no_recording
    assert "there is no such file" in gone
    assert "Traceback" not in err
    document = json.loads(shown)
    assert 1 == document["schema_version"]
    assert ["wrong input"] * 2 == [each["end"] for each in document["scenarios"]]
    assert ["all"] == [path.name for path in tmp_path.iterdir()]


def test_night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its options reach each trial, its code is the worst, its verdicts are kept."""
    line = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 5\n'
    (tmp_path / "a.log").write_text(line)
    run("import", "a.log", "-o", "r.parquet", cwd=tmp_path)
    for name in ("shop", "cart"):
        text = SCENARIO.replace("name: x", f"name: {name}")
        (tmp_path / f"{name}.yaml").write_text(text)
    asked = []

    def fake(terms: Terms) -> tuple[Path, Report]:
        asked.append(terms)
        name = terms.scenario.name
        outcome = {"cart": Outcome.INCONCLUSIVE, "shop": Outcome.FAIL}[name]
        made = report(outcome, FixOutcome.NOT_FIXED, finding("fix", message="no"))
        return terms.parent / f"1-{name}", replace(made, scenario=name)

    defaults = Night.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "run", fake)
    monkeypatch.chdir(tmp_path)
    references = ["--baseline", "dir:.", "--candidate", "image:shop:2"]
    crew = ["--workers", "2", "--machines", "3", "--listen", "10.0.0.5:5557"]
    others = [*crew, "--wait", "--build-arg", "A=B", "--max-time", "8h"]
    done = CliRunner().invoke(
        seatrial, ["nightly", ".", *references, *others], standalone_mode=False
    )
    shown = CliRunner().invoke(seatrial, ["history"], standalone_mode=False)

    assert 1 == done.return_value
    assert re.search(
        r"^cart +INCONCLUSIVE +trials/1-cart +NOT", done.output, re.MULTILINE
    )
    assert ["cart", "shop"] == [terms.scenario.name for terms in asked]
    for terms in asked:
        assert (2, True, {"A": "B"}) == (terms.workers, terms.wait, terms.build_args)
        assert 0 < (terms.max_time_s or 0) <= 8 * 3_600
        assert terms.command.endswith(shlex.join(crew))
        assert "image:shop:2" == terms.references[Arm.CANDIDATE].text
    assert re.search(r"^shop +FAIL ", shown.output, re.MULTILINE)


def test_interrupted_night(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was finished is shown, and the code is that of an interruption."""

    def interrupt(_: Night) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Night, "play", interrupt)
    monkeypatch.setattr(sys, "argv", ["seatrial", "nightly", "a.yaml"])
    with pytest.raises(SystemExit) as stopped:
        main()

    assert 130 == stopped.value.code
    assert "a.yaml    not run" in capsys.readouterr().out


def test_history(tmp_path: Path) -> None:
    """Standings and a trend are shown; what is not there is 2, what is broken 4."""
    past = Past(
        id="1",
        scenario="shop",
        recorded_at="2026-11-27T01:02:03Z",
        baseline="git:main",
        candidate="work tree",
        baseline_commit="",
        candidate_commit="",
        machine="",
        outcome=Outcome.INVALID,
        fix="",
        rounds=0,
        requests=1,
        directory="/1",
        estimates=(
            Estimate(
                metric="p95", route="service", unit="ns", relative=True, undefined="no"
            ),
        ),
    )
    record(tmp_path / "trials" / "history.sqlite", [past])
    (tmp_path / "broken").write_text("broken" * 99)

    done = [run("history", cwd=tmp_path)]
    done += [run("history", "shop", cwd=tmp_path)]
    done += [run("history", "shop", "--format", "json", cwd=tmp_path)]
    done += [run("history", "shop", "--metric", "p9", cwd=tmp_path)]
    done += [run("history", "shp", cwd=tmp_path)]
    done += [run("history", "--history", "broken", cwd=tmp_path)]
    done += [run("history", "--history", ".", cwd=tmp_path)]

    assert [0, 0, 0, 2, 2, 4, 4] == [code for code, _, _ in done]
    assert ".: cannot be opened" in done[6][2]
    assert re.search(r"^shop +INVALID +2026-11-27 01:02 +1 ", done[0][1], re.MULTILINE)
    assert re.search(r"01:02 +work tree +INVALID +- ", done[1][1], re.MULTILINE)
    assert "shop" == json.loads(done[2][1])["scenario"]
    assert "there is: p95" in done[3][2]
    assert "there is: shop" in done[4][2]
    assert "broken: is no history, or a broken one" in done[5][2]
    assert ["history.sqlite"] == [each.name for each in (tmp_path / "trials").iterdir()]


def test_plan(tmp_path: Path) -> None:
    """`verify --plan` says how long and how sensitive, runs nothing, ends in 0."""
    demo = Path(__file__).parents[1] / "compose" / "shop" / "demo.yaml"

    code, out, err = run("verify", "--plan", str(demo), cwd=tmp_path)

    assert (0, "") == (code, err)
    assert re.search(r"^rounds +6 to 8$", out, re.MULTILINE)
    assert re.search(r"^calibration +none: `seatrial calibrate`", out, re.MULTILINE)
    assert not [*tmp_path.iterdir()]


def test_plan_of_a_soak(tmp_path: Path) -> None:
    """`--soak` makes two long rounds of any scenario whose growth has a budget."""
    shop = Path(__file__).parents[1] / "compose" / "shop"
    (tmp_path / "s.yaml").write_text(
        (shop / "demo.yaml")
        .read_text()
        .replace("recording: ", f"recording: {shop}/", 1)
        .replace("memory: {", "memory: {growth: 64KiB, ", 1)
        .replace("fix:\n  symptom: {status: 500, route: POST /checkout}\n", "", 1)
    )

    code, out, err = run("verify", "--plan", "s.yaml", "--soak", "10min", cwd=tmp_path)

    assert (0, "") == (code, err)
    assert re.search(r"^rounds +2 to 2$", out, re.MULTILINE)
    assert re.search(r"^hypotheses +the growth of memory alone", out, re.MULTILINE)


def test_broken_calibration(tmp_path: Path) -> None:
    """A calibration that cannot be read is named before anything starts."""
    demo = Path(__file__).parents[1] / "compose" / "shop" / "demo.yaml"
    (tmp_path / "calibration-demo.json").write_text("{")

    code, out, err = run("verify", "--out", ".", str(demo), cwd=tmp_path)

    assert (4, "") == (code, out)
    assert "calibration-demo.json: broken: " in err


def test_many_malformed_lines(tmp_path: Path) -> None:
    """A log of which over 5 % is outside the grammar is refused with examples."""
    good = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5\n'
    (tmp_path / "a.log").write_text(good * 90 + "what is this\n" * 10)

    code, _, err = run("import", "a.log", "-o", "a.parquet", cwd=tmp_path)

    assert code == 2
    assert "10 of 100" in err
    assert "a.log:91" in err
    assert not (tmp_path / "a.parquet").exists()


def test_import_and_inspect(tmp_path: Path) -> None:
    """An imported log is one Parquet file that `inspect` reads, also as JSON."""
    line = '192.0.2.7 - bob [17/May/2015:10:05:0{} +0000] "GET /a/{} HTTP/1.1" 200 5\n'
    log = "".join(line.format(n % 10, n) for n in range(20))
    (tmp_path / "a.log").write_text(log)

    code, said, err = run("import", "a.log", "-o", "a.parquet", cwd=tmp_path)
    _, shown, _ = run("inspect", "a.parquet", cwd=tmp_path)
    _, figures, _ = run("inspect", "a.parquet", "--format", "json", cwd=tmp_path)

    assert (0, "") == (code, err)
    assert said == shown
    assert "GET /a/{id}" in said
    assert 20 == json.loads(figures)["recording"]["exchanges"]
    raw = (tmp_path / "a.parquet").read_bytes()
    assert b"192.0.2.7" not in raw
    assert b"bob" not in raw


def test_import_keeps_what_is_wanted(tmp_path: Path) -> None:
    """Filters and samples are counted, and nonsense is refused by its option."""
    line = '192.0.2.{} - - [17/May/2015:10:05:0{} +0000] "GET /{}/{} HTTP/1.1" 200 5\n'
    log = "".join(line.format(n, n % 10, "ab"[n % 2], n) for n in range(40))
    (tmp_path / "a.log").write_text(log)
    start = ("import", "a.log", "-o", "a.parquet")

    code, said, err = run(*start, "--route", "/a/*", "--sample", "50%", cwd=tmp_path)

    assert (0, "") == (code, err)
    kept = int(re.search(r"exchanges +(\d+) in \1 sessions", said)[1])  # type: ignore[index]
    assert 0 < kept < 20
    assert f"read         40: {kept} kept, {40 - kept} filtered, 0 left out" in said
    assert "filtered: 20 other route" in said
    assert f"filtered: {20 - kept} session not drawn" in said
    for wrong, complaint in (
        (("--route", "/c/*"), "no usable exchange (40 other route)"),
        (("--sample", "0%"), "--sample 0%: more than 0%"),
        (("--sample", "0.000001%"), "no session was drawn"),
        (("--status", "ok"), "--status ok: not a status"),
    ):
        code, _, err = run(*start, *wrong, cwd=tmp_path)
        assert 2 == code
        assert complaint in err


def test_filters_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable means what its option does; a pattern with a blank in it is one."""
    line = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "{} HTTP/1.1" 200 5 "-" "{}"\n'
    asked = [
        ("GET /c", ""),
        ("POST /c", ""),
        ("GET /", "Googlebot/2.1"),
        ("GET /h", ""),
    ]
    (tmp_path / "a.log").write_text("".join(line.format(*each) for each in asked))
    monkeypatch.setenv("SEATRIAL_NOT_ROUTE", "POST /c\nGET /h\n")
    monkeypatch.setenv("SEATRIAL_NO_ROBOTS", "1")

    code, said, _ = run("import", "a.log", "-o", "a.parquet", cwd=tmp_path)

    assert 0 == code
    assert "4: 1 kept, 3 filtered" in said


def test_schema(tmp_path: Path) -> None:
    """`schema` prints the format for editors and, with scenarios, for people."""
    (tmp_path / "s.yaml").write_text(f"{SCENARIO}why: It broke. Then it was mended.\n")

    code, editors, _ = run("schema", cwd=tmp_path)
    same, people, _ = run("schema", "--markdown", "s.yaml", cwd=tmp_path)

    assert [0, 0] == [code, same]
    assert {"name", "service", "load"} <= set(json.loads(editors)["required"])
    assert "| [s.yaml](s.yaml) | It broke. |\n" in people


def test_init(tmp_path: Path) -> None:
    """A recording gives a scenario that is valid where it stands, and replaces none."""
    line = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 5\n'
    (tmp_path / "a.log").write_text(line)
    (tmp_path / "scenarios").mkdir()
    run("import", "a.log", "-o", "a.parquet", cwd=tmp_path)
    start = ("init", "a.parquet", "-o", "scenarios/shop.yaml")

    code, said, err = run(*start, cwd=tmp_path)
    valid, _, complaint = run("validate", "scenarios/shop.yaml", cwd=tmp_path)
    again, _, refusal = run(*start, cwd=tmp_path)

    assert (0, "") == (code, err)
    assert "seatrial validate scenarios/shop.yaml" in said
    schema = json.loads((tmp_path / "scenarios" / "scenario.schema.json").read_text())
    first, *_ = (tmp_path / "scenarios" / "shop.yaml").read_text().splitlines()
    assert first == "# yaml-language-server: $schema=scenario.schema.json"
    jsonschema.validate(
        yaml.safe_load((tmp_path / "scenarios" / "shop.yaml").read_text()), schema
    )
    assert (0, "") == (valid, complaint)
    assert 2 == again
    assert "is there already" in refusal


def test_openapi_names_the_routes(tmp_path: Path) -> None:
    """A scenario's document names them in the plan; without one it is at its place."""
    line = '192.0.2.7 - - [17/May/2015:10:05:{:02} +0000] "GET /p/{} HTTP/1.1" 200 5\n'
    (tmp_path / "a.log").write_text("".join(line.format(n % 60, n) for n in range(99)))
    run("import", "a.log", "-o", "a.parquet", cwd=tmp_path)
    (tmp_path / "s.yaml").write_text(
        "name: s\nrecording: a.parquet\nopenapi: api.yaml\n"
        "service: {command: [none]}\nload: {users: 9}\n"
        "budgets: {by_route: {'GET /p/{place}': {p95: 10%}}}\n"
    )

    missing, _, complaint = run("verify", "s.yaml", "--plan", cwd=tmp_path)
    (tmp_path / "api.yaml").write_text("paths: {'/p/{place}': {get: {}}}")
    code, said, err = run("verify", "s.yaml", "--plan", cwd=tmp_path)

    assert 2 == missing
    assert "s.yaml:3:10: openapi: " in complaint
    assert "api.yaml: cannot be read" in complaint
    assert (0, "") == (code, err)
    assert "on 1 routes" in said


def test_inspect_draws(tmp_path: Path) -> None:
    """The same figures as a page; a page that cannot be written is named."""
    line = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 5\n'
    (tmp_path / "a.log").write_text(line)
    run("import", "a.log", "-o", "a.parquet", cwd=tmp_path)

    code, _, _ = run("inspect", "a.parquet", "--html", "a.html", cwd=tmp_path)
    failed, _, err = run("inspect", "a.parquet", "--html", "no/a.html", cwd=tmp_path)

    assert 0 == code
    assert "<code>GET /a</code>" in (tmp_path / "a.html").read_text()
    assert 4 == failed
    assert "no/a.html: cannot be written" in err
    before = (tmp_path / "a.parquet").read_bytes()
    for wrong, complaint in (
        (("--html", "a.parquet"), "--html a.parquet: is the recording itself"),
        (("--html", "b.html", "--secrets"), "neither --html nor --openapi"),
    ):
        code, _, err = run("inspect", "a.parquet", *wrong, cwd=tmp_path)
        assert 2 == code
        assert complaint in err
    assert before == (tmp_path / "a.parquet").read_bytes()
    assert not (tmp_path / "b.html").exists()


def test_import_lists_its_formats() -> None:
    """Every format that is read is named in the help, and every key of our own."""
    said = CliRunner().invoke(seatrial, ["import", "--help"]).output

    keys = re.findall(r"^    (\w+)  ", str(openform.__doc__), re.MULTILINE)
    assert "duration_ms" in keys
    for word in (*READERS, *(f"`{key}`" for key in keys)):
        assert word in said


def test_import_by_format_string(tmp_path: Path) -> None:
    """A log of the server's own format is read as its configuration has it."""
    (tmp_path / "a.log").write_text("192.0.2.7 1431849903.250 GET /a?b=1 HTTP/2 200\n")
    form = "$remote_addr $msec $request $status"

    code, said, err = run(
        "import", "a.log", "--log-format", form, "-o", "a.parquet", cwd=tmp_path
    )

    assert (0, "") == (code, err)
    assert "GET /a" in said
    assert "adapted: 1 times of the log's writing taken as starts" in said


def test_secrets(tmp_path: Path) -> None:
    """What rules leave in a recording ends `inspect --secrets` in 1, otherwise in 0."""
    line = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET /?mail={} HTTP/1.1" 200 5\n'
    (tmp_path / "a.log").write_text(line.format("jo@shop.test"))
    (tmp_path / "rules.yaml").write_text("allow: [mail]\n")

    done = [run("import", "a.log", "-o", "all.parquet", cwd=tmp_path)]
    rules = ("--redact", "rules.yaml")
    done += [run("import", "a.log", "-o", "some.parquet", *rules, cwd=tmp_path)]
    done += [run("inspect", "all.parquet", "--secrets", cwd=tmp_path)]
    done += [run("inspect", "some.parquet", "--secrets", cwd=tmp_path)]
    form = ("--format", "json")
    done += [run("inspect", "some.parquet", "--secrets", *form, cwd=tmp_path)]

    assert [0, 0, 0, 1, 1] == [code for code, _, _ in done]
    assert "redacted: e-mail 1" in done[0][1]
    assert "redacted" not in done[1][1]
    assert "no secret found in 1 exchanges" in done[2][1]
    assert re.search(r"^1 +e-mail +target +jo +12 +GET /$", done[3][1], re.MULTILINE)
    assert 1 == len(json.loads(done[4][1])["left"])


def test_crash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A bug ends in 4 and leaves its traceback in a file, not on the screen."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(seatrial, "main", broken)
    with pytest.raises(SystemExit) as stopped:
        main()

    said = capsys.readouterr().err
    path = Path(said.split()[-1])
    assert stopped.value.code == 4
    assert "ZeroDivisionError" in path.read_text()
    path.unlink()


@pytest.mark.parametrize("name", sorted(seatrial.commands))
def test_every_option_has_a_variable(name: str) -> None:
    """The help of a command names a variable of the environment for each option."""
    command = seatrial.commands[name]
    group = click.Context(seatrial, auto_envvar_prefix="SEATRIAL")
    context = click.Context(command, info_name=name, parent=group)
    options = [each for each in command.params if isinstance(each, click.Option)]

    assert options
    for each in options:
        _, shown = each.get_help_record(context) or ("", "")
        assert "env var: SEATRIAL_" in shown, each.name


def test_a_variable_means_the_same_everywhere() -> None:
    """What one command takes by a variable no other refuses."""
    choices = defaultdict[str, set[str]](set)
    for command in seatrial.commands.values():
        for each in command.params:
            if each.envvar:
                taken = str(getattr(each.type, "choices", "anything"))
                choices[str(each.envvar)].add(taken)

    assert [] == [name for name, each in choices.items() if len(each) > 1]


def test_environment_variable(tmp_path: Path) -> None:
    """It is as if the option had been given."""
    result = CliRunner().invoke(
        seatrial,
        ["verify", str(tmp_path / "s.yaml")],
        env={"SEATRIAL_MAX_TIME": "20"},
    )

    assert isinstance(result.exception, InputError)
    assert "--max-time" in str(result.exception)


@pytest.mark.parametrize(("target", "code"), [("/dev/full", 4), ("/dev/null", 0)])
def test_where_standard_output_goes(tmp_path: Path, target: str, code: int) -> None:
    """What cannot be said is an error of its own code, and only then."""
    line = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5\n'
    (tmp_path / "a.log").write_text(line)
    command = [sys.executable, "-m", "harness", "import", "a.log", "-o", "a.parquet"]

    with Path(target).open("w") as stdout:
        done = subprocess.run(
            command, cwd=tmp_path, stdout=stdout, stderr=subprocess.PIPE, check=False
        )

    assert code == done.returncode
    assert b"Traceback" not in done.stderr


def test_reader_that_stops_early(tmp_path: Path) -> None:
    """A reader that has seen enough changes no exit code."""
    line = '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 5\n'
    (tmp_path / "a.log").write_text(line)
    command = [sys.executable, "-m", "harness", "import", "a.log", "-o", "a.parquet"]

    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()

    assert (0, b"") == (process.returncode, said)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "agent.json: "), ('{"schema_version": 2}', "written by a newer Seatrial")],
)
def test_broken_agent_file(tmp_path: Path, text: str, message: str) -> None:
    """What is shown again is whole, and of a version that is known."""
    (tmp_path / "agent.json").write_text(text)

    code, out, err = run("report", ".", "--format", "agent", cwd=tmp_path)

    assert (4, "") == (code, out)
    assert message in err


@pytest.mark.parametrize("command", ["verify", "judge", "report"])
def test_format_agent_is_offered(tmp_path: Path, command: str) -> None:
    """Each command that shows a verdict can show what a fixing agent may know."""
    _, out, _ = run(command, "--help", cwd=tmp_path)

    assert re.search(r"\bagent\]", out)
