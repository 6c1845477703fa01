import os
import threading
from pathlib import Path

import pytest

from harness.environment.proc import held, network

DEV = """\
Inter-|   Receive                    |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets
    lo:     100       1    0    0    0     0          0         0      100       1
  eth0:      70       1    0    0    0     0          0         0       30       1
  eth1:       7       1    0    0    0     0          0         0        3       1
"""


def test_open_files_and_threads() -> None:
    """Of this process: what is opened or started counts at once."""
    before = held([os.getpid()])
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    files = [Path("/dev/null").open() for _ in range(7)]  # noqa: SIM115 - it is closed below
    after = held([os.getpid()])
    end.set()
    thread.join()
    for file in files:
        file.close()

    assert (7, 1) == tuple(after[n] - before[n] for n in ("descriptors", "threads"))
    assert min(after.values()) >= 0


def test_a_process_that_is_gone() -> None:
    """It is left out; where none is left, nothing is known."""
    assert held([os.getpid(), 2**22 + 1])["threads"] == held([os.getpid()])["threads"]
    assert {-1} == {*held([2**22 + 1]).values()} == {*held([]).values()}


def process(root: Path, name: str, net: str, dev: str = DEV) -> None:
    (root / name / "ns").mkdir(parents=True)
    (root / name / "net").mkdir()
    (root / name / "ns/net").symlink_to(net)
    (root / name / "net/sockstat").write_text("sockets: used 34\nTCP: inuse 3\n")
    (root / name / "net/dev").write_text(dev)


def test_network(tmp_path: Path) -> None:
    """Sockets and bytes are those of the process's own network, loopback left out."""
    process(tmp_path, "self", "net:[1]")
    process(tmp_path, "7", "net:[2]")

    assert {"sockets": 34, "received_bytes": 77, "sent_bytes": 33} == network(
        7, root=tmp_path
    )


@pytest.mark.parametrize("pid", [7, 8])
def test_a_network_that_others_use(tmp_path: Path, pid: int) -> None:
    """What cannot be told apart, or seen, is not measured."""
    process(tmp_path, "self", "net:[1]")
    process(tmp_path, "7", "net:[1]")

    assert {-1} == {*network(pid, root=tmp_path).values()}
    assert {-1} == {*network(os.getpid()).values()}


def test_what_is_not_as_expected(tmp_path: Path) -> None:
    """A file of another form is not measured, and no error."""
    process(tmp_path, "self", "net:[1]")
    process(tmp_path, "7", "net:[2]", dev="a\nb\n eth0: x y\n")

    assert {-1} == {*network(7, root=tmp_path).values()}


def test_a_process_whose_disk_is_hidden(tmp_path: Path) -> None:
    """Files and threads are counted all the same."""
    for name in ("fd", "task/7"):
        (tmp_path / "7" / name).mkdir(parents=True)
    (tmp_path / "7/fd/0").touch()

    found = held([7], root=tmp_path)

    assert (-1, -1) == (found["read_bytes"], found["written_bytes"])
    assert found["threads"] == 1
