"""Reading the counters: a failed read is a Fault with a reason and its mend, never a 0 and never an exception."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from greennb.model.reading import DomainKind, Fault
from greennb.sources import rapl
from greennb.sources.base import Probe, Source
from tests.rig import powercap
from tests.rig.powercap import Tree


@contextmanager
def nobody() -> Iterator[None]:
    """Not root while it lasts, for root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter (pytest's own are closed to others)."""
    folder = Path(tempfile.mkdtemp(prefix="powercap"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def read(tree: Tree) -> Source:
    source = rapl.probe(str(tree.root), "h", sleep=lambda _s: None).source
    assert source is not None
    return source


def one_zone(folder: Path) -> Tree:
    return Tree(folder).zone("intel-rapl:0", "package-0", 10_000_000)


def test_a_sample_is_the_counters_in_the_order_of_the_channels(tmp_path: Path) -> None:
    tree = powercap.single_package(tmp_path)
    source = read(tree)
    assert list(source.sample()) == [10_000_000, 4_000_000, 500_000, 2_000_000]
    tree.advance(intel_rapl_0=123)
    assert next(iter(source.sample())) == 10_000_123
    source.close()


def test_the_counter_is_given_as_it_wraps_for_the_meter_unwraps(tmp_path: Path) -> None:
    tree = one_zone(tmp_path)
    source = read(tree)
    tree.set("intel-rapl:0", 7)
    assert list(source.sample()) == [7]


@pytest.mark.parametrize("content", ["", "\n", "garbage\n", "-5\n", "12 34\n", "1.5\n", "\x00\xff"])
def test_a_counter_without_a_whole_number_is_a_fault_and_the_others_are_still_read(
    tmp_path: Path, content: str
) -> None:
    tree = powercap.dual_socket(tmp_path)
    source = read(tree)
    tree.write("intel-rapl:0", content)
    bad, *good = source.sample()
    assert isinstance(bad, Fault)
    assert bad.domain == source.channels[0].domain
    assert bad.reason == "its counter is empty, negative or no number"
    assert bad.hint
    assert good == [2_000_000, 20_000_000, 3_000_000]


def test_a_zone_that_goes_and_comes_back_is_read_again(tmp_path: Path) -> None:
    """A driver that is loaded again brings new files; the source finds them by their path."""
    tree = one_zone(tmp_path)
    source = read(tree)
    tree.write("intel-rapl:0", "")
    tree.counter("intel-rapl:0").unlink()
    (fault,) = source.sample()
    assert isinstance(fault, Fault)
    assert fault.reason == "its counter is gone"
    tree.set("intel-rapl:0", 99)
    assert list(source.sample()) == [99]
    tree.set("intel-rapl:0", 100)
    assert list(source.sample()) == [100]
    tree.counter("intel-rapl:0").unlink()
    assert list(source.sample()) == [100]  # held open again: the fast way is taken from now on


@pytest.mark.skipif(sys.platform == "win32", reason="a folder can be opened on POSIX only")
def test_a_read_error_is_a_fault_with_the_systems_words(tmp_path: Path) -> None:
    tree = one_zone(tmp_path)
    source = read(tree)
    tree.write("intel-rapl:0", "")
    tree.counter("intel-rapl:0").unlink()
    tree.counter("intel-rapl:0").mkdir()
    (fault,) = source.sample()
    assert isinstance(fault, Fault)
    assert fault.reason == "reading its counter failed (Is a directory)"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_without_permission_the_refusal_names_the_cve_and_the_least_mend(open_folder: Path) -> None:
    tree = powercap.single_package(open_folder)
    for key in tree.zones:
        tree.counter(key).chmod(0o400 if os.geteuid() == 0 else 0)
    with nobody():
        result = rapl.probe(str(tree.root), "h")
    assert result.source is None
    assert "CVE-2020-8694" in result.reason
    for part in ("udev", "groupadd", "GREENNB_RAPL_ROOT", "/sys/devices/virtual/powercap"):
        assert part in result.hint


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_zone_without_permission_beside_readable_ones_makes_a_fault(open_folder: Path) -> None:
    """The rest is measured, and every total knows that it is partial."""
    tree = powercap.dual_socket(open_folder)
    tree.counter("intel-rapl:1").chmod(0o400 if os.geteuid() == 0 else 0)
    with nobody():
        result = rapl.probe(str(tree.root), "h")
    assert result.source is not None
    assert len(result.source.channels) == 3
    (fault,) = result.faults
    assert fault.domain is not None
    assert (fault.domain.kind, fault.domain.label) == (DomainKind.CPU_PACKAGE, "CPU package 0")
    assert fault.reason == "no permission to read its counter (root only since CVE-2020-8694)"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_permission_taken_away_while_running_shows_when_the_file_must_be_opened_again(open_folder: Path) -> None:
    tree = one_zone(open_folder)
    source = read(tree)
    tree.write("intel-rapl:0", "")
    tree.counter("intel-rapl:0").chmod(0o400 if os.geteuid() == 0 else 0)
    with nobody():
        (fault,) = source.sample()
    assert isinstance(fault, Fault)
    assert "no permission" in fault.reason


def refused(result: Probe) -> Probe:
    assert result.source is None
    assert result.reason
    assert result.faults == ()
    return result


def test_a_masked_tree_is_told_as_a_containers(tmp_path: Path) -> None:
    """Links without their targets: what container runtimes leave."""
    result = refused(rapl.probe(str(powercap.masked(tmp_path).root), "h"))
    assert "intel-rapl:0" in result.reason
    assert "--volume /sys/devices/virtual/powercap:/powercap:ro" in result.hint


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_a_tree_that_may_be_listed_but_not_entered_is_refused(open_folder: Path) -> None:
    one_zone(open_folder)
    open_folder.chmod(0o744)
    with nobody():
        result = refused(rapl.probe(str(open_folder), "h"))
    assert "intel-rapl:0" in result.reason


def test_zones_of_unknown_names_alone_are_refused(tmp_path: Path) -> None:
    result = refused(rapl.probe(str(Tree(tmp_path).zone("intel-rapl:0", "pcie").root), "h"))
    assert result.reason == "Not intel-rapl:0 (pcie): greennb does not know what it measures."


def test_an_empty_and_an_absent_tree_are_refused_in_words(tmp_path: Path) -> None:
    empty = refused(rapl.probe(str(tmp_path), "h"))
    absent = refused(rapl.probe(str(tmp_path / "none"), "h"))
    assert str(tmp_path) in empty.reason
    assert str(tmp_path / "none") in absent.reason


def test_psys_alone_is_read(tmp_path: Path) -> None:
    assert list(read(Tree(tmp_path).zone("intel-rapl:0", "psys", 5)).sample()) == [5]


def test_faults_carry_the_time_of_the_clock_that_was_given(tmp_path: Path) -> None:
    source = rapl.RaplSource(read(one_zone(tmp_path)).channels, now_ns=lambda: 42)
    source.close()
    (fault,) = source.sample()
    assert isinstance(fault, Fault)
    assert (fault.t_ns, fault.reason) == (42, "the source is closed")


def test_seek_and_read_gives_what_pread_gives(tmp_path: Path) -> None:
    """Platforms without ``os.pread`` read the same figures, as often as asked."""
    tree = one_zone(tmp_path)
    fd = os.open(tree.counter("intel-rapl:0"), os.O_RDONLY)
    try:
        assert rapl._seek_and_read(fd, 32, 0) == rapl._seek_and_read(fd, 32, 0) == b"10000000\n"
    finally:
        os.close(fd)
