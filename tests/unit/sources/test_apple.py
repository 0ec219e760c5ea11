"""Apple silicon: what becomes of the package's answers. The package is a stand-in with its names; no Mac was seen."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from greennb.model.reading import DomainKind, Fault, Method
from greennb.sources import apple
from greennb.sources.base import Probe, Source

STUB = Path(__file__).parents[2] / "rig/apple"
M1 = {
    "cpu_total_mj": 12_345, "efficiency_cores_mj": [100, 110], "performance_cores_mj": [2_000, 2_100],
    "efficiency_cluster_mj": [345], "performance_cluster_mj": [6_000, 6_000], "dram_mj": 1_500, "gpu_mj": 800,
    "gpu_sram_mj": 20, "ane_mj": 7,
}  # fmt: skip

Set = Callable[..., None]


@pytest.fixture
def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Set]:
    """Puts the stand-in where ``import`` finds it, and sets what its chip says."""
    file = tmp_path / "figures.json"
    monkeypatch.setenv("GREENNB_APPLE_STUB", str(file))
    monkeypatch.syspath_prepend(str(STUB))

    def say(**values: object) -> None:
        file.write_text(json.dumps(values))

    say(**M1)
    yield say
    sys.modules.pop("zeus_apple_silicon", None)


def probed() -> Probe:
    return apple.probe("h", system="darwin", machine="arm64")


def found() -> Source:
    result = probed()
    assert result.source is not None, result.reason
    return result.source


def fault_reasons(source: Source) -> set[str]:
    samples = source.sample()
    assert all(isinstance(sample, Fault) and sample.hint for sample in samples)
    return {sample.reason for sample in samples if isinstance(sample, Fault)}


def test_millijoules_become_microjoules_and_clusters_are_summed(figures: Set) -> None:
    source = found()
    by_label = dict(zip((c.domain.label for c in source.channels), source.sample(), strict=True))
    assert by_label == {
        "CPU": 12_345_000, "CPU efficiency cores": 345_000, "CPU performance cores": 12_000_000, "GPU": 800_000,
        "DRAM": 1_500_000, "Neural Engine": 7_000,
    }  # fmt: skip
    assert {channel.method for channel in source.channels} == {Method.COUNTER}
    assert all("model in the chip" in channel.note for channel in source.channels)


@pytest.mark.usefixtures("figures")
def test_clusters_lie_in_the_cpu_and_nothing_counts_twice() -> None:
    domains = {channel.domain.label: channel.domain for channel in found().channels}
    assert {label for label, domain in domains.items() if domain.inside is None} == {
        "CPU", "GPU", "DRAM", "Neural Engine",
    }  # fmt: skip
    assert domains["CPU performance cores"].inside == domains["CPU"]
    assert domains["CPU"].kind is DomainKind.CPU_PACKAGE


def test_what_a_chip_lacks_is_no_domain_and_not_0(figures: Set) -> None:
    """Older machines tell no DRAM; older versions of the package know no clusters."""
    figures(cpu_total_mj=5, gpu_mj=0, efficiency_cluster_mj=[])
    source = found()
    assert [channel.domain.label for channel in source.channels] == ["CPU", "GPU"]
    assert list(source.sample()) == [5_000, 0]


def test_a_part_that_stops_answering_is_a_fault_and_recovers(figures: Set) -> None:
    source = found()
    figures(**{**M1, "gpu_mj": None})
    samples = dict(zip((c.domain.label for c in source.channels), source.sample(), strict=True))
    assert isinstance(samples["GPU"], Fault)
    assert samples["CPU"] == 12_345_000
    figures(**M1)
    assert not any(isinstance(sample, Fault) for sample in source.sample())


def test_an_error_of_the_package_is_a_fault_on_each_part_and_recovers(figures: Set) -> None:
    source = found()
    figures(error="Failed to convert CFString to std::string")
    assert fault_reasons(source) == {"macOS gives no energy (Failed to convert CFString to std::string)"}
    figures(**M1)
    assert not any(isinstance(sample, Fault) for sample in source.sample())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.usefixtures("figures")
def test_a_forked_child_makes_a_monitor_of_its_own() -> None:
    source = found()
    source.after_fork()
    assert not any(isinstance(sample, Fault) for sample in source.sample())


@pytest.mark.usefixtures("figures")
def test_after_close_each_sample_is_a_fault() -> None:
    source = found()
    source.close()
    source.close()
    source.after_fork()
    assert [sample.reason for sample in source.sample() if isinstance(sample, Fault)] == ["the source is closed"] * 6


@pytest.mark.parametrize(("system", "machine", "word"), [("linux", "aarch64", "macOS"), ("darwin", "x86_64", "Intel")])
def test_other_machines_are_refused_without_looking_for_the_package(system: str, machine: str, word: str) -> None:
    result = apple.probe("h", system=system, machine=machine)
    assert result.source is None
    assert word in result.reason


@pytest.mark.skipif(sys.platform == "darwin", reason="the package may be here")
def test_without_the_package_the_refusal_is_the_command_that_installs_it() -> None:
    result = probed()
    assert result.source is None
    assert "zeus-apple-silicon is not installed" in result.reason
    assert "pip install zeus-apple-silicon" in result.hint


@pytest.mark.parametrize(
    ("values", "word"),
    [({"broken": True}, "IOReport"), ({"error": "no"}, "(no)"), ({}, "none of this chip's counters")],
)
def test_a_package_that_cannot_read_this_chip_is_refused_in_words(
    figures: Set, values: dict[str, object], word: str
) -> None:
    figures(**values)
    result = probed()
    assert result.source is None
    assert word in result.reason
    assert "Upgrade" in result.hint
