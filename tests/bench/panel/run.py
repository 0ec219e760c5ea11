"""What the panel costs the page, in a real Chromium through DevTools. ``make bench-panel`` prints the table.

Eight virtual GPUs at 10 Hz with an hour of history, beside the same JupyterLab with the extension disabled, in turns.
Shares are CPU time of the page's main thread (script, style, layout, paint) as part of one core.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(ROOT / "tests")]

from panel.fronts import GPUS, lab, notebook, rig  # noqa: E402  # found through the line above
from run import Row, table  # noqa: E402

ASSETS = ROOT / "greennb" / "labextension" / "static"
LARGE = 2000

HOUR = """
import time
from greennb.jupyter.session import Session
_live = Session.start(get_ipython()).bridge.feed.live
_now = time.monotonic()
for _s in range(3600, 1, -1):
    _live.history.add(_now - _s, [150.0 + 20 * _c + _s % 97 for _c in range(len(_live.meter.channels))])
"""

FEED = """
import time
from greennb.jupyter.session import Session
from greennb.model import messages
_feed = Session.start(get_ipython()).bridge.feed
_n, _now = len(_feed.live.meter.channels), time.monotonic()
for _batch in range(720):
    _t = [_now + 5 * _batch + 0.1 * _i for _i in range(50)]
    _w = [[150.0 + 20 * _c + (_batch + _i) % 97 for _i in range(50)] for _c in range(_n)]
    _feed._send(messages.samples(t_s=_t, w=_w, low_w=[None] * _n, high_w=[None] * _n, gauges=[], faults=[]))
    time.sleep(0.01)
"""


def measured(chromium: str, *, quick: bool, part: str) -> dict[str, Any]:
    """Everything that page.mjs answers."""
    with tempfile.TemporaryDirectory(prefix="greennb-bench-") as name:
        folder = Path(name)
        environ = rig(folder / "rig").environ()
        with (
            lab(folder / "bare", environ, panel=False, settings={}) as bare,
            lab(folder / "panel", environ, panel=True, settings={"rate_hz": 10}) as panel,
        ):
            for front in ("bare", "panel"):
                root = folder / front / "root"
                (root / "small.ipynb").write_text(notebook(["print(1)"] * 5))
                (root / "large.ipynb").write_text(notebook([f"x{place} = {place}" for place in range(LARGE)]))
            given = {
                "bare": bare, "panel": panel, "chromium": chromium, "quick": quick, "part": part,
                "hour": HOUR, "feed": FEED,
            }  # fmt: skip
            done = subprocess.run(
                ["node", str(HERE / "page.mjs"), json.dumps(given)], stdout=subprocess.PIPE, text=True, check=False,
                timeout=1500,
            )  # fmt: skip
            if done.returncode:
                raise SystemExit("The page could not be measured; what went wrong stands above.")
            answer: dict[str, Any] = json.loads(done.stdout)
            return answer


def rows(answer: dict[str, Any]) -> list[Row]:
    """The table's lines, of the parts that were measured."""
    scripts = sorted(ASSETS.glob("*.js"))
    bundle = sum(path.stat().st_size for path in scripts)
    zipped = sum(len(gzip.compress(path.read_bytes())) for path in scripts)
    return [
        *(_live(answer) if "live" in answer else []),
        *(_opening(answer["opening"]) if "opening" in answer else []),
        Row("bundle", bundle / 1e3, "kB", 200.0, f"{zipped / 1e3:.0f} kB zipped, {len(scripts)} files"),
    ]


def _live(answer: dict[str, Any]) -> list[Row]:
    shown = answer["messages_shown"]
    return [
        *(
            Row(f"live, {label} in view, more than bare", 100 * share["more"], "%", 2.0,
                f"bare {100 * share['bare']:.2f} %, with the panel {100 * share['panel']:.2f} %, "
                f"script alone {100 * share['script']:.2f} % more")
            for label, share in answer["live"].items()
        ),
        Row("longest task while live, views switched", max(answer["long_tasks"], default=0.0), "ms", 50.0,
            "0: none was over 50 ms; shorter ones are not counted"),
        Row("heap grown by an hour of samples", answer["heap_grown"] / 2**20, "MiB", 5.0,
            f"36,000 samples of {GPUS} GPUs and a CPU in half a minute; {answer['heap'] / 2**20:.0f} MiB before"),
        Row("messages while hidden", answer["messages_hidden"]["count"], "", 0.0,
            f"shown: {shown['count']} messages, {shown['bytes'] / 1e3:.0f} kB in the same time"),
        Row("main thread while hidden, more than bare", 100 * answer["hidden"], "%", 2.0, "the panel folded away"),
    ]  # fmt: skip


def _opening(found: dict[str, float]) -> list[Row]:
    what = f"opening a notebook of {LARGE} cells"
    return [
        Row(what, found["panel_s"] / found["bare_s"], "x", 1.1,
            f"medians: bare {found['bare_s']:.2f} s, with the panel {found['panel_s']:.2f} s"),
        Row(f"{what}, CPU time", found["panel_cpu_s"] / found["bare_cpu_s"], "x", 1.1,
            f"medians: bare {found['bare_cpu_s']:.2f} s, with the panel {found['panel_cpu_s']:.2f} s"),
    ]  # fmt: skip


def main() -> int:
    """Measure and print; 1 where a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round: to see that it runs")
    parser.add_argument("--part", choices=("live", "opening"), help="only this part")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    # An end from outside ends the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        raise SystemExit("There is no Chromium here: install one (Debian: chromium).")
    answer = measured(chromium, quick=given.quick, part=given.part or "")
    if given.json:
        print(json.dumps(answer, indent=1))
        return 0
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} CPUs, {platform.machine()}, software rendering")
    found = rows(answer)
    print(table(found))
    return 0 if all(row.met for row in found) else 1


if __name__ == "__main__":
    sys.exit(main())
