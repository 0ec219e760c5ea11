"""Writes cards.json beside it: ``python tests/data/cards/make.py [FOLDER]``.

Each case is what a measurement puts into an output as JSON, and the words of its card and of its line as
``greennb/views`` writes them, white space taken out. The page draws from the JSON and must say the same words.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

from greennb.model.footprint import CarbonIntensity, Footprint, Origin
from greennb.model.idle import IdleBasis, IdleOrigin
from greennb.model.lines import LineEnergy, Lines
from greennb.model.measurement import DomainEnergy, Measurement, Status, Window
from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.units import s_to_ns
from greennb.model.wire import MIME_TYPE, measurement_from_dict
from greennb.views import html, mime
from greennb.views.shown import Shown

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
BOARD = Domain(kind=DomainKind.PSYS, host="bench", device="intel-rapl:1", label="psys")
PACKAGE = Domain(kind=DomainKind.CPU_PACKAGE, host="bench", device="intel-rapl:0", label="package-0")
CORE = Domain(kind=DomainKind.CPU_CORE, host="bench", device="intel-rapl:0:0", label="core", inside=PACKAGE)
CARDS = tuple(Domain(kind=DomainKind.GPU, host="bench", device=f"GPU-{n}", label="NVIDIA H200") for n in range(2))
BATTERY = Domain(kind=DomainKind.BATTERY, host="bench", device="BAT0", label="BAT0")
MODEL = Domain(kind=DomainKind.CPU_PACKAGE, host="bench", device="estimate:cpu", label="CPU (estimate)")
ADVICE = "GNB201 <loader>: Training waits for its data loader (waiting 62 %). %energy_advise says more."
LOST = Fault(domain=CARDS[0], t_ns=5, reason="NVIDIA H200: the GPU is lost", hint="Restart the driver.")


def measurements() -> Iterator[tuple[str, Measurement]]:
    """What the views have words for, each at least once."""
    for path in sorted((Path(__file__).parents[1] / "wire").glob("*.json")):
        yield path.stem, measurement_from_dict(json.loads(path.read_text(encoding="utf-8")))
    counted = _measurement(_energy(PACKAGE, 1234.5, 3.2, idle_j=200.0), _energy(CORE, 900.0, 2.0), label="train")
    yield "of which", counted
    yield (
        "two cards and an estimate",
        _measurement(
            *(_energy(card, 5000.0, 40.0, Method.INTEGRATED) for card in CARDS),
            _energy(MODEL, 41.2, 18.0, Method.ESTIMATED),
        ),
    )
    yield "a board", _measurement(_energy(BOARD, 77.0, 1.0))
    yield "a battery", _measurement(_energy(BATTERY, 77.0, 30.0))
    yield "lost twice", replace(counted, faults=(LOST, LOST, replace(LOST, domain=CARDS[1])))
    yield "gaps", _measurement(replace(_energy(PACKAGE, 40.0, 4.0), coverage=0.5))
    yield "nothing", _measurement()
    for status in Status:
        yield f"ended {status.value}", replace(counted, window=replace(counted.window, status=status))
    for basis in _bases():
        part = replace(_energy(PACKAGE, 500.0, 5.0, idle_j=120.0), idle_u_j=9.0, idle_basis=basis)
        yield f"idle {basis.origin.value} {basis.as_of}", _measurement(part)
    no_more = replace(_energy(PACKAGE, 100.0, 5.0, idle_j=120.0), idle_u_j=9.0, process_note="the window is too short")
    yield "no more than idle", _measurement(no_more)
    yield "own share", _measurement(replace(_energy(PACKAGE, 500.0, 5.0, idle_j=120.0), process_j=300.0))
    for intensity in _intensities():
        yield f"carbon {intensity.origin.value} {intensity.as_of}", _carbon(counted, intensity)
    yield "by line", replace(counted, lines=_lines())


def showings() -> Iterator[tuple[str, Measurement, Shown]]:
    """Each measurement plainly, and one of each kind in every other way."""
    made = dict(measurements())
    for name, measurement in made.items():
        yield name, measurement, Shown()
    world = _carbon(made["of which"], next(_intensities()))
    options: dict[str, Any] = {
        "net": {"net": True}, "no carbon": {"carbon": False}, "within": {"budget_j": 2000.0}, "over": {"budget_j": 500},
        "each": {"per": 64.0, "unit": "epochs"}, "each of units": {"per": 1e-3},
        "price": {"price": 0.3, "currency": "EUR"}, "cheap": {"price": 1e-9},
        "dear": {"price": 123456.0, "currency": "JPY"},
    }  # fmt: skip
    for name, option in options.items():
        yield f"shown {name}", world, Shown(**option)
        yield f"estimate shown {name}", made["estimated"], Shown(**option)
    yield "nothing shown over", made["nothing"], Shown(budget_j=1.0, net=True, price=1.0)


def cases() -> list[dict[str, Any]]:
    """Every case."""
    told = [(name, part, shown, "") for name, part, shown in showings()]
    told.append(("with advice", dict(measurements())["of which"], Shown(), ADVICE))
    return [
        {
            "name": name,
            "json": mime.bundle(part, advice=advice, **_options(shown))[MIME_TYPE],
            "card": words(html.card(part, shown=shown, advice=advice)),
            "line": words(html.quiet_line(part, shown)),
        }
        for name, part, shown, advice in told
    ]


def words(page: str) -> str:
    """What a page says, white space taken out."""
    return "".join(unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "", page)).split())


def _options(shown: Shown) -> dict[str, Any]:
    return {name: getattr(shown, name) for name in Shown.__slots__}


def _measurement(*energies: DomainEnergy, label: str = "", seconds: float = 71.2) -> Measurement:
    window = Window(
        id="w", label=label, cell_id="a1", execution_count=4, parent_id=None, t0_ns=0, t1_ns=s_to_ns(seconds),
        started_at=START, status=Status.OK,
    )  # fmt: skip
    return Measurement(window=window, energies=energies, faults=(), host="bench", overhead_s=0.00021)


def _energy(
    domain: Domain, joules: float, half: float, method: Method = Method.COUNTER, idle_j: float | None = None
) -> DomainEnergy:
    return DomainEnergy(
        domain=domain, gross_j=joules, idle_j=idle_j, process_j=None, u_j=half / 2, low_j=joules - half,
        high_j=joules + half, method=method, coverage=1.0,
    )  # fmt: skip


def _bases() -> Iterator[IdleBasis]:
    for minutes in (-2, 0.5, 4, 200):
        as_of = START - timedelta(minutes=minutes)
        yield IdleBasis(origin=IdleOrigin.ASKED, as_of=as_of, over_s=30.0, busy=0.01)
        yield IdleBasis(origin=IdleOrigin.LEARNT, as_of=as_of, over_s=2.5, busy=None)
    yield IdleBasis(origin=IdleOrigin.MODEL)


def _intensities() -> Iterator[CarbonIntensity]:
    world = CarbonIntensity(
        g_per_kwh=475.4, low=20.0, high=800.0, zone="world", origin=Origin.WORLD, as_of="2024", provider="a table",
        note="set zone for a better figure.",
    )  # fmt: skip
    yield world
    yield replace(world, origin=Origin.USER, low=None, note="")
    yield replace(world, origin=Origin.GUESSED, zone="FRA", g_per_kwh=56.5, low=10.5)
    yield replace(world, origin=Origin.STATIC, zone="Germany", as_of="2023")
    yield replace(world, origin=Origin.LIVE, zone="Great Britain", as_of="2026-03-01T09:26:00+00:00")
    yield replace(world, origin=Origin.LIVE, zone="Great Britain", as_of="2026-03-01T09:29:45")
    yield replace(world, origin=Origin.LIVE, zone="", as_of="once")


def _carbon(measurement: Measurement, intensity: CarbonIntensity) -> Measurement:
    footprint = Footprint(energy_j=measurement.total_j or 0.0, pue=1.2, intensity=intensity)
    return replace(measurement, footprint=footprint)


def _lines() -> Lines:
    lines = tuple(
        LineEnergy(where="In[4]" if n % 3 else "In[2]", lineno=n, source=f"    step({n})  # <b>", seconds=20 / n,
                   samples=40 // n, joules=400 / n)
        for n in range(1, 16)
    )  # fmt: skip
    return Lines(
        lines=lines, elsewhere_j=3.0, elsewhere_s=7.0, samples=900, period_s=0.01, longest_s=0.2, threads=2,
        thread_lines=("In[2] line 7", "In[4] line 1"), gpu=True, cost_s=0.0125,
    )  # fmt: skip


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    rows = ",\n".join(json.dumps(case) for case in cases())
    (folder / "cards.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")
