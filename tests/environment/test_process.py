from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from harness.environment import (
    Order,
    machine_lock,
    prepare,
    process,
    readiness,
    running,
)
from harness.environment.reference import Kind, Reference
from harness.errors import BuildError, InputError
from harness.model.result import Arm
from harness.model.scenario import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.environment import Target

_SERVICE = """\
import http.server, json, os, signal, subprocess, sys, tempfile
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/exit":
            os._exit(5)
        answer = json.dumps({
            "cwd": os.getcwd(), "tmp": tempfile.gettempdir(), "pid": os.getpid(),
            "a": os.environ.get("A"), "cores": sorted(os.sched_getaffinity(0)),
            "python": sys.executable, "children": CHILDREN,
            "state": os.path.exists("state") and open("state").read(),
        }).encode()
        self.send_response(503 if self.path == "/deaf" else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *_): pass
CHILDREN = []
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for apart in (False, True):
        child = [sys.executable, "-c", "import signal\\nsignal.signal(15, 1)\\n"
                 "print('up', flush=True)\\nsignal.pause()"]
        kept = subprocess.Popen(child, start_new_session=apart, stdout=subprocess.PIPE)
        kept.stdout.readline()
        CHILDREN.append(kept.pid)
print("listening soon", flush=True)
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler)
server.serve_forever()
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with a service in it."""
    directory = tmp_path / "tree"
    directory.mkdir()
    (directory / "service.py").write_text(_SERVICE)
    return directory


def _order(tree: Path, kind: Kind = Kind.DIR, **service: Any) -> Order:
    return Order(
        reference=Reference(kind=kind, value=str(tree), text=f"{kind}:tree"),
        service=Service.model_validate({"driver": "process", **service}),
        arm=Arm.BASELINE,
        trial=f"test-{os.getpid()}",
        name="test",
        scenario_dir=tree,
        build_args={},
    )


@contextmanager
def _up(
    tree: Path, *arguments: str, cores: tuple[int, ...] = (), **service: Any
) -> Iterator[Target]:
    terms = {"command": ["python", "service.py", *arguments], **service}
    with (
        prepare(_order(tree, **terms), lambda _: None) as build,
        running(build, directory=tree.parent / "out", cores=cores) as target,
    ):
        yield target


def _get(target: Target, path: str = "/") -> dict[str, Any]:
    url = f"http://{target.host}:{target.port}{path}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


def _lives(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


def test_the_command_runs_in_its_tree(tree: Path) -> None:
    """It runs in the tree with its environment, and is gone afterwards."""
    with _up(tree, env={"A": "b"}) as target:
        told = _get(target)
        assert target.died() == ""
        assert target.log_tail(3) == ("listening soon",)

    assert (told["cwd"], told["a"]) == (str(tree), "b")
    assert not _lives(told["pid"])
    log = tree.parent / "out" / "logs.txt"
    assert log.read_text() == "listening soon\n"


def test_python_is_our_own(tree: Path) -> None:
    """`python` is the interpreter that runs Seatrial, with its packages."""
    with _up(tree) as target:
        assert _get(target)["python"] == sys.executable


def test_temporary_files_are_its_own(tree: Path) -> None:
    """Each run has a directory for temporary files that does not outlive it."""
    with _up(tree) as one, _up(tree) as two:
        directories = {_get(one)["tmp"], _get(two)["tmp"]}
        assert all(Path(directory).is_dir() for directory in directories)

    assert len(directories) == 2
    assert not any(Path(directory).exists() for directory in directories)


def test_cores(tree: Path) -> None:
    """It runs on the given cores; we ourselves keep ours."""
    before = os.sched_getaffinity(0)
    core = max(before)
    with _up(tree, cores=(core,)) as target:
        assert _get(target)["cores"] == [core]
        assert target.unpinned == ""
        assert os.sched_getaffinity(0) == before


def test_cores_that_cannot_be_had(tree: Path) -> None:
    """Without the core it runs unbound and says why."""
    with _up(tree, cores=(4000,)) as target:
        assert _get(target)["cores"] == sorted(os.sched_getaffinity(0))
        assert "4000" in target.unpinned


def test_usage(tree: Path) -> None:
    """Its memory is seen while it lives, and the last reading stays."""
    with _up(tree) as target:
        assert target.usage is not None
        assert target.usage.read().anonymous_bytes > 1 << 20
    last = target.usage.read()

    assert last == target.usage.readings[-1]


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, ValueError])
def test_ended_whatever_happens(tree: Path, interrupt: type[BaseException]) -> None:
    """Ctrl-C, SIGTERM as the command raises it, and errors end it."""
    told: dict[str, Any] = {}
    with pytest.raises(interrupt), _up(tree) as target:  # noqa: PT012 - the body raises
        told = _get(target)
        raise interrupt

    assert not _lives(told["pid"])


