"""`calibration-NAME.json`: what a machine can see of a scenario."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from pydantic import TypeAdapter

from harness.model.calibration import Calibration
from harness.model.shape import Shape
from harness.store.disk import reading, write_text
from harness.store.document import Document

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model.scenario import Scenario

__all__ = ["calibration_path", "read_calibration", "terms_digest", "write_calibration"]

_CALIBRATION: Final = Document(
    content=TypeAdapter(Calibration), remedy="`seatrial calibrate` writes it anew"
)


def calibration_path(parent: Path, scenario: str) -> Path:
    """Where the calibration of a scenario is, beside its trials."""
    return parent / f"calibration-{scenario}.json"


def terms_digest(scenario: Scenario, recording_digest: str) -> str:
    """Digest of what makes trials of a scenario comparable.

    Its service, load, sessions, rounds and budgets, the recording, and the files that
    the load names, by content and not by place; not what is held out, which is sent and
    judged all the same.
    """
    parts = scenario.model_dump(
        mode="json",
        include={"service", "load", "rounds", "budgets"},
        exclude={"load": {"held_out"}},
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
    write_text(path, _CALIBRATION.text(calibration))


def read_calibration(path: Path) -> Calibration | None:
    """Read a calibration; `None` where there is none.

    Raises:
        ComparisonError: the file is broken or of a newer version.
    """
    if not path.exists():
        return None
    with reading(path, remedy=_CALIBRATION.remedy):
        text = path.read_text(encoding="utf-8")
    return _CALIBRATION.read(text, path)
