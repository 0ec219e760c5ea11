"""The rig's NVML half tells the truth: thousands of reads of the C library against the truth computed in Python."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.rig import nvml, nvml_truth
from tests.rig.nvml import Gpu, NvmlRig

READS = 2000

READER = """
import json, sys, time, pynvml
pynvml.nvmlInit()
handles = [pynvml.nvmlDeviceGetHandleByIndex(i) for i in range(pynvml.nvmlDeviceGetCount())]
calls = {"energy": pynvml.nvmlDeviceGetTotalEnergyConsumption, "power": pynvml.nvmlDeviceGetPowerUsage}
for _ in range(int(sys.argv[1])):
    for name, call in calls.items():
        for position, handle in enumerate(handles):
            before = time.monotonic_ns()
            value = call(handle)
            print(json.dumps([name, position, before, value, time.monotonic_ns()]))
    time.sleep(0.0003)
"""

BOARDS = (
    Gpu(trace="constant 250.5"),
    Gpu(uuid="GPU-1", trace="square 100 400 0.3", refresh_ns=23_000_001, start_mj=7),
    Gpu(uuid="GPU-2", trace="square 60 333.333 0.0777 0.01", jitter_ns=2_000_000, seed=5, average_ns=100_000_000),
    Gpu(uuid="GPU-3", trace="ramp 50 650 0.9", jitter_ns=9_999_999, seed=11, average_ns=25_000_000, lag_ns=130_000_000),
    Gpu(uuid="GPU-4", powers=((0, 100_000), (10**12, 333_333), (2 * 10**12, 90_001)), refresh_ns=1_000_000),
    Gpu(uuid="GPU-5", trace="steps 0:100 1000000000:50.25 3000000000:300", refresh_ns=100_000_000),
    Gpu(uuid="GPU-6", trace="ramp 400 100 0.05", refresh_ns=0),
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not nvml.can_build():
        pytest.skip("no gcc: the NVML stub cannot be built, and the NVML half of the rig is not tested")
    return nvml.build(tmp_path_factory.mktemp("nvml"))


def in_child(rig: NvmlRig, code: str, *arguments: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=rig.environ(), capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.fixture(scope="module")
def reads(library: Path, tmp_path_factory: pytest.TempPathFactory) -> list[list]:  # type: ignore[type-arg]
    """Reads of every board's counter and power, each between two looks at the clock."""
    rig = NvmlRig(tmp_path_factory.mktemp("boards"), library, BOARDS)
    return [json.loads(line) for line in in_child(rig, READER, str(READS)).splitlines()]


def test_every_read_of_the_counter_is_the_truth(reads: list[list]) -> None:  # type: ignore[type-arg]
    """Energy never falls, so the counter lies between the truth before and the truth after; mostly these are one."""
    exact = 0
    counters = [read for read in reads if read[0] == "energy"]
    assert len(counters) == READS * len(BOARDS)
    for _, position, before_ns, value, after_ns in counters:
        low, high = BOARDS[position].energy_mj(before_ns), BOARDS[position].energy_mj(after_ns)
        assert low <= value <= high, f"board {position}"
        exact += low == high
    assert exact > 0.7 * len(counters)


def test_every_read_of_power_is_the_truth(reads: list[list]) -> None:  # type: ignore[type-arg]
    """Where no tick came between the two looks at the clock it is exact; else it is one of the two ticks' powers."""
    for name, position, before_ns, value, after_ns in reads:
        gpu = BOARDS[position]
        if name == "power" and gpu.refresh_ns:
            assert value in (gpu.power_mw(before_ns), gpu.power_mw(after_ns)), f"board {position}"


def test_all_boards_ticked_during_the_reads(reads: list[list]) -> None:  # type: ignore[type-arg]
    """The self-test has seen movement, not one value again and again."""
    for position in range(len(BOARDS)):
        assert len({read[3] for read in reads if read[0] == "energy" and read[1] == position}) > 5


def test_jittered_ticks_stay_in_order_and_spread_as_said() -> None:
    """Uniform over twice the jitter: a standard deviation of jitter / sqrt(3), around the grid."""
    gpu = Gpu(jitter_ns=5_000_000, seed=3)
    ticks = [nvml_truth.tick_of(gpu, k) for k in range(20_000)]
    assert ticks == sorted(ticks)
    late = [tick - k * gpu.refresh_ns for k, tick in enumerate(ticks)]
    assert max(map(abs, late)) <= gpu.jitter_ns
    assert abs(sum(late) / len(late)) < 0.02 * gpu.jitter_ns
    spread = (sum(x * x for x in late) / len(late)) ** 0.5
    assert spread == pytest.approx(gpu.jitter_ns / 3**0.5, rel=0.02)


