"""greennb beside its peers, on the virtual sensors of ``tests/rig``. ``make bench-peers`` runs it.

Each tool runs in a Python of its own with a pinned version, through the same plan: the same windows, off every refresh
grid, on the same counters, whose truth is known. Writes ``docs/benchmarks.md``; what stands there below the mark
``gpu:begin`` is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from tests.bench.peers import page  # noqa: E402  # found through the line above
from tests.rig.rig import Rig  # noqa: E402

HERE = Path(__file__).resolve().parent
VENVS = ROOT / ".peers"
CANNOT = 77

PEERS = {
    "zeus_": "zeus==0.16.0",
    "codecarbon_": "codecarbon==3.3.2",
    "pyrapl_": "pyRAPL==0.2.3.1",
    "pyjoules_": "pyJoules[nvidia]==0.5.1",
}
TOOLS = ("bare", "greennb_", *PEERS)
NAMES = {"bare": "two bare reads", "greennb_": "greennb", "zeus_": "zeus", "codecarbon_": "codecarbon",
         "pyrapl_": "pyRAPL", "pyjoules_": "pyJoules"}  # fmt: skip
MODULES = {"bare": "pynvml", "greennb_": "greennb", "zeus_": "zeus.monitor", "codecarbon_": "codecarbon",
           "pyrapl_": "pyRAPL", "pyjoules_": "pyJoules.energy_meter"}  # fmt: skip

TRACES = {
    "constant": ("constant 40", "constant 250"),
    "square": ("square 20 80 0.31", "square 100 400 0.3"),
}
LENGTHS = {0.02: 60, 0.1: 40, 0.5: 24, 2.0: 8}
"""Nominal window length in seconds, and how many windows; each is up to 15 % longer or shorter."""

PACKAGE, GPU = "intel-rapl:0", "gpu0"
FAULTS = [
    ("CPU: reads fail (EIO) from the middle on", [f"{PACKAGE} eio"], "during"),
    ("CPU: reads fail in between, then work again", [f"{PACKAGE} eio"], "passing"),
    ("CPU: the file is empty from the middle on", [f"{PACKAGE} empty"], "during"),
    ("CPU: the counter stands still for the last third", [f"{PACKAGE} frozen T_NS"], "before"),
    ("CPU: the counter is reset", [f"{PACKAGE} reset T_NS"], "during"),
    ("CPU: the counter wraps", [f"{PACKAGE} wrap T_NS"], "before"),
    ("GPU: lost from the middle on", [f"{GPU} lost"], "during"),
    ("GPU: no permission from the middle on", [f"{GPU} no_permission"], "during"),
    ("GPU: the counter stands still for the last third", [f"{GPU} frozen T_NS"], "before"),
    ("GPU: the counter is reset", [f"{GPU} reset T_NS"], "during"),
]


def python_of(tool: str) -> Path:
    """The interpreter in which ``tool`` runs."""
    return VENVS / tool.rstrip("_") / "bin" / "python" if tool in PEERS else Path(sys.executable)


def installed(tool: str) -> str | None:
    """Make the tool's environment if it is not there; the reason where it cannot be."""
    if tool not in PEERS:
        return None
    stamp = VENVS / f"{tool}.stamp"
    if stamp.exists() and stamp.read_text() == PEERS[tool]:
        return None
    folder = VENVS / tool.rstrip("_")
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True, capture_output=True)
        pip = [str(python_of(tool)), "-m", "pip", "install", "--quiet", PEERS[tool]]
        subprocess.run(pip, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        return (error.stderr or b"").strip().splitlines()[-1][:200] if error.stderr else "it could not be installed"
    stamp.write_text(PEERS[tool])
    return None


def config(folder: Path, trace: str, *, plain: bool = False) -> Path:
    """A rig with one package and one GPU of a 20 ms refresh."""
    cpu, gpu = TRACES[trace]
    path = folder / f"{trace}{'-plain' if plain else ''}.toml"
    path.write_text(
        f'{"plain = true" if plain else ""}\n[[zone]]\npath = "{PACKAGE}"\nname = "package-0"\ntrace = "{cpu}"\n'
        f'[[gpu]]\ntrace = "{gpu}"\nrefresh_ms = 20\n'
    )
    return path


def drive(tool: str, rig: Path, plan: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What the tool did with the plan in the rig, or {"failed": why}."""
    file = folder / "plan.json"
    file.write_text(json.dumps(plan))
    launcher = [sys.executable, str(ROOT / "tests/rig/with-rig"), str(rig), "--"]
    # Nobody's settings and nobody's compiler cache but the tool's own.
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    ran = subprocess.run(
        [*launcher, str(python_of(tool)), str(HERE / "drive.py"), tool, str(file)],
        capture_output=True, text=True, cwd=folder, timeout=900, env=environ,
    )  # fmt: skip
    if ran.returncode == CANNOT:
        raise SystemExit(ran.stderr.strip())
    try:
        return dict(json.loads(ran.stdout.strip().splitlines()[-1]))
    except (IndexError, ValueError):
        return {"failed": (ran.stderr.strip() or "no answer").splitlines()[-1][:200]}


def import_ms(tool: str) -> float:
    """Median of importing the tool over a bare Python, in milliseconds."""

    def took(code: str) -> float:
        timed = f"import time; b = time.perf_counter(); {code}; print(time.perf_counter() - b)"
        environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        ran = subprocess.run([str(python_of(tool)), "-W", "ignore", "-c", timed], capture_output=True, text=True,
                             check=True, env=environ)  # fmt: skip
        return float(ran.stdout.split()[-1]) * 1e3

    took(f"import {MODULES[tool]}")
    return statistics.median(took(f"import {MODULES[tool]}") for _ in range(5))


def windows(share: float) -> list[list[float]]:
    """Gaps and lengths, the same for every tool, in a random order."""
    draw = random.Random(20261124)
    plan = [
        [draw.uniform(0.002, 0.06), length_s * draw.uniform(0.85, 1.15)]
        for length_s, count in LENGTHS.items()
        for _ in range(max(3, round(count * share)))
    ]
    draw.shuffle(plan)
    return plan


def errors(told: dict[str, Any], rig: Rig) -> dict[str, dict[float, tuple[float, float] | None]]:
    """Mean error and its standard error, in percent of the mean true energy, by device and nominal length."""
    found: dict[str, dict[float, tuple[float, float] | None]] = {"cpu": {}, "gpu": {}}
    for device, key in ((PACKAGE, "cpu"), (GPU, "gpu")):
        for length_s in LENGTHS:
            rows = [row for row in told["windows"] if abs(row["length_s"] / length_s - 1) < 0.16]
            truths = [rig.joules(device, row["t0"], row["t1"]) for row in rows]
            if not rows or any(row[key] is None for row in rows):
                found[key][length_s] = None
                continue
            off = [abs(row[key] - true_j) for row, true_j in zip(rows, truths, strict=True)]
            scale = 100 / statistics.mean(truths)
            found[key][length_s] = scale * statistics.mean(off), scale * statistics.stdev(off) / len(off) ** 0.5
    return found


def verdict(row: dict[str, Any], rig: Rig) -> str:
    """What a tool's user sees of a fault, in words."""
    if "crash" in row:
        return f"exception: {row['crash']}"
    key = "cpu" if row["name"].startswith("CPU") else "gpu"
    value, said = row.get(key), " and said" if row["said"] else ""
    if value is None:
        return "no number, and said" if said else "no number"
    true_j = rig.joules(PACKAGE if key == "cpu" else GPU, row["t0"], row["t1"])
    if abs(value - true_j) <= 0.1 * true_j:
        return f"right{said}"
    return f"{value:.3g} J of {true_j:.3g} J{', and said' if said else ', SILENTLY WRONG'}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a quarter of the windows: to see that it runs")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks.md")
    arguments = parser.parse_args()
    VENVS.mkdir(exist_ok=True)
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for tool in TOOLS:
            print(f"{NAMES[tool]} ...", file=sys.stderr, flush=True)
            results[tool] = tried(tool, folder, share=0.25 if arguments.quick else 1.0)
    text = page.made(results, NAMES, LENGTHS, [fault[0] for fault in FAULTS], PEERS, quick=arguments.quick)
    print(text)
    page.write(arguments.out, text)


def tried(tool: str, folder: Path, *, share: float) -> dict[str, Any]:
    """Everything about one tool."""
    reason = installed(tool)
    if reason is not None:
        return {"failed": f"could not be installed: {reason}"}
    plain = config(folder, "constant", plain=True)
    told = drive(tool, plain, {"cost": 1000, "background_s": 8 if share == 1 else 3}, folder)
    if "failed" in told:
        return told
    told["import_ms"] = import_ms(tool)
    for trace in TRACES:
        path = config(folder, trace)
        plan: dict[str, Any] = {"windows": windows(share)}
        if trace == "constant":
            plan["faults"] = FAULTS
        ran = drive(tool, path, plan, folder)
        if "failed" in ran:
            return ran
        rig = Rig.read(path, folder)
        told[trace] = errors(ran, rig)
        if trace == "constant":
            told["held_ms"] = 1e3 * statistics.median(row["held_s"] for row in ran["windows"])
            told["verdicts"] = {row["name"]: verdict(row, rig) for row in ran["faults"]}
    return told


if __name__ == "__main__":
    main()
