"""Which zones of a powercap tree are counted: traps 2 to 8 of joules counted twice, or not at all."""

import shutil
from pathlib import Path

import pytest

from greennb.model.reading import Domain, DomainKind
from greennb.sources.base import Probe
from greennb.sources.rapl import CEILINGS_W, UNIT_UJ, probe
from tests.rig import powercap
from tests.rig.powercap import Tree

PACKAGE, CORE, UNCORE = DomainKind.CPU_PACKAGE, DomainKind.CPU_CORE, DomainKind.CPU_UNCORE
DRAM, PSYS = DomainKind.DRAM, DomainKind.PSYS


def still(_seconds: float) -> None:
    """Time passes and no counter moves."""


def keys(result: Probe) -> dict[str, DomainKind]:
    """The zones read, by folder name, with their kinds."""
    assert result.source is not None
    return {Path(channel.domain.device).name: channel.domain.kind for channel in result.source.channels}


def domain(result: Probe, key: str) -> Domain:
    assert result.source is not None
    return next(c.domain for c in result.source.channels if Path(c.domain.device).name == key)


def test_package_and_dram_are_roots_with_core_and_uncore_inside_their_package(tmp_path: Path) -> None:
    """The total is package + DRAM: cores and uncore lie inside the package, DRAM does not."""
    result = probe(str(powercap.single_package(tmp_path).root), "h", sleep=still)
    package = domain(result, "intel-rapl:0")
    assert keys(result) == {
        "intel-rapl:0": PACKAGE, "intel-rapl:0:0": CORE, "intel-rapl:0:1": UNCORE, "intel-rapl:0:2": DRAM,
    }  # fmt: skip
    assert domain(result, "intel-rapl:0:0").inside == package
    assert domain(result, "intel-rapl:0:1").inside == package
    assert domain(result, "intel-rapl:0:2").inside is None
    assert package.inside is None


def test_psys_is_refused_because_it_encloses_the_packages(tmp_path: Path) -> None:
    result = probe(str(powercap.single_package(tmp_path).root), "h", sleep=still)
    assert "Not intel-rapl:1 (psys): it encloses the packages, which are counted one by one" in result.reason
    assert result.faults == ()


def test_psys_stands_in_for_packages_that_cannot_be_read_and_encloses_the_dram(tmp_path: Path) -> None:
    """Never package + psys, and where psys is the root, DRAM is inside it."""
    tree = powercap.single_package(tmp_path)
    tree.write("intel-rapl:0", "")
    result = probe(str(tree.root), "h", sleep=still)
    assert keys(result) == {"intel-rapl:1": PSYS, "intel-rapl:0:2": DRAM}
    assert domain(result, "intel-rapl:0:2").inside == domain(result, "intel-rapl:1")
    assert "psys, which encloses it, is read instead" in result.reason
    assert result.faults == ()


def test_two_dram_zones_of_the_same_name_are_two_domains_of_their_sockets(tmp_path: Path) -> None:
    """Zones are keyed by path; the socket's number comes from the package's name, not from the index."""
    result = probe(str(powercap.dual_socket(tmp_path).root), "h", sleep=still)
    assert result.source is not None
    assert len({channel.domain for channel in result.source.channels}) == 4
    assert domain(result, "intel-rapl:0").label == "CPU package 1"
    assert domain(result, "intel-rapl:0:0").label == "DRAM of CPU 1"
    assert domain(result, "intel-rapl:1:0").label == "DRAM of CPU 0"
    assert list(result.source.sample()) == [10_000_000, 2_000_000, 20_000_000, 3_000_000]


def test_the_mmio_zone_of_a_package_is_not_read_beside_the_msr_zone(tmp_path: Path) -> None:
    result = probe(str(powercap.with_mmio(tmp_path).root), "h", sleep=still)
    assert keys(result) == {"intel-rapl:0": PACKAGE, "intel-rapl:0:0": CORE, "intel-rapl:0:1": UNCORE}
    assert "Not intel-rapl-mmio:0 (package-0): intel-rapl:0 reads the same hardware" in result.reason


def test_the_mmio_zone_is_read_where_the_msr_zone_cannot_be(tmp_path: Path) -> None:
    tree = powercap.with_mmio(tmp_path)
    tree.write("intel-rapl:0", "")
    result = probe(str(tree.root), "h", sleep=still)
    assert keys(result)["intel-rapl-mmio:0"] is PACKAGE
    assert "intel-rapl:0" not in keys(result)
    assert result.faults == ()


def test_dram_that_only_mmio_has_is_read(tmp_path: Path) -> None:
    tree = powercap.with_mmio(tmp_path).zone("intel-rapl-mmio:0:0", "dram")
    assert keys(probe(str(tree.root), "h", sleep=still))["intel-rapl-mmio:0:0"] is DRAM


def advancing(tree: Tree, steps: dict[str, int]):  # type: ignore[no-untyped-def]
    """A sleep during which each counter moves by its own step."""

    def sleep(_seconds: float) -> None:
        tree.advance(**steps)

    return sleep


def test_distinct_dies_are_summed(tmp_path: Path) -> None:
    """Dies whose counters move by different steps are all read, each with its own DRAM."""
    tree = powercap.multi_die(tmp_path)
    steps = {f"intel_rapl_{i}": 40_000 + 61 * i for i in range(4)} | {f"intel_rapl_{i}_0": 5_000 + i for i in range(4)}
    result = probe(str(tree.root), "h", sleep=advancing(tree, steps))
    assert sorted(keys(result).values()) == [PACKAGE] * 4 + [DRAM] * 4
    assert domain(result, "intel-rapl:3").label == "CPU package 1 die 1"


