"""The shell steps of `action.yml`, run as a runner runs them; the API is our own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.end_to_end.conftest import record
from tests.test_github import Api, api

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.end_to_end.conftest import Seatrial

__all__ = ["api"]

ACTION = Path(__file__).parents[2] / "action.yml"
SCENARIO = """\
name: small_one
recording: small.parquet
service: {command: [python, serve.py], ready: /, ready_timeout: 5s}
load: {users: 30}
rounds: {min: 3, max: 3, slice: 500ms, slices: 2, warmup: 500ms, ramp: 0s}
budgets:
  errors: 1%
  goodput: 80%
  memory: {level: 900% or 256MiB}
  cpu: 900%
  latency: {p50: 900% or 1s}
  routes: {p95: 900% or 1s}
"""


class Runner:
    """Runs the action's shell steps but the one that installs what is here already."""

    def __init__(self, home: Path, **inputs: str) -> None:
        action = yaml.safe_load(ACTION.read_text())
        given = {
            name: each.get("default", "") for name, each in action["inputs"].items()
        }
        self._known = {
            f"inputs.{name}": each for name, each in (given | inputs).items()
        }
        self._known |= {"runner.temp": str(home / "temp"), "github.token": "t"}
        self._steps = [each for each in action["runs"]["steps"] if "run" in each][1:]
        self._home = home
        self.outputs: dict[str, str] = {}
        self.codes: dict[str, int] = {}
        self.said = ""
        (home / "temp").mkdir(exist_ok=True)
        with suppress(FileExistsError):
            (home / "temp" / "seatrial").symlink_to(sys.prefix)

    @property
    def summary(self) -> str:
        return (self._home / "summary").read_text()

    def run(self, **environ: str) -> int:
        """The exit code of the job."""
        for step in self._steps:
            if self._is_due(step):
                self.codes[step["name"]] = self._run(step, environ)
        return self.codes["verdict"]

    def step(self, name: str, **environ: str) -> int:
        """The exit code of one step."""
        (step,) = (each for each in self._steps if each["name"] == name)
        return self._run(step, environ)

    def _run(self, step: dict[str, Any], environ: dict[str, str]) -> int:
        output = self._home / "output"
        output.write_text("")
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", step["run"]],
            env={
                **os.environ,
                **environ,
                "GITHUB_OUTPUT": str(output),
                "GITHUB_STEP_SUMMARY": str(self._home / "summary"),
                "RUNNER_TEMP": self._known["runner.temp"],
                **{name: self._filled(each) for name, each in step["env"].items()},
            },
            cwd=self._home,
            capture_output=True,
            text=True,
            check=False,
        )
        self.said += done.stdout + done.stderr
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            self.outputs[name] = value
            self._known[f"steps.{step.get('id')}.outputs.{name}"] = value
        return done.returncode

    def _filled(self, text: str) -> str:
        """With what its expressions stand for; each is the name of a value."""
        return re.sub(
            r"\$\{\{ ([\w.-]+) \}\}", lambda name: self._known.get(name[1], ""), text
        )

    def _is_due(self, step: dict[str, Any]) -> bool:
        needs = re.findall(r"(steps[\w.-]+) != ''", step.get("if", ""))
        wanted = "inputs.comment" not in step.get("if", "") or (
            self._known["inputs.comment"] == "true"
        )
        return wanted and all(self._known.get(name) for name in needs)


@pytest.fixture
def home(seatrial: Seatrial, answering: Callable[[str, float], Path]) -> Path:
    """A workspace with a scenario and two equal builds, in a pull request."""
    record(seatrial.directory)
    answering("one", 0.002)
    answering("two", 0.002)
    (seatrial.directory / "s.yaml").write_text(SCENARIO)
    event = {"pull_request": {"number": 7}}
    (seatrial.directory / "event.json").write_text(json.dumps(event))
    return seatrial.directory


def environ(home: Path, api: Api) -> dict[str, str]:
    return {
        "GITHUB_EVENT_PATH": str(home / "event.json"),
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_API_URL": api.url,
    }


ARMS = "--baseline dir:one --candidate dir:two --wait"


def test_a_gate(home: Path, api: Api) -> None:
    """Verdict first in summary and comment; the next run edits it, whoever refuses.

    The job ends as the verdict says, also where the comment fails.
    """
    runner = Runner(home, scenario="s.yaml", options=ARMS)

    assert runner.run(**environ(home, api)) == 0, runner.said

    (comment,) = api.comments.values()
    assert runner.outputs["verdict"] == "PASS"
    assert runner.summary == comment["body"]
    assert comment["body"].startswith("# PASS: small\\_one\n")
    assert comment["body"].endswith("<!-- seatrial: small_one -->\n")
    assert (Path(runner.outputs["directory"]) / "report.html").exists()

    api.refusals["PATCH"] = [(403, {}, {"message": "Resource not accessible"})]
    again = Runner(home, scenario="s.yaml", options=ARMS)
    again._known |= {
        f"steps.verify.outputs.{name}": each for name, each in runner.outputs.items()
    }
    again._steps = [each for each in again._steps if each.get("id") is None]
    assert again.run(**environ(home, api)) == 0
    assert again.codes["comment"] == 4
    assert "403: Resource not accessible" in again.said


