"""The NVML source with the unmodified pynvml on a stub library: what is measured, what is refused, what degrades."""

from dataclasses import replace
from typing import Any

import pytest

from tests.rig import nvml as rig_of
from tests.rig.nvml import Gpu

A = Gpu(uuid="GPU-aaaa1111-0000-0000-0000-000000000001", name="NVIDIA A100-SXM4-40GB")
B = Gpu(uuid="GPU-bbbb2222-0000-0000-0000-000000000002", name="NVIDIA A100-SXM4-40GB")
C = Gpu(uuid="GPU-bbbb3333-0000-0000-0000-000000000003", name="NVIDIA GeForce GTX 1080")
MIG = "MIG-12345678-0000-0000-0000-00000000000a"


def devices(probe: dict[str, Any]) -> list[str]:
    return [channel["device"] for channel in probe["channels"]]


def test_pynvml_is_not_imported_before_probing(start) -> None:  # type: ignore[no-untyped-def]
    """Importing the source touches neither pynvml nor the driver."""
    _, session = start()
    assert session.ask("modules") is False
    session.ask("probe")
    assert session.ask("modules") is True


def test_the_energy_counter_is_the_boards_truth_in_microjoules(start) -> None:  # type: ignore[no-untyped-def]
    """Each sample lies between the true energy before and after it; the rig and the library agree."""
    gpu = Gpu(powers=((0, 100_000), (10**9, 333_333)), start_mj=5, refresh_ns=1_000_000)
    _, session = start([gpu])
    (channel,) = session.ask("probe")["channels"]
    assert (channel["method"], channel["wrap_uj"], channel["resolution_uj"]) == ("counter", None, 1000.0)
    for _ in range(20):
        answer = session.ask("sample")
        (uj,) = answer["samples"]
        assert gpu.energy_mj(answer["t0_ns"]) * 1000 <= uj <= gpu.energy_mj(answer["t1_ns"]) * 1000


def test_a_channel_says_board_model_and_plausible_power(start) -> None:  # type: ignore[no-untyped-def]
    _, session = start([A, replace(C, max_limit_mw=0, limit_mw=180_000), replace(B, limit_mw=0, max_limit_mw=0)])
    probe = session.ask("probe")
    assert [c["label"] for c in probe["channels"]] == [
        "GPU 0 NVIDIA A100-SXM4-40GB", "GPU 1 NVIDIA GeForce GTX 1080", "GPU 2 NVIDIA A100-SXM4-40GB",
    ]  # fmt: skip
    assert [c["max_power_w"] for c in probe["channels"]] == [1400.0, 360.0, 3000.0]
    assert "through driver 550.54.15" in probe["reason"]


@pytest.mark.parametrize("lacking", [rig_of.NOT_SUPPORTED, rig_of.FUNCTION_NOT_FOUND])
def test_a_board_without_a_counter_is_integrated_and_says_what_nvml_averages(start, lacking: int) -> None:  # type: ignore[no-untyped-def]
    """Per board: the other keeps its counter."""
    _, session = start([A, replace(C, energy_fault=lacking, powers=((0, 75_000),))])
    probe = session.ask("probe")
    assert [channel["method"] for channel in probe["channels"]] == ["counter", "integrated"]
    assert "average over the last second" in probe["channels"][1]["note"]
    assert probe["faults"] == []
    assert session.ask("sample")["samples"][1] == 75_000


def test_a_board_with_neither_counter_nor_power_is_a_fault_beside_the_others(start) -> None:  # type: ignore[no-untyped-def]
    none = rig_of.NOT_SUPPORTED
    _, session = start([A, replace(B, energy_fault=none, power_fault=none)])
    probe = session.ask("probe")
    assert devices(probe) == [A.uuid]
    (fault,) = probe["faults"]
    assert fault["device"] == B.uuid
    assert fault["reason"] == "it has neither an energy counter nor a power reading"


