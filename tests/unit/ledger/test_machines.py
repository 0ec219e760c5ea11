"""The machine of a session: written once, with the first of its windows; an older ledger knows none."""

from __future__ import annotations

import sqlite3

from greennb.ledger.migrations import migrate
from greennb.model.machine import Machine
from greennb.runtime import Runtime
from greennb.settings import Settings

BENCH = Machine(host="bench", cpu="A CPU", cpus=8, memory_b=2**34, system="Linux 6", python="3.11.7", greennb="9.9")


def test_everything_of_a_machine_is_kept(ledger):
    ledger.append_machine(lambda: BENCH, session_id="s1")
    ((session, machine),) = ledger.machines()
    assert session == "s1"
    assert machine.recorded
    assert [getattr(machine, name) for name in ("host", "cpu", "cpus", "memory_b", "system", "python", "greennb")] == [
        "bench", "A CPU", 8, 2**34, "Linux 6", "3.11.7", "9.9",
    ]  # fmt: skip


def test_what_a_machine_does_not_tell_is_none(ledger):
    ledger.append_machine(lambda: Machine(host="bench"), session_id="s1")
    ((_session, machine),) = ledger.machines()
    assert (machine.cpu, machine.cpus, machine.memory_b) == ("", None, None)


def test_a_ledger_of_before_knows_no_machine(path, opened):
    """It is read as it is, and brought up to date by who writes."""
    path.parent.mkdir()
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, upto=3)
    connection.close()
    ledger = opened(path)
    assert ledger.machines() == []
    ledger.append_machine(lambda: BENCH, session_id="s1")
    assert [session for session, _machine in ledger.machines()] == ["s1"]


def test_a_session_tells_its_machine_once_a_ledger(tmp_path):
    """With the first window; another ledger is told anew."""
    runtime = Runtime(Settings(ledger=str(tmp_path / "a.sqlite"), sources="estimate", carbon=False), host="bench")
    try:
        for _ in range(3):
            runtime.close(runtime.open("x"))
        first = runtime.ledger.machines()
        runtime.reconfigure(runtime.settings.changed(ledger=str(tmp_path / "b.sqlite")))
        runtime.close(runtime.open("x"))
        second = runtime.ledger.machines()
    finally:
        runtime.shutdown()
    assert [(session, machine.host) for session, machine in first] == [(runtime.session_id, "bench")]
    assert second == first
    assert first[0][1].cpus >= 1
    assert first[0][1].python
