"""``%energy_cluster`` in a real kernel that drives a real Dask cluster, whose hosts' power is known."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed")

from tests.cluster.hosts import WITH_RIG, Cluster, Host, cluster

pytestmark = [pytest.mark.kernel, pytest.mark.rig]

CLIENT = "from distributed import Client\nclient = Client({address!r})\nclient.wait_for_workers({count}, timeout=60)"
WORK = (
    "import time\nfutures = client.map(time.sleep, [1.5] * 2, pure=False, key='resting')\ndone = client.gather(futures)"
)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Cluster]:
    config = WITH_RIG.parent / "configs" / "constant.toml"
    tried = subprocess.run([sys.executable, str(WITH_RIG), str(config), "--", "true"], capture_output=True, text=True)
    if tried.returncode == 77:
        pytest.skip(tried.stderr.strip())
    folder = tmp_path / "cluster"
    folder.mkdir()
    with cluster(folder) as made:
        made.add(Host(name="north", trace="constant 40"))
        made.add(Host(name="south", trace="constant 90"))
        yield made


def remote(measurement: dict[str, Any]) -> list[dict[str, Any]]:
    return [domain for domain in measurement["domains"] if " on " in domain["label"]]


def test_a_cells_card_has_the_notebooks_machine_and_each_host(two: Cluster, start_kernel: Any) -> None:
    kernel = start_kernel()
    assert kernel.run(CLIENT.format(address=two.address, count=2)).reply["status"] == "ok"
    said = kernel.run("%energy_cluster on").outputs[0]["data"]["text/plain"]
    assert said.startswith("2 workers on 2 hosts: ")
    ran = kernel.run(f"%%energy\n{WORK}")
    measurement = ran.measurement
    hosts = remote(measurement)
    assert len(hosts) == 2
    assert len(measurement["domains"]) > 2  # this machine's own
    seconds = measurement["duration_s"]
    for domain, watts in zip(sorted(hosts, key=lambda it: it["gross_j"]), (40, 90), strict=True):
        assert domain["low_j"] <= watts * seconds <= domain["high_j"]
    assert measurement["total_j"] > 130 * seconds * 0.9
    assert ran.bundles[0]["text/html"].count(" on ") >= 2
    table = kernel.run("%energy_cluster tasks").outputs[0]["data"]["text/plain"]
    assert table.startswith("resting")
    assert "~" in table


def test_auto_follows_a_client_from_the_cell_after_and_says_so(two: Cluster, start_kernel: Any) -> None:
    kernel = start_kernel(GREENNB_CLUSTER="auto")
    first = kernel.run("%%energy\n" + CLIENT.format(address=two.address, count=2)).measurement
    assert ["their client is new" in fault["reason"] for fault in first["faults"]] == [True]
    assert len(remote(kernel.run(f"%%energy\n{WORK}").measurement)) == 2
    closing = kernel.run("%%energy\nclient.close()").measurement
    assert ["the Dask client is closed" in fault["reason"] for fault in closing["faults"]] == [True]
    later = kernel.run("%%energy\nx = 1").measurement
    assert (later["faults"], remote(later)) == ([], [])


def test_without_a_client_it_says_what_to_do(start_kernel: Any) -> None:
    kernel = start_kernel()
    assert "There is no Dask client here: make one first" in kernel.run("%energy_cluster on").text("stderr")
    assert "No cluster is measured" in kernel.run("%energy_cluster status").outputs[0]["data"]["text/plain"]
    assert "No cell has run on the cluster yet" in kernel.run("%energy_cluster tasks").text("stderr")


def test_it_is_nothing_where_dask_was_never_loaded(start_kernel: Any) -> None:
    """Neither Dask nor our own part for it is loaded for auto."""
    kernel = start_kernel(GREENNB_CLUSTER="auto")
    kernel.run("%%energy\nx = 1")
    loaded = "sorted({'distributed', 'dask', 'greennb.cluster.follow'} & set(__import__('sys').modules))"
    assert kernel.value(loaded) == []
