"""What the advisor's observer sees of the rig's virtual NVIDIA boards while a cell runs, in a process that sees them.

``python -m tests.rig.boards SECONDS IDLE`` is that process: it runs one cell after an idle one, and prints what was
seen as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from greennb.advisor.advise import Advisor
from greennb.advisor.observe.machine.boards import BoardWatch
from greennb.advisor.observe.machine.observer import MachineObserver
from greennb.advisor.signals.cell import CellContext
from greennb.advisor.signals.record import from_dict, to_dict
from greennb.runtime import Runtime
from greennb.settings import Settings
from tests.rig.nvml import NvmlRig

CELL = """import time

began = time.perf_counter()
while time.perf_counter() - began < {seconds}:
    sum(range(1000))
"""


def seen(rig: NvmlRig, *, seconds: float = 1.2, idle_s: float = 0.0) -> CellContext:
    """A cell of so many seconds of real work, ``idle_s`` after the one before it, beside the rig's boards."""
    command = [sys.executable, "-m", "tests.rig.boards", str(seconds), str(idle_s)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, env=rig.environ(), cwd=root, stdout=subprocess.PIPE, timeout=120, check=True)
    return from_dict(json.loads(done.stdout))


def main(seconds: float, idle_s: float) -> None:
    """Run the cells under the observer. The boards are looked at ten times a second, to be done sooner."""
    runtime = Runtime(Settings(ledger="off"))
    observer = MachineObserver(lambda: runtime.meter)
    observer._boards = BoardWatch(first_s=0.1, period_s=0.1, idle_s=max(idle_s, 0.01))
    namespace: dict[str, Any] = {}
    said: list[str] = []
    advisor = Advisor([observer], namespace=namespace, say=said.append)
    advisor.install()
    context = None
    for source, pause_s in (("", idle_s), (CELL.format(seconds=seconds), 0.0)):
        window = runtime.open("cell")
        advisor.begin()
        exec(compile(source, "<cell>", "exec"), namespace)
        window.close()
        context = advisor.end(source=source, cell_id="cell", execution_count=1, measure=lambda kept=window: kept.result)
        time.sleep(pause_s)
    advisor.remove()
    assert not said, said
    assert context is not None
    print(json.dumps(to_dict(advisor.cells[-1])))


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]))
