"""A plain notebook of each framework gets findings that are right, with nothing typed but ``%load_ext greennb``."""

from __future__ import annotations

import importlib.util

import pytest

pytestmark = pytest.mark.kernel

ADVICE = "application/vnd.greennb.advice+json"

TORCH = """
import time, torch
from torch.utils.data import DataLoader, Dataset

class Photos(Dataset):
    def __len__(self):
        return 640
    def __getitem__(self, n):
        time.sleep(0.002)  # as decoding would take
        return torch.full((64,), n / 640.0), n % 2

model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 2))
optimizer = torch.optim.Adam(model.parameters())
loader = DataLoader(Photos(), batch_size=16)
# %%
for epoch in range(3):
    for x, y in loader:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
"""

SKLEARN = """
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier
X, y = make_classification(12_000, 20, random_state=0)
# %%
clf = GradientBoostingClassifier(n_estimators=40, random_state=0)
clf.fit(X, y)
"""

KERAS = """
import numpy as np, keras
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.layers.Input((8,)), keras.layers.Dense(16), keras.layers.Dense(1)])
rows = np.random.default_rng(0).random((60, 8), dtype="float32")
# %%
answers = [model.predict(row[None], verbose=0) for row in rows]
"""

PLAIN = [
    ("torch", TORCH, "GNB201", "loader"),
    ("sklearn", SKLEARN, "GNB301", "clf"),
    ("keras", KERAS, "GNB408", "model"),
]


@pytest.mark.parametrize(("framework", "source", "code", "subject"), PLAIN, ids=[name for name, *_ in PLAIN])
def test_a_plain_notebook_gets_findings_without_an_option(start_kernel, framework, source, code, subject):
    if importlib.util.find_spec(framework) is None:
        pytest.skip(f"{framework} is not installed")
    kernel = start_kernel(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    for number, cell in enumerate(source.split("# %%\n")):
        ran = kernel.run(cell, cell_id=f"c{number}", timeout=180)
        assert ran.reply["status"] == "ok", ran.reply
        assert "greennb" not in ran.text("stderr")
        assert not [out for out in ran.outputs if out["type"] == "display_data"]
    shown = kernel.run("%energy_advise").outputs[-1]["data"]
    told = shown[ADVICE]
    found = {(it["code"], it["subject"]): it for it in told["findings"]}
    assert (code, subject) in found, shown["text/plain"]
    assert found[code, subject]["cell_id"] == "c1"
    assert framework in told["looked"]["frameworks"]
    for finding in found.values():
        compile(finding["code_change"], "<change>", "exec")
