from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import get_args

from harness.environment import DRIVERS
from harness.model.scenario import Driver


def test_every_driver_of_a_scenario_is_there() -> None:
    """What a scenario may name can be prepared and run."""
    assert set(DRIVERS) == set(get_args(Driver))
    for module in map(import_module, DRIVERS.values()):
        assert callable(module.prepare)
        assert callable(module.running)


def test_nothing_heavy_is_imported() -> None:
    """Neither docker nor locust is loaded until a driver needs it."""
    program = (
        "import sys, harness.environment, harness.environment.process\n"
        "assert not {'docker', 'locust', 'gevent'} & sys.modules.keys()\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True)
