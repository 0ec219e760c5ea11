"""A shadow's copies are independent of the user's objects, and of one another's making; the notebook is as it was."""

from __future__ import annotations

import collections
import contextlib
import functools
import io
import itertools
import random
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from greennb.advisor.trial.ambient import Ambient
from greennb.advisor.trial.base import RefusedError
from greennb.advisor.trial.fingerprint import Fingerprint
from greennb.advisor.trial.shadow import Shadow, put_back

TRAINING = """
import torch
import torch.nn as nn

torch.manual_seed(0)

class Net(nn.Module):
    calls = []
    steps = 0

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 16)
        self.norm = nn.BatchNorm1d(16)
        self.drop = nn.Dropout(0.2)
        self.out = nn.Linear(16, 8, bias=False)
        self.out.weight = nn.Parameter(self.fc.weight.detach().T[:8, :].clone().T[:8].repeat(1, 2))
        self.tied = self.out
        self.seen = []
        self.fc.register_forward_hook(lambda module, given, made: self.seen.append(float(made.detach().mean())))

    def forward(self, x):
        Net.calls.append(len(x))
        Net.steps += 1
        return self.tied(self.drop(torch.relu(self.norm(self.fc(x)))))

class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x
    @staticmethod
    def backward(ctx, grad):
        return 2 * ctx.saved_tensors[0] * grad

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.9 ** step)
scaler = torch.amp.GradScaler("cpu", enabled=False)
X = torch.randn(64, 8)
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(X, X.clone()), batch_size=16, shuffle=True,
    generator=torch.Generator().manual_seed(1),
)
history = []
log = history.append

def step(x, y, clip={"count": 0}):
    clip["count"] += 1
    optimizer.zero_grad()
    loss = Square.apply(model(x) - y).mean()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    return loss

step(X[:4], X[:4])
"""

CELL = """
for epoch in range(2):
    for x, y in loader:
        loss = step(x, y)
        log(loss.item())
    scheduler.step()
"""


def notebook(source: str, **given: Any) -> dict[str, Any]:
    """The names of a notebook in which ``source`` has run."""
    namespace: dict[str, Any] = {"__name__": "__main__", **given}
    exec(compile(source, "<cell 1>", "exec"), namespace)
    return namespace


def run(shadow: Shadow, code: str) -> None:
    with shadow.in_place() as namespace, Ambient.now().kept():
        exec(compile(code, "<cell 2>", "exec"), namespace)


@contextlib.contextmanager
def unchanged(namespace: dict[str, Any], code: str) -> Iterator[None]:
    before, bindings = Fingerprint.of(namespace, code), list(namespace.items())
    yield
    assert before.differences(Fingerprint.of(namespace, code)) == []
    assert [(name, id(value)) for name, value in namespace.items()] == [(it, id(value)) for it, value in bindings]


