"""The host's power from a real Jupyter Server, before any kernel runs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

pytest.importorskip("jupyter_server")

from tornado.httpclient import HTTPClientError

from tests.cluster.hosts import WITH_RIG
from tests.server.served import TOKEN, Page, Server, server

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def rigged() -> None:
    config = WITH_RIG.parent / "configs" / "constant.toml"
    tried = subprocess.run([sys.executable, str(WITH_RIG), str(config), "--", "true"], capture_output=True, text=True)
    if tried.returncode == 77:
        pytest.skip(tried.stderr.strip())


@pytest.fixture(scope="module")
def host(rigged: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server behind a prefix, as a hub has it, on a machine that draws 70 W."""
    with server(tmp_path_factory.mktemp("server") / "jupyter", watts=70, base="/user/ada/") as made:
        yield made


@pytest.mark.rig
def test_a_page_hears_the_hosts_watts_without_any_kernel(host: Server) -> None:
    async def look() -> None:
        async with Page.open(host) as page:
            hello = await page.ask("hello")
            assert hello["type"] == "hello"
            assert [domain["method"] for domain in hello["domains"]] == ["counter"]
            assert hello["settings"]["measure"] is False
            assert (await page.ask("watch", hz=4))["type"] == "watching"
            seen = []
            while len(seen) < 6:
                said = await page.until(lambda said: said["type"] == "samples")
                seen += [w for w in said["w"][0] if w is not None]
            assert seen[-1] == pytest.approx(70, rel=0.15)
            history = await page.ask("history")
            assert history["cells"] == []
            assert history["t_s"]

    asyncio.run(look())
    assert json.loads(host.get("api/kernels")[1]) == []


@pytest.mark.rig
def test_who_may_not_use_the_server_hears_nothing(host: Server) -> None:
    """No token, a wrong one, another origin."""

    async def refused(**how: str | None) -> int:
        with pytest.raises(HTTPClientError) as error:
            async with Page.open(host, **how):
                pass
        return int(error.value.code)

    assert asyncio.run(refused(token=None)) == 403
    assert asyncio.run(refused(token="wrong")) == 403
    assert asyncio.run(refused(token=None, origin="http://evil.example")) == 403


@pytest.mark.rig
def test_what_is_no_question_is_refused_in_words_and_nothing_can_be_set(host: Server) -> None:
    async def look() -> None:
        async with Page.open(host) as page:
            for text in ("no json", "[]", '{"v":1}', '{"v":99,"ask":"hello","id":"x"}', "[" * 5000):
                page.send(text)
                assert (await page.until(lambda said: True))["type"] == "refused"
            for question in ("set", "plan", "stop"):
                said = await page.ask(question, zone="FRA")
                assert (said["type"], said["reason"]) == (
                    "refused", "A server only tells its machine's power: nothing can be set or tried on it.",
                )  # fmt: skip
            for wrong in ({"hz": "fast"}, {"hz": None}, {"hz": True}):
                assert (await page.ask("watch", **wrong))["type"] == "refused"
            assert (await page.ask("watch", hz=1e9))["hz"] == 10
            assert (await page.ask("history", span_s=1e12))["type"] == "history"
            page.send("x" * 20_000)
            assert await page.closed() == 1009

    asyncio.run(look())


@pytest.mark.rig
def test_no_token_is_ever_in_the_log(host: Server) -> None:
    async def look() -> None:
        async with Page.open(host):
            pass

    asyncio.run(look())
    host.get("metrics")
    assert TOKEN not in host.log.read_text()
