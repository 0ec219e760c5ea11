"""The results beside the peers as a page of Markdown."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

GPU_BEGIN, GPU_END = "<!-- gpu:begin -->", "<!-- gpu:end -->"
PEERS_BEGIN, PEERS_END = "<!-- peers:begin -->", "<!-- peers:end -->"

INTRO = """# Benchmarks

What greennb costs and how far it is off, beside other tools and on the same virtual sensors (`tests/rig`), whose energy
is known at every time. `make bench-peers` makes this page anew; `make bench` measures greennb alone.
"""

METHOD = """Each tool runs as its documentation says, in a Python of its own, through the same windows: the work is a
sleep of the given length, up to 15 % shorter or longer; the truth is the energy from the moment in which its "begin"
returned to the moment in which its "end" was called; the error is the mean distance to the truth in percent of the mean
truth. One package (1 ms refresh, 61 uJ steps) and one GPU (20 ms refresh). Costs were taken on plain files that stand
still, because FUSE makes reads dearer than sysfs does. Where a tool learns the refresh, it had one window of a second
to do so. "Held" is how long end and result keep the caller after a window: greennb waits there for the GPU's next tick,
one refresh at most. "-" is what a tool does not offer.
"""


def made(
    results: Mapping[str, Mapping[str, Any]],
    names: Mapping[str, str],
    lengths: Mapping[float, int],
    faults: Sequence[str],
    versions: Mapping[str, str],
    *,
    quick: bool,
) -> str:
    """The part of the page about the peers."""
    tools = [tool for tool in results if "failed" not in results[tool]]
    parts = [_head(versions, quick=quick)]
    parts += [f"{names[tool]}: {results[tool]['failed']}.\n" for tool in results if "failed" in results[tool]]
    parts += [METHOD, "### Cost\n", _cost(results, tools, names)]
    for trace, words in (("constant", "constant power: CPU 40 W, GPU 250 W"),
                         ("square", "square power: CPU 20/80 W of 310 ms, GPU 100/400 W of 300 ms")):  # fmt: skip
        parts += [f"### Mean error, {words}\n", _errors(results, tools, names, trace, lengths)]
    parts += ["### When a counter fails in a window of 0.6 s\n", _faults(results, tools, names, faults)]
    parts += ["### Targets\n", _targets(results, tools)]
    return "\n".join(parts)


def write(path: Path, text: str) -> None:
    """Put ``text`` into the page, keeping what was measured on a real card."""
    empty = "No card was seen yet: `python tests/gpu/report.py --write` fills this in."
    gpu = f"{GPU_BEGIN}\n\n## A real NVIDIA card\n\n{empty}\n\n{GPU_END}"
    if path.exists() and GPU_BEGIN in (old := path.read_text()) and GPU_END in old:
        gpu = old[old.index(GPU_BEGIN) : old.index(GPU_END) + len(GPU_END)]
    path.write_text(f"{INTRO}\n{PEERS_BEGIN}\n\n{text}\n{PEERS_END}\n\n{gpu}\n")


def _head(versions: Mapping[str, str], *, quick: bool) -> str:
    cpu = next(
        (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")), platform.processor()
    )
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    ours = f"greennb {version('greennb')}"
    quickly = " A quick run: a quarter of the windows." if quick else ""
    return (
        f"## Beside the peers\n\n{day}; {cpu}, {os.cpu_count()} CPUs (a shared virtual machine), "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}; {ours}, "
        f"{', '.join(spec.replace('==', ' ') for spec in versions.values())}.{quickly}\n"
    )


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _cost(results: Mapping[str, Any], tools: Sequence[str], names: Mapping[str, str]) -> str:
    rows = []
    for tool in tools:
        told = results[tool]
        background = told["background"]
        live = f"{100 * background['live']:.2f}" if "live" in background else "-"
        rows.append([
            names[tool], f"{told['import_ms']:.0f}", f"{1e3 * told['ready_s']:.0f}", f"{told['cost']['both_us']:.1f}",
            f"{told['held_ms']:.1f}", f"{told['grown_mib']:.1f}", f"{100 * background['closed']:.2f}",
            f"{100 * background['open']:.2f}", live,
        ])  # fmt: skip
    head = ("tool", "import, ms", "to ready, ms", "begin + end, us", "held, ms", "memory, MiB", "CPU idle, %",
            "CPU in a window, %", "CPU live at 10 Hz, %")  # fmt: skip
    return _table(head, rows)


def _errors(
    results: Mapping[str, Any], tools: Sequence[str], names: Mapping[str, str], trace: str, lengths: Mapping[float, int]
) -> str:
    def shown(found: tuple[float, float] | None) -> str:
        return "-" if found is None else f"{found[0]:.2f}" if found[0] < 10 else f"{found[0]:.0f}"

    head = ["tool", *(f"{kind} {1e3 * length_s:.0f} ms, %" for kind in ("GPU", "CPU") for length_s in lengths)]
    rows = [
        [names[tool], *(shown(results[tool][trace][key][length_s]) for key in ("gpu", "cpu") for length_s in lengths)]
        for tool in tools
    ]
    return _table(head, rows)


def _faults(results: Mapping[str, Any], tools: Sequence[str], names: Mapping[str, str], faults: Sequence[str]) -> str:
    rows = [[fault, *(results[tool]["verdicts"].get(fault, "-") for tool in tools)] for fault in faults]
    return _table(["fault", *(names[tool] for tool in tools)], rows)


def _targets(results: Mapping[str, Any], tools: Sequence[str]) -> str:
    if "greennb_" not in tools or "bare" not in tools:
        return "Not to be told: greennb or the floor is missing.\n"
    ours, bare = results["greennb_"], results["bare"]
    rows = [_target("begin + end, us", ours["cost"]["both_us"], 35.0)]
    rows += [
        _target(f"GPU, constant, {1e3 * length_s:.0f} ms: mean error, %", ours["constant"]["gpu"][length_s][0], most)
        for length_s, most in ((0.02, 2.0), (0.1, 0.6), (0.5, 0.2))
    ]
    rows += [
        _target(f"GPU, square, {1e3 * length_s:.0f} ms: a fifth of two bare reads', %",
                ours["square"]["gpu"][length_s][0], bare["square"]["gpu"][length_s][0] / 5)
        for length_s in (0.02, 0.1, 0.5)
    ]  # fmt: skip
    for trace in ("constant", "square"):
        for length_s in (0.02, 0.1, 0.5, 2.0):
            (reached, u_reached), (most, u_most) = ours[trace]["cpu"][length_s], bare[trace]["cpu"][length_s]
            scatter = 2 * math.hypot(u_reached, u_most)
            name = f"CPU, {trace}, {1e3 * length_s:.0f} ms: two bare reads', %"
            rows.append(_target(name, reached, most, scatter=scatter))
    rows.append(_target("CPU with nothing open, % of a core", 100 * ours["background"]["closed"], 0.005))
    rows.append(_target("CPU live at 10 Hz, % of a core", 100 * ours["background"]["live"], 0.3))
    return _table(("target", "reached", "wanted at most", ""), rows)


def _target(what: str, reached: float, most: float, *, scatter: float = 0.0) -> list[str]:
    """A row; ``scatter`` is the 95 % half-width of the difference where both are means of some windows."""
    words = "met" if reached <= most else "level within scatter" if reached <= most + scatter else "MISSED"
    return [what, f"{reached:.3g}", f"{most:.3g}", words]
