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
from urllib.parse import urlsplit

from harness.capture import import_capture, mitmdump
from harness.capture.destination import scratch
from harness.capture.secret import NO_RULES
from harness.errors import InputError, RecordingError, SeatrialError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.capture.secret import Rules
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
    rules: Rules = NO_RULES,
    announce: Callable[[str], None],
) -> Recording:
    """Record what passes until Ctrl-C or SIGTERM, and import it.

    What passes is kept as it is in a folder beside the recording, for this user's eyes
    alone, and is gone with it when this returns or raises. Where mitmdump ends before,
    what has passed until then is imported all the same.

    Args:
        listen: where clients connect, host and port.
        service: where requests go on to, such as `http://127.0.0.1:8000`.
        destination: the recording to write.
        key: redaction key.
        rules: what to hide besides, to leave and to remove.
        announce: told when requests are taken.

    Raises:
        InputError: mitmdump is not installed, the service is no URL, or the
            destination cannot be written.
        RecordingError: nothing passed, or nothing that can be replayed.
        SeatrialError: mitmdump does not start or ends by itself.
    """
    _refuse_what_is_no_url(service)
    program, url = _program(), f"http://{listen[0]}:{listen[1]}"
    with scratch(destination, ()) as folder:
        with _proxy(program, listen, service, folder) as proxy:
            _await_ready(proxy, folder)
            with suppress(KeyboardInterrupt):
                announce(f"recording {url} → {service}; Ctrl-C ends it")
                proxy.wait()
            broken = proxy.poll() is not None
        capture, passed = folder / mitmdump.CAPTURE, "nothing had passed before"
        if capture.exists():
            recording = import_capture(
                [capture], destination, format="gor", key=key, rules=rules
            )
            passed = f"what had passed before is in {destination}"
        elif not broken:
            hint = f"send requests to {url}"
            raise RecordingError("nothing was recorded", hint=hint)
        if broken:
            raise _failure(folder, "ended by itself", passed)
        return recording


def _refuse_what_is_no_url(service: str) -> None:
    try:
        parts = urlsplit(service)
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise InputError(
            f"--to {service}: not the URL of a service", hint="as http://127.0.0.1:8000"
        )


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
        "listen_host": listen[0].strip("[]"),
        "listen_port": listen[1],
        "keep_host_header": "true",
        "http2": "false",
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
    hint = "is the port of --listen free, and --to a URL?"
    while not (folder / mitmdump.READY).exists():
        if proxy.poll() is not None:
            raise _failure(folder, "ended by itself", hint)
        if time.monotonic() > deadline:
            raise _failure(folder, f"is not ready after {_READY_S:.0f} s", hint)
        time.sleep(_STEP_S)


def _failure(folder: Path, what: str, hint: str) -> SeatrialError:
    """The error of mitmdump, with its last words."""
    error = SeatrialError(f"mitmdump {what}", hint=hint)
    said = (folder / _LOG).read_text(errors="replace").splitlines()
    error.log = tuple(said[-_LOG_LINES:])
    return error
