"""What a computer says of itself, from recorded files; what it does not say is missing, not made up."""

from __future__ import annotations

import platform

from greennb import __version__
from greennb.sources.computer import computer


def test_a_computer_tells_its_processor_memory_and_versions(tmp_path):
    """Two processors, 8 GB."""
    (tmp_path / "proc").mkdir()
    block = "processor\t: {}\nmodel name\t: A CPU @ 2.0GHz\nphysical id\t: 0\n\n"
    (tmp_path / "proc/cpuinfo").write_text(block.format(0) + block.format(1))
    (tmp_path / "proc/meminfo").write_text("MemTotal: 8000000 kB\nMemFree: 1 kB\nMemAvailable: 1 kB\n")
    told = computer("bench", tmp_path)
    assert (told.host, told.cpu, told.cpus, told.memory_b) == ("bench", "A CPU @ 2.0GHz", 2, 8_192_000_000)
    assert (told.python, told.greennb, told.recorded) == (platform.python_version(), __version__, False)
    assert told.system.startswith(platform.system())


def test_this_computer_tells_something():
    told = computer("here")
    assert told.cpus >= 1
    assert told.memory_b is None or told.memory_b > 2**20
