"""The PyTorch observer leaves the user's models, errors and compilations as they are without it."""

from __future__ import annotations

import importlib
import io
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
import torch._dynamo.testing  # noqa: E402, F811
from torch import nn  # noqa: E402
from torch.nn.modules import module as nn_module  # noqa: E402
from torch.optim import optimizer as optim_module  # noqa: E402
from torch.utils.data import dataloader as loader_module  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:torch.*")  # of its own parts

sys.path.insert(0, str(Path(__file__).parents[2] / "advisor"))

from torch_kernel import Kernel  # noqa: E402

from greennb.advisor.names import Names  # noqa: E402
from greennb.advisor.observe.torch.observer import TorchObserver  # noqa: E402


def registered() -> list[Any]:
    """Everything in PyTorch that the observer touches."""
    handler = torch._dynamo.callback.callback_handler
    return [
        dict(nn_module._global_forward_pre_hooks),
        dict(optim_module._global_optimizer_pre_hooks),
        dict(optim_module._global_optimizer_post_hooks),
        vars(loader_module._BaseDataLoaderIter)["__next__"],
        vars(loader_module.DataLoader)["__iter__"],
        nn_module._has_any_global_hook,
        torch._dynamo.convert_frame.get_traced_fn,
        list(handler.start_callbacks),
        list(handler.end_callbacks),
        [it.name for it in threading.enumerate() if it.name.startswith("greennb")],
    ]


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    torch._dynamo.reset()
    before = registered()
    made = Kernel()
    yield made
    made.observer.remove()
    assert registered() == before
    torch._dynamo.reset()


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.body(z) + 1


def test_everything_is_taken_back(kernel: Kernel) -> None:
    """In the middle of a cell too, and whether or not there was one; the same objects, not equal ones."""
    kernel.observer.remove()
    clean = registered()
    kernel.observer.remove()
    kernel.observer.install(kernel.failures.append)
    kernel.observer.install(kernel.failures.append)
    kernel.run("for bx, by in train: step(bx, by)")
    kernel.observer.begin()
    kernel.namespace["model"](kernel.namespace["x"])
    kernel.observer.remove()
    assert registered() == clean
    assert kernel.observer.end(Names({})) is None


def test_between_cells_the_forward_hook_is_off(kernel: Kernel) -> None:
    """Whatever runs there is not seen."""
    kernel.run("model(x)")
    assert not nn_module._global_forward_pre_hooks
    kernel.namespace["step"](kernel.namespace["x"], kernel.namespace["y"])
    assert kernel.run("pass") is None


@pytest.mark.parametrize("way", ["torch.compile(net, backend=counter)", "net.compile(backend=counter) or net"])
def test_a_compiled_model_is_compiled_once_and_nobody_is_warned(kernel: Kernel, way: str) -> None:
    """Although the forward hook is on before, comes and goes. Warnings are errors here."""
    kernel.namespace |= {"counter": torch._dynamo.testing.CompileCounter(), "net": Net()}
    first = kernel.seen(f"""
        model(x)
        fast = {way}
        adam = torch.optim.Adam(net.parameters())
        for bx, by in train:
            fast(bx).sum().backward()
            adam.step()
    """)
    assert first.compiles
    assert {it.name: it.compiled for it in first.models} == {"model": False, "fast": True} or {
        it.name: it.compiled for it in first.models
    } == {"model": False, "net": True}
    for _ in range(3):
        seen = kernel.seen("for bx, by in train: fast(bx)\nmodel(x)")
    kernel.namespace["fast"](kernel.namespace["x"][:32])
    assert kernel.namespace["counter"].frame_count == 1
    assert "model" in {it.name for it in seen.models}


def test_the_users_own_global_hook_is_still_warned_about(kernel: Kernel) -> None:
    """PyTorch's warning is about theirs then."""
    handle = nn_module.register_module_forward_hook(lambda *_: None)
    try:
        with pytest.warns(UserWarning, match="global hooks"):
            kernel.run("fast = torch.compile(model, backend='eager')\nfast(x)")
    finally:
        handle.remove()


