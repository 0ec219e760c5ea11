"""A real Jupyter Server with greennb's extension, its token, and a page that speaks to it."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.cluster.hosts import WITH_RIG

READY_S = 90.0
TOKEN = "a-token-of-a-test"
EXTENSION = "greennb.jupyter.serverext"


@dataclass(frozen=True)
class Server:
    """It runs at ``address`` below ``base``; its log is a file."""

    address: str
    base: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def socket(self) -> str:
        """Where pages look on."""
        return f"{self.address.replace('http', 'ws', 1)}{self.base}greennb/stream"

    def get(self, path: str, token: str | None = TOKEN) -> tuple[int, str]:
        """Status and body of a page."""
        request = urllib.request.Request(f"{self.address}{self.base}{path}")
        if token is not None:
            request.add_header("Authorization", f"token {token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def post(self, path: str, data: dict[str, Any]) -> dict[str, Any]:
        """What the server's interface answers."""
        request = urllib.request.Request(f"{self.address}{self.base}{path}", json.dumps(data).encode(), method="POST")
        request.add_header("Authorization", f"token {TOKEN}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found


@contextmanager
def server(folder: Path, *, watts: int | None = None, base: str = "/", extension: bool = True) -> Iterator[Server]:
    """A server in ``folder``; with ``watts`` its machine has virtual sensors that draw so much."""
    for name in ("root", "config", "data", "runtime", "home"):
        (folder / name).mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", f"--ServerApp.port={port}",
        "--ServerApp.ip=127.0.0.1", f"--ServerApp.root_dir={folder / 'root'}", f"--ServerApp.base_url={base}",
        f"--IdentityProvider.token={TOKEN}", "--ServerApp.port_retries=0",
        "--MappingKernelManager.shutdown_wait_time=1",
        f"--ServerApp.jpserver_extensions={{'{EXTENSION}': {extension}}}",
    ]  # fmt: skip
    if watts is not None:
        config = folder / "host.toml"
        config.write_text(f'[[zone]]\npath = "intel-rapl:0"\nname = "package-0"\ntrace = "constant {watts}"\n')
        command = [sys.executable, str(WITH_RIG), str(config), "--", *command]
    environ = {
        **os.environ, "JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"), "HOME": str(folder / "home"), "JUPYTER_NO_CONFIG": "1",
        "GREENNB_LEDGER": "off", **({} if watts is None else {"GREENNB_SOURCES": "rapl"}),
    }  # fmt: skip
    log = folder / "server.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, env=environ, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )
    made = Server(f"http://127.0.0.1:{port}", base, log, process)
    try:
        end_s = time.monotonic() + READY_S
        while not _up(made):
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < end_s, log.read_text()[-3000:]
            time.sleep(0.1)
        yield made
    finally:
        if watts is not None:
            process.kill()  # its namespace ends with it, and all that runs there
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _up(made: Server) -> bool:
    try:
        return made.get("api/status")[0] == 200
    except OSError:
        return False


class Page:
    """One page's socket; what comes is kept."""

    def __init__(self, connection: WebSocketClientConnection) -> None:
        self._connection = connection
        self.heard: list[dict[str, Any]] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, at: Server, *, token: str | None = TOKEN, origin: str | None = None) -> AsyncIterator[Page]:
        """Connect as a browser would, and go at the end."""
        request = HTTPRequest(at.socket, headers={})
        if token is not None:
            request.headers["Authorization"] = f"token {token}"
        if origin is not None:
            request.headers["Origin"] = origin
        page = cls(await websocket_connect(request))
        try:
            yield page
        finally:
            await page.close()

    def send(self, text: str) -> None:
        """Send any text."""
        self._connection.write_message(text)

    async def ask(self, question: str, **fields: Any) -> dict[str, Any]:
        """Ask, and wait for the answer to this question."""
        self.send(json.dumps({"v": 1, "ask": question, "id": f"{question}-1", **fields}))
        return await self.until(lambda said: said.get("re") == f"{question}-1")

    async def until(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 30) -> dict[str, Any]:
        """The next message that is wanted."""
        end_s = time.monotonic() + seconds
        while True:
            text = await asyncio.wait_for(self._connection.read_message(), max(0.1, end_s - time.monotonic()))
            assert text is not None, f"closed: {self._connection.close_code}"
            said = json.loads(text)
            self.heard.append(said)
            if wanted(said):
                return said

    async def closed(self) -> int | None:
        """Wait for the other side's close; its code."""
        while await asyncio.wait_for(self._connection.read_message(), 30) is not None:
            pass
        return self._connection.close_code

    async def close(self) -> None:
        """Go, and wait until the other side has seen it."""
        self._connection.close()
        with suppress(asyncio.TimeoutError):
            while await asyncio.wait_for(self._connection.read_message(), 10) is not None:
                pass
        await asyncio.sleep(0.1)  # the socket itself
