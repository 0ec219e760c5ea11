"""The bridge's parts without a kernel: the session's account, the thread that sends, idle waste, what is told of it."""

from __future__ import annotations

import multiprocessing
import multiprocessing.resource_tracker
import sys
import threading
import time
from types import ModuleType, SimpleNamespace

import pytest

from greennb.jupyter import facts, holders
from greennb.jupyter.cells import CellRun
from greennb.jupyter.options import Options
from greennb.jupyter.post import Post
from greennb.jupyter.tally import WAITING, Tally
from greennb.jupyter.waste import LEAST_HELD_B, Waste
from greennb.meter.gauges import Panel
from greennb.meter.live import Live
from greennb.meter.meter import Meter
from greennb.meter.work import Mark
from greennb.model.reading import DomainKind
from greennb.sources.base import Gauge
from greennb.testing import FakeClock, FakeSource, fake_channel
from tests.rig.measurements import energy, measurement

GIB = 2**30


def cell_run(joules: float = 1.0, *, cell_id: str | None = None, t0_s: float = 0.0, domains: int = 1) -> CellRun:
    """A cell that was measured."""
    result = measurement(*[energy(joules=joules, half=0.1) for _ in range(domains)], cell_id=cell_id)
    window = SimpleNamespace(result=result, cell_id=cell_id, id=result.window.id, t0_ns=round(t0_s * 1e9), parent=None)
    return CellRun(window=window, options=Options(), source="x", auto=True, info=object())


class TestTally:
    def test_each_run_is_given_once_with_the_total_up_to_it(self):
        tally = Tally()
        for joules in (1.0, 2.0, 3.0):
            tally.add(cell_run(joules), settle=False)
        totals = []
        while (settled := tally.settled()) is not None:
            totals.append((settled[1]["runs"], settled[1]["total_j"]))
        assert totals == [(1, 1.0), (2, 3.0), (3, 6.0)]
        assert len(tally.runs) == 3

    def test_without_a_page_the_queue_stays_short_and_nothing_is_lost(self):
        tally = Tally()
        for _ in range(3000):
            tally.add(cell_run(2.0), settle=True)
        assert len(tally._waiting) == WAITING
        tally.settle(tally.added)
        assert (tally.session()["runs"], tally.session()["total_j"]) == (3000, 6000.0)

    def test_a_run_that_ended_since_is_left_for_who_tells_of_it(self):
        """Adding up what was before a page came may take a while: the cell that ends meanwhile must reach the page."""
        tally = Tally()
        tally.add(cell_run(1.0), settle=False)
        before = tally.added
        tally.add(cell_run(2.0), settle=False)
        tally.settle(before)
        tally.settle(before)
        settled = tally.settled()
        assert settled is not None
        assert settled[1]["total_j"] == 3.0

    def test_nothing_measured_is_no_number(self):
        session = Tally().session()
        assert (session["runs"], session["total_j"], session["partial"]) == (0, None, False)


class TestPost:
    def test_jobs_are_done_in_order_on_one_thread_which_then_ends(self):
        post, done = Post(lambda _error: None), []
        post.give(done.append, "before the start: lost")
        post.start()
        for n in range(100):
            post.give(done.append, n)
        post.give(lambda: done.append(threading.current_thread().name))
        post.stop(5)
        assert done == [*range(100), "greennb-bridge"]
        assert "greennb-bridge" not in [thread.name for thread in threading.enumerate()]

    def test_a_job_that_raises_is_told_and_the_next_one_runs(self):
        failed, done = [], []
        post = Post(failed.append)
        post.start()
        post.give(lambda: 1 / 0)
        post.give(done.append, 1)
        post.stop(5)
        assert done == [1]
        assert [type(error) for error in failed] == [ZeroDivisionError]

    def test_it_starts_again_after_a_stop(self):
        post, done = Post(lambda _error: None), []
        for n in range(3):
            post.start()
            post.start()
            post.give(done.append, n)
            post.stop(5)
        assert done == [0, 1, 2]


class TestWhatAPageIsTold:
    def test_each_cells_latest_run_comes_before_older_ones(self):
        runs = [cell_run(cell_id=f"c{n % 10}", t0_s=n, domains=60) for n in range(100)]
        told = facts.told(runs)
        assert len(told) < 100
        assert {run.window.cell_id for run in told} == {f"c{n}" for n in range(10)}
        assert runs[-1] in told
        assert [run.window.t0_ns for run in told] == sorted(run.window.t0_ns for run in told)

    def test_a_thousand_cells_do_not_exceed_what_the_server_lets_through(self):
        runs = [cell_run(cell_id=f"c{n}", t0_s=n, domains=2) for n in range(5000)]
        assert 100 < len(facts.told(runs)) < 1000

    def test_little_is_told_whole_and_in_order(self):
        runs = [cell_run(cell_id="same", t0_s=n) for n in range(5)]
        assert facts.told(runs) == runs


