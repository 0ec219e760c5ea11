"""Runs ``inside/`` in the rig, once for each configuration; where there is no rig it says what was not tried."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

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
        pytest.skip(f"NOT TRIED: {' '.join(command[-1:])} with {config.name}: {ran.stderr.strip()}")
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


def test_nothing_is_left_however_it_ends(tmp_path: Path) -> None:
    """The launcher is killed: the command dies with it, no mount is seen outside, no file system is left running."""
    mark = tmp_path / "alive"
    code = f"import time, pathlib; pathlib.Path({str(mark)!r}).write_text('x'); time.sleep(60)"
    config = HERE / "configs" / "constant.toml"
    if in_rig(config, "true").returncode:
        pytest.fail("the rig does not come up")
    process = subprocess.Popen([sys.executable, str(LAUNCHER), str(config), "--", sys.executable, "-c", code])
    for _ in range(500):
        if mark.exists():
            break
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    assert len(children) == 2, "the file system and the command"
    process.kill()
    process.wait(10)
    for _ in range(100):
        left = [pid for pid in children if _runs(pid)]
        if not left:
            break
        try:
            subprocess.run(["sleep", "0.05"], check=True)
        finally:
            pass
    assert not left
    assert "greennb-rig" not in Path("/proc/mounts").read_text()


def _runs(pid: str) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


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
