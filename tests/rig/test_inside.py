"""Runs ``inside/`` in the rig, once for each configuration; where there is no rig it says what was not tried."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

HERE = Path(__file__).resolve().parent
LAUNCHER = HERE / "with-rig"
CANNOT = 77

pytestmark = pytest.mark.rig


def in_rig(config: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """``command`` in the rig of ``config``; skips, loudly, where there can be none."""
    ran = subprocess.run(
        [sys.executable, str(LAUNCHER), str(config), "--", *command],
        cwd=HERE.parents[1], capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    if ran.returncode == CANNOT:
        count = sum(file.read_text().count("def test_") for file in (HERE / "inside").glob("test_*.py"))
        pytest.skip(f"NOT TRIED, as are all {count} tests of inside/: {ran.stderr.strip()}")
    return ran


@pytest.mark.parametrize(
    ("config", "tests"),
    [
        ("shapes", "test_shapes.py"),
        ("constant", "test_coverage.py"),
        ("square", "test_coverage.py"),
        ("ramp", "test_coverage.py"),
        ("constant", "test_faults.py"),
        ("sockets", "test_sockets.py"),
    ],
)
def test_inside(config: str, tests: str) -> None:
    target = str(HERE / "inside" / tests)
    ran = in_rig(
        HERE / "configs" / f"{config}.toml",
        sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--color=no", target,
    )  # fmt: skip
    for line in ran.stdout.splitlines():
        if "hold the truth" in line:
            print(f"{config}: {line}")
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert passed, "nothing was tried"
    assert "skipped" not in ran.stdout.splitlines()[-1]


@pytest.mark.parametrize("killed", [True, False])
def test_nothing_is_left_however_it_ends(tmp_path: Path, killed: bool) -> None:
    """Killed or ended: no file system, no command, nothing that the command started, and no mount is left outside."""
    mark = tmp_path / "alive"
    code = (
        "import pathlib, subprocess, sys, time\n"
        "subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        f"pathlib.Path({str(mark)!r}).write_text('x')\n"
        f"time.sleep({60 if killed else 0.5})"
    )
    config = HERE / "configs" / "constant.toml"
    if in_rig(config, "true").returncode:
        pytest.fail("the rig does not come up")
    process = psutil.Popen([sys.executable, str(LAUNCHER), str(config), "--", sys.executable, "-c", code])
    while not mark.exists() and process.is_running():
        time.sleep(0.02)
    started = process.children(recursive=True)
    assert len(started) == 4, "the launcher inside, the file system, the command, and what that started"
    if killed:
        process.kill()
    process.wait(20)
    _gone, left = psutil.wait_procs(started, timeout=10)
    assert not left
    assert "greennb-rig" not in Path("/proc/mounts").read_text()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[zone]]\npath = 'intel-rapl:0'\ntrace = 'sine 1 2'\n", "a trace is"),
        ("[[zones]]\n", "[[zone]] and [[gpu]]"),
        ("[[zone]]\npath = 'intel-rapl:0'\ncolour = 1\n", "colour"),
    ],
)
def test_a_configuration_that_means_nothing_is_refused(tmp_path: Path, text: str, says: str) -> None:
    config = tmp_path / "rig.toml"
    config.write_text(text)
    ran = in_rig(config, "true")
    assert ran.returncode == 2
    assert says in ran.stderr
