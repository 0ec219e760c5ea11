"""How greennb's wheel is made: hatchling, with the JupyterLab extension built before it.

A checkout builds the extension each time, so that no wheel carries what an earlier state of the sources gave. A source
distribution carries the built assets and is taken as it is, without node. An editable install has no use for them
(`make lab` builds and links them), so it needs neither node nor a build.
"""

from __future__ import annotations

from typing import Any

from hatchling import build as hatchling
from hatchling.build import build_editable, build_sdist, build_wheel, get_requires_for_build_editable
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

import labextension

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

PLACE = "share/jupyter/labextensions/greennb"
"""Where JupyterLab and Notebook look for the extension, below an environment's root."""

SERVER = "etc/jupyter/jupyter_server_config.d/greennb.json"
"""Where Jupyter Server looks for what it is to load."""


def get_requires_for_build_wheel(config_settings: dict[str, Any] | None = None) -> list[str]:
    """What a wheel needs: hatchling's, and what builds the extension."""
    return hatchling.get_requires_for_build_wheel(config_settings) + _needs()


def get_requires_for_build_sdist(config_settings: dict[str, Any] | None = None) -> list[str]:
    """The same for a source distribution, which carries the assets."""
    return hatchling.get_requires_for_build_sdist(config_settings) + _needs()


def _needs() -> list[str]:
    return [] if _is_sdist() else labextension.needs()


def _is_sdist() -> bool:
    return (labextension.ROOT / "PKG-INFO").exists()


class LabextensionHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the assets where a wheel has its data."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before a wheel ("standard" or "editable") or a source distribution is made."""
        if version == "editable":
            return
        if not _is_sdist():
            labextension.build()
        if not labextension.whole():
            raise SystemExit(f"greennb: {labextension.ASSETS} does not hold a built extension.")
        if self.target_name == "wheel":
            build_data["shared_data"] |= {
                "greennb/labextension": PLACE,
                "labextension/install.json": f"{PLACE}/install.json",
                "labextension/server.json": SERVER,
            }
