"""A fingerprint is the same while nothing changes, and names every planted leak."""

from __future__ import annotations

import gc
import os
import random
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import SGDClassifier
from sklearn.tree import DecisionTreeClassifier

from greennb.advisor.trial import digest
from greennb.advisor.trial.ambient import Ambient
from greennb.advisor.trial.fingerprint import Fingerprint
from greennb.ledger.opening import files_of

SOURCE = """
import collections, functools, random
import numpy as np, pandas as pd, torch, torch.nn as nn
torch.manual_seed(0)
class Net(nn.Module):
    best = 0
    seen = []
    def __init__(self):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
        self.log = []
    def forward(self, x): return self.fc(x)
class Broken:
    def __getattr__(self, name): raise RuntimeError(name)
    def __eq__(self, other): raise RuntimeError
    __hash__ = None
    def __len__(self): raise RuntimeError
    def __repr__(self): raise RuntimeError
class Slots:
    __slots__ = ("a",)
model = Net()
optimizer = torch.optim.Adam(model.parameters())
loader = torch.utils.data.DataLoader(torch.arange(8), generator=torch.Generator().manual_seed(0))
model(torch.randn(4, 4)).sum().backward(); optimizer.step()
array, frame = np.arange(12.0).reshape(3, 4), pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
large = np.zeros(1_000_000)
numbers, nested, table = [1, 2, 3], [[1], {"k": {4}}], {"a": 1, 2: [3]}
broken, slots = Broken(), Slots()
slots.a = [1]
broken.items = [broken]
rng, old, dice = np.random.default_rng(1), np.random.RandomState(1), random.Random(1)
def counter():
    n = [0]
    def count(by=[1]):
        n[0] += by[0]
    return count
count = counter()
@functools.lru_cache
def cached(x): return x
part = functools.partial(count, [2])
queue, objects = collections.deque([1, [2]]), np.array([[1], None], dtype=object)
apart = [1]
"""

CODE = (
    "model; optimizer; loader; array; frame; numbers; nested; table; broken; slots; rng; old; dice; count; cached;"
    "part; queue; objects; tree; linear; large"
)

LEAKS = {
    "model: parameter fc.0.weight": "model.fc[0].weight.data[0, 0] += 1e-3",
    "model: parameter fc.0.bias": "torch.no_grad()(lambda: model.fc[0].bias.add_(0))()",
    "model: buffer fc.1.running_mean": "model.fc[1].running_mean[0] = 7",
    "model: gradient of parameter fc.0.weight": "model.fc[0].weight.grad.zero_()",
    "model: fc.1": "model.fc[1].eval()",
    "model: log": "model.log.append(1)",
    "model: fc.0._forward_hooks": "model.fc[0].register_forward_hook(print)",
    "model: fc": "model.fc[0] = nn.Linear(4, 4)",
    "optimizer: state[fc.0.weight][exp_avg]": "optimizer.state[model.fc[0].weight]['exp_avg'][0] = 1",
    "optimizer: param_groups[0]": "optimizer.param_groups[0]['lr'] = 1.0",
    "loader: generator": "loader.generator.manual_seed(9)",
    "array": "array[1, 2] = -1",
    "large": "large[777_777] = 1",
    "numbers": "numbers[0] = 9",
    "nested: [1][k]": "nested[1]['k'].add(5)",
    "table: [2]": "table[2].append(1)",
    "table": "table['b'] = 1",
    "broken": "broken.other = 1",
    "broken: items": "broken.items.append(2)",
    "slots: a": "slots.a.append(2)",
    "rng": "rng.random()",
    "old": "old.rand()",
    "dice": "dice.random()",
    "count: what it holds, n": "count()",
    "count: default 0": "count.__defaults__[0].append(1)",
    "count": "count.note = 1",
    "cached": "cached(3)",
    "part: args[0]": "part.args[0].append(1)",
    "queue": "queue.append(3)",
    "queue: [1]": "queue[1].append(3)",
    "objects: [0]": "objects[0].append(1)",
    "tree: tree_": "tree.fit(np.eye(4), [1, 0, 0, 1])",
    "linear: coef_": "linear.coef_[0, 0] = 5",
    "Net: class attribute seen": "Net.seen.append(1)",
    "Net": "Net.best = 3",
    "apart (its content)": "apart.append(2)",
    "apart (another object)": "apart = [1]",
    "apart (deleted)": "del apart",
    "other (new)": "other = 1",
    "the RNG of numpy": "np.random.rand()",
    "the RNG of random": "random.random()",
    "the RNG of torch": "torch.rand(1)",
    "torch's gradients (on or off)": "torch.set_grad_enabled(False)",
    "the environment": "__import__('os').environ.update(OF_A_TRIAL='1')",
    "file out.csv appeared": "open('out.csv', 'w').close()",
    "file there.txt was written": "print('more', file=open('there.txt', 'a'), flush=True)",
    "file there.txt is gone": "__import__('os').remove('there.txt')",
    "file runs/a/log.txt appeared": "open('runs/a/log.txt', 'w').close()",
}
"""What differs, in words, and what has changed it."""


