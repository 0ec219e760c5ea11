"""Idle waste: what this kernel holds or uses while no cell runs, and code that releases it.

Looked for only while a page watches, and only in frameworks that the user has imported. Nothing is released by
itself: the page offers the code.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from greennb.jupyter import holders
from greennb.meter.gauges import Panel
from greennb.meter.live import Live
from greennb.meter.work import Mark
from greennb.model import messages
from greennb.model.reading import Domain, DomainKind, Method
from greennb.model.units import ns_to_s, s_to_ns

AFTER_S = 120.0
"""Nothing has run for so long: a person who reads a result and types the next cell takes less."""

AGAIN_S = 10.0
"""How often it is looked for: the page counts minutes."""

LEAST_TORCH_B = 64 * 2**20
"""PyTorch keeps some tens of MiB whatever is released (cuBLAS' workspaces): less than this is not worth a word."""

LEAST_HELD_B = 2**30
"""A CUDA context alone takes 300 to 600 MiB, and only a restart gives those back."""

LEAST_CPUS = 0.5
"""CPUs kept busy on average: a kernel that answers heartbeats and is being looked at takes a hundredth of one."""


class _Busy(NamedTuple):
    """CPU time up to ``t_ns``: of all of us, and of this process alone."""

    t_ns: int
    all_ns: int
    own_ns: int


class Waste:
    """Looks now and then; ``items`` are the latest findings, as messages tell them.

    ``namespace`` gives the user's variables. ``after_s`` and ``again_s`` are the constants above, for tests.
    """

    def __init__(
        self, namespace: Callable[[], Mapping[str, Any]], *, after_s: float = AFTER_S, again_s: float = AGAIN_S
    ) -> None:
        self._namespace = namespace
        self._after_ns, self._again_ns = s_to_ns(after_s), s_to_ns(again_s)
        self._looked_ns = 0
        self._joules: tuple[Live, int, list[float]] | None = None  # of which idle time, and those seen before it
        self._busy: _Busy | None = None
        self.items: list[dict[str, Any]] = []

    def over(self) -> bool:
        """Something runs again; whether there was anything to take back."""
        had, self.items = bool(self.items), []
        self._joules = self._busy = None
        return had

    def look(self, live: Live, panel: Panel, idle_since_ns: int | None) -> bool:
        """Look, if it is time; whether there is something new to say. ``idle_since_ns`` is None while a cell runs."""
        if idle_since_ns is None:
            return self.over()
        if self._joules is None or self._joules[:2] != (live, idle_since_ns):
            self._joules = (live, idle_since_ns, list(live.joules))
        now_ns = live.meter.clock.monotonic_ns()
        if now_ns - self._looked_ns < self._again_ns:
            return False
        self._looked_ns = now_ns
        busy = self._cpus(live, idle_since_ns)
        if now_ns - idle_since_ns < self._after_ns:
            return False
        idle_s = ns_to_s(now_ns - idle_since_ns)
        had = bool(self.items)
        self.items = [*self._on_gpus(live, panel, idle_s), *self._on_cpus(live, busy, idle_s)]
        return had or bool(self.items)

    def _on_gpus(self, live: Live, panel: Panel, idle_s: float) -> list[dict[str, Any]]:
        gpus = [channel.domain for channel in live.meter.channels if channel.domain.kind is DomainKind.GPU]
        if not gpus:
            return []
        mark = live.meter.accounts.mark()
        pids = frozenset({os.getpid()}) | (frozenset() if mark is None else mark.pids)
        held = panel.held_b(pids)
        torch = holders.torch_reserved(gpus)
        found = []
        for domain in gpus:
            by_torch, by_all = torch.get(domain, 0), held.get(domain, 0)
            if by_torch >= LEAST_TORCH_B:
                names = holders.torch_names(self._namespace())
                why, code = _torch_why(by_torch, names), _torch_code(names)
            elif by_all >= LEAST_HELD_B:
                why = f"This kernel holds {_gib(by_all)} on it and runs nothing; only a restart gives it back."
                code = ""
            else:
                continue
            found.append(self._item("gpu", domain, domain.label, live, idle_s, why, code, mem_b=max(by_torch, by_all)))
        return found

    def _on_cpus(self, live: Live, busy: tuple[float, float] | None, idle_s: float) -> list[dict[str, Any]]:
        if busy is None or busy[0] < LEAST_CPUS:
            return []
        cpus, own = busy
        code, of_whom = holders.workers() if cpus - own >= own else ("", "Threads of this kernel keep")
        ends = "The code ends them." if code else "Only a restart of the kernel ends that."
        why = f"{of_whom} {cpus:.1f} CPUs busy though no cell runs. {ends}"
        watts = next((c.busy_w for c in live.meter.channels if c.busy_w is not None), None)
        item = messages.waste_item(
            kind="cpu", domain=None, label="CPU", seconds=idle_s, why=why, code=code, cpus=cpus,
            watts=None if watts is None else watts * cpus, method=None if watts is None else Method.ESTIMATED,
        )  # fmt: skip
        return [item]

    def _item(
        self, kind: str, domain: Domain, label: str, live: Live, idle_s: float, why: str, code: str, *, mem_b: int
    ) -> dict[str, Any]:
        index = next(i for i, channel in enumerate(live.meter.channels) if channel.domain == domain)
        watts = live.latest[index].w if live.latest else None
        before = self._joules[2][index] if self._joules is not None else live.joules[index]
        return messages.waste_item(
            kind=kind, domain=domain, label=label, seconds=idle_s, why=why, code=code, mem_b=mem_b, watts=watts,
            method=live.meter.channels[index].method, joules=None if watts is None else live.joules[index] - before,
        )  # fmt: skip

    def _cpus(self, live: Live, idle_since_ns: int) -> tuple[float, float] | None:
        """CPUs that this process and its children kept busy since the last look, and this process alone.

        None where the last look was before the idle time: a cell's own work lies in between.
        """
        mark: Mark | None = live.meter.accounts.mark()
        if mark is None:
            return None
        last, self._busy = self._busy, _Busy(mark.t_ns, mark.own_ns, time.process_time_ns())
        if last is None or last.t_ns < idle_since_ns or self._busy.t_ns <= last.t_ns:
            return None
        elapsed_ns = self._busy.t_ns - last.t_ns
        return (
            max(0.0, (self._busy.all_ns - last.all_ns) / elapsed_ns),
            max(0.0, (self._busy.own_ns - last.own_ns) / elapsed_ns),
        )


def _torch_why(held_b: int, names: list[tuple[str, int]]) -> str:
    told = ", ".join(name for name, _b in names)
    return f"PyTorch holds {_gib(held_b)} on it and runs nothing" + (f"; {told} of yours lie there." if told else ".")


def _torch_code(names: list[tuple[str, int]]) -> str:
    """Code that gives PyTorch's memory back; which of the user's variables must go first is theirs to say."""
    dropped = []
    if names:
        told = ", ".join(f"{name} ({_gib(b)})" for name, b in names)
        dropped = [
            f"# On the GPU: {told}. Delete what you no longer need, or keep it in memory: x = x.cpu()",
            f"del {', '.join(name for name, _b in names)}",
        ]
    return "\n".join([*dropped, "import gc", "import torch", "gc.collect()", "torch.cuda.empty_cache()"])


def _gib(b: int) -> str:
    return f"{b / 2**30:.1f} GiB" if b >= 0.95 * 2**30 else f"{b / 2**20:.0f} MiB"
