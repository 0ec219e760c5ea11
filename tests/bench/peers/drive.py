"""Runs one tool through a plan, in that tool's own Python; prints JSON. Standard library only.

    python drive.py TOOL PLAN.json

The plan: {"cost": n, "background_s": s, "windows": [[gap_s, length_s], ...], "faults": [[name, lines, when], ...]}.
Times are of the monotonic clock, so that the truth can be worked out elsewhere.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import statistics
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "tools"))

SAID: list[str] = []


class _Listener(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        SAID.append(record.getMessage())


def resident_mib() -> float:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def put_faults(*lines: str) -> None:
    """Let these faults of the rig happen, and no others."""
    folder = Path(os.environ["GREENNB_RIG"])
    fresh = folder / "faults.new"
    fresh.write_text("".join(f"{line}\n" for line in lines))
    fresh.replace(folder / "faults")
    time.sleep(0.003)


def cost(tool, rounds: int) -> dict[str, float]:
    """Medians of begin and of end, in microseconds."""
    spent = []
    for _ in range(rounds + rounds // 10):
        a = time.perf_counter_ns()
        tool.begin()
        b = time.perf_counter_ns()
        tool.end()
        spent.append((b - a, time.perf_counter_ns() - b))
    spent = spent[rounds // 10 :]
    return {"begin_us": statistics.median(a for a, _ in spent) / 1e3,
            "end_us": statistics.median(b for _, b in spent) / 1e3,
            "both_us": statistics.median(a + b for a, b in spent) / 1e3}  # fmt: skip


def busy(seconds: float, during) -> float:
    """CPU time of the whole process while ``during`` waits, as a share of one core."""
    began = time.process_time()
    during(seconds)
    return (time.process_time() - began) / seconds


def background(tool, seconds: float) -> dict[str, float]:
    """CPU used with nothing open, with a window open, and live where the tool can be watched."""
    tool.begin()
    tool.end()
    time.sleep(3)  # whatever lingers may end
    told = {"closed": busy(seconds, time.sleep)}
    tool.begin()
    told["open"] = busy(seconds, time.sleep)
    tool.end()
    if hasattr(tool, "live"):
        tool.live(1)
        told["live"] = busy(seconds, tool.live)
    return told


def windows(tool, plan: list[list[float]]) -> list[dict[str, object]]:
    """Each window's instants, joules, and how long its end and result held the caller."""
    rows = []
    for gap_s, length_s in plan:
        time.sleep(gap_s)
        tool.begin()
        t0 = time.monotonic_ns()
        time.sleep(length_s)
        t1 = time.monotonic_ns()
        tool.end()
        value = tool.value()
        rows.append({"t0": t0, "t1": t1, "length_s": length_s, "held_s": (time.monotonic_ns() - t1) / 1e9, **value})
    return rows


def faulty(tool, name: str, lines: list[str], when: str) -> dict[str, object]:
    """One window of 0.6 s in which a counter fails: from its middle on ("during"), or for a while ("passing")."""
    del SAID[:]
    row: dict[str, object] = {"name": name}
    at_ns = time.monotonic_ns() + 400_000_000
    filled = [line.replace("T_NS", str(at_ns)) for line in lines]
    try:
        if when == "before":
            put_faults(*filled)
        tool.begin()
        row["t0"] = time.monotonic_ns()
        time.sleep(0.3)
        if when != "before":
            put_faults(*filled)
        time.sleep(0.2)
        if when == "passing":
            put_faults()
        time.sleep(0.1)
        row["t1"] = time.monotonic_ns()
        tool.end()
        row.update(tool.value())
    except BaseException as error:  # noqa: BLE001  # whatever a tool does here is what its user sees
        row["crash"] = type(error).__name__
    finally:
        put_faults()
    row["said"] = bool(row.get("said")) or bool(SAID)
    return row


def main() -> None:
    """The command line."""
    plan = json.loads(Path(sys.argv[2]).read_text())
    logging.getLogger().addHandler(_Listener(level=logging.WARNING))
    warnings.showwarning = lambda message, *_rest, **_more: SAID.append(str(message))
    module = importlib.import_module(sys.argv[1])
    memory = resident_mib()
    began = time.perf_counter()
    tool = module.Tool()
    tool.begin()
    tool.end()
    told: dict[str, object] = {"ready_s": time.perf_counter() - began}
    told["grown_mib"] = resident_mib() - memory
    if plan.get("cost"):
        told["cost"] = cost(tool, plan["cost"])
    if plan.get("background_s"):
        told["background"] = background(tool, plan["background_s"])
    if plan.get("windows"):
        windows(tool, [[0, 1.0]])  # whoever learns the refresh has learnt it
        told["windows"] = windows(tool, plan["windows"])
    told["faults"] = []
    for name, lines, when in plan.get("faults", ()):
        try:
            tool.begin()
            tool.end()
        except BaseException:  # noqa: BLE001  # a tool that a fault has broken is begun anew, as its user would
            tool = module.Tool()
        told["faults"].append(faulty(tool, name, lines, when))
    print("\n" + json.dumps(told), flush=True)
    os._exit(0)  # trackers that wait for threads of theirs at the exit are not timed here


if __name__ == "__main__":
    main()