@pytest.fixture
def namespace(tmp_path: Path) -> Iterator[dict[str, Any]]:
    ambient = Ambient.now()
    os.chdir(tmp_path)
    (tmp_path / "there.txt").write_text("as it was")
    (tmp_path / "runs" / "a").mkdir(parents=True)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(SOURCE, names)
    names["tree"] = DecisionTreeClassifier(random_state=0).fit(np.eye(4), [0, 1, 0, 1])
    names["linear"] = SGDClassifier(random_state=0).fit(np.eye(4), [0, 1, 0, 1])
    yield names
    ambient.restore()


def test_nothing_differs_while_nothing_changes(namespace: dict[str, Any]) -> None:
    before = Fingerprint.of(namespace, CODE)
    assert before.differences(Fingerprint.of(namespace, CODE)) == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("words", LEAKS)
def test_a_planted_leak_is_named(words: str, namespace: dict[str, Any]) -> None:
    before = Fingerprint.of(namespace, CODE)
    exec(LEAKS[words], namespace)
    assert words in before.differences(Fingerprint.of(namespace, CODE))


def test_a_frame_in_which_a_value_was_written_differs(namespace: dict[str, Any]) -> None:
    before = Fingerprint.of(namespace, CODE)
    namespace["frame"].loc[0, "a"] = 9.0
    assert any(it.startswith("frame") for it in before.differences(Fingerprint.of(namespace, CODE)))


def test_notebooks_that_jupyter_saves_meanwhile_are_no_difference(namespace: dict[str, Any]) -> None:
    before = Fingerprint.of(namespace, CODE)
    Path("mine.ipynb").write_text("{}")
    Path(".hidden").write_text("")
    Path("__pycache__").mkdir()
    assert before.differences(Fingerprint.of(namespace, CODE)) == []


def test_it_keeps_nothing_alive(namespace: dict[str, Any]) -> None:
    kept = weakref.ref(namespace["model"])
    before = Fingerprint.of(namespace, CODE)
    for name in ("model", "optimizer"):
        del namespace[name]
    gc.collect()
    assert kept() is None
    assert "model (deleted)" in before.differences(Fingerprint.of(namespace, CODE))


def test_large_data_is_sampled_at_every_sixteenth_block() -> None:
    """300 MB are read in a part; a change that is spread over them is seen."""
    namespace: dict[str, Any] = {"__name__": "__main__", "x": torch.zeros(300_000_000, dtype=torch.uint8)}
    before = Fingerprint.of(namespace, "x")
    assert before.differences(Fingerprint.of(namespace, "x")) == []
    namespace["x"].numpy()[::100_000] = 1
    assert before.differences(Fingerprint.of(namespace, "x")) == ["x"]
    assert digest.PIECE_B < 300_000_000


def test_pieces_beyond_the_most_are_told_by_their_name() -> None:
    lists = [[[it]] for it in range(digest.MOST_PIECES)]
    namespace: dict[str, Any] = {"__name__": "__main__", "lists": lists}
    before = Fingerprint.of(namespace, "lists")
    lists[0][0].append(5)
    lists[-1][0].append(5)
    assert "lists" in before.differences(Fingerprint.of(namespace, "lists"))


def test_views_and_other_layouts_are_read() -> None:
    namespace: dict[str, Any] = {
        "__name__": "__main__", "every": np.arange(10)[::2], "fortran": np.asfortranarray(np.ones((3, 4))),
        "sparse": torch.eye(3).to_sparse(), "meta": torch.empty(3, device="meta"), "empty": np.zeros((0, 3)),
        "record": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), "days": np.array(["2020-01-01"], "M8[D]"),
        "bits": bytearray(b"abc"), "half": torch.ones(3, dtype=torch.bfloat16), "zero": np.array(5.0),
        "index": pd.date_range("2020", periods=3), "dice": random.Random(2),
    }  # fmt: skip
    code = "every, fortran, sparse, meta, empty, record, days, bits, half, zero, index, dice"
    before = Fingerprint.of(namespace, code)
    assert before.differences(Fingerprint.of(namespace, code)) == []
    exec(
        "every[1] = 0; fortran[0, 1] = 2; sparse._values()[0] = 3; record['a'] = 3; days[0] = '2021-01-01';"
        "bits[0] = 0; half[1] = 2; zero[()] = 6",
        namespace,
    )
    del namespace["__builtins__"]
    assert before.differences(Fingerprint.of(namespace, code)) == [
        "every", "fortran", "sparse", "record", "days", "bits", "half", "zero",
    ]  # fmt: skip


def test_files_of_ours_are_no_difference_and_others_beside_them_are(namespace: dict[str, Any], tmp_path: Path) -> None:
    """A ledger in the notebook's folder is written while a trial runs."""
    own = files_of(tmp_path / "runs" / "ledger.sqlite")
    own[0].write_bytes(b"as it was")
    before = Fingerprint.of(namespace, CODE, own=own)
    for number, file in enumerate((*own, tmp_path / "runs" / "ledger.csv")):
        file.write_bytes(b"longer than it was" * (number + 1))
    assert before.differences(Fingerprint.of(namespace, CODE, own=own)) == ["file runs/ledger.csv appeared"]
