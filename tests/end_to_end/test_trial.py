"""Whole trials through the command line, on local processes: no engine is needed."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psutil
import pytest
from pandas import read_parquet

from harness.environment import machine_lock
from harness.planning.holdout import held_out
from tests.end_to_end.conftest import record, sound_rounds

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.end_to_end.conftest import Seatrial

SCENARIO = """\
name: small
recording: small.parquet
seed: {seed}
service:
  command: [python, serve.py]
  ready: /
  ready_timeout: 5s
load: {load}
rounds:
  {{min: {rounds}, max: {rounds}, slice: {slice}, slices: 2, warmup: 500ms, ramp: 0s}}
budgets:
  errors: 1%
  goodput: 80%
  memory: {{level: 900% or 256MiB}}
  cpu: 900%
  latency: {{p50: 900% or 1s}}
  routes: {{p95: 900% or 1s}}
"""


@pytest.fixture
def scenario(seatrial: Seatrial) -> Callable[..., Path]:
    """Writes the scenario; what is not given is small."""

    def written(
        load: str = "{users: 30}", rounds: int = 3, slice_: str = "500ms", seed: int = 1
    ) -> Path:
        record(seatrial.directory)
        path = seatrial.directory / "s.yaml"
        text = SCENARIO.format(load=load, rounds=rounds, slice=slice_, seed=seed)
        path.write_text(text)
        return path

    return written


def arms(baseline: str, candidate: str) -> tuple[str, ...]:
    names = ("--baseline", f"dir:{baseline}", "--candidate", f"dir:{candidate}")
    return ("s.yaml", *names, "--wait")


def only_trial(seatrial: Seatrial) -> Path:
    (trial,) = (seatrial.directory / "trials").glob("*/")
    return trial


def nothing_runs(seatrial: Seatrial) -> bool:
    """Whether no process is left that works in the test's directory."""
    here = str(seatrial.directory)
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if process.info["cwd"] and process.info["cwd"].startswith(here):
            return False
        if any(here in part for part in process.info["cmdline"] or ()):
            return False
    return True


@pytest.mark.parametrize("load", ["{users: 30}", "{replay: {speed: 2, scale: 4}}"])
def test_equal_builds(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
    load: str,
) -> None:
    """Equal builds pass, logins work on live cookies, and everything is on disk.

    The arm that goes first in a round is the one that was brought up first.
    """
    scenario(load)
    answering("one", 0.002)
    answering("two", 0.002)

    code, out, err = seatrial.verify(*arms("one", "two"))

    assert (0, "PASS") == (code, out.split()[0]), out + err
    trial = only_trial(seatrial)
    assert 3 == len(sound_rounds(trial))
    assert {
        "trial.json",
        "plan.parquet",
        "requests.parquet",
        "verdict.json",
        "report.html",
        "summary.md",
        "junit.xml",
        "agent.json",
    } == {path.name for path in trial.iterdir()} - {
        path.name for path in trial.glob("round-*")
    }
    verdict = json.loads((trial / "verdict.json").read_text())
    (errors,) = (e for e in verdict["estimates"] if e["metric"] == "errors")
    assert [[0, 0]] * 3 == errors["per_round"]
    rounds = sound_rounds(trial)
    assert {"baseline", "candidate"} == {_first(each) for each in rounds}
    assert all(_first(each) == _up_first(each) for each in rounds)
    assert nothing_runs(seatrial)


def _first(round_: Path) -> str:
    return str(json.loads((round_ / "round.json").read_text())["round"]["first"])


def _up_first(round_: Path) -> str:
    usages = {path.parent.name: read_parquet(path) for path in round_.glob("*/usage*")}
    return min(usages, key=lambda arm: int(usages[arm]["at_ns"].iloc[0]))


