"""What goes wrong with NVIDIA boards, and what greennb makes of it: each fault's expected result.

The promise behind all of them: never a wrong number without a Fault, and never less than no joules.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.rig import nvml
from tests.rig.nvml import Gpu, NvmlRig, NvmlSession

BOARD = Gpu(trace="constant 250")
OTHER = Gpu(uuid="GPU-other", trace="constant 100")
COUNTER = "nvmlDeviceGetTotalEnergyConsumption"
POWER = "nvmlDeviceGetPowerUsage"

Start = Callable[..., tuple[NvmlRig, NvmlSession]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not nvml.can_build():
        pytest.skip("no gcc: the NVML stub cannot be built, and the faults of NVIDIA boards are not tested")
    return nvml.build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def start(library: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts a process that sees the boards; ``without`` names functions that its driver lacks."""
    sessions: list[NvmlSession] = []

    def begin(gpus: Sequence[Gpu], without: Sequence[str] = (), **settings: int) -> tuple[NvmlRig, NvmlSession]:
        built = nvml.build(tmp_path, without=without) if without else library
        rig = NvmlRig(tmp_path, built, gpus, **settings)
        sessions.append(NvmlSession(rig.environ()))
        return rig, sessions[-1]

    yield begin
    for session in sessions:
        session.close()


def reasons(measurement: dict[str, Any]) -> str:
    return "; ".join(fault["reason"] for fault in measurement["faults"])


def domain_of(measurement: dict[str, Any], gpu: Gpu) -> dict[str, Any] | None:
    return next((domain for domain in measurement["domains"] if domain["device"] == gpu.uuid), None)


def true_j(gpu: Gpu, measurement: dict[str, Any]) -> float:
    return (gpu.true_mj(measurement["t1_ns"]) - gpu.true_mj(measurement["t0_ns"])) / 1000


def is_right(gpu: Gpu, measurement: dict[str, Any], slack_j: float = 0.0) -> bool:
    """Whether the board's number is there and its interval, moved apart by ``slack_j``, holds the truth."""
    domain = domain_of(measurement, gpu)
    return domain is not None and domain["low_j"] - slack_j <= true_j(gpu, measurement) <= domain["high_j"] + slack_j


def test_without_faults_the_number_is_right(start: Start) -> None:
    """The ground that the others stand on."""
    _, session = start([BOARD, OTHER])
    session.ask("measure")
    measured = session.ask("window_of", seconds=0.3)
    assert measured["faults"] == []
    assert measured["partial"] is False
    assert is_right(BOARD, measured, 0.1)
    assert is_right(OTHER, measured, 0.1)


def test_a_board_lost_and_back_within_a_window_keeps_its_right_number_and_says_so(start: Start) -> None:
    """The counter went on meanwhile; the sampler's look each second saw the loss."""
    rig, session = start([BOARD, OTHER])
    session.ask("measure")
    session.ask("open")
    rig.fault("gpu0 lost")
    time.sleep(1.6)
    rig.fault()
    time.sleep(1.2)  # longer than the source waits before it looks for a lost board again
    measured = session.ask("shut")
    assert "the GPU is lost" in reasons(measured)
    assert is_right(BOARD, measured, 1.0)
    assert is_right(OTHER, measured, 1.0)


def test_a_board_lost_at_the_close_has_no_number_and_makes_the_total_partial(start: Start) -> None:
    rig, session = start([BOARD, OTHER])
    session.ask("measure")
    session.ask("open")
    time.sleep(0.1)
    rig.fault("gpu0 lost")
    measured = session.ask("shut")
    assert domain_of(measured, BOARD) is None
    assert "the GPU is lost" in reasons(measured)
    assert measured["partial"] is True
    assert is_right(OTHER, measured, 0.5)
    assert measured["total_j"] == pytest.approx(domain_of(measured, OTHER)["gross_j"])  # type: ignore[index]


def test_a_board_lost_at_the_opening_is_partial_and_right_again_in_the_next_window(start: Start) -> None:
    rig, session = start([BOARD])
    session.ask("measure")
    rig.fault("gpu0 lost")
    session.ask("open")
    rig.fault()
    time.sleep(0.2)
    measured = session.ask("shut")
    assert "the GPU is lost" in reasons(measured)
    assert measured["partial"] is True
    time.sleep(1.1)
    assert is_right(BOARD, session.ask("window_of", seconds=0.3), 0.1)


def test_an_absent_driver_leaves_no_number(start: Start) -> None:
    """Not 0 J: nothing."""
    _, session = start([BOARD], init=nvml.DRIVER_NOT_LOADED)
    answer = session.ask("measure")
    assert answer["reason"] == "The NVIDIA driver is not loaded."
    assert answer["measurement"]["total_j"] is None


