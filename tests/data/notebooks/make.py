"""Writes the notebooks of this folder: ``python tests/data/notebooks/make.py [FOLDER]``.

Two train for real, on scikit-learn's digits. The others go wrong in one way each. They are kept in the repository so
that a test reads a file as a user's tool would; a test holds them to what this script writes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

DIGITS = """\
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

digits = load_digits()
images = (digits.images / 16).astype("float32")  # 8 x 8 pixels, 0 to 1
x_train, x_test, y_train, y_test = train_test_split(
    images, digits.target, test_size=0.25, stratify=digits.target, random_state=0
)
x_train.shape, x_test.shape"""

TORCH = {
    "imports": "import torch\nfrom torch import nn\n\ntorch.manual_seed(0)\ntorch.__version__",
    "data": f"""\
{DIGITS}

from torch.utils.data import DataLoader, TensorDataset


def dataset(x, y):
    return TensorDataset(torch.tensor(x).unsqueeze(1), torch.tensor(y, dtype=torch.long))


train_loader = DataLoader(dataset(x_train, y_train), batch_size=64, shuffle=True)
test_loader = DataLoader(dataset(x_test, y_test), batch_size=256)
len(train_loader), len(test_loader)""",
    "model": """\
model = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(16, 32, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(32 * 4 * 4, 64),
    nn.ReLU(),
    nn.Linear(64, 10),
)
loss_of = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
sum(parameter.numel() for parameter in model.parameters())""",
    "train": """\
for epoch in range(6):
    model.train()
    total = 0.0
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    print(f"epoch {epoch + 1}: loss {total / len(train_loader.dataset):.3f}")""",
    "evaluate": """\
model.eval()
with torch.inference_mode():
    right = sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader)
accuracy = right / len(test_loader.dataset)
assert accuracy > 0.9, accuracy
print(f"accuracy {accuracy:.3f}")""",
}

KERAS = {
    "imports": """\
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"  # before the import: TensorFlow then keeps its start-up notes to itself
import keras

keras.utils.set_random_seed(0)
keras.__version__""",
    "data": DIGITS,
    "model": """\
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
        keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.count_params()""",
    "train": """\
history = model.fit(x_train[..., None], y_train, batch_size=64, epochs=6, verbose=2)""",
    "evaluate": """\
loss, accuracy = model.evaluate(x_test[..., None], y_test, batch_size=256, verbose=0)
assert accuracy > 0.9, accuracy
print(f"accuracy {accuracy:.3f}")""",
}

ERROR = {
    "first": "numbers = [1, 2, 3]",
    "second": "print(sum(numbers))",
    "third": 'raise ValueError("the third cell raises")',
    "fourth": 'print("a run that stops at the first error never gets here")',
}

KILLED = {
    "first": 'print("before")',
    "second": "squares = sum(n * n for n in range(100_000))",
    "third": "import os\n\nos.kill(os.getpid(), 9)",
    "fourth": 'print("never reached")',
}

SLOW = {
    "first": 'print("before")',
    "second": "import time\n\ntime.sleep(60)",
    "third": 'print("after")',
}

EMPTY_CELLS = {"nothing": "", "spaces": "  \n\n", "comment": "# only a comment", "pass": "pass"}

NO_KERNELSPEC = {"first": "print(1)"}


def notebook(title: str, cells: dict[str, str], kernel: str = "python3") -> nbformat.NotebookNode:
    """A notebook of format 4.5 with a heading and one code cell for each item of ``cells`` (id: source)."""
    metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": kernel},
        "language_info": {"name": "python"},
    }
    heading = new_markdown_cell(f"# {title}", id="title")
    code = [new_code_cell(source, id=cell_id) for cell_id, source in cells.items()]
    made = new_notebook(metadata=metadata, cells=[heading, *code])
    made.nbformat_minor = 5
    nbformat.validate(made)
    return made


def files() -> dict[str, str]:
    """The text of each file by its name."""
    notebooks = {
        "torch_training": notebook("A small CNN in PyTorch", TORCH),
        "keras_training": notebook("A small CNN in Keras", KERAS),
        "error": notebook("The third code cell raises", ERROR),
        "killed": notebook("The third code cell kills its kernel", KILLED),
        "slow": notebook("The second code cell sleeps for a minute", SLOW),
        "empty_cells": notebook("Cells with nothing to run", EMPTY_CELLS),
        "markdown_only": notebook("No code at all", {}),
        "no_kernelspec": notebook("A kernel that nobody has", NO_KERNELSPEC, kernel="does-not-exist"),
    }
    texts = {f"{name}.ipynb": nbformat.writes(made, indent=1) + "\n" for name, made in notebooks.items()}
    return {**texts, "notjson.ipynb": "This is a text file that calls itself a notebook.\n"}


def main(folder: Path) -> None:
    """Write every file into ``folder``."""
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