def test_judged_again(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
) -> None:
    """Judging the stored trial again gives the same bytes, or says what is missing."""
    scenario()
    answering("one", 0.002)
    seatrial.verify(*arms("one", "one"))
    trial = only_trial(seatrial)
    names = ("verdict.json", "summary.md", "junit.xml", "agent.json", "report.html")
    before = {name: (trial / name).read_bytes() for name in names}
    for name in names:
        (trial / name).unlink()

    code, _, err = seatrial("judge", str(trial))

    assert code == 0, err
    assert before == {name: (trial / name).read_bytes() for name in names}
    for form, name in (("json", "verdict.json"), ("agent", "agent.json")):
        _, out, _ = seatrial("report", str(trial), "--format", form)
        assert before[name].decode() == out
    gone = sound_rounds(trial)[1]
    shutil.rmtree(gone)
    code, _, err = seatrial("judge", str(trial))
    assert code == 4
    assert f"{gone.name}: is missing" in err


def test_judged_otherwise(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
) -> None:
    """Other budgets say what would have been, and change nothing that is stored.

    Rounds of another plan or machine are refused, with the reason.
    """
    other = scenario().with_name("other.yaml")
    other.write_text(
        other.with_name("s.yaml").read_text().replace("{p50: 900% or 1s}", "{p50: 1us}")
    )
    answering("one", 0.002)
    answering("slow", 0.02)
    seatrial.verify(*arms("one", "slow"))
    trial = only_trial(seatrial)
    before = {path: path.read_bytes() for path in trial.rglob("*") if path.is_file()}

    code, out, err = seatrial("judge", str(trial), "--budgets", "other.yaml")

    assert (0, "FAIL") == (code, out.split()[0]), err
    assert "what if: judged by the budgets of other.yaml" in out
    assert before == {path: path.read_bytes() for path in before}
    second = sound_rounds(trial)[1]
    stored = second / "round.json"
    reasons = {"machine": "from another machine", "plan_digest": "of another plan"}
    for field, reason in reasons.items():
        document = json.loads(before[stored])
        document["round"][field] = "0000"
        stored.write_text(json.dumps(document))
        code, out, err = seatrial("judge", str(trial))
        assert (4, "") == (code, out)
        assert f"round {int(second.name[-2:])} is {reason}" in err


def test_errors_fail(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
) -> None:
    """A candidate that forgets its logins fails by its errors."""
    scenario(rounds=4)
    answering("one", 0.002)
    broken = answering("two", 0.002) / "serve.py"
    forgets = broken.read_text().replace('b"sid=live" not in head', "True")
    broken.write_text(forgets)

    code, out, err = seatrial.verify(*arms("one", "two"))

    assert (1, "FAIL") == (code, out.split()[0]), err
    assert "errors" in out.splitlines()[0]


PUT_OFF = """\
import threading, time
LAST = [0.0]

def later():
    while True:
        time.sleep(0.02)
        rests_s = time.monotonic() - LAST[0]
        while 0.1 < rests_s < 0.4:
            rests_s = time.monotonic() - LAST[0]

threading.Thread(target=later, daemon=True).start()
"""


def test_work_put_off(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
) -> None:
    """What a candidate leaves for when it rests, it has to answer for by its CPU."""
    path = scenario(rounds=4)
    path.write_text(path.read_text().replace("cpu: 900%", "cpu: 200%"))
    answering("one", 0.002)
    lazy = answering("two", 0.002) / "serve.py"
    text = lazy.read_text().replace("DELAY_S =", f"{PUT_OFF}\nDELAY_S =", 1)
    noted = "            LAST[0] = time.monotonic()\n            await asyncio.sleep"
    lazy.write_text(text.replace("            await asyncio.sleep", noted))

    code, out, err = seatrial.verify(*arms("one", "two"))

    assert (1, "FAIL") == (code, out.split()[0]), out + err
    assert "cpu" in out.splitlines()[0]