def test_a_driver_too_old_for_the_counter_has_its_power_integrated_and_that_is_said(start: Start) -> None:
    _, session = start([BOARD], without=[COUNTER, "nvmlDeviceGetMigMode"])
    answer = session.ask("measure")
    assert [channel["method"] for channel in answer["channels"]] == ["integrated"]
    assert answer["channels"][0]["note"].startswith("No energy counter")
    measured = session.ask("window_of", seconds=0.3)
    assert measured["method"] == "integrated"
    assert is_right(BOARD, measured)
    assert measured["total_j"] == pytest.approx(true_j(BOARD, measured), rel=0.02)


def test_a_driver_too_old_for_both_is_a_fault_without_a_number(start: Start) -> None:
    _, session = start([BOARD], without=[COUNTER, POWER])
    answer = session.ask("measure")
    assert answer["channels"] == []
    assert answer["faults"][0]["reason"] == "it has neither an energy counter nor a power reading"
    assert answer["measurement"]["total_j"] is None
    assert answer["measurement"]["partial"] is True


def test_a_driver_too_old_to_tell_limits_and_processes_is_measured(start: Start) -> None:
    """What is nice to know is not needed."""
    lacks = [
        "nvmlDeviceGetPowerManagementLimitConstraints",
        "nvmlDeviceGetPowerManagementLimit",
        "nvmlDeviceGetMigMode",
        "nvmlSystemGetDriverVersion",
        "nvmlDeviceGetComputeRunningProcesses_v3",
    ]
    _, session = start([BOARD], without=lacks)
    assert session.ask("measure")["channels"][0]["max_power_w"] == 3000.0
    assert is_right(BOARD, session.ask("window_of", seconds=0.3), 0.1)


@pytest.mark.parametrize("seconds", [0.05, 0.7])
def test_calls_of_fifty_milliseconds_widen_the_interval_and_keep_it_true(start: Start, seconds: float) -> None:
    """The clock's bracket around each read is part of the interval; what it cost is in the overhead."""
    rig, session = start([BOARD])
    session.ask("measure")
    rig.fault("gpu0 slow 50")
    measured = session.ask("window_of", seconds=seconds)
    assert is_right(BOARD, measured, 0.1)
    assert measured["overhead_s"] >= 0.08
    assert domain_of(measured, BOARD)["gross_j"] >= 0  # type: ignore[index]


def test_no_permission_from_the_start_is_a_fault_beside_the_others(start: Start) -> None:
    rig, session = start([BOARD, OTHER])
    rig.fault("gpu0 no_permission")
    answer = session.ask("measure")
    assert [channel["device"] for channel in answer["channels"]] == [OTHER.uuid]
    measured = session.ask("window_of", seconds=0.3)
    assert "no permission" in reasons(measured)
    assert measured["partial"] is True
    assert is_right(OTHER, measured, 0.1)


@pytest.mark.parametrize(
    ("fault", "words"),
    [("no_permission", "no permission"), ("unknown", "error 999"), ("no_counter", "no longer supported")],
)
def test_a_counter_that_stops_answering_in_a_window_is_a_fault_and_no_number(
    start: Start, fault: str, words: str
) -> None:
    """Power still answers where only the counter is gone: it never takes the counter's place."""
    rig, session = start([BOARD])
    session.ask("measure")
    session.ask("open")
    time.sleep(0.1)
    rig.fault(f"gpu0 {fault}")
    measured = session.ask("shut")
    assert words in reasons(measured)
    assert measured["domains"] == []
    assert measured["total_j"] is None


def test_a_board_without_a_counter_is_integrated_and_says_so_in_every_measurement(start: Start) -> None:
    rig, session = start([BOARD, OTHER])
    rig.fault("gpu0 no_counter")
    session.ask("measure")
    rig.fault()  # the counter comes back: the channel keeps its method
    measured = session.ask("window_of", seconds=0.5)
    assert {domain["device"]: domain["method"] for domain in measured["domains"]} == {
        BOARD.uuid: "integrated",
        OTHER.uuid: "counter",
    }
    assert measured["method"] == "integrated"
    assert is_right(BOARD, measured)


@pytest.mark.parametrize("seconds", [0.2, 1.5])
def test_a_counter_reset_within_a_window_is_a_fault_and_never_negative(start: Start, seconds: float) -> None:
    """The board of a suspended machine, or of a reloaded driver, begins again at 0."""
    rig, session = start([Gpu(trace="constant 250", start_mj=10**9)])
    session.ask("measure")
    session.ask("open")
    time.sleep(seconds / 2)
    rig.fault(f"gpu0 reset {time.monotonic_ns()}")
    time.sleep(seconds / 2)
    measured = session.ask("shut")
    assert "the energy counter was reset" in reasons(measured)
    assert measured["partial"] is True
    assert all(domain["gross_j"] >= 0 for domain in measured["domains"])
    assert measured["total_j"] is None or measured["total_j"] <= true_j(BOARD, measured) + 10
    after = session.ask("window_of", seconds=0.3)
    assert after["faults"] == []
    assert is_right(BOARD, after, 0.1)