@pytest.fixture
def training() -> dict[str, Any]:
    namespace = notebook(TRAINING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(CELL, namespace)
    return namespace


def test_training_copies_changes_nothing_and_gives_the_same_losses_twice(training: dict[str, Any]) -> None:
    """Two shadows from the same start see the same numbers to the last bit: an A/A difference of exactly 0."""
    with unchanged(training, CELL), warnings.catch_warnings():
        warnings.simplefilter("error")
        shadows = [Shadow.of(training, CELL) for _ in range(2)]
        for shadow in shadows:
            run(shadow, CELL)
    first, second = (shadow.names["log"].__self__ for shadow in shadows)
    assert len(first) == len(training["history"]) + 8
    assert first == second
    assert all(
        torch.equal(a, b) for a, b in zip(*(it.names["model"].state_dict().values() for it in shadows), strict=True)
    )


def test_what_a_shadow_does_is_what_the_cell_would_have_done(training: dict[str, Any]) -> None:
    """The losses on copies are those that the user's own objects give afterwards: nothing was lost in copying."""
    shadow = Shadow.of(training, CELL)
    run(shadow, CELL)
    exec(CELL, training)
    assert shadow.names["log"].__self__ == training["history"]
    assert shadow.names["scheduler"].get_last_lr() == training["scheduler"].get_last_lr()


def test_what_was_shared_is_shared_among_the_copies(training: dict[str, Any]) -> None:
    names = Shadow.of(training, CELL).names
    model, optimizer = names["model"], names["optimizer"]
    assert model is not training["model"]
    assert [id(it) for it in optimizer.param_groups[0]["params"]] == [id(it) for it in model.parameters()]
    assert set(optimizer.state) == set(model.parameters())
    assert model.tied is model.out
    assert names["scheduler"].optimizer is optimizer
    assert optimizer.step.__wrapped__ is not training["optimizer"].step
    assert torch.equal(model.fc.weight.grad, training["model"].fc.weight.grad)
    assert model.fc.weight.grad is not training["model"].fc.weight.grad


def test_what_the_block_binds_and_deletes_is_kept_for_the_next_and_undone_in_the_notebook() -> None:
    namespace = notebook("a = [1]; b = 2; c = 3", Out={}, _="out")
    code = "a.append(b); d = a; del c; b += 1; _ = 5"
    shadow = Shadow.of(namespace, code)
    run(shadow, code)
    assert namespace["a"] == [1]
    assert list(namespace)[-3:] == ["a", "b", "c"]
    assert namespace["_"] == "out"
    assert (shadow.names["a"], shadow.names["b"]) == ([1, 2], 3)
    assert shadow.names["d"] is shadow.names["a"]
    with shadow.in_place() as names:
        assert names["d"] == [1, 2]
        assert names["b"] == 3
        assert "c" not in names
    assert "d" not in namespace


def test_names_that_the_cell_binds_first_are_not_copied_and_not_there() -> None:
    """Last run's loss hangs on a graph, and last run's iterator is used up: the cell makes both anew."""
    namespace = notebook("import torch; w = torch.ones(2, requires_grad=True); loss = w.sum(); it = iter([1]); n = 0")
    code = "for it in range(2):\n    loss = (w * 2).sum()\n    loss.backward()\n    n += 1"
    shadow = Shadow.of(namespace, code)
    assert sorted(shadow.names) == ["n", "w"]
    with shadow.in_place() as names:
        assert "loss" not in names
        exec(code, names)
    assert namespace["w"].grad is None
    assert shadow.names["w"].grad.tolist() == [4.0, 4.0]


def test_functions_with_closures_and_defaults_have_their_own() -> None:
    source = """
import functools
def make():
    count = [0]
    total = 0
    def add(by, seen=[]):
        nonlocal total
        count[0] += by; total += by; seen.append(by)
        add.calls = getattr(add, "calls", 0) + 1
        return total
    def get():
        return total
    return add, get, count
add, get, count = make()
half = functools.partial(add, 0.5)
table = {"add": add}
@functools.lru_cache
def squared(x):
    cached.append(x)
    return x * x
cached = []
def twice(function):
    @functools.wraps(function)
    def inner(*given):
        return function(*given), function(*given)
    return inner
@twice
def both(x):
    count.append(x)
    return len(count)
"""
    namespace = notebook(source)
    namespace["add"](1)
    code = "a = add(1); table['add'](1); half(); b = get(), count[0]; squared(3); c = both(7)"
    with unchanged(namespace, code):
        shadow = Shadow.of(namespace, code)
        run(shadow, code)
    assert shadow.names["a"] == 2
    assert shadow.names["b"] == (3.5, 3.5)
    assert shadow.names["c"] == (2, 3)
    assert shadow.names["add"].calls == 4
    assert namespace["add"].calls == 1
    assert shadow.names["cached"] == [3]


def test_class_attributes_of_the_notebook_are_copied_for_the_block() -> None:
    source = """
import dataclasses, enum
class Meta(type):
    def __setattr__(cls, name, value): raise RuntimeError("not so")
    def __getattribute__(cls, name): return super().__getattribute__(name)
class Plain(metaclass=Meta):
    seen = []
    count = 0
    nested = {"a": [1]}
    def touch(self):
        type.__setattr__(Plain, "count", Plain.count + 1)
        self.seen.append(1); self.nested["a"].append(2)
        type.__setattr__(Plain, "new", 1)
class Colour(enum.Enum):
    RED = 1
@dataclasses.dataclass
class Point:
    x: int = 0
    y: list = dataclasses.field(default_factory=list)
plain, point, colour = Plain(), Point(1), Colour.RED
"""
    namespace = notebook(source)
    code = "plain.touch(); point.y.append(colour); same = colour is Colour.RED"
    with unchanged(namespace, code):
        shadow = Shadow.of(namespace, code)
        run(shadow, code)
        run(shadow, code)
    assert vars(namespace["Plain"])["count"] == 0
    assert not hasattr(namespace["Plain"], "new")
    assert shadow.names["same"]
    with shadow.in_place():
        assert namespace["Plain"].count == 2
        assert namespace["Plain"].seen == [1, 1]


def test_objects_that_answer_badly_do_no_harm() -> None:
    source = """
class Broken:
    def __init__(self): self.items = [1]
    def __getattr__(self, name): raise RuntimeError("broken")
    def __eq__(self, other): raise RuntimeError("broken")
    def __hash__(self): raise RuntimeError("broken")
    def __len__(self): raise RuntimeError("broken")
    def __bool__(self): raise RuntimeError("broken")
    def __repr__(self): raise RuntimeError("broken")
    def __iter__(self): raise RuntimeError("broken")
    @property
    def __class__(self): raise RuntimeError("broken")
class Endless:
    def __getattr__(self, name): return getattr(self.inner, name)
class Slots:
    __slots__ = ("a",)
broken, endless, slots = Broken(), Endless(), Slots()
slots.a = [broken]
"""
    namespace = notebook(source)
    code = "broken.items.append(2); endless.inner = broken; slots.a.append(3)"
    with unchanged(namespace, code):
        shadow = Shadow.of(namespace, code)
        run(shadow, code)
    assert shadow.names["broken"].items == [1, 2]
    assert shadow.names["slots"].a[0] is shadow.names["broken"]


def test_arrays_frames_estimators_and_generators_are_independent() -> None:
    namespace = notebook(
        "pass", np=np, array=np.arange(6.0), frame=pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}),
        forest=RandomForestClassifier(3, random_state=0).fit(np.eye(6), [0, 1] * 3),
        pipe=make_pipeline(StandardScaler()), rng=np.random.default_rng(1), old=np.random.RandomState(2),
        python=random.Random(3), objects=np.array([[1], {}], dtype=object), queue=collections.deque([1], maxlen=2),
        order=collections.OrderedDict(a=[1]), count=itertools.count(), text=io.StringIO("kept"),
    )  # fmt: skip
    code = (
        "array += 1; frame.loc[0, 'a'] = 9; forest.n_estimators = 4; forest.fit(np.eye(6), [1, 0] * 3); "
        "pipe.fit(np.eye(6)); a = rng.random(), old.rand(), python.random(); objects[0].append(2); queue.append(3); "
        "order['a'].append(4); next(count); text.write('new')"
    )
    with unchanged(namespace, code):
        shadow = Shadow.of(namespace, code)
        run(shadow, code)
        again = Shadow.of(namespace, code)
        run(again, code)
    assert shadow.names["a"] == again.names["a"]
    assert namespace["array"][0] == 0
    assert namespace["objects"][0] == [1]
    assert namespace["text"].getvalue() == "kept"


