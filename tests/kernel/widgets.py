"""A front end's side of Jupyter widgets, as the kernel sees it: models by their ids, what comes, what is pressed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from queue import Empty
from typing import Any


class Widgets:
    """Everything that comes on iopub, and the widgets' models as they stand."""

    def __init__(self, kernel: Any) -> None:
        self.kernel = kernel
        self.models: dict[str, dict[str, Any]] = {}
        self.updates: list[tuple[str, dict[str, Any]]] = []
        self.others: list[dict[str, Any]] = []

    def run(self, code: str, timeout: float = 60) -> list[dict[str, Any]]:
        """Run a cell to its end; what it put out."""
        return self.finish(self.kernel.start(code), timeout)

    def finish(self, request: str, timeout: float = 60) -> list[dict[str, Any]]:
        """Take in messages until ``request`` has ended; what it put out."""
        self.until(lambda: self._ended(request), timeout)
        kinds = ("stream", "error", "display_data", "execute_result")
        return [m for m in self.others if m["parent_header"].get("msg_id") == request and m["msg_type"] in kinds]

    def ended(self, request: str) -> bool:
        """Whether ``request`` has ended, as far as has been taken in."""
        return bool(self._ended(request))

    def until(self, found: Callable[[], Any], timeout: float = 20) -> Any:
        """Take in messages until ``found`` answers something."""
        deadline = time.monotonic() + timeout
        while not (result := found()):
            left = deadline - time.monotonic()
            assert left > 0, f"nothing came: {self.text()}"
            self.take_in(left)
        return result

    def listen(self, seconds: float) -> None:
        """Take in whatever comes in this time."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.take_in(left)

    def take_in(self, timeout: float) -> None:
        """Take in one message, if one comes."""
        try:
            message = self.kernel.client.get_iopub_msg(timeout=timeout)
        except Empty:
            return
        content = message["content"]
        if message["msg_type"] == "comm_open" and content["target_name"] == "jupyter.widget":
            self.models[content["comm_id"]] = dict(content["data"]["state"])
        elif message["msg_type"] == "comm_msg" and content["comm_id"] in self.models:
            state = content["data"].get("state", {})
            self.updates.append((content["comm_id"], state))
            self.models[content["comm_id"]] |= state
        elif message["msg_type"] == "comm_close":
            self.models.pop(content["comm_id"], None)
        else:
            self.others.append(message)

    def html(self, label: str) -> str:
        """The part of the dashboard with this label; the latest where there are several."""
        begin = f'aria-label="{label}"'
        found = [m["value"] for m in self.models.values() if begin in str(m.get("value", ""))]
        return str(found[-1]) if found else ""

    def text(self) -> str:
        """What can be read in the shown parts, without their styles."""
        parts = [str(m["value"]) for m in self.models.values() if m.get("_model_name") == "HTMLModel"]
        return " ".join(re.sub(r"<style>.*?</style>|<[^>]*>", " ", " ".join(parts)).split())

    def button(self, name: str) -> str:
        """The id of a button."""
        return next(key for key, m in self.models.items() if m.get("description") == name)

    def shows(self, name: str) -> bool:
        """Whether a button has room."""
        layout = self.models[self.button(name)]["layout"].removeprefix("IPY_MODEL_")
        return self.models[layout].get("display") != "none"

    def press(self, name: str, *, subshell: str | None = None) -> None:
        """Press a button."""
        self._say(self.button(name), {"method": "custom", "content": {"event": "click"}}, subshell)

    def set(self, model: str, **state: Any) -> None:
        """Change what a front end may change of the first widget of a kind, the latest where there are several."""
        found = [key for key, m in self.models.items() if m.get("_model_name") == model]
        self._say(found[-1], {"method": "update", "state": state, "buffer_paths": []}, None)

    def subshell(self) -> str:
        """A subshell of the kernel, as JupyterLab has one for all widgets."""
        request = self.kernel.client.session.msg("create_subshell_request", {})
        self.kernel.client.control_channel.send(request)
        return str(self.kernel.client.control_channel.get_msg(timeout=10)["content"]["subshell_id"])

    def _say(self, comm_id: str, data: dict[str, Any], subshell: str | None) -> None:
        message = self.kernel.client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.kernel.client.shell_channel.send(message)

    def _ended(self, request: str) -> list[Any]:
        return [
            m for m in self.others
            if m["msg_type"] == "status" and m["content"]["execution_state"] == "idle"
            and m["parent_header"].get("msg_id") == request
        ]  # fmt: skip