def test_special_cased(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
) -> None:
    """A candidate that fails held-out customers alone fails, and is not told where."""
    scenario("{users: 30, held_out: 50%}", rounds=4)
    answering("one", 0.002)
    special = answering("two", 0.002) / "serve.py"
    names = [f"s{customer}" for customer in range(10)]
    unseen = [n for n, held in enumerate(held_out(names, 0.5, seed=1)) if held]
    broken = special.read_text().replace(
        "            body =",
        f"            if any(b'customer: c%d\\r' % n in head for n in {unseen}):\n"
        '                status = b"503 No"\n'
        "            body =",
    )
    special.write_text(broken)

    code, out, err = seatrial.verify(*arms("one", "two"), "--format", "agent")

    told = json.loads(out)
    assert (1, "FAIL") == (code, told["outcome"]), err
    assert "the held-out part of the traffic decides" in told["reason"]
    assert "errors" not in out.replace(told["reason"], "")
    assert "503" not in out
    verdict = (only_trial(seatrial) / "verdict.json").read_text()
    assert "errors:" in verdict
    assert " errors, lag" not in err


BASELINE_FIRST, CANDIDATE_FIRST = 1, 2
"""Seeds, by the arm that goes first in round 1."""


@pytest.mark.parametrize("seed", [BASELINE_FIRST, CANDIDATE_FIRST])
def test_candidate_that_never_comes_up(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
    seed: int,
) -> None:
    """A candidate that dies at its start, twice, while the baseline is up, fails."""
    scenario(seed=seed)
    answering("one", 0.002)
    (answering("two", 0.002) / "serve.py").write_text("raise SystemExit('no config')")

    code, out, err = seatrial.verify(*arms("one", "two"))

    assert (1, "FAIL") == (code, out.split()[0]), err
    assert "no config" in out
    assert nothing_runs(seatrial)


@pytest.mark.parametrize("seed", [BASELINE_FIRST, CANDIDATE_FIRST])
def test_baseline_that_never_comes_up(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
    seed: int,
) -> None:
    """A baseline that does not come up is no answer about the candidate.

    Nor is it one where the candidate did not come up, either, and was asked first.
    """
    scenario(seed=seed)
    (answering("two", 0.002) / "serve.py").write_text("raise SystemExit('nor this')")
    (answering("one", 0.002) / "serve.py").write_text("raise SystemExit('no config')")

    code, out, err = seatrial.verify(*arms("one", "two"))

    assert (4, "") == (code, out)
    assert "no config" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("seed", [BASELINE_FIRST, CANDIDATE_FIRST])
def test_second_that_never_comes_up(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
    seed: int,
) -> None:
    """Where there is no room for a second one, that is not the candidate's fault."""
    scenario(seed=seed)
    alone = answering("one", 0.002) / "serve.py"
    lock = seatrial.directory / "lock"
    alone.write_text(
        f"import fcntl\nlock = open({str(lock)!r}, 'w')\n"
        "fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)\n" + alone.read_text()
    )

    code, out, err = seatrial.verify(*arms("one", "one"))

    assert (4, "") == (code, out)
    assert "BlockingIOError" in err
    assert nothing_runs(seatrial)


def test_out_of_time(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
) -> None:
    """With no time for all its rounds a trial is inconclusive, by a code of choice.

    Its time does not run while it waits for another trial.
    """
    scenario(rounds=20)
    answering("one", 0.002)
    other = ExitStack()
    other.enter_context(machine_lock("another", wait=True))
    threading.Timer(9.0, other.close).start()

    code, out, err = seatrial.verify(
        *arms("one", "one"), "--max-time", "9s", "--inconclusive-exit-code", "33"
    )

    assert (33, "INCONCLUSIVE") == (code, out.split()[0]), err
    assert "--max-time" in out
    assert sound_rounds(only_trial(seatrial))


