"""TDPs by model name: the same model under any spelling, and never another model's figure."""

from __future__ import annotations

import pytest

from greennb.sources.cpu_tdp import SERVER_CORES, TdpTable, codecarbon_table, cores_in_name, is_server, plain_name


@pytest.mark.parametrize(
    ("name", "watts"),
    [
        ("Intel(R) Core(TM) i7-10700 CPU @ 2.90GHz", 65),
        ("Intel(R) Core(TM) i7-10700K CPU @ 3.80GHz", 125),
        ("12th Gen Intel(R) Core(TM) i7-12700K", 190),
        ("Intel(R) Core(TM) Ultra 7 155H", 28),
        ("Intel(R) Core(TM)2 Duo CPU     E8200  @ 2.66GHz", 65),
        ("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", 210),
        ("Intel(R) Xeon(R) CPU E5-2686 v4 @ 2.30GHz", 145),
        ("INTEL(R) XEON(R) PLATINUM 8592+", 350),
        ("Intel(R) Pentium(R) Gold G5600 CPU @ 3.90GHz", 54),
        ("AMD EPYC 7763 64-Core Processor", 280),
        ("AMD EPYC 7763 64-Core Processor                ", 280),
        ("AMD Ryzen 7 5800X 8-Core Processor", 105),
        ("AMD Ryzen 7 PRO 4750U with Radeon Graphics", 15),
        ("AMD Ryzen 7 1700 Eight-Core Processor", 65),
        ("AMD FX(tm)-8350 Eight-Core Processor", 125),
        ("Apple M1", 10),
    ],
)
def test_the_names_that_systems_show_are_found(name, watts):
    """/proc/cpuinfo, the registry and sysctl decorate a name; the table has it plain."""
    found = codecarbon_table().exact(name)
    assert found is not None
    assert found.middle == watts
    assert found.low < watts < found.high


@pytest.mark.parametrize(
    "name",
    [
        "AMD EPYC",
        "AMD EPYC-Rome Processor",
        "Intel(R) Xeon(R) CPU @ 2.20GHz",
        "Intel Xeon Processor (Skylake, IBRS)",
        "AMD EPYC 776",
        "AMD EPYC 77633",
        "Intel(R) Core(TM) i7-1070",
        "QEMU Virtual CPU version 2.5+",
        "",
        "   ",
        "i7",
    ],
)
def test_a_name_that_is_not_in_the_table_is_not_matched_to_a_neighbour(name):
    assert codecarbon_table().exact(name) is None


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Intel(R) Xeon(R) Platinum 8488C", '"intel xeon platinum"'),
        ("AMD EPYC-Genoa Processor", '"amd epyc"'),
        ("Intel(R) Xeon(R) CPU @ 2.20GHz", '"intel xeon"'),
        ("Apple M9 Max", '"apple"'),
        ("Loongson-3A5000", "all models"),
    ],
)
def test_an_unknown_model_gets_its_family_and_says_so(name, family):
    found = codecarbon_table().family(name)
    assert family in found.how
    assert "median" in found.how
    assert found.low < found.middle < found.high


def test_a_family_is_its_median_and_its_5th_to_95th_percentile():
    rows = [(f"Acme Chip {number}", float(number)) for number in range(101)] + [("Other 1", 900.0)] * 10
    found = TdpTable(rows).family("Acme Chip X")
    assert (found.low, found.middle, found.high) == pytest.approx((5, 50, 95))


def test_two_rows_of_one_model_widen_its_range():
    """A model that the table has twice, with different watts: the range holds both."""
    found = TdpTable([("Acme-1", 65.0), ("ACME  1", 95.0)]).exact("ACME 1")
    assert found is not None
    assert found.low < 65 < 95 <= found.high


def test_without_a_table_there_is_a_generic_figure_that_says_so():
    found = TdpTable(()).family("AMD EPYC 7763")
    assert "not installed" in found.how
    assert found.low < found.middle < found.high
    assert "generic" in TdpTable(()).per_thread("AMD EPYC").how


def test_every_server_part_with_known_cores_is_in_the_table():
    """Watts per thread come from the table's TDP and our cores: a part that the table lacks would drop out unseen."""
    assert [part for part in SERVER_CORES if codecarbon_table().exact(part) is None] == []


def test_watts_per_thread_go_by_vendor():
    table = codecarbon_table()
    amd, intel, any_vendor = (table.per_thread(name) for name in ("AMD EPYC", "Intel Xeon Processor", "KVM"))
    assert "AMD" in amd.how
    assert amd.middle < any_vendor.middle < intel.middle
    for watts in (amd, intel, any_vendor):
        assert 1 < watts.low < watts.middle < watts.high < 10


@pytest.mark.parametrize(
    ("name", "threads"),
    [
        ("AMD EPYC 7763 64-Core Processor", 128),
        ("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz", 48),
        ("AMD EPYC", None),
        ("Intel(R) Core(TM) i7-10700 CPU @ 2.90GHz", None),
    ],
)
def test_threads_of_a_socket_where_the_name_tells(name, threads):
    assert TdpTable.threads(name) == threads


def test_small_readings_of_a_name():
    assert cores_in_name("AMD Ryzen Threadripper PRO 3995WX 64-Cores") == 64
    assert cores_in_name("Intel(R) Pentium(R) Dual-Core T2080") is None
    assert plain_name("Intel(R) Pentium(R) Dual-Core T2080") == "intel pentium dual-core t2080"
    assert is_server("Intel(R) Xeon(R) CPU")
    assert not is_server("AMD Ryzen 7 5800X")


def test_codecarbon_s_table_is_read_without_codecarbon():
    """Its import would load pandas."""
    import subprocess
    import sys

    code = (
        "import sys; from greennb.sources.cpu_tdp import codecarbon_table as t; "
        "assert t().exact('AMD EPYC 7763'); print([m for m in ('codecarbon', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