def test_the_stubborn_and_the_runaway(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ignores SIGTERM is killed, with its children, even in other sessions."""
    monkeypatch.setattr(process, "_PATIENCE_S", 0.1)
    with _up(tree, "stubborn") as target:
        told = _get(target)
        assert all(map(_lives, told["children"]))

    assert not any(map(_lives, [told["pid"], *told["children"]]))
    assert len(told["children"]) == 2


def test_dead_while_it_should_serve(tree: Path) -> None:
    """A service that ends during a round is said to have ended, and how."""
    with _up(tree) as target:
        with pytest.raises(OSError, match="closed connection"):
            _get(target, "/exit")
        while not target.died():
            pass

        assert target.died() == "exited with 5"


def test_killed_by_a_signal(tree: Path) -> None:
    """A killed service is told by its signal."""
    with _up(tree) as target:
        os.kill(_get(target)["pid"], signal.SIGKILL)
        while not target.died():
            pass

        assert target.died() == "was killed by signal 9"


def test_ended_before_it_was_ready(tree: Path) -> None:
    """An early end is told at once, with the exit code and the last words."""
    command = ["python", "-c", "print('no database'); raise SystemExit(3)"]

    with pytest.raises(BuildError, match=r"dir:tree.* exited with 3") as caught:
        _up(tree, command=command, ready_timeout="10m").__enter__()
    assert caught.value.log == ("no database",)


def test_never_ready(tree: Path) -> None:
    """The deadline's message has the last answer, and the log goes with it."""
    with pytest.raises(BuildError, match=r"within 0\.3 s.*status 503") as caught:
        _up(tree, ready="/deaf", ready_timeout="300ms").__enter__()
    assert caught.value.log == ("listening soon",)


def test_a_command_that_is_not_there(tree: Path) -> None:
    """A missing program is named with the place it was started in."""
    with pytest.raises(
        BuildError, match=r"cannot start './nosuch' in .*: No such file"
    ):
        _up(tree, command=["./nosuch"]).__enter__()


def test_setup_comes_first(tree: Path) -> None:
    """Setup has run to its end, in the same place, before the service starts."""
    setup = ["python", "-c", "open('state', 'w').write('migrated')"]
    with _up(tree, setup=setup) as target:
        assert _get(target)["state"] == "migrated"


def test_setup_that_fails(tree: Path) -> None:
    """A failing setup stops the round with its output."""
    setup = ["python", "-c", "print('no table'); raise SystemExit(4)"]

    with pytest.raises(BuildError, match=r"setup .* exited with 4") as caught:
        _up(tree, setup=setup).__enter__()
    assert caught.value.log == ("no table",)


def test_setup_that_hangs(tree: Path) -> None:
    """A setup that does not end is ended at the deadline, and the round with it."""
    stuck = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"

    with pytest.raises(BuildError, match=r"setup .* did not end within 1 s") as caught:
        _up(tree, setup=["python", "-c", stuck], ready_timeout="1s").__enter__()
    (pid,) = caught.value.log
    assert not _lives(int(pid))
    assert "ready_timeout" in caught.value.hint


def test_our_own_options_stay_ours(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The redaction key is not in the service's environment, unless it is given."""
    monkeypatch.setenv("SEATRIAL_REDACTION_KEY", "secret")
    setup = [
        "python",
        "-c",
        "import os; open('state', 'w').write(str(os.getenv('SEATRIAL_REDACTION_KEY')))",
    ]
    with _up(tree, setup=setup) as target:
        assert _get(target)["state"] == "None"
    with _up(tree, setup=setup, env={"SEATRIAL_REDACTION_KEY": "k"}) as target:
        assert _get(target)["state"] == "k"


def test_a_port_taken_in_between(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If another program takes the chosen port, the service starts on a new one."""
    monkeypatch.setattr(readiness, "_ANSWER_S", 0.2)
    free = process._free_port
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1], free()])
        monkeypatch.setattr(process, "_free_port", lambda: next(ports))
        with _up(tree) as target:
            assert target.port != taken.getsockname()[1]
            assert _get(target)["cwd"] == str(tree)


def test_images_do_not_run_as_processes(tree: Path) -> None:
    """An image reference is refused, with what to give instead."""
    order = _order(tree, Kind.IMAGE, command=["a"])
    with pytest.raises(InputError, match="image:tree: an image cannot run"):
        prepare(order, lambda _: None).__enter__()


def test_leftovers_are_those_of_other_trials(tree: Path) -> None:
    """Marked processes of other trials are killed; one's own and strangers are not."""
    own_trial = f"test-{os.getpid()}"
    mark = {process._TRIAL_MARK: f"{own_trial}-dead"}
    with (
        machine_lock(own_trial, wait=True),
        subprocess.Popen(["sleep", "60"], env=mark) as dead,
        subprocess.Popen(["sleep", "60"]) as stranger,
        _up(tree) as own,
    ):
        try:
            removed = process.remove_leftovers(own_trial)

            assert f"process {dead.pid} of an earlier trial" in removed
            assert not _lives(dead.pid)
            assert _lives(stranger.pid)
            assert own.died() == ""
        finally:
            dead.kill()
            stranger.kill()