def test_nothing_to_measure(home: Path, api: Api) -> None:
    """Wrong input ends the job with its own code, and nobody is bothered."""
    runner = Runner(home, scenario="nowhere.yaml", options=ARMS)

    assert runner.run(**environ(home, api)) == 2

    assert "nowhere.yaml: there is no such file" in runner.said
    assert (runner.outputs["exit-code"], runner.outputs["directory"]) == ("2", "")
    assert api.asked == []


@pytest.mark.parametrize("option", ["--out here", "--out=here"])
def test_a_place_of_ones_own(home: Path, api: Api, option: str) -> None:
    """A trial that no step would find is refused before it begins."""
    runner = Runner(home, scenario="s.yaml", options=f"{ARMS} {option}")

    assert runner.run(**environ(home, api)) == 2

    assert "::error::options: --out is the action's own" in runner.said
    assert not (home / "here").exists()


@pytest.fixture
def branches(tmp_path: Path) -> dict[str, str]:
    """A checkout of a change; by remote branch, the commit at which it left that."""

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        done = subprocess.run(
            ["git", *identity, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    git("init", "-q", "-b", "main")
    commits = {}
    for branch in ("main", "release"):
        git("commit", "-q", "--allow-empty", "-m", branch)
        commits[branch] = git("rev-parse", "HEAD")
        git("update-ref", f"refs/remotes/origin/{branch}", "HEAD")
    git("commit", "-q", "--allow-empty", "-m", "change")
    (tmp_path / "s.yaml").write_text(SCENARIO)
    built = SCENARIO.replace("command: [python, serve.py]", "build: {context: .}")
    (tmp_path / "built.yaml").write_text(built)
    (tmp_path / "image.yaml").write_text(
        SCENARIO.replace("command: [python, serve.py]", "image: shop:1")
    )
    return commits


@pytest.mark.parametrize(
    ("inputs", "environ", "branch", "cached"),
    [
        ({}, {}, "main", "true"),
        ({}, {"GITHUB_BASE_REF": "release"}, "release", "true"),
        ({"scenario": "s.yaml"}, {}, "main", "false"),
        ({"scenario": "s.yaml"}, {"GITHUB_BASE_REF": "release"}, "release", "false"),
        ({"cache-baseline": "false"}, {}, "main", "false"),
        ({"options": "--build-arg A=b"}, {}, "main", "false"),
        ({}, {"SEATRIAL_BUILD_ARG": "A=b"}, "main", "false"),
        ({"baseline": "git:v1"}, {}, "", "false"),
        ({}, {"SEATRIAL_BASELINE": "git:v1"}, "", "false"),
        ({"options": "--baseline git:v1"}, {}, "", "false"),
        ({"scenario": "image.yaml"}, {}, "", "false"),
        ({"scenario": "nowhere.yaml"}, {}, "", "false"),
    ],
)
def test_which_baseline(
    tmp_path: Path,
    branches: dict[str, str],
    *,
    inputs: dict[str, str],
    environ: dict[str, str],
    branch: str,
    cached: str,
) -> None:
    """The commit at which the change left its base; its image is kept for a day.

    Of a baseline that was named, and of what is no image, none is kept.
    """
    runner = Runner(tmp_path, **{"scenario": "built.yaml", **inputs})
    unset = {"SEATRIAL_BUILD_ARG": "", "GITHUB_BASE_REF": ""}

    assert runner.step("which baseline", **{**unset, **environ}) == 0

    assert runner.outputs["commit"] == branches.get(branch, ""), runner.said
    assert runner.outputs["cached"] == cached
    assert re.match(r"\d{4}-\d\d-\d\d-[0-9a-f]{12}$", runner.outputs["key"])


def test_every_input_is_used() -> None:
    """And each output comes from a step that gives it; all of them are explained."""
    text = ACTION.read_text()
    action = yaml.safe_load(text)

    for name, each in action["inputs"].items():
        assert f"inputs.{name}" in text
        assert each["description"]
    for each in action["outputs"].values():
        assert each["description"]
        name = each["value"].rpartition(".")[2].removesuffix(" }}")
        assert f"{name}=" in text
