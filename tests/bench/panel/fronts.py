"""Two JupyterLabs on loopback for the bench: one with the panel, one with the extension disabled, else the same.

Their kernels see eight virtual GPUs (``tests/rig``), and nothing of the user's own settings, runtime files or ledger.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig.nvml import Gpu, NvmlRig, build

READY_S = 90.0
GPUS = 8


def rig(folder: Path) -> NvmlRig:
    """Eight boards, each with a power of its own that moves."""
    folder.mkdir()
    now_ns = time.monotonic_ns()
    boards = []
    for place in range(GPUS):
        steps = tuple(
            (now_ns + step * 500_000_000, 150_000 + 20_000 * place + 60_000 * (step * (place + 3) % 5))
            for step in range(4000)
        )
        boards.append(Gpu(uuid=f"GPU-{place:08x}-1111-2222-3333-444444444444", powers=steps, sm_util=10 * place))
    return NvmlRig(folder, build(folder), boards)


@contextmanager
def lab(folder: Path, environ: dict[str, str], *, panel: bool, settings: dict[str, object]) -> Iterator[str]:
    """A JupyterLab in ``folder``; gives its address. The process is ended by its pid."""
    config, root, runtime = folder / "config", folder / "root", folder / "runtime"
    for each in (config / "labconfig", root, runtime, folder / "settings" / "greennb"):
        each.mkdir(parents=True)
    disabled = {} if panel else {"disabledExtensions": {"greennb": True}}
    (config / "labconfig" / "page_config.json").write_text(json.dumps(disabled))
    (folder / "settings" / "greennb" / "plugin.jupyterlab-settings").write_text(json.dumps(settings))
    port = _free_port()
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}", "--port-retries=0",
        "--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.root_dir={root}", f"--LabApp.user_settings_dir={folder / 'settings'}",
        f"--LabApp.workspaces_dir={folder / 'workspaces'}", "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.expose_app_in_browser=True", "--allow-root",
    ]  # fmt: skip
    own = {
        "JUPYTER_CONFIG_DIR": str(config), "JUPYTER_RUNTIME_DIR": str(runtime), "HOME": str(folder),
        "GREENNB_LEDGER": str(folder / "ledger.sqlite3"), "IPYTHONDIR": str(folder / "ipython"),
    }  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environ | own, cwd=root, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, process, folder / "log")
            yield address
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=20)


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until_s = time.monotonic() + READY_S
    while time.monotonic() < until_s:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/api/status", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def notebook(cells: list[str]) -> str:
    """A notebook of these code cells, as a file's text."""
    made = [
        {"cell_type": "code", "id": f"cell-{place}", "metadata": {}, "source": source, "outputs": [],
         "execution_count": None}
        for place, source in enumerate(cells)
    ]  # fmt: skip
    spec = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    return json.dumps({"cells": made, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5})


__all__ = ["GPUS", "lab", "notebook", "rig"]
