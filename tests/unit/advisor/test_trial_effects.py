"""What a cell does outside of itself is found in its source, or stopped while it runs; what is harmless passes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

from greennb.advisor.trial import effects
from greennb.advisor.trial.base import RefusedError, Stopped

BEFORE = """
import os, pickle
from pathlib import Path
from numpy import save as keep
class Trainer:
    def checkpoint(self): torch.save(model, "best.pt")
    def train(self): self.hook()
    def hook(self): pass
class Logged(Trainer):
    def hook(self): self.checkpoint()
class Table:
    def to_csv(self, path): return path
def helper(x):
    y = x + 1
    keep("x.npy", y)
    return y
def outer(x):
    return [helper(it) for it in x]
trainer, logged, table = Trainer(), Logged(), Table()
"""

REFUSED = {
    "f = open('x', 'w')": "line 1 writes a file (open): take it out of the cell, or put it into a cell of its own.",
    "a = 1\ntorch.save(model, 'x')": "line 2 writes a file (torch.save)",
    "np.savez('x', a=1)": "line 1 writes a file (np.savez)",
    "open('x', mode='ab').write(b'')": "line 1 writes a file (open)",
    "Path('x').write_text('a')": "line 1 writes a file (.write_text)",
    "Path('x').open('w')": "line 1 writes a file (.open)",
    "frame.to_csv('x.csv')": "line 1 writes a file (.to_csv)",
    "frame.to_parquet('x')": "line 1 writes a file (.to_parquet)",
    "frame.to_sql('t', connection)": "line 1 writes to a database (.to_sql)",
    "plt.savefig('x')": "line 1 writes a file (plt.savefig)",
    "pickle.dump(1, f)": "line 1 writes a file (pickle.dump)",
    "import joblib as j\nj.dump(1, 'x')": "line 2 writes a file (j.dump)",
    "from joblib import dump\ndump(1, 'x')": "line 2 writes a file (dump)",
    "model.save('x')": "line 1 writes a file (.save)",
    "model.save_pretrained('x')": "line 1 writes a file (.save_pretrained)",
    "model.push_to_hub('x')": "line 1 uses the network (.push_to_hub)",
    "import requests\nrequests.get('u')": "line 2 uses the network (requests.get)",
    "import urllib.request\nurllib.request.urlopen('u')": "line 2 uses the network (urllib.request.urlopen)",
    "import subprocess\nsubprocess.run(['ls'])": "line 2 starts a program (subprocess.run)",
    "os.system('ls')": "line 1 starts a program (os.system)",
    "os.makedirs('x')": "line 1 makes a folder (os.makedirs)",
    "import shutil\nshutil.rmtree('x')": "line 2 removes files (shutil.rmtree)",
    "from multiprocessing import Pool\nPool(2)": "line 2 starts a program (Pool)",
    "import threading\nthreading.Thread(target=f).start()": "line 2 starts a thread (threading.Thread)",
    "import wandb\nwandb.log({})": "line 2 logs to elsewhere (wandb.log)",
    "from torch.utils.tensorboard import SummaryWriter\nw = SummaryWriter()": "line 2 writes a file (SummaryWriter)",
    "import keras\nkeras.callbacks.ModelCheckpoint('x')": "line 2 writes a file (keras.callbacks.ModelCheckpoint)",
    "import tensorflow as tf\ntf.keras.callbacks.TensorBoard('x')": "line 2 writes a file",
    "name = input('name')": "line 1 asks for input (input)",
    "await thing()": "line 1 awaits something",
    "async with lock:\n    pass": "line 1 awaits something",
    "exit()": "line 1 ends or signals a process (exit)",
    "get_ipython().system('ls')": "line 1 uses IPython itself (get_ipython)",
    "x = 1\n!ls": "line 2 starts a program (!ls)",
    "files = !ls\nx = 1": "line 1 starts a program (!ls)",
    "%cd there\nx = 1": "line 1 runs a magic (%cd)",
    "%reset -f\nx = 1": "line 1 runs a magic (%reset)",
    "outer([1])": "line 15 of helper() writes a file (keep)",
    "logged.train()": "line 6 of checkpoint() writes a file (torch.save)",
    "for i in range(3):\n    if i == 2:\n        torch.save(model, 'x')": "line 3 writes a file (torch.save)",
}

HARMLESS = (
    "open('x')", "open('x', 'rb').read()", "print(1)", "plt.plot([1]); plt.show()", "frame.to_csv()",
    "frame.to_numpy()", "pickle.dumps(1)", "frame.rename(columns={}).replace(1, 2)", "pd.read_csv('x')",
    "from tqdm import tqdm\nfor i in tqdm(range(3)):\n    pass", "async def f():\n    await g()", "torch.load('x')",
    "import time\ntime.sleep(0.1)", "del model", "trainer.train()", "table.to_csv('x')", "os.path.join('a', 'b')",
    "import json\njson.loads('1')",
    "model.to('cpu')", "%time x = 1", "%matplotlib inline\nx = 1", "x = (5\n     % 3)", "os.environ['A'] = '1'",
    "input = 3\nmodel(input)", "model.save", "os.cpu_count()", "logging.info('x')",
)  # fmt: skip


@pytest.fixture
def namespace(tmp_path: Path) -> Iterator[dict[str, Any]]:
    names: dict[str, Any] = {
        "__name__": "__main__", "torch": torch, "np": np, "pd": pd, "plt": plt, "model": torch.nn.Linear(1, 1),
        "frame": pd.DataFrame({"a": [1]}),
    }  # fmt: skip
    cell = tmp_path / "cell.py"  # as IPython's cells, it is where linecache finds it
    cell.write_text(BEFORE)
    with contextlib.chdir(tmp_path):
        exec(compile(BEFORE, str(cell), "exec"), names)
        yield names
    plt.close("all")


@pytest.mark.parametrize("code", REFUSED)
def test_an_effect_in_the_source_is_refused_with_its_line(code: str, namespace: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        effects.refuse(code, namespace)
    assert str(refused.value).startswith(REFUSED[code])


@pytest.mark.parametrize("code", HARMLESS)
def test_what_is_harmless_passes(code: str, namespace: dict[str, Any]) -> None:
    effects.refuse(code, namespace)


STOPPED = {
    "open('here.txt', 'w')": "line 1 writes a file (here.txt)",
    "def f():\n    open('here.txt', 'a')\nf()": "line 2 of f() writes a file (here.txt)",
    "getattr(np, 'save')('here', np.ones(2))": "line 1 writes a file (here.npy)",
    "getattr(plt.figure(), 'savefig')('here.png')": "line 1 writes a file (here.png)",
    "getattr(Path('here'), 'mkdir')()": "line 1 makes a folder (here)",
    "getattr(os, 'remove')('cell.py')": "line 1 removes a file (cell.py)",
    "getattr(os, 'rename')('cell.py', 'b')": "line 1 renames a file (cell.py)",
    "getattr(os, 'system')('touch here')": "line 1 starts a program (touch here)",
    "__import__('subprocess').run(['touch', 'here'])": "line 1 starts a program (touch)",
    "getattr(os, 'fork')()": "line 1 starts a process",
    "__import__('socket').create_connection(('127.0.0.1', 9))": "line 1 uses the network (127.0.0.1)",
    "__import__('shutil').rmtree('.')": "line 1 removes a folder (.)",
    "__import__('sqlite3').connect('here.db')": "line 1 opens a database (here.db)",
    "try:\n    open('here.txt', 'w')\nexcept Exception:\n    pass": "line 2 writes a file (here.txt)",
    "try:\n    open('here.txt', 'w')\nexcept:\n    pass": "line 2 writes a file (here.txt)",
    "try:\n    open('here.txt', 'w')\nfinally:\n    raise ValueError": "line 2 writes a file (here.txt)",
}


@pytest.mark.parametrize("code", STOPPED)
def test_an_effect_is_stopped_before_it_happens(code: str, namespace: dict[str, Any]) -> None:
    """Also where the source hides it, and where the cell catches everything."""
    with pytest.raises(RefusedError) as refused, effects.watched():
        exec(compile(code, "<cell>", "exec"), namespace)
    assert str(refused.value).startswith(STOPPED[code])
    assert sorted(it.name for it in Path().iterdir()) == ["cell.py"]


@pytest.mark.parametrize(
    "code",
    [
        "with open('cell.py') as file:\n    file.read()",
        "print(open('/dev/null', 'w').close())",
        "import tempfile\nwith tempfile.TemporaryDirectory() as at:\n    pass",
        "list(torch.utils.data.DataLoader(list(range(4)), num_workers=1))",
        "import colorsys, html.parser",
        "plt.plot([1]); plt.gcf().canvas.draw()",
    ],
)
def test_what_runs_without_effects_passes(code: str, namespace: dict[str, Any]) -> None:
    with effects.watched():
        exec(compile(code, "<cell>", "exec"), namespace)


def test_n_jobs_of_scikit_learn_may_start_processes() -> None:
    with effects.watched():
        cross_val_score(RandomForestClassifier(2), np.eye(12), [0, 1] * 6, cv=2, n_jobs=2)


def test_what_the_cell_raises_is_the_cells() -> None:
    def raises(error: BaseException) -> None:
        raise error

    for error in (ValueError("mine"), KeyboardInterrupt(), Stopped()):
        with pytest.raises(type(error)), effects.watched():
            raises(error)


def test_other_threads_and_afterwards_are_free(tmp_path: Path) -> None:
    done = threading.Event()

    def writes() -> None:
        (tmp_path / "thread").write_text("")
        done.set()

    with effects.watched():
        thread = threading.Thread(target=writes)
        thread.start()
        thread.join()
    assert done.is_set()
    (tmp_path / "afterwards").write_text("")


def test_blocks_may_be_nested_and_the_outer_goes_on(tmp_path: Path) -> None:
    def inner_then_write() -> None:
        with effects.watched():
            pass
        (tmp_path / "file").write_text("")

    with pytest.raises(RefusedError), effects.watched():
        inner_then_write()
    assert not list(tmp_path.iterdir())


def test_a_block_that_an_interrupt_has_left_without_its_end_stops_nothing(tmp_path: Path) -> None:
    """An interrupt just between two instructions can keep the end of a block from running: nobody must suffer."""
    left = effects.watched()

    def begins() -> None:
        left.__enter__()

    begins()
    (tmp_path / "file").write_text("")
    assert (tmp_path / "file").exists()
    left.__exit__(None, None, None)


def test_a_context_manager_of_somebody_may_hold_the_block(tmp_path: Path) -> None:
    """As replays do: the block is begun in a generator, or in an ExitStack, and goes on outside of it."""

    @contextlib.contextmanager
    def around() -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            stack.enter_context(effects.watched())
            yield

    with pytest.raises(RefusedError), around():
        (tmp_path / "file").write_text("")
    assert not list(tmp_path.iterdir())
