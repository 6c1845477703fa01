"""`calibration-NAME.json`: what a machine can see of a scenario."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from harness.errors import ComparisonError
from harness.model.calibration import Calibration
from harness.model.shape import Shape
from harness.store.disk import reading
from harness.store.trial import write_text

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model.scenario import Scenario

__all__ = ["calibration_path", "read_calibration", "terms_digest", "write_calibration"]

_SCHEMA: Final = 1
_CALIBRATION: Final = TypeAdapter(Calibration)
_KEY: Final = "schema"


def calibration_path(parent: Path, scenario: str) -> Path:
    """Where the calibration of a scenario is, beside its trials."""
    return parent / f"calibration-{scenario}.json"


def terms_digest(scenario: Scenario, recording_digest: str) -> str:
    """Digest of what makes trials of a scenario comparable.

    Its service, load, sessions, rounds and budgets, the recording, and the files that
    the load names, by content and not by place.
    """
    parts = scenario.model_dump(
        mode="json", include={"service", "load", "rounds", "budgets"}
    )
    if scenario.extract or scenario.session.login:
        parts |= scenario.model_dump(mode="json", include={"session", "extract"})
    load = scenario.load
    if load.locustfile is not None:
        parts["load"]["locustfile"] = _digest(load.locustfile)
    if isinstance(load.shape, Shape) and load.shape.csv is not None:
        parts["load"]["shape"]["csv"] = _digest(load.shape.csv)
    text = json.dumps([parts, recording_digest], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(path: Path) -> str:
    with reading(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write or replace a calibration."""
    content = _CALIBRATION.dump_python(calibration, mode="json")
    write_text(path, json.dumps({_KEY: _SCHEMA, **content}, indent=2) + "\n")


def read_calibration(path: Path) -> Calibration | None:
    """Read a calibration; `None` where there is none.

    Raises:
        ComparisonError: the file is broken or of a newer version.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _broken(path, f"cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"broken: {error}") from error
    _refuse_newer(path, document)
    try:
        return _CALIBRATION.validate_python(
            {key: value for key, value in document.items() if key != _KEY}
        )
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the document"
        raise _broken(path, f"{field}: {first['msg']}") from error


def _refuse_newer(path: Path, document: Any) -> None:
    schema = document.get(_KEY) if isinstance(document, dict) else None
    if type(schema) is not int:
        raise _broken(path, f"{_KEY}: not a version")
    if schema > _SCHEMA:
        raise ComparisonError(
            f"{path}: written by a newer Seatrial ({_KEY} {schema})",
            hint="use that version, or move the file away",
        )


def _broken(path: Path, message: str) -> ComparisonError:
    return ComparisonError(
        f"{path}: {message}", hint="`seatrial calibrate` writes it anew"
    )
