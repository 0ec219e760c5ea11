"""Hosts added up, each device once."""

from __future__ import annotations

from greennb.cluster.agent import Answer, Identity
from greennb.cluster.merge import merged
from greennb.meter.past import Stretch
from greennb.model.measurement import DomainEnergy
from greennb.model.reading import Domain, DomainKind, Fault, Method

PACKAGE = DomainKind.CPU_PACKAGE


def energy(device: str, joules: float = 100.0, coverage: float = 1.0, kind: DomainKind = PACKAGE) -> DomainEnergy:
    domain = Domain(kind=kind, host="?", device=device, label=device)
    return DomainEnergy(
        domain=domain, gross_j=joules, idle_j=None, process_j=None, u_j=1.0, low_j=joules - 2, high_j=joules + 2,
        method=Method.COUNTER, coverage=coverage,
    )  # fmt: skip


def answer(boot: str, *energies: DomainEnergy, host: str = "node", faults: tuple[str, ...] = ()) -> Answer:
    identity = Identity(host=host, boot_id=boot, devices=frozenset(), version="", metering=True)
    told = tuple(Fault(domain=None, t_ns=0, reason=reason) for reason in faults)
    return Answer(identity=identity, stretch=Stretch(t0_ns=0, t1_ns=1, energies=energies, faults=told))


def test_two_containers_of_one_machine_are_counted_once_and_each_ones_own_devices_too() -> None:
    found = merged(
        [answer("a", energy("package-0"), energy("gpu-0")), answer("a", energy("package-0"), energy("gpu-1"))],
        here="home", host="laptop",
    )  # fmt: skip
    assert sorted(it.domain.device for it in found.energies) == ["gpu-0", "gpu-1", "package-0"]


def test_the_same_device_of_two_machines_is_two() -> None:
    """A package has the same path on each; machines of one name are told apart by their boot."""
    found = merged([answer("a1", energy("package-0")), answer("b2", energy("package-0"))], here="home", host="laptop")
    assert len(found.energies) == 2
    assert len({it.domain.host for it in found.energies}) == 2
    assert sorted(it.domain.label for it in found.energies)[0].startswith("package-0 on node")


def test_what_is_measured_here_already_is_not_added() -> None:
    found = merged([answer("home", energy("package-0"))], here="home", host="laptop", measured=[(PACKAGE, "package-0")])
    assert found.energies == ()


def test_the_more_complete_of_two_answers_counts() -> None:
    found = merged(
        [answer("a", energy("package-0", 40.0, coverage=0.4)), answer("a", energy("package-0", 100.0))],
        here="home", host="laptop",
    )  # fmt: skip
    assert [it.gross_j for it in found.energies] == [100.0]


def test_faults_name_their_host_and_a_reading_that_is_not_needed_has_none() -> None:
    found = merged(
        [answer("a", faults=("nothing was read",)), answer("home", energy("package-0"), faults=("unneeded",))],
        here="home", host="laptop", measured=[(PACKAGE, "package-0")],
    )  # fmt: skip
    assert [fault.reason for fault in found.faults] == ["node: nothing was read"]