def test_the_true_energy_is_the_integral_of_the_power() -> None:
    """Closed forms against sums over small steps, so that the truth itself is not merely believed."""
    begins_w = {
        "square 100 400 0.3": 100, "square 100 400 0.3 0.07": 400,
        "ramp 50 650 0.9": 50, "steps 0:100 500000000:40": 100,
    }  # fmt: skip
    for text, begin_w in begins_w.items():
        trace = nvml_truth.Trace.parse(text)
        step_ns = 100_000
        watts = [
            float(trace.energy_pj(t + step_ns) - trace.energy_pj(t)) / step_ns / 1e3
            for t in range(0, 2 * 10**9, step_ns)
        ]
        assert watts[1] == pytest.approx(begin_w, abs=0.2)
        assert max(watts) <= 650
        assert min(watts) >= 40
        assert sum(watts) * step_ns / 1e9 == pytest.approx(float(trace.energy_pj(2 * 10**9)) / 1e12, rel=1e-9)


@pytest.mark.parametrize(
    "text",
    ["", "constant", "square 1 2", "square 1 2 0", "ramp 1 2", "steps", "steps 5:1 3:2", "triangle 1 2", "load 1 2"],
)
def test_what_is_no_trace_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no trace|not enough values"):
        nvml_truth.Trace.parse(text)


def test_a_load_follows_the_cpu_time_of_its_process(library: Path, tmp_path: Path) -> None:
    """100 W idle and 50 W a core: burning a core for a while shows as its CPU seconds times 50 J."""
    rig = NvmlRig(tmp_path, library, [Gpu(trace="load 100 50 0", refresh_ns=5_000_000)])
    code = """
import json, time, pynvml
pynvml.nvmlInit()
board = pynvml.nvmlDeviceGetHandleByIndex(0)
def look(): return time.monotonic(), time.process_time(), pynvml.nvmlDeviceGetTotalEnergyConsumption(board) / 1000
t0, cpu0, j0 = look()
while time.process_time() - cpu0 < 0.4: pynvml.nvmlDeviceGetTotalEnergyConsumption(board)
t1, cpu1, j1 = look()
print(json.dumps([t1 - t0, cpu1 - cpu0, j1 - j0]))
"""
    elapsed_s, cpu_s, joules = json.loads(in_child(rig, code))
    assert joules == pytest.approx(100 * elapsed_s + 50 * cpu_s, abs=2 * 0.005 * 150)


def test_what_meters_ask_besides_is_answered(library: Path, tmp_path: Path) -> None:
    """Processes and their shares, utilisation, memory, limits, temperature, power as a field."""
    board = Gpu(
        trace="constant 300", processes=((0, 3 * nvml.GIB, 70, 20), (4242, nvml.GIB, 10, 5)), sm_util=80,
        memory_util=25, memory_used=4 * nvml.GIB, temperature_c=61, limit_mw=500_000,
    )  # fmt: skip
    rig = NvmlRig(tmp_path, library, [board])
    code = """
import json, os, pynvml as n
n.nvmlInit()
b = n.nvmlDeviceGetHandleByIndex(0)
u, m, f = n.nvmlDeviceGetUtilizationRates(b), n.nvmlDeviceGetMemoryInfo(b), n.nvmlDeviceGetFieldValues(b, [186, 185, 1])
shares = n.nvmlDeviceGetProcessUtilization(b, 0)
try: newer = len(n.nvmlDeviceGetProcessUtilization(b, shares[0].timeStamp + 60_000_000))
except n.NVMLError_NotFound: newer = 0
print(json.dumps({
    "processes": [[p.pid == os.getpid(), p.usedGpuMemory] for p in n.nvmlDeviceGetComputeRunningProcesses(b)],
    "graphics": len(n.nvmlDeviceGetGraphicsRunningProcesses(b)),
    "shares": [[s.pid == os.getpid(), s.smUtil, s.memUtil] for s in shares], "newer": newer,
    "rates": [u.gpu, u.memory], "memory": [m.total, m.used, m.total - m.free],
    "limits": [n.nvmlDeviceGetPowerManagementLimit(b), n.nvmlDeviceGetEnforcedPowerLimit(b)],
    "celsius": n.nvmlDeviceGetTemperature(b, 0), "fields": [f[0].value.uiVal, f[1].value.uiVal, f[2].nvmlReturn],
}))
"""
    assert json.loads(in_child(rig, code)) == {
        "processes": [[True, 3 * nvml.GIB], [False, nvml.GIB]],
        "graphics": 0,
        "shares": [[True, 70, 20], [False, 10, 5]],
        "newer": 0,
        "rates": [80, 25],
        "memory": [80 * nvml.GIB, 4 * nvml.GIB, 4 * nvml.GIB],
        "limits": [500_000, 500_000],
        "celsius": 61,
        "fields": [300_000, 300_000, nvml.NOT_SUPPORTED],
    }


@pytest.mark.skipif(not nvml.can_build(), reason="no gcc: the NVML stub cannot be built")
def test_a_configuration_describes_boards_that_a_process_then_sees(tmp_path: Path) -> None:
    """What the launcher calls: tables in, environment variables out."""
    tables = [
        {"trace": "square 100 400 0.3", "refresh_ms": 25, "jitter": 0.03, "seed": 9, "limit_w": 350},
        {"uuid": "GPU-other", "name": "NVIDIA T4", "no_counter": True, "average_ms": 100, "processes": [{"sm": 5}]},
    ]  # fmt: skip
    variables = nvml.describe(tables, tmp_path)
    assert set(variables) == {"LD_LIBRARY_PATH", "GREENNB_NVML_STUB"}
    code = "from greennb.sources.nvml import probe; print(probe('h', {}).reason)"
    shown = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | variables, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    assert "GPU 0 NVIDIA H100 80GB HBM3 (energy counter), GPU 1 NVIDIA T4 (power, integrated)" in shown
    first = nvml.board(tables[0])
    assert (first.refresh_ns, first.jitter_ns, first.seed, first.limit_mw) == (25_000_000, 750_000, 9, 350_000)


