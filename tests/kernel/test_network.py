"""greennb uses no network: it works in a namespace that has none, and opens no internet socket anywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

pytestmark = pytest.mark.kernel

NO_INTERNET = """
import sys
INTERNET = {2, 10, 23, 30}  # AF_INET everywhere, AF_INET6 on Linux, Windows, macOS

def refuse(event, args):
    if event == "socket.__new__" and int(args[1]) in INTERNET:
        sys.stderr.write(f"INTERNET SOCKET {args}\\n")
        raise RuntimeError("an internet socket was opened")
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "urllib.Request"):
        sys.stderr.write(f"NAME LOOKUP {event} {args}\\n")
        raise RuntimeError("a name was looked up")

sys.addaudithook(refuse)
"""


def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which every Python process refuses internet sockets from its first line on."""
    (tmp_path / "sitecustomize.py").write_text(NO_INTERNET)
    return {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "GREENNB_LEDGER": str(tmp_path / "ledger.sqlite3"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
    }


def notebook(tmp_path: Path) -> Path:
    """Two cells, one of them work."""
    cells = [
        nbformat.v4.new_code_cell("%load_ext greennb\n%energy_config"),
        nbformat.v4.new_code_cell("sum(range(3_000_000))"),
        nbformat.v4.new_code_cell("%energy_report"),
    ]
    path = tmp_path / "work.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def run(command: list[str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environ(tmp_path), capture_output=True, text=True, timeout=180, check=False)


def greennb(*words: str) -> list[str]:
    return [sys.executable, "-m", "greennb", *words]


@pytest.mark.parametrize("command", [["doctor"], ["history"], ["export", "--format", "csv"], ["run", "work.ipynb"]])
def test_no_command_opens_an_internet_socket(command: list[str], tmp_path: Path) -> None:
    """Not even for the machine's name, the carbon tables or the kernel, which is spoken to through files."""
    path = notebook(tmp_path)
    words = [str(path) if word == path.name else word for word in command]
    done = run(greennb(*words), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "INTERNET" not in done.stderr
    assert "LOOKUP" not in done.stderr


def test_plain_python_opens_none_either(tmp_path: Path) -> None:
    code = "import greennb\nwith greennb.measure('x') as w:\n    sum(range(10**6))\nprint(w.result.to_dict()['status'])"
    done = run([sys.executable, "-c", code], tmp_path)
    assert (done.stdout, done.stderr) == ("ok\n", "")


def test_the_audit_would_see_one(tmp_path: Path) -> None:
    """The hook that the tests above rely on does refuse."""
    done = run([sys.executable, "-c", "import socket; socket.socket(socket.AF_INET)"], tmp_path)
    assert "INTERNET SOCKET" in done.stderr
    assert done.returncode == 1


@pytest.mark.network
def test_a_notebook_is_measured_where_there_is_no_network_at_all(tmp_path: Path) -> None:
    """In a network namespace of its own, with not even the loopback up."""
    if shutil.which("unshare") is None or os.name != "posix" or os.geteuid() != 0:
        pytest.skip("a network namespace needs unshare and root")
    out = tmp_path / "run.json"
    done = run(
        [
            "unshare",
            "-n",
            *greennb("run", str(notebook(tmp_path)), "--json", str(out), "--html", str(tmp_path / "r.html")),
        ],
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(out.read_text())
    assert [cell["status"] for cell in told["cells"]] == ["ok"] * 3
    report = (tmp_path / "r.html").read_text()
    assert 'src="http' not in report
    assert 'href="http' not in report
    assert "@import" not in report
