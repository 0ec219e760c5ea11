"""Which process of a host meters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from greennb.cluster.host import HostLock, boot_id

HOLD = """
import sys, time
from pathlib import Path
from greennb.cluster.host import HostLock
lock = HostLock(["package-0"], Path(sys.argv[1]))
print(lock.take(), flush=True)
time.sleep(60)
"""


def test_one_process_has_it_until_it_is_killed(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "True"
        lock = HostLock(["package-0"], tmp_path)
        assert not lock.take()
        assert not lock.held
        other.kill()
        other.wait(timeout=10)
        assert lock.take()
        lock.give()
        assert not lock.held
    finally:
        other.kill()
        other.wait(timeout=10)
        assert other.stdout is not None
        other.stdout.close()


def test_other_devices_are_another_lock(tmp_path: Path) -> None:
    one, other = HostLock(["gpu-0"], tmp_path), HostLock(["gpu-1"], tmp_path)
    assert one.take()
    assert other.take()
    one.give()
    other.give()


def test_where_no_lock_can_be_made_everybody_meters(tmp_path: Path) -> None:
    """Better metered twice and counted once than not at all."""
    one, other = (HostLock([], tmp_path / "missing") for _ in range(2))
    assert one.take()
    assert other.take()
    one.give()
    other.give()


def test_this_machine_has_a_name() -> None:
    assert boot_id()
    assert boot_id() == boot_id()
