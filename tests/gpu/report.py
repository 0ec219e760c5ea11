"""Measure the NVIDIA card of this machine and print what was found as a part of ``docs/benchmarks.md``.

    python tests/gpu/report.py                             print it
    python tests/gpu/report.py --write docs/benchmarks.md  put it between the page's two marks

Where there is no card it measures the rig's stub, and everything that it writes then says so.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from greennb import __version__  # noqa: E402  # the tests' folders are no installed package: the path comes first
from tests.gpu import measure  # noqa: E402
from tests.gpu.card import STUB, Card, Work, find, work_for  # noqa: E402
from tests.rig import nvml  # noqa: E402
from tests.rig.nvml import Gpu, NvmlRig  # noqa: E402

BEGIN, END = "<!-- gpu:begin -->", "<!-- gpu:end -->"

STUB_BOARD = Gpu(
    name="virtual board of tests/rig, 20 ms refresh", trace="square 100 400 0.3", jitter_ns=400_000, seed=1,
    average_ns=100_000_000, processes=((0, 2**30, 50, 10),),
)  # fmt: skip

LENGTHS_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


def report(card: Card, *, quick: bool) -> str:
    """The page's part about ``card``; ``quick`` measures a tenth as much."""
    work = work_for(card)
    lines = [BEGIN, f"## NVIDIA cards: {card.title}", "", *_preamble(card, work), "", *_table(card, work, quick), END]
    return "\n".join(lines) + "\n"


def _preamble(card: Card, work: Work | str) -> Iterator[str]:
    today = datetime.now(UTC).date().isoformat()
    driver = "stub" if card.is_stub else card.driver
    yield f"{card.title}, driver {driver}, {today}, greennb {__version__}, by `python tests/gpu/report.py`."
    if card.is_stub:
        yield (
            "**No NVIDIA card was seen.** These are the figures of a stub library; they show that the suite runs, "
            "and nothing about any card."
        )
    yield f"Load: {work if isinstance(work, str) else work.name}."


def _table(card: Card, work: Work | str, quick: bool) -> Iterator[str]:
    tag = "stub: " if card.is_stub else ""
    yield "| what | found |"
    yield "|---|---|"
    for what, found in _rows(card, None if isinstance(work, str) else work, quick):
        yield f"| {tag}{what} | {found} |"


def _rows(card: Card, work: Work | None, quick: bool) -> Iterator[tuple[str, str]]:
    found = measure.rhythm(card, ticks=30 if quick else 300)
    yield (
        "refresh of the energy counter",
        (
            f"{found.period_ms:.2f} ms, spread {found.spread_ms:.2f} ms, from {found.shortest_ms:.1f} to "
            f"{found.longest_ms:.1f} ms in {found.ticks} intervals"
        ),
    )
    for name, doing in (("idle", None), ("under load", work)):
        if name == "idle" or work is not None:
            each = measure.compared(card, 1.0 if quick else 10.0, doing)
            yield (
                f"counter against integrated power, {name}",
                f"{each.counter_w:.1f} W and {each.power_w:.1f} W over {each.seconds:.1f} s ({each.difference:+.1%})",
            )
    for call, took_us in measure.cost_per_read(card).items():
        yield f"`{call}`", f"{took_us:.1f} us (median)"
    measuring = measure.meter()
    measure.widths(measuring, card, (0.2,), windows=5)  # the first windows teach the meter the card's rhythm
    for each_width in measure.widths(measuring, card, LENGTHS_S[:4] if quick else LENGTHS_S, 3 if quick else 15):
        yield (
            f"95 % interval of a window of {each_width.seconds:g} s",
            f"{each_width.joules:.2f} J ± {each_width.half:.2%} (median of {each_width.windows})",
        )
    if work is not None:
        again = measure.repeats(measuring, card, work, runs=3 if quick else 20, seconds=0.5 if quick else 2.0)
        yield (
            f"the same loop again, {len(again.joules)} runs of {again.seconds:.2f} s",
            (
                f"{again.median_j:.2f} J, standard deviation {again.spread:.2%}, "
                f"the median inside the interval of {again.inside} of {len(again.joules)}"
            ),
        )


def write(page: Path, part: str, marks: tuple[str, str] = (BEGIN, END)) -> None:
    """Put ``part``, which has the marks, in place of what the page has between them; at its end where it has none."""
    begin, end = marks
    text = page.read_text() if page.exists() else "# Benchmarks\n"
    if begin in text and end in text:
        before, rest = text.split(begin, 1)
        text = before + part + rest.split(end, 1)[1].removeprefix("\n")
    else:
        text = f"{text.rstrip()}\n\n{part}"
    page.write_text(text)


def on_stub(arguments: list[str]) -> int:
    """Run this again in a process that has the stub."""
    if not nvml.can_build():
        raise SystemExit("There is no NVIDIA card, and no C compiler for the stub: install gcc.")
    with tempfile.TemporaryDirectory() as folder:
        rig = NvmlRig(Path(folder), nvml.build(Path(folder)), [STUB_BOARD])
        return subprocess.run([sys.executable, __file__, *arguments], env=rig.environ(), check=False).returncode


def main() -> int:
    """Measure, and print or write."""
    parser = argparse.ArgumentParser(description="Measure this machine's NVIDIA card, or the stub where there is none.")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put it into this Markdown page")
    parser.add_argument("--quick", action="store_true", help="measure a tenth as much")
    given = parser.parse_args()
    card = find()
    if isinstance(card, str):
        if STUB in os.environ:
            raise SystemExit(f"The stub shows no card: {card}.")
        return on_stub(sys.argv[1:])
    part = report(card, quick=given.quick)
    if given.write is None:
        print(part, end="")
    else:
        write(given.write, part)
    return 0


if __name__ == "__main__":
    sys.exit(main())
