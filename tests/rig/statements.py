"""Energy statements made by hand: of a card and a CPU, in a place, with a trial and something missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from greennb.ledger.statement import make_statement
from greennb.ledger.store import Ledger
from greennb.model.machine import Machine
from greennb.model.measurement import Status
from greennb.model.reading import Domain, DomainKind, Fault, Method
from greennb.model.statement import Statement
from greennb.model.units import kwh_to_j
from tests.rig.measurements import DRAM, FRANCE, GPU, START, energy, measurement

MODEL = Domain(kind=DomainKind.CPU_PACKAGE, host="bench", device="model", label="AMD EPYC 7763, 4 of 128 threads")
MADE = datetime(2026, 3, 9, tzinfo=UTC)
HOUR_NS = 3600 * 10**9
EVIL = 'a_b & 50% #1 {x} ~^ \\end{document} "q" <script>| `c` [l](u) $x$ 日本 é \u202e\x1b[31m.ipynb'
"""A notebook's name with every mark of HTML, Markdown, LaTeX and YAML in it."""

_BENCH = Machine(host="bench", cpu="AMD EPYC 7763", cpus=4, memory_b=2**34, system="Linux 6.8", python="3.11.7",
                 greennb="9.9")  # fmt: skip


def fill(ledger: Ledger, notebook: str = "/home/me/train.ipynb") -> None:
    """Put two runs of an hour into ``ledger``, of which one failed: 2.2 kWh on a card, 0.4 kWh by a model."""
    known = {"session_id": "abc1", "notebook": notebook, "source": "fit(model)", "kind": "cell"}
    gone = Fault(domain=DRAM, t_ns=0, reason="permission denied", hint="see greennb doctor")
    ledger.append_machine(lambda: _BENCH, session_id="abc1")
    for after_s, status in ((0.0, Status.OK), (90_000.0, Status.ERROR)):
        ledger.append(
            measurement(
                energy(GPU, kwh_to_j(1.1), kwh_to_j(0.01), idle_j=kwh_to_j(0.1)),
                energy(MODEL, kwh_to_j(0.2), kwh_to_j(0.05), method=Method.ESTIMATED, idle_j=kwh_to_j(0.05)),
                intensity=FRANCE, pue=1.2, t0_ns=0, t1_ns=HOUR_NS, after_s=after_s, status=status,
                faults=(gone,) if after_s else (),
            ),
            **known,
        )  # fmt: skip


def statement(ledger: Ledger, **asked: object) -> Statement:
    """The statement of all that is in ``ledger``, made on 9 March 2026 by a greennb 9.9."""
    return make_statement(
        ledger.rows(), ledger.trials(), version="9.9", made_at=MADE, machines=ledger.machines(), **asked
    )


def try_something(ledger: Ledger, minutes: int = 30) -> None:
    """Put a trial into ``ledger``, so many minutes into the first run, and one that ran in no cell."""
    from tests.unit.ledger.test_trials import TRIAL

    known = {"session_id": "abc1", "notebook": "/home/me/train.ipynb", "host": "bench", "code": "GNB210"}
    for after, key in ((timedelta(minutes=minutes), "GNB210 model"), (timedelta(hours=5), "GNB213 loader")):
        ledger.append_trial(TRIAL, at=START + after, key=key, **known)