def test_a_die_that_repeats_another_is_dropped_with_its_dram(tmp_path: Path) -> None:
    """Mirrors are found by their steps over time, though the snapshots differ by a constant."""
    tree = powercap.multi_die(tmp_path)
    steps = {"intel_rapl_0": 40_000, "intel_rapl_1": 40_000, "intel_rapl_2": 40_000, "intel_rapl_3": 40_061}
    result = probe(str(tree.root), "h", sleep=advancing(tree, steps))
    assert "intel-rapl:1" not in keys(result)
    assert "intel-rapl:1:0" not in keys(result)
    assert {"intel-rapl:0", "intel-rapl:2", "intel-rapl:3"} < keys(result).keys()
    assert "Not intel-rapl:1 (package-0-die-1): it repeats intel-rapl:0" in result.reason


def test_mirrors_are_found_over_a_wrap(tmp_path: Path) -> None:
    tree = powercap.multi_die(tmp_path)
    tree.set("intel-rapl:1", powercap.INTEL_RANGE_UJ - 100_000)
    ranges = {"intel-rapl:0": 5_000_000, "intel-rapl:1": powercap.INTEL_RANGE_UJ - 100_000}

    def sleep(_seconds: float) -> None:
        for key in ranges:
            ranges[key] = (ranges[key] + 40_000) % powercap.INTEL_RANGE_UJ
            tree.set(key, ranges[key])

    assert "intel-rapl:1" not in keys(probe(str(tree.root), "h", sleep=sleep))


def test_dies_that_do_not_move_are_kept_and_that_is_said(tmp_path: Path) -> None:
    """One snapshot proves nothing: equal figures alone never drop a die."""
    tree = powercap.multi_die(tmp_path)
    tree.set("intel-rapl:1", 5_000_000)
    result = probe(str(tree.root), "h", sleep=still)
    assert "intel-rapl:1" in keys(result)
    assert "did not move while watched" in result.reason


def test_amd_has_a_package_with_cores_and_says_that_dram_is_not_measured(tmp_path: Path) -> None:
    """No DRAM zone means unmeasured, never 0."""
    result = probe(str(powercap.amd(tmp_path).root), "h", sleep=still)
    assert keys(result) == {"intel-rapl:0": PACKAGE, "intel-rapl:0:0": CORE}
    assert result.source is not None
    assert result.source.channels[0].note == "The package without DRAM, which no counter here measures."


def test_indexes_of_two_digits_are_read_in_the_order_of_numbers(tmp_path: Path) -> None:
    result = probe(str(powercap.many_sockets(tmp_path).root), "h", sleep=still)
    assert [domain(result, key).label for key in keys(result)] == [f"CPU package {i}" for i in range(12)]


@pytest.mark.parametrize("layout", [powercap.nested, powercap.linked])
def test_the_tree_of_devices_and_the_links_to_it_give_the_same_zones(tmp_path: Path, layout) -> None:  # type: ignore[no-untyped-def]
    """A container may mount either; links back up the tree are not followed."""
    tree = layout(tmp_path)
    result = probe(str(tree.root), "h", sleep=still)
    assert keys(result) == {"intel-rapl:0": PACKAGE, "intel-rapl:0:0": DRAM}


def test_zones_of_an_unknown_name_are_refused_in_words(tmp_path: Path) -> None:
    tree = powercap.amd(tmp_path).zone("intel-rapl:1", "pcie")
    result = probe(str(tree.root), "h", sleep=still)
    assert "Not intel-rapl:1 (pcie): greennb does not know what it measures" in result.reason


def test_each_zone_has_its_own_wrap_resolution_and_ceiling(tmp_path: Path) -> None:
    tree = powercap.dual_socket(tmp_path)
    shutil.copytree(tree.zones["intel-rapl:0"], tree.root / "intel-rapl:2")
    (tree.root / "intel-rapl:2" / "name").write_text("package-2\n")
    (tree.root / "intel-rapl:2" / "max_energy_range_uj").unlink()
    (tree.root / "intel-rapl:2" / "constraint_0_max_power_uw").unlink()
    result = probe(str(tree.root), "h", sleep=still)
    assert result.source is not None
    package, dram, *_, bare = result.source.channels
    assert (package.wrap_uj, dram.wrap_uj, bare.wrap_uj) == (
        powercap.INTEL_RANGE_UJ, powercap.INTEL_DRAM_RANGE_UJ, None,
    )  # fmt: skip
    assert package.resolution_uj == pytest.approx(61.035, rel=1e-4)
    assert dram.resolution_uj == pytest.approx(15.3, rel=1e-4)
    assert bare.resolution_uj == UNIT_UJ
    assert package.max_power_w == 3 * 205
    assert bare.max_power_w == CEILINGS_W[PACKAGE]
    assert "a wrap looks like a reset" in bare.note
    assert package.refresh_ns == 1_000_000


def test_an_absurd_limit_does_not_raise_the_ceiling(tmp_path: Path) -> None:
    """Some firmware declares 4095 W for "no limit"."""
    tree = Tree(tmp_path).zone("intel-rapl:0", "package-0", limits_uw=(4_095_000_000,))
    result = probe(str(tree.root), "h", sleep=still)
    assert result.source is not None
    assert result.source.channels[0].max_power_w == CEILINGS_W[PACKAGE]
