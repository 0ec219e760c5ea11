"""What asking for advice costs, and what watching costs a cell: ``python tests/bench/advise.py [--json]``.

Each row is a difference against a floor taken in the same run, as a median, in seconds of CPU time: the machine may be
busy with other work, and none of this waits for anything. What observers cost inside a framework's
loops is measured by the benches of the frameworks.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
sys.path.insert(0, str(HERE))

from run import Row, table  # noqa: E402  # the bench beside this one

CELLS = 200

ASK = """
import json, time, sys
from pathlib import Path
from greennb.advisor.advise import Advisor
from greennb.advisor.catalogue import catalogue
began = time.process_time()
rules = catalogue().rules
rules_ms = (time.process_time() - began) * 1e3
from greennb.advisor.signals.record import from_dict
from greennb.views.advice import Looked, bundle
signals = [from_dict(json.loads(path.read_text())["cell"]) for path in sorted(Path(sys.argv[1]).glob("*.json"))]
cells = int(sys.argv[2])
source = "\\n".join(f"for step_{n} in range(10):\\n    loss_{n} = model(x_{n}).item()  # {n}" for n in range(15))


class Replayed:
    name, modules = "torch", ()
    number = 0
    def install(self, failed): pass
    def remove(self): pass
    def begin(self): pass
    def end(self, names):
        self.number += 1
        return signals[self.number % len(signals)].torch if signals else None


def advisor():
    namespace = {f"x_{n}": [n] for n in range(500)}
    made = Advisor([Replayed()], namespace=namespace, say=print, clock=clock)
    made.install()
    for n in range(cells):
        made.begin()
        now[0] += 2.0
        made.end(source=source.replace("10", str(n)), cell_id=f"c{n}", execution_count=n)
    return made


now = [0.0]
clock = lambda: now[0]
spent, again = [], []
for _ in range(5):
    it = advisor()
    for times in (spent, again):
        began = time.process_time()
        found = it.findings()
        bundle(found, Looked(cells=cells, rules=len(rules)))
        times.append((time.process_time() - began) * 1e3)
    it.remove()
print(json.dumps({"ask": sorted(spent)[2], "again": sorted(again)[2], "rules": len(rules), "rules_ms": rules_ms,
                  "found": len(found), "signals": len(signals)}))
"""

IN_KERNEL = """
import json, statistics, time, sys
ip = get_ipython()
began = time.process_time()
ip.extension_manager.load_extension("greennb")
ready_ms = (time.process_time() - began) * 1e3
def cell(): ip.run_cell("pass", store_history=False)
began = time.process_time(); cell(); first_ms = (time.process_time() - began) * 1e3
def median_us(n=100):
    spent = []
    for _ in range(n):
        a = time.process_time_ns(); cell(); spent.append(time.process_time_ns() - a)
    return statistics.median(spent) / 1e3
from greennb.jupyter.session import Session
session = Session.start(ip)
def with_advice(on):
    session.configure(advice=on)
    cell()
    return median_us()
pairs = [(with_advice(False), with_advice(True)) for _ in range(9)] if session.advises else [(0.0, 0.0)]
answer = dict(ready_ms=ready_ms, first_ms=first_ms, cell=statistics.median(b - a for a, b in pairs),
              off=statistics.median(a for a, _ in pairs))
"""


def asking() -> list[Row]:
    """``%energy_advise`` on 200 cells of recorded signals, each two seconds long with 30 lines, and all rules."""
    recorded = HERE.parent / "data" / "signals"
    done = subprocess.run(
        [sys.executable, "-c", ASK, str(recorded), str(CELLS)], capture_output=True, text=True, check=True,
        cwd=HERE.parents[1],
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    floor = f"{told['rules']} rules, {told['found']} findings, signals of {told['signals']} recordings"
    return [
        Row(f"%energy_advise, first time, {CELLS} cells", told["ask"], "ms", 100.0, floor),
        Row(f"%energy_advise, again, {CELLS} cells", told["again"], "ms", 100.0, "rules have run"),
        Row("loading the rules, once", told["rules_ms"], "ms", 150.0, "with the first question"),
    ]


def in_kernel() -> list[Row]:
    """What a kernel pays without a framework: loading, its first cell, and every cell."""
    with_, without = [], []
    for _ in range(7):
        with_.append(_kernel("on"))
        without.append(_kernel("off"))

    def gain(name: str) -> float:
        return statistics.median(a[name] - b[name] for a, b in zip(with_, without, strict=True))

    def median(answers: list[dict[str, float]], name: str) -> float:
        return statistics.median(answer[name] for answer in answers)

    return [
        Row("%load_ext greennb, with advice over without", gain("ready_ms"), "ms", 3.0,
            f"without: {median(without, 'ready_ms'):.1f} ms"),
        Row("the first cell, with advice over without", gain("first_ms"), "ms", 60.0,
            f"without: {median(without, 'first_ms'):.1f} ms; the engine is loaded then"),
        Row("begin and end around a cell", median(with_, "cell"), "us", 500.0,
            f"empty cell {median(with_, 'off'):.0f} us, no framework imported"),
    ]  # fmt: skip


def _kernel(advice: str) -> dict[str, float]:
    from jupyter_client.manager import KernelManager

    with tempfile.TemporaryDirectory() as folder:
        manager = KernelManager(transport="ipc", ip=str(Path(folder) / "k"))
        environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        manager.start_kernel(env={**environ, "GREENNB_LEDGER": "off", "GREENNB_ADVICE": advice})
        client = manager.client()
        try:
            client.start_channels()
            client.wait_for_ready(timeout=60)
            reply = client.execute_interactive(
                IN_KERNEL, user_expressions={"a": "__import__('json').dumps(answer)"}, timeout=300,
                output_hook=lambda _message: None,
            )["content"]  # fmt: skip
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
    if reply["status"] != "ok":
        raise SystemExit("\n".join(reply["traceback"]))
    return dict(json.loads(eval(reply["user_expressions"]["a"]["data"]["text/plain"])))


def main() -> int:
    """Measure and print; 1 where a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = [*asking(), *in_kernel()]
    print(json.dumps([asdict(row) for row in rows], indent=1) if given.json else table(rows))
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