def test_a_counter_that_stops_answering_is_a_fault_and_never_becomes_power(start) -> None:  # type: ignore[no-untyped-def]
    rig, session = start([A])
    session.ask("probe")
    rig.set([replace(A, energy_fault=rig_of.NOT_SUPPORTED)])
    (fault,) = session.ask("sample")["samples"]
    assert fault["reason"] == "the reading it had is no longer supported"


@pytest.mark.parametrize(
    ("code", "words"),
    [(rig_of.GPU_IS_LOST, "fell off the bus"), (rig_of.NO_PERMISSION, "no permission"), (10, "in time"), (999, "999")],
)
def test_a_board_that_fails_while_running_is_a_fault_and_the_others_go_on(start, code: int, words: str) -> None:  # type: ignore[no-untyped-def]
    rig, session = start([A, B])
    session.ask("probe")
    rig.set([A, replace(B, fault=code)])
    good, bad = session.ask("sample")["samples"]
    assert good > 0
    assert words in bad["reason"]
    assert bad["hint"]


def test_a_lost_board_that_comes_back_is_read_again(start) -> None:  # type: ignore[no-untyped-def]
    rig, session = start([A])
    session.ask("probe")
    rig.set([replace(A, fault=rig_of.GPU_IS_LOST)])
    assert "lost" in session.ask("sample")["samples"][0]["reason"]
    rig.set([A])
    assert session.ask("sample")["samples"][0] > 0


@pytest.mark.parametrize("code", [rig_of.GPU_IS_LOST, rig_of.NO_PERMISSION])
def test_a_board_that_is_lost_or_forbidden_at_the_start_is_a_fault(start, code: int) -> None:  # type: ignore[no-untyped-def]
    """Found but unreadable: its UUID is known. Not even found: the fault belongs to no domain."""
    _, session = start([A, replace(B, energy_fault=code), replace(C, handle_fault=code)])
    probe = session.ask("probe")
    assert devices(probe) == [A.uuid]
    assert [fault["device"] for fault in probe["faults"]] == [B.uuid, None]
    assert probe["faults"][1]["reason"].startswith("GPU 2: ")


def test_when_no_board_can_be_read_the_faults_stay_and_nvml_is_released(start) -> None:  # type: ignore[no-untyped-def]
    _, session = start([replace(A, energy_fault=rig_of.GPU_IS_LOST)])
    probe = session.ask("probe")
    assert probe["channels"] == []
    assert len(probe["faults"]) == 1
    assert "None of this process's GPUs can be read" in probe["reason"]
    assert session.ask("is_shut_down") is True


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (rig_of.DRIVER_NOT_LOADED, "The NVIDIA driver is not loaded."),
        (rig_of.VERSION_MISMATCH, "The NVIDIA driver and its library have different versions."),
        (rig_of.FUNCTION_NOT_FOUND, "The NVIDIA driver is too old."),
        (rig_of.NO_PERMISSION, "No permission to read it."),
    ],
)
def test_a_driver_that_does_not_start_is_refused_in_words(start, code: int, words: str) -> None:  # type: ignore[no-untyped-def]
    _, session = start([A], init=code)
    probe = session.ask("probe")
    assert (probe["reason"], probe["channels"], probe["faults"]) == (words, [], [])
    assert probe["hint"]


def test_a_driver_without_boards_or_without_a_count_is_refused_in_words(start) -> None:  # type: ignore[no-untyped-def]
    rig, session = start([])
    assert session.ask("probe")["reason"] == "The NVIDIA driver shows no GPU."
    rig.set([A], count_fault=rig_of.NO_PERMISSION)
    assert session.ask("probe")["channels"] == []