def test_a_counter_that_stands_still_for_a_whole_window_is_a_fault(start: Start) -> None:
    """10 s scaled down: from half a second on, twenty-five refreshes, a board that draws power must have counted."""
    rig, session = start([BOARD])
    session.ask("measure")
    rig.fault("gpu0 frozen")
    measured = session.ask("window_of", seconds=0.8)
    assert "the energy counter has not moved for" in reasons(measured)
    assert measured["total_j"] is None


def test_a_counter_that_stops_within_a_window_is_a_fault_and_not_a_smaller_number(start: Start) -> None:
    rig, session = start([BOARD])
    session.ask("measure")
    session.ask("open")
    time.sleep(0.3)
    rig.fault("gpu0 frozen")
    time.sleep(2.4)  # the sampler sees equal values
    measured = session.ask("shut")
    assert "the energy counter has not moved for" in reasons(measured)
    assert measured["partial"] is True


def test_a_counter_that_stands_still_in_a_short_window_is_a_fault(start: Start) -> None:
    """A window of a tenth of a second: the watch for the next tick sees that none comes."""
    rig, session = start([BOARD])
    session.ask("measure")
    for _ in range(6):
        session.ask("window_of", seconds=0.15)  # the board's rhythm is learnt
    rig.fault("gpu0 frozen")
    time.sleep(0.1)
    measured = session.ask("window_of", seconds=0.15)
    assert measured["faults"] != []


def test_a_counter_that_stands_still_in_a_short_window_gives_no_zero(start: Start) -> None:
    """What could not be read is missing: 0 J would be a number."""
    rig, session = start([BOARD])
    session.ask("measure")
    for _ in range(6):
        session.ask("window_of", seconds=0.15)
    rig.fault("gpu0 frozen")
    time.sleep(0.1)
    measured = session.ask("window_of", seconds=0.15)
    assert measured["total_j"] is None
    assert measured["partial"] is True


@pytest.mark.parametrize(("seconds", "before_s"), [(0.15, 0.1), (0.4, 0.2), (0.9, 0.5), (2.4, 0.6), (3.3, 0.3)])
def test_a_counter_that_stops_shortly_before_the_close_is_a_fault(
    start: Start, seconds: float, before_s: float
) -> None:
    """Five refreshes and more are missing: either a Fault says so, or the interval holds the truth."""
    rig, session = start([BOARD])
    session.ask("measure")
    for _ in range(6):
        session.ask("window_of", seconds=0.15)
    session.ask("open")
    time.sleep(seconds - before_s)
    rig.fault("gpu0 frozen")
    time.sleep(before_s)
    measured = session.ask("shut")
    assert measured["faults"] or is_right(BOARD, measured, 0.1)


def test_a_counter_that_stood_still_and_goes_on_is_right_in_the_next_window(start: Start) -> None:
    rig, session = start([BOARD])
    session.ask("measure")
    rig.fault("gpu0 frozen")
    session.ask("window_of", seconds=0.6)
    rig.fault()
    time.sleep(0.1)
    measured = session.ask("window_of", seconds=0.6)
    assert is_right(BOARD, measured, 0.5)


def test_sixty_four_boards_are_measured_together(start: Start) -> None:
    boards = [Gpu(uuid=f"GPU-{i:08x}", trace=f"constant {50 + i}", refresh_ns=20_000_000 + i) for i in range(64)]
    _, session = start(boards)
    session.ask("measure")
    opening = session.ask("open")
    time.sleep(0.6)
    measured = session.ask("shut")
    assert measured["faults"] == []
    assert len(measured["domains"]) == 64
    assert sum(is_right(board, measured) for board in boards) >= 60  # 95 % intervals
    assert all(is_right(board, measured, 2.5) for board in boards)
    truth_j = sum(true_j(board, measured) for board in boards)
    assert measured["total_j"] == pytest.approx(truth_j, rel=0.05)
    assert opening["took_s"] < 0.05


def test_in_a_storm_of_faults_no_number_is_wrong_without_a_fault_or_below_zero(start: Start) -> None:
    """Faults come and go at random while windows of random lengths open and close; the seed is fixed."""
    chance = random.Random(20_26)
    board = Gpu(trace="square 100 400 0.3", jitter_ns=400_000, seed=1)
    rig, session = start([board, OTHER])
    session.ask("measure")
    wrong = []
    for _ in range(40):
        session.ask("open")
        for _ in range(chance.randint(1, 3)):
            time.sleep(chance.uniform(0.005, 0.05))
            kind = chance.choice(["lost", "no_permission", "unknown", "no_counter", "slow 5", None])
            rig.fault(*([f"gpu0 {kind}"] if kind else []))
        measured = session.ask("shut")
        assert all(domain["gross_j"] >= 0 and domain["low_j"] >= 0 for domain in measured["domains"])
        assert domain_of(measured, OTHER) is not None
        if not measured["faults"] and not is_right(board, measured, slack_j=400 * 0.021):
            wrong.append((measured["duration_s"], measured["domains"], true_j(board, measured)))
        if domain_of(measured, board) is None:
            assert measured["faults"]
            assert measured["partial"] is True
    assert wrong == []
