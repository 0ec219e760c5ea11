"""A notebook that drives a Dask cluster: real workers on hosts whose power is known."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed")

import distributed

from greennb.cluster.dask import Dask
from greennb.cluster.merge import Elsewhere
from greennb.model.reading import DomainKind, Method
from tests.cluster.hosts import START_S, WITH_RIG, Cluster, Host, cluster

pytestmark = [
    pytest.mark.rig,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # Dask leaves sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

NORTH = Host(name="north", trace="constant 40")
SOUTH = Host(name="south", trace="constant 90")


@pytest.fixture(scope="module", autouse=True)
def _rig() -> None:
    config = WITH_RIG.parent / "configs" / "constant.toml"
    tried = subprocess.run([sys.executable, str(WITH_RIG), str(config), "--", "true"], capture_output=True, text=True)
    if tried.returncode == 77:
        pytest.skip(tried.stderr.strip())


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Cluster, distributed.Client]]:
    """Two hosts, one of which has two workers."""
    with cluster(tmp_path) as made:
        for host in (NORTH, NORTH, SOUTH):
            made.add(host)
        with distributed.Client(made.address, set_as_default=False) as client:
            client.wait_for_workers(3, timeout=START_S)
            yield made, client


def cell(client: distributed.Client, seconds: float) -> tuple[int, int]:
    """Work on the cluster for so long; its two ends on this process's clock."""
    t0_ns = time.monotonic_ns()
    client.gather(client.map(time.sleep, [seconds] * 3, pure=False))
    return t0_ns, time.monotonic_ns()


def joules(found: Elsewhere) -> dict[str, float]:
    return {energy.domain.label.rpartition(" on ")[2]: energy.gross_j for energy in found.energies}


def test_the_sum_over_hosts_is_the_truth_and_two_workers_of_a_host_are_counted_once(two) -> None:
    _made, client = two
    dask = Dask(client=client, host="here")
    dask.begin()
    assert dask.words[0].startswith("3 workers on 2 hosts: ")
    t0_ns, t1_ns = cell(client, 2.0)
    found = dask.between(t0_ns, t1_ns, ())
    assert found.faults == ()
    assert len(found.energies) == 2
    seconds = (t1_ns - t0_ns) / 1e9
    for energy, watts in zip(sorted(found.energies, key=lambda it: it.gross_j), (40, 90), strict=True):
        assert energy.gross_j == pytest.approx(watts * seconds, rel=0.05)
        assert energy.low_j <= watts * seconds <= energy.high_j
        assert energy.high_j - energy.low_j < 0.6 * energy.gross_j
        assert (energy.method, energy.coverage) == (Method.COUNTER, 1.0)
        assert energy.domain.kind is DomainKind.CPU_PACKAGE
    hosts = {energy.domain.host for energy in found.energies}
    assert len(hosts) == 2  # though both machines have one network name


