"""The README's picture: a real training notebook in a real JupyterLab, on whatever sensors this machine has.

python tests/browser/picture.py     writes docs/images/panel.png
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from run import chromium  # found through the line above
from serve import FRONTS, ROOT, Front, served

CELLS = [
    """import torch
from sklearn.datasets import load_digits
from torch import nn

digits = load_digits()
x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
y = torch.tensor(digits.target)
torch.manual_seed(0)
order = torch.randperm(len(x))
train, test = order[:1400], order[1400:]""",
    """model = nn.Sequential(
    nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(),
    nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Flatten(),
    nn.Linear(64 * 64, 10),
)
optimizer = torch.optim.Adam(model.parameters())""",
    """for epoch in range(4):
    for batch in train[torch.randperm(len(train))].split(32):
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
print(f"loss {loss:.4f}")""",
    """with torch.inference_mode():
    for _ in range(40):
        right = (model(x[test]).argmax(1) == y[test]).float().mean()
print(f"{right:.1%} of the test images are right")""",
]


def notebook() -> str:
    """The notebook as a file's text."""
    title = {"cell_type": "markdown", "id": "title", "metadata": {}, "source": "# Reading digits"}
    code = [
        {"cell_type": "code", "id": f"cell-{place}", "metadata": {}, "source": source, "outputs": [],
         "execution_count": None}
        for place, source in enumerate(CELLS)
    ]  # fmt: skip
    spec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    metadata = {"kernelspec": spec, "greennb": {"budget_j": 2000}}
    return json.dumps({"cells": [title, *code], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def main() -> int:
    """Serve, run, and take the picture; the exit status is the script's."""
    browser = chromium()
    if browser is None:
        raise SystemExit("There is no Chromium here to take a picture with.")
    FRONTS["picture"] = Front(".venv", "jupyterlab", None)
    with (
        tempfile.TemporaryDirectory(prefix="greennb-picture-") as name,
        served("picture", Path(name) / "lab") as server,
    ):
        server.wait()
        (Path(name) / "lab" / "root" / "digits.ipynb").write_text(notebook(), encoding="utf-8")
        notices = Path(name) / "lab" / "settings" / "@jupyterlab" / "apputils-extension"
        notices.mkdir(parents=True)
        (notices / "notification.jupyterlab-settings").write_text('{"fetchNews": "false"}', encoding="utf-8")
        given = {"address": server.address, "chromium": browser, "file": str(ROOT / "docs" / "images" / "panel.png")}
        script = Path(__file__).with_name("picture.mjs")
        return subprocess.run(["node", str(script), json.dumps(given)], env=os.environ, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
