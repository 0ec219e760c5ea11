"""A real ipykernel, spoken to as a front end speaks to it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

MIME = "application/vnd.greennb.energy+json"


@dataclass
class Ran:
    """What one execution request led to."""

    outputs: list[dict[str, Any]] = field(default_factory=list)
    reply: dict[str, Any] = field(default_factory=dict)

    @property
    def bundles(self) -> list[dict[str, Any]]:
        """Our own bundles, as data."""
        return [out["data"] for out in self.outputs if out["type"] == "display_data" and MIME in out["data"]]

    @property
    def measurement(self) -> dict[str, Any]:
        """The one measurement shown."""
        assert len(self.bundles) == 1, self.outputs
        return dict(self.bundles[0][MIME])

    @property
    def own(self) -> list[dict[str, Any]]:
        """Everything that is not ours: what the user's code put out."""
        return [out for out in self.outputs if not (out["type"] == "display_data" and MIME in out["data"])]

    def text(self, stream: str = "stdout") -> str:
        """What was written to a stream."""
        return "".join(out["text"] for out in self.outputs if out["type"] == "stream" and out["name"] == stream)


class Kernel:
    """One running kernel."""

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.manager = manager
        self.client = client

    def run(self, code: str, *, timeout: float = 60, cell_id: str | None = None, **how: Any) -> Ran:
        """Execute ``code`` and collect everything until the kernel is idle again."""
        return self.finish(self.start(code, cell_id=cell_id, **how), timeout=timeout)

    def start(self, code: str, *, cell_id: str | None = None, **how: Any) -> str:
        """Send an execution request as JupyterLab does, with the cell's id."""
        content = {
            "code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False,
            "stop_on_error": False, **how,
        }  # fmt: skip
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell_id} if cell_id else {})
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def finish(self, request: str, *, timeout: float = 60) -> Ran:
        """Collect what ``request`` led to."""
        ran = Ran()
        deadline = time.monotonic() + timeout
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            if kind not in ("status", "execute_input"):
                ran.outputs.append({"type": kind, **content})
        while ran.reply == {}:
            reply = self.client.get_shell_msg(timeout=max(0.1, deadline - time.monotonic()))
            if reply["parent_header"].get("msg_id") == request:
                ran.reply = reply["content"]
        return ran

    def value(self, expression: str) -> Any:
        """``expression`` in the user's namespace, as Python text evaluated here."""
        ran = self.run("", user_expressions={"it": expression}, store_history=False)
        data = ran.reply["user_expressions"]["it"]
        assert data["status"] == "ok", data
        return eval(data["data"]["text/plain"])


Starter = Callable[..., Kernel]


@pytest.fixture
def start_kernel(tmp_path: Path) -> Iterator[Starter]:
    """Start kernels; ``environ`` is added to the environment. The ledger is a file in tmp_path."""
    kernels: list[Kernel] = []

    def start(load: bool = True, **environ: str) -> Kernel:
        manager = KernelManager(transport="ipc", ip=str(tmp_path / f"k{len(kernels)}"))
        env = {
            **os.environ, "GREENNB_LEDGER": str(tmp_path / "ledger.sqlite3"), "IPYTHONDIR": str(tmp_path / "ipython"),
            "TZ": "UTC", **environ,
        }  # fmt: skip
        manager.start_kernel(env=env)
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        kernel = Kernel(manager, client)
        kernels.append(kernel)
        if load:
            assert kernel.run("%load_ext greennb").reply["status"] == "ok"
        return kernel

    yield start
    for kernel in kernels:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(start_kernel: Starter) -> Kernel:
    """A kernel with greennb loaded."""
    return start_kernel()


__all__ = ["MIME", "Kernel", "Ran"]
