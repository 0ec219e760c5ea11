"""The Jupyter Server extension: loaded with every server, and quick, for nothing is read before somebody asks."""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """For ``jupyter server extension``: this module is the extension."""
    return [{"module": "greennb.jupyter.serverext"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Serve the host's power on ``greennb/stream``, and put it into the server's ``/metrics``."""
    from jupyter_server.utils import url_path_join
    from prometheus_client import REGISTRY

    from greennb.jupyter.server.host import Host
    from greennb.jupyter.server.metrics import Energy
    from greennb.jupyter.server.socket import SETTING, HostSocket

    host = Host()
    app.web_app.settings[SETTING] = host
    path = url_path_join(app.web_app.settings["base_url"], "greennb", "stream")
    app.web_app.add_handlers(".*$", [(path, HostSocket)])
    manager = app.kernel_manager
    REGISTRY.register(Energy(host, lambda: _kernels(manager)))


def _kernels(manager: Any) -> dict[str, int]:
    """Process ids of the kernels that this server runs; one that runs elsewhere has none here."""
    found: dict[str, int] = {}
    for kernel_id in manager.list_kernel_ids():
        pid = getattr(getattr(manager.get_kernel(kernel_id), "provisioner", None), "pid", None)
        if isinstance(pid, int):
            found[kernel_id] = pid
    return found
