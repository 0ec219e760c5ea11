"""Stands in for the package zeus-apple-silicon 1.1 where there is no Mac: its names, types and units, our figures.

Names and types are those of its bindings (bindings/energy_bindings.hpp) and README: AppleEnergyMonitor with
``get_cumulative_energy``, and AppleEnergyMetrics with whole millijoules, a list a kind of core, or None. Fields that a
chip lacks are None. The figures come from the JSON file that the environment variable GREENNB_APPLE_STUB names; an
"error" in it is raised as C++'s std::runtime_error comes out, as RuntimeError.
"""

import json
import os
from pathlib import Path

_FIELDS = (
    "cpu_total_mj", "efficiency_cores_mj", "performance_cores_mj", "efficiency_cluster_mj", "performance_cluster_mj",
    "efficiency_core_manager_mj", "performance_core_manager_mj", "dram_mj", "gpu_mj", "gpu_sram_mj", "ane_mj",
)  # fmt: skip


class AppleEnergyMetrics:
    """Millijoules since some point in the past."""

    def __init__(self) -> None:
        for name in _FIELDS:
            setattr(self, name, None)


class AppleEnergyMonitor:
    """Reads what the file says; fails where the file says "broken"."""

    def __init__(self) -> None:
        if _figures().get("broken"):
            raise RuntimeError("Failed to create IOReport subscription.")

    def get_cumulative_energy(self) -> AppleEnergyMetrics:
        """The figures of now."""
        figures = _figures()
        if "error" in figures:
            raise RuntimeError(figures["error"])
        metrics = AppleEnergyMetrics()
        for name in figures.keys() & set(_FIELDS):
            setattr(metrics, name, figures[name])
        return metrics


def _figures() -> dict:
    return json.loads(Path(os.environ["GREENNB_APPLE_STUB"]).read_text())