def test_arrays_of_more_than_64_mb_can_be_read_and_not_written() -> None:
    namespace = notebook("pass", large=np.zeros(9_000_000))
    shadow = Shadow.of(namespace, "large.sum()")
    assert shadow.size_b == 0
    assert shadow.names["large"].base is namespace["large"]
    with pytest.raises(ValueError, match="read-only"):
        run(shadow, "large[0] = 1")
    assert namespace["large"].flags.writeable


def test_too_much_is_refused_with_numbers() -> None:
    namespace = notebook("pass", first=torch.zeros(1000), second=torch.zeros(250_000))
    with pytest.raises(RefusedError, match=r"takes 1 MB of memory, and 1 MB may be taken: second alone is 1 MB"):
        Shadow.of(namespace, "first + second", most_b=1000)
    assert Shadow.of(namespace, "first + second", most_b=2_000_000).size_b == 1_004_000


def legacy_weight_norm() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = torch.nn.utils.weight_norm(torch.nn.Linear(2, 2))
    module(torch.zeros(1, 2))
    return module


def raising() -> object:
    class Never:
        def __deepcopy__(self, memo: object) -> object:
            raise ValueError("no copies of me")

    return Never()


def scripted() -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(torch.nn.Linear(2, 2))


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "generator": (lambda: (it for it in [1]), "generator, which is used up"),
    "map": (lambda: map(str, [1]), "map, which is used up"),
    "zip": (lambda: zip([1], [2], strict=True), "zip, which is used up"),
    "enumerate": (lambda: enumerate([1]), "enumerate, which is used up"),
    "iterator of a list": (lambda: iter([1]), "used up"),
    "in a list": (lambda: [1, {"a": (it for it in [1])}], "generator, which is used up"),
    "loader's iterator": (lambda: iter(torch.utils.data.DataLoader([1, 2])), "goes through a loader"),
    "lock": (threading.Lock, "lock"),
    "thread": (lambda: threading.Thread(target=print), "holds a thread"),
    "open file": (lambda: open(__file__), "open file"),  # noqa: SIM115
    "non-leaf": (lambda: torch.ones(1, requires_grad=True) * 2, "graph of gradients"),
    "weight_norm": (legacy_weight_norm, "graph of gradients"),
    "scripted": (scripted, "scripted module"),
    "deepcopy raises": (raising, "no copies of me"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_can_not_be_copied_is_refused_by_name(kind: str) -> None:
    make, words = REFUSED[kind]
    thing = make()
    namespace = notebook("pass", thing=thing)
    with pytest.raises(RefusedError, match=words) as refused:
        Shadow.of(namespace, "use(thing)")
    assert str(refused.value).startswith("thing ")
    assert namespace["thing"] is thing
    if isinstance(thing, io.IOBase):
        thing.close()


def test_modules_of_pytorch_of_many_kinds_are_copied() -> None:
    source = """
import torch, torch.nn as nn
torch.manual_seed(0)
plain = nn.Linear(4, 4)
parametrized = nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))
recurrent = nn.LSTM(4, 4, 2)
compiled = torch.compile(nn.Linear(4, 4))
hooked = nn.Linear(4, 4)
seen = []
hooked.weight.register_hook(lambda grad: seen.append(grad))
hooked.register_full_backward_hook(lambda module, given, made: seen.append(module))
x = torch.randn(3, 4, requires_grad=True)
sgd = torch.optim.SGD([*plain.parameters(), *recurrent.parameters()], lr=0.1, momentum=0.9)
clip = sgd.register_step_post_hook(lambda *given: seen.append("step"))
"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        namespace = notebook(source)
    code = """
out = parametrized(x).sum() + recurrent(x)[0].sum() + plain(x).sum() + hooked(x).sum()
out.backward()
sgd.step()
compiled
n = len(seen)
"""
    with unchanged(namespace, code):
        shadow = Shadow.of(namespace, code)
        run(shadow, code)
    assert shadow.names["n"] == 3
    assert namespace["seen"] == []
    assert shadow.names["compiled"]._orig_mod is not namespace["compiled"]._orig_mod


def test_an_interrupt_in_the_block_leaves_the_notebook_as_it_was(training: dict[str, Any]) -> None:
    shadow = Shadow.of(training, CELL)
    with unchanged(training, CELL):
        ambient = Ambient.now()
        with pytest.raises(KeyboardInterrupt), shadow.in_place() as names, ambient.kept():
            exec("loss = 1; model.fc.weight.data.zero_(); del optimizer; raise KeyboardInterrupt", names)
    shadow.close()
    shadow.close()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers here")
def test_interrupts_at_random_moments_leave_the_notebook_as_it_was() -> None:
    """Also within the binding and the putting back, which are interrupted in most of the runs."""
    namespace = notebook("\n".join(f"v{it} = [{it}]" for it in range(300)) + "\nclass Held:\n    seen = []\n")
    code = " + ".join(f"v{it}" for it in range(300)) + "; Held"
    bindings = dict(namespace)
    shadow = Shadow.of(namespace, code)
    chance = random.Random(0)
    interrupted = 0

    def interrupt(*_given: object) -> None:
        raise KeyboardInterrupt

    was = signal.signal(signal.SIGALRM, interrupt)
    try:
        while interrupted < 500:
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 3e-4))
                with shadow.in_place() as names:
                    names["new"] = 1
                    names["v3"] = 4
                    names.pop("v5", None)
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                for _ in range(3):  # one may be on its way
                    with contextlib.suppress(KeyboardInterrupt):
                        put_back()
                        break
            assert list(namespace.items()) == list(bindings.items())
            assert all(namespace[name] is value for name, value in bindings.items())
    finally:
        signal.signal(signal.SIGALRM, was)


def test_a_module_of_the_users_own_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in another file of the user's is copied for the block as well."""
    (tmp_path / "mine_of_h2.py").write_text(
        "SEEN = []\ncount = 0\ndef add(x):\n    global count\n    count += 1\n    SEEN.append(x)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    namespace = notebook("import mine_of_h2\nfrom mine_of_h2 import add")
    code = "mine_of_h2.add(1); add(2); n = mine_of_h2.count, len(mine_of_h2.SEEN)"
    with unchanged(namespace, code):
        shadow = Shadow.of(namespace, code)
        run(shadow, code)
    assert shadow.names["n"] == (2, 2)
    assert namespace["mine_of_h2"].SEEN == []


def test_partial_and_bound_methods_go_with_their_objects() -> None:
    namespace = notebook(
        "class A:\n    def __init__(self): self.x = [0]\n    def add(self, by): self.x.append(by)\na = A()"
    )
    namespace["bound"], namespace["part"] = namespace["a"].add, functools.partial(namespace["a"].add, 5)
    with unchanged(namespace, "bound(1); part(); a"):
        shadow = Shadow.of(namespace, "bound(1); part(); a")
        run(shadow, "bound(1); part(); a")
    assert shadow.names["a"].x == [0, 1, 5]
