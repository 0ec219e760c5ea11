"""``greennb.measure(group=...)`` in real ranks over gloo, on one machine and on two, whose power is known."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import greennb
from greennb.model.errors import BadInputError
from tests.cluster.hosts import ROOT, WITH_RIG

RANK = Path(__file__).with_name("rank.py")


def run(command: list[str], **environ: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "GREENNB_LEDGER": "off", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **environ}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=180, check=False)


def rigged(tmp_path: Path, watts: int) -> list[str]:
    config = tmp_path / "host.toml"
    config.write_text(f'[[zone]]\npath = "intel-rapl:0"\nname = "package-0"\ntrace = "constant {watts}"\n')
    tried = subprocess.run([sys.executable, str(WITH_RIG), str(config), "--", "true"], capture_output=True, text=True)
    if tried.returncode == 77:
        pytest.skip(tried.stderr.strip())
    return [sys.executable, str(WITH_RIG), str(config), "--"]


@pytest.mark.rig
@pytest.mark.parametrize("ranks", [2, 4])
def test_the_merged_joules_of_ranks_on_one_machine_are_the_machines_once(tmp_path: Path, ranks: int) -> None:
    out = tmp_path / "out.json"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
    ran = run([*rigged(tmp_path, 50), *torchrun, str(RANK), str(out)], GREENNB_SOURCES="rapl")
    assert ran.returncode == 0, ran.stderr
    for window in json.loads(out.read_text()):
        truth_j = 50 * window["duration_s"]
        assert window["low_j"] <= truth_j <= window["high_j"]
        assert window["high_j"] < 1.5 * truth_j  # of two machines it would be twice as much
        assert (window["partial"], window["faults"]) == (False, [])


def two_hosts(tmp_path: Path, out: Path, *more: str) -> list[dict[str, Any]]:
    """Two ranks on two "hosts" of 40 and 90 W, without torchrun, which would end rank 0 with the other."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    processes = []
    for rank, watts in enumerate((40, 90)):
        folder = tmp_path / f"host{rank}"
        folder.mkdir()
        boot = folder / "boot_id"
        boot.write_text(f"{rank}0000000-0000-4000-8000-000000000000\n")
        inside = f'mount --bind {boot} /proc/sys/kernel/random/boot_id && exec "$@"'
        command = [*rigged(folder, watts), "sh", "-c", inside, "sh", sys.executable, str(RANK), str(out), *more]
        env = {
            **os.environ, "GREENNB_LEDGER": "off", "GREENNB_SOURCES": "rapl", "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT), "RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": "0",
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
        }  # fmt: skip
        processes.append(subprocess.Popen(command, env=env))
    assert processes[0].wait(timeout=120) == 0
    processes[1].wait(timeout=120)
    told: list[dict[str, Any]] = json.loads(out.read_text())
    return told


@pytest.mark.rig
def test_ranks_on_two_machines_are_added_up(tmp_path: Path) -> None:
    for window in two_hosts(tmp_path, tmp_path / "out.json"):
        here, there = sorted(window["domains"], key=lambda it: " on " in it["label"])
        assert here["low_j"] <= 40 * window["duration_s"] <= here["high_j"]
        assert there["gross_j"] == pytest.approx(90 * window["duration_s"], rel=0.3)  # its own ends, not rank 0's
        assert window["total_j"] == pytest.approx(here["gross_j"] + there["gross_j"])
        assert window["faults"] == []


@pytest.mark.rig
def test_a_rank_that_dies_leaves_a_partial_result_within_the_time_out(tmp_path: Path) -> None:
    _whole, without = two_hosts(tmp_path, tmp_path / "out.json", "--die", "1")
    assert [fault["reason"] for fault in without["faults"]] == [
        "rank 1 did not answer within 3 s: its joules are missing"
    ]
    assert without["partial"]
    assert without["total_j"] == pytest.approx(40 * without["duration_s"], rel=0.1)
    assert without["settled_s"] < 10.0  # 3 s on a machine that has time


def test_a_group_without_torch_distributed_is_refused_before_the_block_runs() -> None:
    with (
        pytest.raises(BadInputError, match=r"call torch\.distributed\.init_process_group\(\)"),
        greennb.measure("x", group=True),
    ):
        raise AssertionError("the block ran")
