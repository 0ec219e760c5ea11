"""What this computer is: its CPU, memory, system and versions, for who reads its joules elsewhere."""

from __future__ import annotations

import platform
from pathlib import Path

from greennb import __version__
from greennb.model.machine import Machine
from greennb.sources.cpu_facts import read_facts
from greennb.sources.machine import memory_total_b


def computer(host: str, root: Path = Path("/")) -> Machine:
    """This computer, called ``host``; /proc and /sys hang on ``root``. Takes a millisecond."""
    facts = read_facts(root)
    return Machine(
        host=host,
        cpu=facts.name,
        cpus=facts.cpus,
        memory_b=memory_total_b(root),
        system=f"{platform.system()} {platform.release()}".strip(),
        python=platform.python_version(),
        greennb=__version__,
    )
