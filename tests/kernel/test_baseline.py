"""Idle in a real kernel: asked for, known from the model, and own share with children."""

from __future__ import annotations

import time
from typing import Any

import pytest

BUSY = "import time\nt = time.process_time()\nwhile time.process_time() - t < {}: pass"


def plain(ran: Any) -> str:
    shown = [out["data"].get("text/plain", "") for out in ran.outputs if "data" in out]
    return "\n".join([*shown, ran.text(), ran.text("stderr")])


def measured(kernel: Any, code: str) -> dict[str, Any]:
    found = kernel.run(f"%%energy\n{code}").measurement
    if not found["domains"]:
        pytest.skip("this machine has no sensor and no estimate")
    return dict(found)


def test_a_baseline_says_over_how_long_and_how_quiet(kernel: Any) -> None:
    ran = kernel.run("%energy_baseline 1")
    if "No baseline could be measured" in plain(ran):
        pytest.skip("this machine has no sensor and no estimate")
    assert "idle, over 1." in plain(ran)
    assert "% busy" in plain(ran)
    domain = measured(kernel, BUSY.format(0.3))["domains"][0]
    assert domain["idle_basis"]["origin"] == "asked"
    assert domain["idle_basis"]["over_s"] >= 1
    assert domain["idle_u_j"] >= 0
    assert domain["gross_j"] == pytest.approx(domain["idle_j"] + domain["net_j"])


def test_what_a_cells_children_burn_is_its_own(kernel: Any) -> None:
    """A subprocess that has ended by then: most of what is above idle, or as much as a shared machine leaves."""
    kernel.run("%energy_baseline 1")
    inner = repr(BUSY.format(0.6))
    found = measured(kernel, f"import subprocess, sys\n_ = subprocess.run([sys.executable, '-c', {inner}])")
    (domain,) = [part for part in found["domains"] if part["kind"] == "cpu_package"][:1] or [None]
    if domain is None or domain["net_j"] == 0:
        pytest.skip("nothing was seen above idle")
    assert domain["process_j"] is not None, domain["process_note"]
    assert 0.2 * domain["net_j"] < domain["process_j"] <= 1.001 * domain["net_j"]


def test_a_cell_too_short_for_cpu_times_says_so(kernel: Any) -> None:
    found = measured(kernel, "1 + 1")
    assert all(part["process_j"] is None for part in found["domains"])
    assert all(part["process_note"] for part in found["domains"])


def test_a_counter_learns_idle_between_cells_or_has_none(kernel: Any) -> None:
    """Where another process works meanwhile there is nothing to learn: no idle at all then, not a wrong one."""
    measured(kernel, "1")
    time.sleep(2.5)
    domain = measured(kernel, BUSY.format(0.2))["domains"][0]
    basis = domain.get("idle_basis")
    if domain["method"] == "estimated":
        assert basis["origin"] == "model"
    elif basis is not None:
        assert basis["origin"] == "learnt"
        assert basis["over_s"] >= 1
        assert basis["busy"] <= 0.05
    else:
        assert domain["idle_j"] is None
