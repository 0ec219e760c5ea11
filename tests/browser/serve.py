"""The servers of the browser tests: JupyterLab, Notebook, JupyterLab 4.2, on loopback and with nothing of the user's.

    python tests/browser/serve.py FRONT     one front until Ctrl-C, to look at it by hand

A server has a folder of its own for notebooks, settings, runtime files and greennb's ledger, a free port, and kernels
that a test wants (labextension/ui-tests/kernels). Its log-in is off, which is why it listens on 127.0.0.1 only.
Where the rig can be had (tests/rig) its kernels see virtual sensors of known power; a front without sees the machine.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KERNELS = ROOT / "labextension" / "ui-tests" / "kernels"
ASSETS = ROOT / "greennb" / "labextension"
WITH_RIG = ROOT / "tests" / "rig" / "with-rig"
LOG = "server.log"
READY_S = 120.0
END_S = 20.0


@dataclass(frozen=True, slots=True)
class Front:
    """What shows the extension; ``rig`` is the virtual sensors' configuration, None for the machine's own."""

    venv: str
    application: str
    rig: Path | None

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return ROOT / self.venv / "bin" / "python"


CONSTANT = ROOT / "tests" / "rig" / "configs" / "constant.toml"

FRONTS = {
    "lab": Front(".venv", "jupyterlab", CONSTANT),
    "notebook": Front(".venv", "notebook", None),
    "lab42": Front(".venv-lab42", "jupyterlab", CONSTANT),
}


@dataclass(frozen=True, slots=True)
class Served:
    """A server that was started."""

    front: str
    address: str
    folder: Path
    virtual: bool
    """Whether its kernels see the rig's sensors."""
    process: subprocess.Popen[bytes]

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            SystemExit: it did not come up; its log is in the message.
        """
        until_s = time.monotonic() + READY_S
        while time.monotonic() < until_s and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/api/status", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        log = (self.folder / LOG).read_text(errors="replace")
        raise SystemExit(f"The server of {self.front} did not come up:\n{log[-4000:]}")


@contextmanager
def served(name: str, folder: Path) -> Iterator[Served]:
    """Start a server for the front ``name`` in ``folder``, and end it by its process id, whatever happens."""
    front = FRONTS[name]
    port = _free_port()
    environ = _lay_out(front, folder, port)
    command = [
        str(front.python),
        "-m",
        front.application,
        f"--config={folder / 'config' / 'server.py'}",
        "--no-browser",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    virtual = front.rig is not None and _rig_works()
    if virtual:
        command = [sys.executable, str(WITH_RIG), str(front.rig), "--", *command]
    with (folder / LOG).open("wb") as said:
        process = subprocess.Popen(
            command, env=environ, cwd=folder / "root", stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            yield Served(name, f"http://127.0.0.1:{port}", folder, virtual, process)
        finally:
            _end(process, at_once=virtual)


def _lay_out(front: Front, folder: Path, port: int) -> dict[str, str]:
    """Make the server's folders, configuration and kernels; gives its environment."""
    for name in ("root", "config", "data/kernels", "runtime", "settings", "home", "workspaces"):
        (folder / name).mkdir(parents=True)
    # A copy, so that a build meanwhile does not take it away; what a user's data folder holds comes before the venv's.
    shutil.copytree(ASSETS, folder / "data" / "labextensions" / "greennb")
    (folder / "config" / "server.py").write_text(_configuration(folder, port), encoding="utf-8")
    for name, spec in _kernels(front).items():
        (folder / "data" / "kernels" / name).mkdir()
        (folder / "data" / "kernels" / name / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    ours = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "GREENNB_", "PYTHON"))}
    return ours | {
        "HOME": str(folder / "home"),
        "IPYTHONDIR": str(folder / "home" / ".ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "0",
        "GREENNB_LEDGER": str(folder / "ledger.sqlite3"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _configuration(folder: Path, port: int) -> str:
    """Galata's configuration (no log-in: loopback only), and what makes a server quick, quiet and alone."""
    settings: dict[str, object] = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.root_dir": str(folder / "root"),
        "LabApp.user_settings_dir": str(folder / "settings"),
        "LabApp.workspaces_dir": str(folder / "workspaces"),
        "LabApp.news_url": None,
        "JupyterNotebookApp.user_settings_dir": str(folder / "settings"),
        "JupyterNotebookApp.workspaces_dir": str(folder / "workspaces"),
        "JupyterNotebookApp.expose_app_in_browser": True,
        # A kernel that dies is missed within a second, and given up when it dies again at once.
        "KernelRestarter.time_to_dead": 1.0,
        "KernelRestarter.restart_limit": 2,
        # What a test leaves open does not keep the server.
        "MappingKernelManager.shutdown_wait_time": 2.0,
    }
    lines = [
        "from jupyterlab.galata import configure_jupyter_server",
        "configure_jupyter_server(c)",
        *(f"c.{name} = {value!r}" for name, value in settings.items()),
    ]
    return "\n".join(lines) + "\n"


def _kernels(front: Front) -> dict[str, dict[str, object]]:
    """Kernels for the states of the link, beside the environment's own python3."""
    python = str(front.python)

    def spec(title: str, argv: list[str], language: str = "python", **env: str) -> dict[str, object]:
        return {"argv": [*argv, "-f", "{connection_file}"], "display_name": title, "language": language, "env": env}

    launcher = [python, "-m", "ipykernel_launcher"]
    return {
        "shell": spec("Shell", [python, str(KERNELS / "shell.py")], "bash"),
        "without": spec("Without greennb", [python, str(KERNELS / "without_greennb.py")]),
        "once": spec("Starts once", [python, str(KERNELS / "once.py")]),
        "old": spec("Old greennb", launcher, PYTHONPATH=str(KERNELS / "too_old")),
    }


@cache
def _rig_works() -> bool:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    done = subprocess.run([sys.executable, str(WITH_RIG), str(CONSTANT), "--", "true"], check=False, **quiet)
    return done.returncode == 0


def _end(process: subprocess.Popen[bytes], *, at_once: bool) -> None:
    """End a server and its kernels; in the rig's namespace all go with its first process, which heeds no SIGTERM."""
    if at_once:
        process.kill()
    process.terminate()
    try:
        process.wait(timeout=END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def main(names: list[str]) -> int:
    """The command line."""
    if len(names) != 1 or names[0] not in FRONTS:
        print(f"usage: serve.py {'|'.join(FRONTS)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="greennb-browser-") as folder, served(names[0], Path(folder)) as server:
        server.wait()
        print(f"{server.front} is at {server.address}, in {server.folder}. Ctrl-C ends it.")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
