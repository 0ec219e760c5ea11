"""Whose work on a GPU it was: the real pynvml, on the stub library that serves boards with processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from greennb.sources import gpu_share
from tests.rig.nvml import Gpu, NvmlRig

ASK = """
import json, os, sys
from greennb.sources import gpu_share, nvml
source = nvml.probe("rig").source
others, seen, since_ns = json.loads(sys.argv[1])
pids = frozenset({os.getpid(), *others})
share = gpu_share.own_share(source._nvml, source._handles[0], pids, since_ns, sees_all=seen)
asked = source.own_share(0, pids, since_ns)
assert asked == share or asked == gpu_share.HIDDEN or not seen, (asked, share)
print(json.dumps([share, source.at_work(0)]))
"""
US, CHILD, OTHER = 0, 4_000_001, 4_000_002


@pytest.fixture
def ask(nvml_library: Path, tmp_path: Path) -> Any:
    def asked(gpu: Gpu, *, sees_all: bool = True, since_ns: int = 0) -> tuple[float | str, bool | None]:
        rig = NvmlRig(tmp_path, nvml_library, [gpu])
        what = json.dumps([[CHILD], sees_all, since_ns])
        ran = subprocess.run(
            [sys.executable, "-c", ASK, what], env=rig.environ(), capture_output=True, text=True, check=True
        )
        share, at_work = json.loads(ran.stdout)
        return share, at_work

    return asked


def process(pid: int, sm: int) -> tuple[int, int, int, int]:
    return pid, 1 << 30, sm, 0


@pytest.mark.parametrize(
    ("processes", "share"),
    [
        ((process(US, 90),), 1.0),
        ((process(US, 0),), 1.0),
        ((process(US, 30), process(CHILD, 20)), 1.0),
        ((process(US, 30), process(OTHER, 30)), 0.5),
        ((process(US, 15), process(CHILD, 15), process(OTHER, 90)), 0.25),
        ((process(US, 50), process(OTHER, 0)), 1.0),
        ((process(OTHER, 80),), 0.0),
        ((), 0.0),
    ],
    ids=["alone", "alone, between samples", "with a child", "halves", "a child and another", "one that only waits",
         "somebody else's", "nobody"],
)  # fmt: skip
def test_the_share_goes_by_who_was_there_and_how_much_they_worked(ask: Any, processes: Any, share: float) -> None:
    assert ask(Gpu(processes=processes))[0] == pytest.approx(share)


@pytest.mark.parametrize("processes", [(), (process(OTHER, 80),)], ids=["none listed", "the host's PIDs"])
def test_in_a_containers_pid_namespace_nothing_is_told(ask: Any, processes: Any) -> None:
    """Who does not see itself may be one of them all the same."""
    assert ask(Gpu(processes=processes), sees_all=False)[0] == gpu_share.HIDDEN


def test_who_sees_itself_in_a_namespace_is_told(ask: Any) -> None:
    assert ask(Gpu(processes=(process(US, 30), process(OTHER, 30))), sees_all=False)[0] == pytest.approx(0.5)


def test_a_window_without_a_sample_has_a_share_only_where_we_are_alone(ask: Any) -> None:
    """NVML has no sample newer than the window: who worked since is not known, unless there is nobody else."""
    later_ns = time.time_ns() + 3_600_000_000_000
    assert ask(Gpu(processes=(process(US, 30), process(OTHER, 30))), since_ns=later_ns)[0] == gpu_share.UNSEEN
    assert ask(Gpu(processes=(process(US, 30),)), since_ns=later_ns)[0] == 1.0


def test_a_gpu_says_whether_it_works(ask: Any) -> None:
    assert ask(Gpu(sm_util=0))[1] is False
    assert ask(Gpu(sm_util=7))[1] is True