class GpuSource(FakeSource):
    """A GPU that tells who holds its memory."""

    held = None

    def gauge(self, _position):
        return Gauge(util=0.0, mem_b=2 * GIB, mem_total_b=80 * GIB, temp_c=40.0)

    def held_b(self, _position, _pids):
        return self.held


class Work:
    """CPU time as a test says."""

    cpus = 8

    def __init__(self, clock):
        self._clock = clock
        self.used_ns = 0

    def mark(self):
        return Mark(self._clock.monotonic_ns(), self.used_ns, self.used_ns, frozenset(), 0)

    def after_fork(self):
        pass

    def close(self):
        pass


class Idle:
    """A kernel in which nothing runs, watched; what the sampler and the feed would do is done here."""

    def __init__(self, namespace=None):
        self.clock = FakeClock()
        channel = fake_channel(kind=DomainKind.GPU, device="GPU-1", label="GPU 0")
        self.source = GpuSource(70.0, clock=self.clock, channel=channel)
        self.work = Work(self.clock)
        self.meter = Meter([self.source], clock=self.clock, work=self.work)
        self.live = Live(self.meter, lambda: None)
        self.live.period_s = 0.5
        self.panel = Panel(self.meter, None)
        self.waste = Waste(lambda: namespace or {}, after_s=120, again_s=10)
        self.idle_since_ns = self.clock.monotonic_ns()

    def run(self, seconds, *, cpus=0.0, busy=False):
        """What was said in this time: the items of each message."""
        said = []
        for _ in range(round(seconds / 0.5)):
            self.clock.sleep(0.5)
            self.work.used_ns += round(cpus * 0.5e9)
            self.live.take(self.meter.look())
            self.live.drain()
            if self.waste.look(self.live, self.panel, None if busy else self.idle_since_ns):
                said.append(list(self.waste.items))
        return said


class TestWaste:
    def test_memory_held_on_a_gpu_is_told_with_its_watts_and_joules_after_a_while(self):
        idle = Idle()
        idle.source.held = 9 * GIB
        assert idle.run(115) == []
        (item,) = idle.run(20)[-1]
        assert (item["kind"], item["domain"], item["label"]) == ("gpu", "gpu:GPU-1", "GPU 0")
        assert item["watts"] == pytest.approx(70.0, rel=1e-3)
        assert item["joules"] == pytest.approx(70.0 * item["seconds"], rel=0.02)
        assert item["mem_b"] == 9 * GIB
        assert "9.0 GiB" in item["why"]
        assert item["code"] == ""
        assert "restart" in item["why"]

    def test_once_a_cell_runs_it_is_taken_back_once_and_begins_anew(self):
        idle = Idle()
        idle.source.held = 9 * GIB
        idle.run(150)
        assert idle.run(10, busy=True) == [[]]
        idle.idle_since_ns = idle.clock.monotonic_ns()
        assert idle.run(100) == []
        (item,) = idle.run(40)[-1]
        assert item["joules"] == pytest.approx(70.0 * item["seconds"], rel=0.02)

    def test_work_and_joules_of_a_cell_that_ran_while_nobody_watched_are_not_waste(self):
        idle = Idle()
        idle.source.held = 9 * GIB
        idle.run(60, cpus=0.01)
        idle.clock.sleep(300)  # hidden; meanwhile a cell that is not measured
        idle.work.used_ns += 600 * 10**9
        idle.idle_since_ns = idle.clock.monotonic_ns()
        assert idle.run(115) == []
        (item,) = idle.run(20)[-1]
        assert item["kind"] == "gpu"
        assert item["joules"] == pytest.approx(70.0 * item["seconds"], rel=0.05)

    def test_a_bare_context_and_unknown_memory_are_no_waste(self):
        idle = Idle()
        assert idle.run(300) == []
        idle.source.held = LEAST_HELD_B - 1
        assert idle.run(300) == []

    def test_a_lost_sensor_gives_no_watts_and_no_joules(self):
        from greennb.model.reading import Fault

        idle = Idle()
        idle.source.held = 9 * GIB
        idle.source.fault = Fault(domain=idle.source.channels[0].domain, t_ns=0, reason="lost")
        (item,) = idle.run(140)[-1]
        assert (item["watts"], item["joules"]) == (None, None)

    def test_busy_cpus_are_told_and_only_while_they_are_busy(self):
        idle = Idle()
        (item,) = idle.run(140, cpus=3.0)[-1]
        assert (item["kind"], item["domain"], item["cpus"]) == ("cpu", None, 3.0)
        assert item["code"] == ""
        assert "3.0 CPUs" in item["why"]
        assert "Only a restart" in item["why"]
        assert idle.run(30)[-1] == []
        assert idle.run(60, cpus=0.05) == []

    def test_worker_processes_come_with_code_that_ends_them(self):
        child = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(30,))
        child.start()
        try:
            (item,) = Idle().run(140, cpus=2.0)[-1]
            assert "Child processes" in item["why"]
            exec(item["code"], {})
            child.join(10)
            assert not child.is_alive()
        finally:
            child.kill()
            child.join()
            multiprocessing.resource_tracker._resource_tracker._stop()  # a process of its own, which would stay