def test_without_the_library_pynvml_is_not_even_imported(start) -> None:  # type: ignore[no-untyped-def]
    """On machines without NVIDIA the look costs next to nothing."""
    _, session = start(environ={"LD_LIBRARY_PATH": ""})
    probe = session.ask("probe")
    if probe["channels"]:
        pytest.skip("this machine has a real driver")
    assert probe["reason"] == "There is no NVIDIA driver library (libnvidia-ml)."
    assert "docker run --gpus all" in probe["hint"]
    assert session.ask("modules") is False


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", [B]), ("2,0", [C, A]), ("GPU-aaaa", [A]), (f"{C.uuid},{A.uuid}", [C, A]), ("0,7,1", [A])],
)
def test_only_the_boards_that_cuda_leaves_to_the_process_are_read(start, value: str, expected: list[Gpu]) -> None:  # type: ignore[no-untyped-def]
    _, session = start([A, B, C], {"CUDA_VISIBLE_DEVICES": value, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"})
    probe = session.ask("probe")
    assert devices(probe) == [gpu.uuid for gpu in expected]
    assert f"{3 - len(expected)} more hidden from this process by CUDA_VISIBLE_DEVICES" in probe["reason"]
    assert all(channel["note"] == "" for channel in probe["channels"])


@pytest.mark.parametrize("value", ["", "-1", "NoDevFiles", "9", "GPU-bbbb", "0,0"])
def test_when_cuda_leaves_no_board_that_is_the_reason(start, value: str) -> None:  # type: ignore[no-untyped-def]
    _, session = start([A, B, C], {"CUDA_VISIBLE_DEVICES": value})
    probe = session.ask("probe")
    assert probe["channels"] == []
    assert probe["faults"] == []
    assert probe["reason"] == f'CUDA_VISIBLE_DEVICES is "{value}", which leaves this process no GPU.'


def test_indexes_among_mixed_models_are_noted_as_uncertain(start) -> None:  # type: ignore[no-untyped-def]
    """CUDA counts the fastest first, NVML by PCI bus."""
    _, session = start([C, A], {"CUDA_VISIBLE_DEVICES": "0"})
    (channel,) = session.ask("probe")["channels"]
    assert "CUDA_DEVICE_ORDER=PCI_BUS_ID" in channel["note"]


def test_indexes_among_equal_models_are_not(start) -> None:  # type: ignore[no-untyped-def]
    _, session = start([A, B], {"CUDA_VISIBLE_DEVICES": "1"})
    assert session.ask("probe")["channels"][0]["note"] == ""


@pytest.mark.parametrize("value", [MIG, f"MIG-{B.uuid}/1/0"])
def test_a_mig_instance_is_its_board_and_the_board_is_said_to_be_shared(start, value: str) -> None:  # type: ignore[no-untyped-def]
    _, session = start([A, replace(B, mig=1, migs=("MIG-other", MIG))], {"CUDA_VISIBLE_DEVICES": value})
    (channel,) = session.ask("probe")["channels"]
    assert channel["device"] == B.uuid
    assert channel["note"] == "The whole board's energy, shared by its MIG instances."


@pytest.mark.parametrize("hook", [True, False])
def test_a_forked_child_initialises_nvml_for_itself(start, hook: bool) -> None:  # type: ignore[no-untyped-def]
    """The stub knows only the process that initialised it. The parent goes on, whether the source is told or not."""
    _, session = start([A])
    session.ask("probe")
    assert session.ask("fork", hook=hook)["samples"][0] > 0
    assert session.ask("sample")["samples"][0] > 0


def test_somebody_else_shutting_nvml_down_is_survived(start) -> None:  # type: ignore[no-untyped-def]
    _, session = start([A])
    session.ask("probe")
    session.ask("shut_down_by_others")
    assert session.ask("sample")["samples"][0] > 0


def test_close_releases_nvml_and_later_samples_are_faults(start) -> None:  # type: ignore[no-untyped-def]
    _, session = start([A])
    session.ask("probe")
    session.ask("close")
    session.ask("close")
    assert session.ask("is_shut_down") is True
    assert session.ask("sample")["samples"][0]["reason"] == "the source is closed"


def test_sixty_four_boards_are_read_in_order(start) -> None:  # type: ignore[no-untyped-def]
    boards = [Gpu(uuid=f"GPU-{i:08x}-0000", powers=((0, 1000),), start_mj=i * 10**9) for i in range(64)]
    _, session = start(boards)
    session.ask("probe")
    samples = session.ask("sample")["samples"]
    assert [uj // 10**12 for uj in samples] == list(range(64))
