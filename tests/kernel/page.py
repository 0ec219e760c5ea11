"""A page as the kernel sees it: a stream and an ask comm, opened as JupyterLab's comms are."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from queue import Empty
from typing import Any

ATTACH = "__import__('greennb.jupyter.attach', fromlist=['attach']).attach()"

_numbers = itertools.count(1)


class Page:
    """Two comms on one kernel. ``subshell`` sends the asks to a subshell of ipykernel 7."""

    def __init__(self, kernel: Any, *, subshell: str | None = None) -> None:
        self.kernel = kernel
        self.subshell = subshell
        number = next(_numbers)
        self.stream, self.asker = f"stream-{number}", f"ask-{number}"
        self.streamed: list[dict[str, Any]] = []
        self.answered: list[dict[str, Any]] = []
        self.others: list[dict[str, Any]] = []
        self.closed: list[str] = []
        self._open(self.stream, "greennb.stream")
        self._open(self.asker, "greennb.ask")

    def _open(self, comm_id: str, target: str) -> None:
        self.send("comm_open", {"comm_id": comm_id, "target_name": target, "data": {}})

    def send(self, kind: str, content: dict[str, Any], *, subshell: str | None = None) -> None:
        """Send a message on the shell channel."""
        message = self.kernel.client.session.msg(kind, content)
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.kernel.client.shell_channel.send(message)

    def say(self, data: Any) -> None:
        """Send ``data`` on the ask comm."""
        self.send("comm_msg", {"comm_id": self.asker, "data": data}, subshell=self.subshell)

    def ask(self, question: str, *, timeout: float = 20, **fields: Any) -> dict[str, Any]:
        """The answer to a question."""
        re = f"q{next(_numbers)}"
        self.say({"v": 1, "ask": question, "id": re, **fields})
        return self.until(lambda: [said for said in self.answered if said.get("re") == re], timeout)[0]

    def watch(self, hz: float) -> dict[str, Any]:
        """Ask for samples on this page's stream."""
        return self.ask("watch", stream=self.stream, hz=hz)

    def until(self, found: Callable[[], list[Any]], timeout: float = 20) -> list[Any]:
        """Take in messages until ``found`` answers something."""
        deadline = time.monotonic() + timeout
        while not (result := found()):
            left = deadline - time.monotonic()
            assert left > 0, f"nothing came; streamed {self.types()}, answered {self.answered}"
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
        comm_id = content.get("comm_id")
        if message["msg_type"] == "comm_msg" and comm_id == self.stream:
            self.streamed.append(content["data"])
        elif message["msg_type"] == "comm_msg" and comm_id == self.asker:
            self.answered.append(content["data"])
        elif message["msg_type"] == "comm_close":
            self.closed.append(comm_id)
        else:
            self.others.append(message)

    def types(self) -> list[str]:
        """What came on the stream, in order."""
        return [said["type"] for said in self.streamed]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of one type that came on the stream."""
        return [said for said in self.streamed if said["type"] == kind]