def test_compiled_functions_and_steps(kernel: Kernel) -> None:
    """A function that calls a model, a whole training step, an optimizer's step: one graph each, none broken."""
    kernel.namespace |= {"counter": torch._dynamo.testing.CompileCounter(), "net": Net(), "other": Net()}
    kernel.run("""
        @torch.compile(backend=counter, fullgraph=True)
        def call(z):
            return net(z).sum()
        for i in range(5):
            call(x)
    """)
    assert kernel.namespace["counter"].frame_count == 1
    kernel.namespace["counter"].frame_count = 0
    seen = kernel.seen("""
        sgd = torch.optim.SGD(other.parameters(), lr=0.1)
        @torch.compile(backend=counter)
        def advance():
            sgd.step()
        for i in range(5):
            call(x)
            other(x).sum().backward()
            advance()
    """)
    assert kernel.namespace["counter"].frame_count == 1
    assert [it.name for it in seen.models] == ["other"]
    assert not seen.optimizers


def test_the_first_compilation_of_all_is_not_repeated() -> None:
    """Where the compiler is loaded in the very cell that compiles: a process of its own."""
    import subprocess

    code = """
import sys
sys.path[:0] = [{folder!r}]
from torch_kernel import Kernel
import torch
assert "torch._dynamo" not in sys.modules
from greennb.advisor.names import Names
from greennb.advisor.observe.torch.observer import TorchObserver
from greennb.advisor.watch import Watch
watch = Watch([TorchObserver()], say=print); watch.install(); watch.begin()
net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU())
count = []
def backend(graph, inputs):
    count.append(graph)
    return graph.forward
call = torch.compile(lambda z: net(z).sum(), backend=backend)
z = torch.ones(2, 4)
call(z); call(z)
watch.end(Names({{}}))
call(z)
watch.remove()
print(len(count), torch._dynamo.convert_frame.get_traced_fn.__module__)
"""
    folder = str(Path(__file__).parents[2] / "advisor")
    code = code.format(folder=folder).replace("from torch_kernel import Kernel\n", "")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "1 torch._dynamo.convert_frame\n", done.stderr


def _unnumbered(graph: Any) -> str:
    """PyTorch numbers classes and values on from one graph to the next."""
    return re.sub(r"___torch_mangle_\d+\.|%[\d.]+", "", str(graph))


def test_export_and_trace_and_script(kernel: Kernel) -> None:
    """The graphs are those without us."""
    net, z = Net().eval(), torch.ones(2, 8)
    batch = torch.export.Dim("batch")

    def graphs() -> list[str]:
        exported = torch.export.export(net, (z,), dynamic_shapes=({0: batch},))
        strict = torch.export.export(net, (z,), dynamic_shapes=({0: batch},), strict=True)
        with pytest.warns(DeprecationWarning, match="deprecated"):
            scripted = [_unnumbered(torch.jit.trace(net, z).graph), _unnumbered(torch.jit.script(net).graph)]
        symbolic = torch.fx.symbolic_trace(net)
        made = torch.fx.experimental.proxy_tensor.make_fx(net)(z)
        return [str(exported.graph), str(strict.graph), *scripted, symbolic.code, made.code]

    without = graphs()
    kernel.namespace |= {"graphs": graphs, "net": net, "z": z}
    kernel.run("within = graphs()\nnet(z)")
    assert kernel.namespace["within"] == without


