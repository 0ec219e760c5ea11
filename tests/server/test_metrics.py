"""Joules and watts in the ``/metrics`` of a real Jupyter Server, scraped as Prometheus does."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jupyter_server")

from prometheus_client.parser import text_string_to_metric_families

from tests.server.served import TOKEN, Server, server
from tests.server.test_stream import rigged  # noqa: F401  # a fixture

pytestmark = [pytest.mark.kernel, pytest.mark.rig]


@pytest.fixture(scope="module")
def host(rigged: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:  # noqa: F811
    with server(tmp_path_factory.mktemp("metrics") / "jupyter", watts=70) as made:
        yield made


def scraped(host: Server) -> dict[str, list[Any]]:
    status, text = host.get("metrics")
    assert status == 200
    return {
        family.name: family.samples
        for family in text_string_to_metric_families(text)
        if family.name.startswith("greennb_")
    }


def test_joules_grow_by_the_hosts_watts_and_say_how_they_were_obtained(host: Server) -> None:
    first = scraped(host)["greennb_energy_joules"]
    began_s = time.monotonic()
    time.sleep(2.0)
    found = scraped(host)
    (last,) = found["greennb_energy_joules"]
    seconds = time.monotonic() - began_s
    before = first[0].value if first else 0.0
    assert last.value - before == pytest.approx(70 * seconds, rel=0.2)
    assert (last.labels["kind"], last.labels["method"]) == ("cpu_package", "counter")
    (power,) = found["greennb_power_watts"]
    assert power.value == pytest.approx(70, rel=0.1)


def test_a_kernel_that_works_has_the_larger_share(host: Server) -> None:
    idle, busy = (host.post("api/kernels", {"name": "python3"})["id"] for _ in range(2))
    code = "import time\nend = time.time() + 60\nwhile time.time() < end: sum(range(10000))"
    _execute(host, busy, code)
    scraped(host)
    time.sleep(3.0)
    shares = {sample.labels["kernel_id"]: sample.value for sample in scraped(host)["greennb_kernel_energy_joules"]}
    assert shares[busy] > 5 * shares[idle]
    assert shares[busy] < 70 * 30


def test_a_scrape_without_the_token_is_refused(host: Server) -> None:
    assert host.get("metrics", token=None)[0] in (401, 403)


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="no prometheus: apt-get install prometheus")
def test_prometheus_has_real_watts_of_a_running_server(host: Server, tmp_path: Path) -> None:
    """The query's result, from Prometheus itself."""
    port = _free_port()
    target = urllib.parse.urlsplit(host.address).netloc
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "global:\n  scrape_interval: 1s\nscrape_configs:\n  - job_name: jupyter\n    metrics_path: /metrics\n"
        f"    authorization: {{type: token, credentials: {TOKEN}}}\n"
        f"    static_configs:\n      - targets: ['{target}']\n"
    )
    command = [
        "prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
    try:
        watts = _until(lambda: _query(port, 'greennb_power_watts{kind="cpu_package"}'), process, tmp_path / "log")
        assert float(watts[0]["value"][1]) == pytest.approx(70, rel=0.15)
        # What it extrapolates from its first two samples is far off.
        rates = "rate(greennb_energy_joules_total[10s]) > 50"
        rate = _until(lambda: _query(port, rates), process, tmp_path / "log")
        assert float(rate[0]["value"][1]) == pytest.approx(70, rel=0.3)
    finally:
        process.terminate()
        process.wait(timeout=20)


def _until(ask: Any, process: subprocess.Popen[bytes], log: Path) -> list[dict[str, Any]]:
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        assert process.poll() is None, log.read_text()
        try:
            found: list[dict[str, Any]] = ask()
        except OSError:
            found = []
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(log.read_text()[-3000:])


def _query(port: int, query: str) -> list[dict[str, Any]]:
    address = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(address, timeout=10) as answer:
        result: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
        return result


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _execute(host: Server, kernel: str, code: str) -> None:
    """Start code in a kernel over the server's own socket, and leave it running."""
    import asyncio

    from tornado.httpclient import HTTPRequest
    from tornado.websocket import websocket_connect

    async def send() -> None:
        address = f"{host.address.replace('http', 'ws', 1)}{host.base}api/kernels/{kernel}/channels"
        connection = await websocket_connect(HTTPRequest(address, headers={"Authorization": f"token {TOKEN}"}))
        header = {"msg_id": "1", "msg_type": "execute_request", "session": "s", "username": "", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        await connection.write_message(json.dumps(message))
        while True:
            said = json.loads(await asyncio.wait_for(connection.read_message(), 60))
            if re.search("busy", json.dumps(said.get("content", {}))):
                break
        connection.close()
        await asyncio.sleep(0.5)  # the other side's part of closing

    asyncio.run(send())