class TestHolders:
    def test_without_the_framework_nothing_is_imported_or_told(self):
        before = set(sys.modules)
        assert holders.torch_reserved([]) == {} or "torch" in before
        assert set(sys.modules) == before

    def test_joblibs_workers_come_first(self, monkeypatch):
        loky = ModuleType("joblib.externals.loky.reusable_executor")
        loky._executor = object()
        monkeypatch.setitem(sys.modules, loky.__name__, loky)
        code, whose = holders.workers()
        assert "kill_workers=True" in code
        assert "joblib" in whose

    def test_tensors_of_the_user_are_named_by_size(self, torch_with_a_gpu):
        torch = torch_with_a_gpu
        big, small = torch.Tensor(300 * 2**20), torch.Tensor(2 * 2**20)
        names = holders.torch_names({
            "small": small, "big": big, "pair": [small, big], "tiny": torch.Tensor(100), "n": 3, "_hidden": big,
            "model": torch.nn.Module([big, small]), "on_cpu": torch.Tensor(10**9, cuda=False),
        })  # fmt: skip
        assert names == [
            ("pair", 302 * 2**20), ("model", 302 * 2**20), ("big", 300 * 2**20), ("small", 2 * 2**20)
        ]  # fmt: skip

    def test_torchs_memory_is_found_by_uuid_and_comes_with_code_that_releases_it(self, torch_with_a_gpu):
        idle = Idle({"x": torch_with_a_gpu.Tensor(4 * GIB)})
        (item,) = idle.run(140)[-1]
        assert item["mem_b"] == 5 * GIB
        assert "x of yours lie" in item["why"]
        assert item["code"].splitlines()[-4:] == [
            "import gc",
            "import torch",
            "gc.collect()",
            "torch.cuda.empty_cache()",
        ]
        assert "del x" in item["code"]
        compile(item["code"], "code", "exec")


@pytest.fixture
def torch_with_a_gpu(monkeypatch):
    """Stands in for a torch that uses a GPU, which no test machine has: what greennb asks of it and nothing else."""

    class Tensor:
        def __init__(self, size_b, cuda=True):
            self.size_b, self.is_cuda = size_b, cuda

        def numel(self):
            return self.size_b // 4

        def element_size(self):
            return 4

    class Module:
        def __init__(self, tensors):
            self.tensors = tensors

        def parameters(self):
            return self.tensors

        def buffers(self):
            return []

    torch = ModuleType("torch")
    torch.Tensor = Tensor
    torch.nn = SimpleNamespace(Module=Module)
    torch.optim = SimpleNamespace(Optimizer=type("Optimizer", (), {}))
    torch.cuda = SimpleNamespace(
        is_initialized=lambda: True, device_count=lambda: 1, memory_reserved=lambda _device: 5 * GIB,
        get_device_properties=lambda _device: SimpleNamespace(uuid="1"),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "torch", torch)
    return torch


def test_a_panel_looks_once_a_second_at_most():
    idle = Idle()
    assert [gauge.util for _domain, gauge in idle.panel.look()] == [0.0]
    idle.clock.sleep(0.5)
    assert idle.panel.look() == []
    idle.clock.sleep(0.5)
    assert len(idle.panel.look()) == 1


def test_a_job_costs_the_cell_a_microsecond_or_so():
    """Not a benchmark: it fails where somebody puts work on the cell's path."""
    post = Post(lambda _error: None)
    post.start()
    began = time.perf_counter_ns()
    for _ in range(10_000):
        post.give(int)
    each_us = (time.perf_counter_ns() - began) / 1e3 / 10_000
    post.stop(10)
    assert each_us < 100
