"""Traffic recorded live: mitmdump stands between the clients and the service."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from harness.capture import import_capture, mitmdump
from harness.capture.destination import scratch
from harness.errors import InputError, RecordingError, SeatrialError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.model.traffic import Recording

__all__ = ["record"]

_PROGRAM: Final = "mitmdump"
_LOG: Final = "log"
_LOG_LINES: Final = 20
_READY_S: Final = 60.0
_PATIENCE_S: Final = 10.0
_STEP_S: Final = 0.05


def record(
    listen: tuple[str, int],
    service: str,
    destination: Path,
    *,
    key: bytes,
    announce: Callable[[str], None],
) -> Recording:
    """Record what passes until Ctrl-C or SIGTERM, and import it.

    What passes is kept as it is in a folder beside the recording, for this user's eyes
    alone, and is gone with it when this returns or raises.

    Args:
        listen: where clients connect, host and port.
        service: where requests go on to, such as `http://127.0.0.1:8000`.
        destination: the recording to write.
        key: redaction key.
        announce: told when requests are taken.

    Raises:
        InputError: mitmdump is not installed, or the destination cannot be written.
        RecordingError: nothing passed, or nothing that can be replayed.
        SeatrialError: mitmdump does not start or ends by itself.
    """
    program = _program()
    with scratch(destination, ()) as folder:
        with _proxy(program, listen, service, folder) as proxy:
            _await_ready(proxy, folder)
            with suppress(KeyboardInterrupt):
                announce(
                    f"recording http://{listen[0]}:{listen[1]} → {service};"
                    " Ctrl-C ends it"
                )
                proxy.wait()
                raise _ended(proxy, folder)
        capture = folder / mitmdump.CAPTURE
        if not capture.exists():
            raise RecordingError(
                "nothing was recorded",
                hint=f"send requests to http://{listen[0]}:{listen[1]}",
            )
        return import_capture([capture], destination, format="gor", key=key)


def _program() -> str:
    beside = Path(sys.executable).parent / _PROGRAM
    found = shutil.which(_PROGRAM) or (str(beside) if beside.exists() else None)
    if found is None:
        raise InputError(
            "to record, mitmdump has to be installed",
            hint="pip install 'seatrial[record]', or pipx install mitmproxy",
        )
    return found


@contextmanager
def _proxy(
    program: str, listen: tuple[str, int], service: str, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Mitmdump; afterwards it has ended."""
    options = {
        "listen_host": listen[0],
        "listen_port": listen[1],
        "keep_host_header": "true",
        "confdir": folder,
    }
    sets = [f"--set={name}={value}" for name, value in options.items()]
    with (folder / _LOG).open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--mode=reverse:{service}",
                "-q",
                *sets,
                "-s",
                mitmdump.__file__,
            ],
            env={**os.environ, mitmdump.FOLDER: str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE_S)
        process.kill()
        process.wait()


def _await_ready(proxy: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while not (folder / mitmdump.READY).exists():
        if proxy.poll() is not None or time.monotonic() > deadline:
            raise _ended(proxy, folder)
        time.sleep(_STEP_S)


def _ended(proxy: subprocess.Popen[bytes], folder: Path) -> SeatrialError:
    """The error for a proxy that should be there and is not."""
    said = (folder / _LOG).read_text(errors="replace").splitlines()[-_LOG_LINES:]
    happened = "is not ready" if proxy.poll() is None else "ended by itself"
    error = SeatrialError(
        f"mitmdump {happened}", hint="is the port of --listen free, and --to a URL?"
    )
    error.log = tuple(said)
    return error
