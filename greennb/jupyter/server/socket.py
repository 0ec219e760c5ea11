"""The WebSocket on which pages ask for the host's power, in the bridge's messages: ``greennb/stream``.

Only who may use the server may open it (its token or login, its authorizer, its origins); nothing can be set on it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import ensure_async
from tornado.web import HTTPError
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from greennb.jupyter.server.host import FullError, Host, Looker
from greennb.model import messages
from greennb.model.errors import BadInputError, GreennbError

SETTING = "greennb_host"
"""Where the server keeps the :class:`Host` among its settings."""

MOST_CHARACTERS = 10_000
"""Of a question; the longest that a page asks has some hundred."""

HISTORY_S = 3600.0


class HostSocket(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """One page."""

    auth_resource = "kernels"
    """Who may see kernels may see what the machine draws."""

    looker: Looker | None = None

    @property
    def host(self) -> Host:
        """The server's one."""
        found: Host = self.settings[SETTING]
        return found

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Open, for who may."""
        user = self.current_user
        if user is None:
            raise HTTPError(403)
        if not await ensure_async(self.authorizer.is_authorized(self, user, "read", self.auth_resource)):
            raise HTTPError(403)
        await WebSocketHandler.get(self, *args, **kwargs)

    def open(self, *_args: Any, **_kwargs: Any) -> None:
        """A page is there."""
        loop = asyncio.get_running_loop()
        try:
            self.looker = self.host.join(lambda said: _from_thread(loop, self._say, said))
        except FullError:
            self._say(messages.bye("Too many pages look at this server's power: close some."))
            self.close(1013)  # try again later (IANA's registry of WebSocket close codes)

    async def on_message(self, text: str | bytes) -> None:
        """A question, answered off the event loop."""
        if len(text) > MOST_CHARACTERS:
            self.close(1009)  # too big
            return
        said = await asyncio.get_running_loop().run_in_executor(None, self._answer, text)
        self._say(said)

    def on_close(self) -> None:
        """The page is gone."""
        looker, self.looker = self.looker, None
        if looker is not None:
            self.host.leave(looker)

    def _answer(self, text: str | bytes) -> dict[str, Any]:
        re = ""
        try:
            data = json.loads(text)
            given = data.get("id") if isinstance(data, Mapping) else None
            re = given[:100] if isinstance(given, str) else ""
            question, re, fields = messages.asked(data)
            return self._answered(question, re, fields)
        except GreennbError as error:
            return messages.refused(str(error), re=re)
        except (ValueError, RecursionError):
            return messages.refused("This is no JSON.", re=re)

    def _answered(self, question: str, re: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        if question == "hello":
            return self.host.hello(re)
        if question == "watch":
            hz = messages.pace(fields.get("hz"))
            if self.looker is not None:
                self.host.watch(self.looker, hz)
            return messages.watching(hz=hz, re=re)
        if question == "history":
            span_s = fields.get("span_s", HISTORY_S)
            if isinstance(span_s, bool) or not isinstance(span_s, int | float) or not 0 <= span_s < float("inf"):
                raise BadInputError("span_s must be a number of at least 0.")
            return self.host.history(min(float(span_s), HISTORY_S), re)
        raise BadInputError("A server only tells its machine's power: nothing can be set or tried on it.")

    def _say(self, said: dict[str, Any]) -> None:
        try:
            self.write_message(json.dumps(said))
        except WebSocketClosedError:
            return  # the page is gone


def _from_thread(loop: asyncio.AbstractEventLoop, function: Any, *args: Any) -> None:
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:
        return  # the server has ended
