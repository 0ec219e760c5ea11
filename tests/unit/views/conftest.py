"""Measurements as the meter makes them, for the views to show."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from greennb.model.footprint import CarbonIntensity, Footprint, Origin
from greennb.model.measurement import DomainEnergy, Measurement, Status, Window
from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.run import CellCost, NotebookRun
from greennb.model.units import s_to_ns

START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
CPU = Domain(kind=DomainKind.CPU_PACKAGE, host="host-a", device="intel-rapl:0", label="package-0")
CORES = Domain(kind=DomainKind.CPU_CORE, host="host-a", device="intel-rapl:0:0", label="core", inside=CPU)
DRAM = Domain(kind=DomainKind.DRAM, host="host-a", device="intel-rapl:0:1", label="dram")
GPU = Domain(kind=DomainKind.GPU, host="host-a", device="GPU-1f0c", label="NVIDIA H200")
MODEL = Domain(kind=DomainKind.CPU_PACKAGE, host="host-a", device="model", label="AMD EPYC 7763, 4 of 128 threads")
WORLD = CarbonIntensity(
    g_per_kwh=475, low=30, high=900, zone="world", origin=Origin.WORLD, as_of="2024", provider="codecarbon"
)
GERMANY = CarbonIntensity(
    g_per_kwh=381, low=None, high=None, zone="Germany", origin=Origin.STATIC, as_of="2023", provider="codecarbon"
)
DENIED = Fault(
    domain=CPU, t_ns=0, reason="permission denied", hint="Let your group read it: run `greennb doctor` for the rule."
)


def energy(domain, joules, below, above=None, *, method=Method.COUNTER, idle=None, process=None, coverage=1.0):
    above = below if above is None else above
    return DomainEnergy(
        domain=domain, gross_j=joules, idle_j=idle, process_j=process, u_j=(below + above) / 4,
        low_j=joules - below, high_j=joules + above, method=method, coverage=coverage,
    )  # fmt: skip


def measurement(
    *energies, label="", seconds=0.93, status=Status.OK, faults=(), intensity=WORLD, pue=1.0, start=START, count=4
):
    window = Window(
        id="w1", label=label, cell_id="c1", execution_count=count, parent_id=None, t0_ns=0, t1_ns=s_to_ns(seconds),
        started_at=start, status=status,
    )  # fmt: skip
    made = Measurement(window=window, energies=tuple(energies), faults=tuple(faults), host="host-a", overhead_s=0.00021)
    if intensity is None or made.total_j is None:
        return made
    return replace(made, footprint=Footprint(energy_j=made.total_j, pue=pue, intensity=intensity))


def estimated(joules=41.2, seconds=0.93, **kwargs):
    part = energy(MODEL, joules, joules * 0.31, joules * 0.447, method=Method.ESTIMATED)
    return measurement(part, seconds=seconds, **kwargs)


def counted(joules=9100.0, seconds=71.2, **kwargs):
    parts = (
        energy(GPU, joules * 0.7, joules * 0.02, idle=joules * 0.12, process=joules * 0.6),
        energy(CPU, joules * 0.25, joules * 0.001, idle=joules * 0.1, process=joules * 0.15),
        energy(CORES, joules * 0.15, joules * 0.001),
        energy(DRAM, joules * 0.05, joules * 0.001, idle=joules * 0.02, process=joules * 0.01),
    )
    return measurement(*parts, seconds=seconds, **({"intensity": GERMANY} | kwargs))


def mixed(**kwargs):
    parts = (
        energy(GPU, 812.0, 9.0, method=Method.INTEGRATED),
        energy(MODEL, 240.0, 80.0, 110.0, method=Method.ESTIMATED),
    )
    return measurement(*parts, seconds=6.4, **kwargs)


def partial(**kwargs):
    return measurement(energy(GPU, 512.0, 6.0, coverage=0.97), seconds=4.1, faults=(DENIED, DENIED), **kwargs)


def nothing(**kwargs):
    return measurement(seconds=0.5, faults=(replace(DENIED, domain=None, reason="no sensor was found"),), **kwargs)


def _as_cell(part, k):
    return part and replace(part, window=replace(part.window, execution_count=k + 1, cell_id=f"cell-{k}"))


def notebook_run(**kwargs):
    later = [START + timedelta(seconds=10 * k) for k in range(8)]
    sources = [
        ("%%energy -n load\nfrom sklearn.datasets import load_digits\ndigits = load_digits()\ndigits.data.shape",
         estimated(41.2, 0.93, start=later[0])),
        ("X_train, X_test, y_train, y_test = train_test_split(digits.data, digits.target, random_state=0)",
         estimated(0.84, 0.021, start=later[1])),
        ("for epoch in range(20):\n    train(model, loader)\n    print(epoch)", counted(9100, 71.2, start=later[2])),
        ("evaluate(model)  # <script>alert('x')</script>", mixed(start=later[3])),
        ("model.predict(X_test)", partial(start=later[4])),
        ("1 / 0", estimated(0.31, 0.008, status=Status.ERROR, start=later[5])),
        ("plt.plot(losses)", None),
    ]  # fmt: skip
    cells = tuple(
        CellCost(index=2 * k + 1, cell_id=f"cell-{k}", source=source, measurement=_as_cell(part, k))
        for k, (source, part) in enumerate(sources)
    )
    fields = {
        "notebook": "notebooks/01-first-joule.ipynb", "host": "host-a", "kernel": "python3", "started_at": START,
        "sources": ("nvml: used, energy counter of NVIDIA H200, updates every 20 ms.",
                    "rapl: refused, /sys/class/powercap/intel-rapl:0/energy_uj cannot be read (permission denied).",
                    "estimate: used for the CPU, AMD EPYC 7763 at 280 W for 128 threads."),
        "error": "Cell 11 raised ZeroDivisionError: division by zero.",
    }  # fmt: skip
    return NotebookRun(**({"cells": cells} | fields | kwargs))


@pytest.fixture
def samples():
    """The makers above, and the domains and intensities they use."""
    return SimpleNamespace(
        energy=energy, measurement=measurement, estimated=estimated, counted=counted, mixed=mixed, partial=partial,
        nothing=nothing, notebook_run=notebook_run, CPU=CPU, CORES=CORES, DRAM=DRAM, GPU=GPU, MODEL=MODEL,
        WORLD=WORLD, GERMANY=GERMANY, DENIED=DENIED, START=START,
    )  # fmt: skip
