"""A page's two comms, without a page: what the kernel tells its pages comes to a function in the kernel itself."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from greennb.jupyter.asks import Asks
from greennb.model.messages import VERSION

if TYPE_CHECKING:
    from greennb.jupyter.bridge import Bridge

Said = Mapping[str, Any]
"""A message of the kernel's."""


class Line:
    """Stands in the place of a page's comm on ``greennb.stream``, and asks what a page asks on ``greennb.ask``.

    Args:
        take: is given each message of the stream, on the feed's thread.
    """

    def __init__(self, bridge: Bridge, take: Callable[[Said], None]) -> None:
        self.comm_id = f"dashboard-{uuid.uuid4().hex}"
        self._bridge = bridge
        self._take = take
        self._gone: Callable[[Any], None] | None = None
        self.open = False

    def begin(self) -> None:
        """Take part in what pages are told."""
        self.open = True
        self._bridge.feed.add(self)

    def end(self) -> None:
        """Take part no more; the last one who does lets the feed's thread end."""
        gone, self._gone, self.open = self._gone, None, False
        if gone is not None:
            gone(None)

    def ask(self, question: str, **fields: Any) -> Said:
        """The kernel's answer to a page's question; "refused" with a reason where there is none. From any thread."""
        answers: list[Said] = []
        asks = Asks(self._bridge, SimpleNamespace(send=answers.append))
        asks.answer({"content": {"data": {"v": VERSION, "ask": question, "id": self.comm_id, **fields}}})
        return answers[0]

    def watch(self, hz: float) -> None:
        """Have ``hz`` samples a second from now on; 0 for none, and then nothing is sampled for this line."""
        if self.open:
            self.ask("watch", stream=self.comm_id, hz=hz)

    # What the feed asks of a comm.

    def send(self, said: Said) -> None:
        """Take a message of the stream."""
        self._take(said)

    def on_close(self, gone: Callable[[Any], None]) -> None:
        """Keep whom to tell that this line has ended."""
        self._gone = gone

    def close(self) -> None:
        """The feed has ended this line."""
        self.open, self._gone = False, None