@pytest.mark.parametrize("table", [{"watts": 3}, {"trace": "flat 3"}, {"jitter": 0.5}])
def test_a_table_that_means_nothing_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\[\[gpu\]\] table|is no trace|jitter is"):
        nvml.board(table)


@pytest.fixture
def fallen(library: Path, tmp_path: Path) -> NvmlRig:
    return NvmlRig(tmp_path, library, [Gpu(trace="constant 200", refresh_ns=5_000_000), Gpu(uuid="GPU-1")])


FAULTY = """
import json, sys, time, pynvml as n
n.nvmlInit()
b = [n.nvmlDeviceGetHandleByIndex(i) for i in range(2)]
def read(call, i):
    began = time.monotonic_ns()
    try: value = call(b[i])
    except n.NVMLError as error: value = -error.value
    return [value, (time.monotonic_ns() - began) / 1e6]
for line in sys.stdin:
    print(json.dumps([read(n.nvmlDeviceGetTotalEnergyConsumption, 0), read(n.nvmlDeviceGetPowerUsage, 0),
                      read(n.nvmlDeviceGetTotalEnergyConsumption, 1)]), flush=True)
"""


def test_faults_come_and_go_while_a_process_runs(fallen: NvmlRig) -> None:
    """Each fault is what it says, of the board that it names alone, and ends with its line."""
    process = subprocess.Popen(
        [sys.executable, "-c", FAULTY], env=fallen.environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def look(*faults: str) -> list:  # type: ignore[type-arg]
        fallen.fault(*faults)
        process.stdin.write("\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        assert answer[2][0] > 0, "the other board goes on"
        return answer

    try:
        good = look()
        assert good[0][0] > 0
        assert good[1][0] == 200_000
        assert [each[0] for each in look("gpu0 lost")[:2]] == [-nvml.GPU_IS_LOST] * 2
        assert [each[0] for each in look("gpu0 no_counter")[:2]] == [-nvml.NOT_SUPPORTED, 200_000]
        assert [each[0] for each in look("gpu0 no_permission")[:2]] == [-nvml.NO_PERMISSION] * 2
        assert [each[0] for each in look("gpu0 unknown")[:2]] == [-999] * 2
        assert all(took >= 30 for _, took in look("gpu0 slow 30")[:2])
        frozen = look("gpu0 frozen 0")  # from when the process sees it
        time.sleep(0.05)
        assert look("gpu0 frozen 0")[0][0] == frozen[0][0] > good[0][0]
        assert frozen[1][0] == 200_000, "the power goes on"
        zero_ns = time.monotonic_ns()
        (reset, _), *_ = look(f"gpu0 reset {zero_ns}")
        assert 0 <= reset <= 200 * (time.monotonic_ns() - zero_ns) / 1e9 * 1000
        assert look()[0][0] > frozen[0][0]
    finally:
        process.stdin.close()
        process.wait(timeout=30)
        process.stdout.close()


@pytest.mark.skipif(not nvml.can_build(), reason="no gcc: the NVML stub cannot be built")
def test_an_old_driver_lacks_functions(tmp_path: Path) -> None:
    """A library built without a function answers pynvml as an old driver does."""
    old = nvml.build(tmp_path, without=["nvmlDeviceGetTotalEnergyConsumption"])
    rig = NvmlRig(tmp_path, old, [Gpu()])
    code = """
import pynvml as n
n.nvmlInit()
b = n.nvmlDeviceGetHandleByIndex(0)
print(n.nvmlDeviceGetPowerUsage(b))
try: n.nvmlDeviceGetTotalEnergyConsumption(b)
except n.NVMLError_FunctionNotFound: print("lacks it")
"""
    assert in_child(rig, code).split("\n")[:2] == ["250000", "lacks it"]


def test_the_library_can_be_read_from_many_threads(library: Path, tmp_path: Path) -> None:
    """No read goes back, whoever asks."""
    rig = NvmlRig(tmp_path, library, [Gpu(trace="load 100 50 0", refresh_ns=1_000_000, jitter_ns=300_000)])
    code = """
import threading, pynvml as n
n.nvmlInit()
b = n.nvmlDeviceGetHandleByIndex(0)
bad = []
def go():
    last = 0
    for _ in range(3000):
        now = n.nvmlDeviceGetTotalEnergyConsumption(b)
        if now < last: bad.append((last, now))
        last = now
threads = [threading.Thread(target=go) for _ in range(4)]
[t.start() for t in threads]; [t.join() for t in threads]
print(len(bad))
"""
    assert in_child(rig, code).strip() == "0"