@pytest.mark.parametrize(
    ("sent", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_interrupted(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
    sent: signal.Signals,
    expected: int,
) -> None:
    """Stopped in a round, it leaves nothing running and keeps the rounds before."""
    scenario(rounds=20)
    answering("one", 0.002)
    process = seatrial.start("verify", *arms("one", "one"))
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("round 2: warm-up"):
            process.send_signal(sent)
            break

    _, err = process.communicate()

    assert expected == process.returncode
    assert "Traceback" not in err
    assert nothing_runs(seatrial)
    trial = only_trial(seatrial)
    assert (trial / "round-01" / "round.json").exists()
    code, out, _ = seatrial("judge", str(trial))
    assert (3, "INCONCLUSIVE") == (code, out.split()[0])
    assert "interrupted" in out


def test_gone_on_with(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
) -> None:
    """A trial that was stopped goes on as it says, with the same builds and no others.

    The rounds that it had count; what it needs besides is played.
    """
    scenario(rounds=3)
    answering("one", 0.002)
    answering("two", 0.002)
    process = seatrial.start("verify", *arms("one", "two"))
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("round 2: warm-up"):
            process.send_signal(signal.SIGINT)
            break
    _, err = process.communicate()
    trial = only_trial(seatrial)
    kept = (trial / "round-01" / "round.json").read_bytes()
    (told,) = (line for line in err.splitlines() if line.startswith("to go on: "))
    again = shlex.split(told.removeprefix("to go on: "))[1:]
    assert again[-2:] == ["--resume", f"trials/{trial.name}"]

    answering("three", 0.003)
    other = [*again, "--candidate", "dir:three"]
    code, _, refused = seatrial(*other, "--wait")
    assert 2 == code, refused
    assert "this is another candidate than the trial's" in refused

    code, out, err = seatrial(*again, "--wait")

    assert (0, "PASS") == (code, out.split()[0]), out + err
    assert [1, 2, 3] == [int(each.name[6:8]) for each in sorted(trial.glob("round-*"))]
    assert kept == (trial / "round-01" / "round.json").read_bytes()
    assert only_trial(seatrial) == trial


def test_interrupted_with_a_machine(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
) -> None:
    """Stopped while another machine sends, it leaves nothing running on either."""
    scenario(rounds=20)
    answering("one", 0.002)
    seatrial.environment["SEATRIAL_TOKEN"] = "only-for-tests"
    crew = ("--machines", "1", "--listen", "127.0.0.1:0")
    process = seatrial.start("verify", *arms("one", "one"), *crew)
    assert process.stderr is not None
    waiting = next(line for line in process.stderr if line.startswith("waiting for 1"))
    machine = seatrial.start("worker", "--join", waiting.split()[-1])
    for line in process.stderr:
        if line.startswith("round 1: warm-up"):
            process.send_signal(signal.SIGTERM)
            break

    process.communicate()
    _, said = machine.communicate(timeout=30)

    assert (143, 0) == (process.returncode, machine.returncode)
    assert said.splitlines()[1:] == ["joined; waiting for work"]
    assert nothing_runs(seatrial)


def test_worker_lost(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
) -> None:
    """A load worker that is killed voids its round, by name; the round is replaced."""
    scenario(slice_="2s")
    answering("one", 0.002)
    process = seatrial.start("verify", *arms("one", "one"))
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("round 1: slice 1/2"):
            break
    time.sleep(0.5)
    workers_of(process)[0].kill()

    out, err = process.communicate()

    assert (0, "PASS") == (process.returncode, out.split()[0]), out + err
    assert "round 1 is void: load worker 1 of 1 of the baseline arm is lost" in err
    assert "killed by SIGKILL" in out
    trial = only_trial(seatrial)
    assert (trial / "round-01.void").exists()
    assert 3 == len(sound_rounds(trial))
    assert nothing_runs(seatrial)


def test_workers_lost_again_and_again(
    seatrial: Seatrial,
    answering: Callable[[str, float], Path],
    scenario: Callable[..., Path],
) -> None:
    """Where every round loses a worker the trial is INVALID and says so."""
    scenario(slice_="2s")
    answering("one", 0.002)
    process = seatrial.start("verify", *arms("one", "one"), "--workers", "2")
    assert process.stderr is not None
    for line in process.stderr:
        if ": warm-up, candidate" in line:
            time.sleep(0.2)
            workers_of(process)[-1].kill()

    out, _ = process.communicate()

    assert (4, "INVALID") == (process.returncode, out.split()[0])
    assert "load worker 2 of 2" in out
    assert nothing_runs(seatrial)


def workers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(process.pid).children()
        if "harness.load.worker" in child.cmdline()
    ]
