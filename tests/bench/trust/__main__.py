"""How far the verdict can be trusted, on real containers: see `tests.bench.trust`.

Plays trials of the shop until the hours are over, keeps them in a directory, and prints
what all that are kept there come to. `--hours 0` only reports.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.demo import builds_of
from harness.errors import SeatrialError
from harness.model.result import Arm
from harness.progress import progress
from harness.store.recording import open_recording
from harness.trial import Terms
from tests.bench.trust import study
from tests.bench.trust.course import Course, here, key, trials
from tests.bench.trust.table import document, markdown, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.compare.calibration import Circumstances
    from tests.bench.trust.stored import Played

_INTERRUPTED = 130


def main() -> int:
    """Play, then report what there is; 130 interrupted, 4 where nothing can be run."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    arguments = _parser().parse_args()
    build_args = os.environ.get("SEATRIAL_BUILD_ARG", "").split()
    code = 0
    with builds_of("") as (shop, references):
        recording = open_recording(shop / "shop.parquet")
        now = here(recording)
        parent = arguments.out / key(now, Path(references[Arm.BASELINE].value))
        terms = Terms(
            scenario=study.scenario(study.SAME),
            recording=recording,
            references=references,
            scenario_dir=shop,
            parent=parent,
            build_args=dict(each.split("=", 1) for each in build_args),
            max_time_s=arguments.hours * 3600,
            wait=True,
            announce=progress.announce,
        )
        try:
            Course(terms=terms).play()
        except KeyboardInterrupt:
            code = _INTERRUPTED
        except SeatrialError as error:
            progress.say(str(error))
            code = error.exit_code
    played = list(trials(parent))
    about = _about(played, now, arguments.hours)
    print(text(played, about))
    if arguments.markdown:
        arguments.markdown.write_text(markdown(played, about))
    if arguments.json:
        figures = document(played, about)
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, required=True, help="no trial after it")
    parser.add_argument("--out", type=Path, default=Path("trials", "trust"))
    parser.add_argument("--json", type=Path, help="every figure and every trial")
    parser.add_argument("--markdown", type=Path, help="a fragment for the README")
    return parser


def _about(
    played: Sequence[Played], now: Circumstances, hours: float
) -> tuple[str, ...]:
    """When, where and how."""
    days = sorted({each.day for each in played}) or [now.day]
    taken = sum(each.minutes for each in played) / 60
    return (
        f"`python -m tests.bench.trust --hours {hours:g}`",
        " to ".join(dict.fromkeys((days[0], days[-1]))),
        now.machine.words,
        f"{len(played)} trials, {taken:.1f} hours",
    )


if __name__ == "__main__":
    sys.exit(main())