def test_an_export_before_any_compilation() -> None:
    """Where the compiler is loaded by the export itself: with a hook in sight a strict one would fail."""
    import subprocess

    code = """
import sys
import torch
from greennb.advisor.names import Names
from greennb.advisor.observe.torch.observer import TorchObserver
from greennb.advisor.watch import Watch
watch = Watch([TorchObserver()], say=print); watch.install(); watch.begin()
assert "torch._dynamo" not in sys.modules
net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU())
net(torch.ones(2, 4))
print(len(list(torch.export.export(net, (torch.ones(2, 4),), strict=True).graph.nodes)))
print(watch.end(Names({}))["torch"].models[0].kind)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["6", "Sequential"], done.stderr


def test_saved_copied_and_pickled_models(kernel: Kernel) -> None:
    """While they are being looked at; what is saved has nothing of us."""
    kernel.run("""
        import copy, io, pickle
        model(x); step(x, y)
        file = io.BytesIO()
        torch.save(model, file)
        again = pickle.loads(pickle.dumps((model, optimizer, train)))
        copied = copy.deepcopy((model, optimizer, train))
        model(x)
    """)
    assert b"greennb" not in kernel.namespace["file"].getvalue()
    loaded = torch.load(io.BytesIO(kernel.namespace["file"].getvalue()), weights_only=False)
    x = kernel.namespace["x"]
    assert torch.equal(loaded(x), kernel.namespace["model"](x))
    assert torch.equal(kernel.namespace["again"][0](x), kernel.namespace["copied"][0](x))


def test_broken_classes_of_the_users(kernel: Kernel) -> None:
    """Nothing of theirs is called: neither ``__len__`` nor ``__repr__``, ``__eq__``, ``__hash__`` or ``modules``."""
    seen = kernel.seen("""
        def broken(self, *_): raise RuntimeError("the user's")
        class Awkward(nn.Module):
            __repr__ = __str__ = __eq__ = __bool__ = __len__ = broken
            __hash__ = None
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(8, 2)
            def named_modules(self, *_, **__): raise RuntimeError("the user's")
            parameters = named_parameters = children = modules = named_modules
            def forward(self, z): return self.inner(z)
        class Data(Dataset):
            __len__ = __repr__ = __bool__ = broken
            def __getitem__(self, at): return x[at]
        class Loader(DataLoader):
            __repr__ = __bool__ = broken
        class Descent(torch.optim.SGD):
            __repr__ = __bool__ = __eq__ = broken
            __hash__ = object.__hash__
        awkward = Awkward()
        descent = Descent(awkward.inner.parameters(), lr=0.1)
        loader = Loader(Data(), sampler=range(40), batch_size=8)
        for batch in loader:
            awkward(batch).sum().backward()
            descent.step()
    """)
    (model,), (optimizer,), (loader,) = seen.models, seen.optimizers, seen.loaders
    assert (model.name, model.kind, model.layers) == ("awkward", "Awkward", {"Linear": 1})
    assert (optimizer.name, optimizer.kind, optimizer.builtin, optimizer.steps) == ("descent", "Descent", False, 5)
    assert (loader.name, loader.dataset, loader.length) == ("loader", "Data", 40)


@pytest.mark.parametrize(
    "source",
    [
        "model(torch.ones(3, 3))",
        "for bx in DataLoader([1, 'a'], batch_size=2): pass",
        "next(iter(DataLoader([])))",
        "DataLoader(None).__iter__().__next__()",
        "optimizer.param_groups = None\noptimizer.step()",
        "raise KeyboardInterrupt",
    ],
)
def test_the_users_errors_are_theirs(kernel: Kernel, source: str) -> None:
    """The same type and words as without us, and the next cell is seen as ever."""
    with pytest.raises(BaseException) as with_us:  # noqa: PT011  # whatever it is
        kernel.run(source)
    kernel.observer.remove()
    fresh = Kernel()
    fresh.observer.remove()
    with pytest.raises(BaseException) as without:  # noqa: PT011
        exec(source, fresh.namespace)
    assert (with_us.type, str(with_us.value)) == (without.type, str(without.value))
    kernel.observer.install(kernel.failures.append)
    assert kernel.seen("model(x)").models


def test_a_model_that_raises_leaves_nothing_out_of_step(kernel: Kernel) -> None:
    """The next call of another model is that of a root."""
    seen = kernel.seen("""
        class Raises(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(8, 2)
            def forward(self, z):
                self.inner(z)
                raise ValueError("no")
        raises = Raises()
        for i in range(3):
            try: raises(x)
            except ValueError: pass
        model(x)
    """)
    assert [(it.name) for it in seen.models] == ["raises", "model"]
    assert [it.calls for it in seen.forwards] == [3, 1]


def test_devices_and_parameters_that_hold_nothing(kernel: Kernel) -> None:
    """Meta tensors, lazy modules, and parameters of a class of the user's."""
    seen = kernel.seen("""
        with torch.device("meta"):
            empty = nn.Linear(8, 2)
            empty(torch.ones(1, 8))
        lazy = nn.LazyLinear(4)
        lazy(x)
        class Own(torch.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                calls.append(func)
                return super().__torch_function__(func, types, args, kwargs or {})
        calls = []
        own = nn.Linear(8, 2, bias=False)
        own.weight = nn.Parameter(torch.ones(2, 8).as_subclass(Own))
        before = len(calls)
        own(x)
        after = len(calls) - before
    """)
    assert [(it.name, it.device, it.parameters) for it in seen.models] == [
        ("empty", "meta", 18), ("lazy", "cpu", 36), ("own", "cpu", 16),
    ]  # fmt: skip
    assert kernel.namespace["after"] == 1


def test_modes_of_the_users_do_not_see_us(kernel: Kernel) -> None:
    """A TorchFunctionMode and a TorchDispatchMode count the same calls as without."""
    kernel.namespace["counts"] = counts = []
    source = """
        from torch.overrides import TorchFunctionMode
        from torch.utils._python_dispatch import TorchDispatchMode
        step(x, y)
        class Functions(TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                seen.append(func)
                return func(*args, **(kwargs or {}))
        class Dispatched(TorchDispatchMode):
            def __torch_dispatch__(self, func, types, args=(), kwargs=None):
                seen.append(func)
                return func(*args, **(kwargs or {}))
        for mode in (Functions, Dispatched):
            seen = []
            with mode():
                for bx, by in train:
                    step(bx, by)
            counts.append(len(seen))
    """
    kernel.seen(source)
    kernel.observer.remove()
    kernel.run(source)
    assert counts[:2] == counts[2:]


def test_a_hook_that_fails_is_reported_and_reaches_nobody(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's loop goes on; the observer's owner is told and turns it off."""
    from greennb.advisor.observe.torch import calls as torch_calls
    from greennb.advisor.observe.torch import loader as torch_loader
    from greennb.advisor.observe.torch import steps as torch_steps

    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(torch_steps, "_by_scaler", fails)
    monkeypatch.setattr(torch_loader.LoaderRecord, "gave", fails)
    monkeypatch.setattr(torch_calls, "_outside", fails)
    kernel.observer.begin()
    exec("for bx, by in train: loss = step(bx, by)", kernel.namespace)
    assert torch.isfinite(kernel.namespace["loss"])
    assert {type(it) for it in kernel.failures} == {ZeroDivisionError}
    kernel.failures.clear()


def test_reloaded_and_patched_modules() -> None:
    """``importlib.reload`` and a user's own ``step`` in a process of their own: it cannot be taken back here."""
    import subprocess

    code = """
import importlib, sys
sys.path[:0] = [{folder!r}]
from torch_kernel import Kernel
kernel = Kernel()
kernel.seen("model(x)")
print(kernel.seen('''
import importlib
importlib.reload(torch.nn)
import torch.utils.data.dataloader
importlib.reload(torch.utils.data.dataloader)
old = torch.optim.SGD.step
def mine(self, closure=None):
    return old(self, closure)
torch.optim.SGD.step = mine
patched = torch.optim.SGD(model.parameters(), lr=0.1)
for bx, by in train:
    criterion(model(bx), by).backward()
    patched.step()
for bx, by in torch.utils.data.dataloader.DataLoader(train.dataset, batch_size=8):
    model(bx)
''').optimizers[0].steps > 0)
import torch.nn.modules.module
importlib.reload(torch.nn.modules.module)
kernel.run("class New(torch.nn.modules.module.Module):\\n    def forward(self, z): return z\\nNew()(x)\\nmodel(x)")
kernel.observer.remove()
kernel.run("for bx, by in train: model(bx)")
print(kernel.failures)
"""
    folder = str(Path(__file__).parents[2] / "advisor")
    done = subprocess.run(
        [sys.executable, "-c", code.format(folder=folder)], capture_output=True, text=True, check=False
    )
    assert done.stdout == "True\n[]\n", done.stderr


def test_a_wrapper_put_over_ours_stays_and_works(kernel: Kernel) -> None:
    """Somebody else's patch of ``__next__`` is not thrown away with ours."""
    cls = loader_module._BaseDataLoaderIter
    ours = cls.__next__
    kernel.observer.remove()
    original = cls.__next__
    kernel.observer.install(kernel.failures.append)
    ours = cls.__next__

    def theirs(self: Any) -> Any:
        return ours(self)

    try:
        cls.__next__ = theirs
        kernel.observer.remove()
        assert cls.__next__ is theirs
        assert len(list(kernel.namespace["train"])) == 8
    finally:
        cls.__next__ = original


def test_half_imported_torch_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of that name without its parts."""
    import types

    observer = TorchObserver()
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    observer.install(lambda error: pytest.fail(str(error)))
    observer.begin()
    assert observer.end(Names({})) is None
    observer.remove()


def test_reset_of_the_compiler_makes_it_forget_us_until_the_next_cell(kernel: Kernel) -> None:
    """``torch._dynamo.reset()`` clears the callbacks; a cell that begins asks again."""
    importlib.import_module("torch._dynamo").reset()
    kernel.run("model(x)")
    assert len(torch._dynamo.callback.callback_handler.start_callbacks) == 1