def test_a_device_that_the_notebooks_machine_has_measured_already_is_not_counted_again(tmp_path: Path) -> None:
    """Workers on the notebook's own machine, as LocalCluster has them."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=tmp_path
        ) as made,
        distributed.Client(made, set_as_default=False) as client,
    ):
        dask = Dask(client=client, host="here")
        dask.begin()
        assert "this machine among them" in dask.words[0]
        t0_ns, t1_ns = cell(client, 0.5)
        devices = client.run(
            lambda dask_worker: [
                (it.domain.kind, it.domain.device) for it in dask_worker.plugins["greennb-energy"].agent.meter.channels
            ]
        )
        measured = [pair for pairs in devices.values() for pair in pairs]
        assert measured
        found = dask.between(t0_ns, t1_ns, measured)
        assert (found.energies, found.faults) == ((), ())
        assert len(dask.between(t0_ns, t1_ns, ()).energies) == len(set(measured))


def test_a_worker_that_joins_is_measured_from_then_on_and_the_rest_is_said_to_be_missing(two) -> None:
    made, client = two
    dask = Dask(client=client, host="here")
    dask.begin()
    t0_ns = time.monotonic_ns()
    time.sleep(1.0)
    made.add(Host(name="west", trace="constant 60"))
    client.wait_for_workers(4, timeout=START_S)
    time.sleep(1.0)
    found = dask.between(t0_ns, time.monotonic_ns(), ())
    assert len(found.energies) == 3
    (joined,) = [energy for energy in found.energies if energy.coverage < 1]
    assert joined.gross_j >= 60 * 0.9
    assert any("were not measured here" in fault.reason for fault in found.faults)


def test_a_worker_killed_in_the_window_makes_it_partial_and_another_of_its_host_goes_on(two) -> None:
    made, client = two
    dask = Dask(client=client, host="here")
    dask.begin()
    t0_ns = time.monotonic_ns()
    time.sleep(0.5)
    made.kill(made.workers[2])  # the only one of its host
    time.sleep(1.5)
    began_s = time.monotonic()
    found = dask.between(t0_ns, time.monotonic_ns(), ())
    assert time.monotonic() - began_s < 2 * dask.timeout_s + 1
    (energy,) = found.energies
    assert energy.gross_j == pytest.approx(40 * 2.0, rel=0.1)
    assert ["is gone, and its joules with it" in fault.reason for fault in found.faults] == [True]


def test_the_worker_that_metered_a_host_is_killed_and_another_takes_over(two) -> None:
    made, client = two
    dask = Dask(client=client, host="here")
    dask.begin()
    metering = client.run(lambda dask_worker: dask_worker.plugins["greennb-energy"].agent.identity().metering)
    names = {info["name"]: at for at, info in client.scheduler_info(n_workers=-1)["workers"].items()}
    first = next(number for number in (0, 1) if metering[names[f"w{number}"]])
    t0_ns = time.monotonic_ns()
    made.kill(made.workers[first])
    time.sleep(4.0)
    found = dask.between(t0_ns, time.monotonic_ns(), ())
    assert len(found.energies) == 2
    (partly,) = [energy for energy in found.energies if energy.coverage < 1]
    assert 40 * 1.0 < partly.gross_j < 40 * 4.0
    assert any("were not measured here" in fault.reason for fault in found.faults)


def test_task_seconds_by_prefix(two) -> None:
    _made, client = two
    dask = Dask(client=client, host="here")
    dask.begin()
    t0_ns = time.monotonic_ns()
    client.gather([client.submit(time.sleep, 0.5, key=f"resting-{n}") for n in range(3)])
    client.gather(client.submit(sum, [1, 2], key="adding-1"))
    by_host = dask.tasks(t0_ns, time.monotonic_ns())
    assert set(by_host) == {NORTH.boot_id, SOUTH.boot_id}
    assert sum(seconds["resting"] for seconds in by_host.values()) == pytest.approx(1.5, abs=0.3)
    assert sum(seconds.get("adding", 0.0) for seconds in by_host.values()) > 0


def test_after_the_end_nothing_meters(two) -> None:
    _made, client = two
    dask = Dask(client=client, host="here")
    dask.begin()
    dask.end()
    assert set(client.run(lambda dask_worker: "greennb-energy" in dask_worker.plugins).values()) == {False}


def test_a_scheduler_that_is_gone_is_a_fault_in_time(tmp_path: Path) -> None:
    with cluster(tmp_path) as made:
        made.add(NORTH)
        client = distributed.Client(made.address, set_as_default=False)
        client.wait_for_workers(1, timeout=START_S)
        dask = Dask(client=client, host="here", timeout_s=2.0)
        dask.begin()
    t0_ns = time.monotonic_ns()
    found = dask.between(t0_ns, t0_ns + 10**9, ())
    assert (time.monotonic_ns() - t0_ns) / 1e9 < 10
    assert found.energies == ()
    assert len(found.faults) == 1
    assert found.faults[0].reason.startswith("the Dask workers' joules are missing: ")
    client.close(timeout=1)
